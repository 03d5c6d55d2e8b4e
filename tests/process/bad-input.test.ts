import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { history, jobs, Shop, until } from "./processes.ts";

const receipt = readFileSync(fileURLToPath(new URL("../../docs/samples/receipt.png", import.meta.url)));

/** Bad input gets a sentence that says what to do, and loses nothing (the real program, as a user runs it). */
describe("bad input", () => {
  let shop: Shop;
  let boxUrl: string;

  beforeEach(async () => {
    shop = new Shop();
    await shop.startPrinter();
    boxUrl = await shop.start("box", "--json", "--port", "0", ...shop.printerFlags).ready();
    await until(
      () => fetch(`${boxUrl}/api/printers`).then((answer) => answer.json() as Promise<{ printers: unknown[] }>),
      ({ printers }) => printers.length > 0,
      "the printer at the box",
    );
  });
  afterEach(() => shop.close());

  async function run(...args: string[]): Promise<{ code: number | null; said: string }> {
    const program = shop.startAs("till", ...args);
    program.child.stdin?.end();
    const code = await program.exited;
    return { code, said: program.log.join("\n") };
  }

  const print = (...args: string[]) => run("print", "--server", boxUrl, "--wait", ...args);

  it.each([
    [
      "an unknown type",
      "letter.docx",
      Buffer.from("PK\u0003\u0004 something else entirely \u0000\u0001\u0002"),
      "no known type",
    ],
    ["an empty file", "empty.txt", Buffer.alloc(0), "empty"],
    ["a truncated PNG", "half.png", receipt.subarray(0, receipt.length >> 1), "ends too early"],
    ["a PNG with one byte changed", "rotten.png", flip(receipt, receipt.length >> 1), "cannot be read"],
    ["text that is no UTF-8", "latin1.txt", Buffer.from("Gem\xfcse 3,50", "latin1"), "UTF-8"],
  ])("%s is refused at the client and nothing is spooled", async (_, name, content, words) => {
    const { code, said } = await print(shop.write(name, content));
    expect(said).toContain(words);
    expect(said).toContain("What to do");
    expect(said).not.toMatch(/\n\s+at /);
    expect(code).toBe(1);
    expect(shop.imagesOf("client", join(shop.folder, "till"))).toEqual([]);
    expect(await jobs(boxUrl)).toEqual([]);
    expect(await history(boxUrl)).toEqual([]);
  });

  it("an unknown printer is refused with the names there are", async () => {
    const { code, said } = await print("--printer", "kitchn", shop.write("a.txt", "a"));
    expect(code).toBe(1);
    expect(said).toContain("kitchen");
  });

  it("a source that is no spool in use is refused with the choice that works", async () => {
    const { code, said } = await print("--from", "client", "--spool", "server", shop.write("a.txt", "a"));
    expect(code).toBe(2);
    expect(said).toContain("server");
  });

  it("an unreachable server is named", async () => {
    const { code, said } = await run("print", "--server", "http://127.0.0.1:9", shop.write("a.txt", "a"));
    expect(code).toBe(1);
    expect(said).toContain("http://127.0.0.1:9");
  });

  it("a port in use is named", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { code, said } = await run("server", "--port", String(port));
    taken.close();
    expect(code).toBe(1);
    expect(said).toContain(String(port));
  });

  it("an address beyond this machine needs a key", async () => {
    const { code, said } = await run("server", "--address", "0.0.0.0", "--port", "0");
    expect(code).toBe(2);
    expect(said).toContain("key");
  });

  it("a second process on the same data folder is refused", async () => {
    const second = shop.start("server", "--port", "0");
    expect(await second.exited).toBe(1);
    expect(second.log.join("\n")).toContain("another twinspool process uses this data folder");
  });

  it("a corrupt database is named and kept", async () => {
    const folder = join(shop.folder, "till");
    const first = shop.startAs("till", "server", "--json", "--port", "0");
    await first.ready();
    await first.end();
    const file = join(folder, "server", "server.db");
    const rotten = readFileSync(file);
    rotten.fill(0xa5, 0, 100);
    writeFileSync(file, rotten);
    const { code, said } = await run("server", "--port", "0");
    expect(code).toBe(1);
    expect(said).toContain("server.db");
    expect(digest(readFileSync(file))).toBe(digest(rotten));
  });

  it("a corrupt ledger goes into quarantine and a new incarnation begins", async () => {
    const folder = join(shop.folder, "till");
    const args = ["host", "--json", "--port", "0", "--server", boxUrl, "--printer", "bar=socket://127.0.0.1:9"];
    const first = shop.startAs("till", ...args);
    await first.ready();
    await first.end();
    const file = join(folder, "host", "bar.ledger");
    const rotten = readFileSync(file);
    rotten.fill(0xa5, 0, 64);
    writeFileSync(file, rotten);
    const second = shop.startAs("till", ...args);
    await second.ready();
    expect(second.log.join("\n")).toContain("ledger was damaged");
    expect(readdirSync(join(folder, "host", "quarantine"))).toHaveLength(1);
  });

  it("uploads that nobody waits for are refused and leave no file", async () => {
    const unknown = await fetch(`${boxUrl}/images/aaaaaaaa-nonce1-1`, { method: "PUT", body: "bytes" });
    expect(unknown.status).toBe(404);
    const path = await fetch(`${boxUrl}/images/..%2F..%2Fetc%2Fpasswd`, { method: "PUT", body: "bytes" });
    expect(path.status).toBe(404);
    const host = await fetch(`${boxUrl}/hosts/kitchen/images/guess.1`, { method: "PUT", body: "bytes" });
    expect(host.status).toBe(409);
    expect(shop.imagesOf("server")).toEqual([]);
  });

  it("unknown jobs and foreign origins get errors of the table", async () => {
    const unknown = await fetch(`${boxUrl}/api/jobs/aaaaaaaa-nonce1-1`);
    expect([unknown.status, ((await unknown.json()) as { code: string }).code]).toEqual([404, "job-unknown"]);
    const foreign = await fetch(`${boxUrl}/api/jobs`, { headers: { origin: "http://evil.example" } });
    expect(foreign.status).toBe(403);
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 0x40, at);
  return copy;
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
