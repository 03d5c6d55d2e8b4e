import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findEndpoint, publishEndpoint } from "./endpoint-file.ts";

let folder: string;
const server = createServer((socket) => socket.destroy());
let url: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twinspool-endpoint-"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  if (server.listening) {
    server.close();
    await once(server, "close");
  }
  await rm(folder, { recursive: true, force: true });
});

test("a published endpoint is found until it is taken back, and nothing else is left in the folder", async () => {
  const data = join(folder, "data");
  const remove = await publishEndpoint(data, "client", { url, pid: process.pid });
  expect(await findEndpoint(data, "client")).toEqual({ url, pid: process.pid });
  expect(await findEndpoint(data, "server")).toBeUndefined();
  expect(await readdir(data)).toEqual(["client.endpoint.json"]);
  remove();
  expect(await readdir(data)).toEqual([]);
  expect(await findEndpoint(data, "client")).toBeUndefined();
});

test("a file of a process that has ended is stale, and is published over", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  await publishEndpoint(folder, "client", { url, pid: child.pid ?? 0 });
  expect(await findEndpoint(folder, "client")).toBeUndefined();
  const remove = await publishEndpoint(folder, "client", { url, pid: process.pid });
  expect(await findEndpoint(folder, "client")).toBeDefined();
  remove();
});

test("a file is stale when its process id lives on in another program and nothing listens there", async () => {
  const remove = await publishEndpoint(folder, "client", { url, pid: process.pid });
  server.close();
  await once(server, "close");
  expect(await findEndpoint(folder, "client")).toBeUndefined();
  remove();
});

test.each(["", "{", '{"url":"http://127.0.0.1:1"}', '{"url":"file:///etc","pid":1}'])(
  "a damaged file %j finds nothing",
  async (text) => {
    await writeFile(join(folder, "client.endpoint.json"), text);
    expect(await findEndpoint(folder, "client")).toBeUndefined();
  },
);
