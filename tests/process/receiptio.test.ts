import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ownLoopbackAddress, RAW_PORT } from "../encoders/loopback.ts";
import { type Program, Shop } from "./processes.ts";

/* receiptio from its command line, against the simulator as a process of its own. It knows one port, 9100. */

const receiptio = join(dirname(createRequire(import.meta.url).resolve("receiptio")), "../bin/cli.js");
const address = ownLoopbackAddress(92, "::1");

let shop: Shop;
let printer: Program;

beforeEach(async () => {
  shop = new Shop();
  printer = shop.start("sim", "--json", "--speed", "fast", "--address", address, "--tcp", String(RAW_PORT));
  await printer.event("ready");
});
afterEach(() => shop.close());

/** The exit code; receiptio gives every outcome one of its own. */
function print(...args: string[]): Promise<number | null> {
  const child = spawn(process.execPath, [receiptio, "-d", address, ...args], { stdio: "ignore" });
  return new Promise((resolve) => child.once("close", resolve));
}

async function fault(name: string): Promise<void> {
  printer.child.stdin?.write(`${name}\n`);
  await printer.line((line) => line.event === "fault" && line["fault"] === name, name);
}

it("prints, and tells an open cover from the end of the paper by its exit code", async () => {
  const document = shop.write("ticket.receipt", "^^^Café\n\nEspresso | 4,40 €\n");
  expect(await print(document)).toBe(0);
  await printer.line((line) => line.event === "ticket" && line["number"] === 1, "the ticket");
  expect(await print("-q", "printer")).toBe(100);
  await fault("cover-open");
  expect(await print(document)).toBe(101);
  await fault("cover-closed");
  await fault("paper-end");
  expect(await print(document)).toBe(102);
  await fault("paper-loaded");
  expect(await print(document)).toBe(0);
  await printer.line((line) => line.event === "ticket" && line["number"] === 2, "the second ticket");
});
