import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { runProgram } from "./program.ts";
import { parsePlannedFault, parsePorts, type SimFlags } from "./sim.ts";
import { memoryIo } from "./test-support.ts";

it.each([
  ["paper-end", { fault: { kind: "paper-end" }, text: "paper-end", afterMs: 0 }],
  ["paper-end@1200", { fault: { kind: "paper-end", atRow: 1200 }, text: "paper-end@1200", afterMs: 0 }],
  ["power-cut@3s", { fault: { kind: "power-cut" }, text: "power-cut", afterMs: 3000 }],
  ["cover-open@1.5s", { fault: { kind: "cover-open" }, text: "cover-open", afterMs: 1500 }],
  ["link-cut@250ms", { fault: { kind: "link-cut" }, text: "link-cut", afterMs: 250 }],
  ["paper-end@1200@2s", { fault: { kind: "paper-end", atRow: 1200 }, text: "paper-end@1200", afterMs: 2000 }],
])("the fault %s", (text, planned) => {
  expect(parsePlannedFault(text)).toEqual(planned);
});

it.each(["", "fire", "power-cut@12", "paper-end@3m"])("%j is no fault, and those that are get named", (text) => {
  expect(() => parsePlannedFault(text)).toThrow(/expected one of paper-end, .*@3s/);
});

const flags: SimFlags = { address: "127.0.0.1", speed: "fast" };

it.each<[string, Partial<SimFlags>, object]>([
  ["no way in is named", {}, { tcpPort: 9100 }],
  ["TCP alone", { tcp: "0" }, { tcpPort: 0 }],
  ["USB alone", { usbip: true }, { usbipPort: 3240 }],
  ["USB on a port, and TCP", { usbip: "0", tcp: "9101" }, { tcpPort: 9101, usbipPort: 0 }],
  ["a terminal", { pty: true }, { pty: {} }],
  [
    "a slow terminal with a name",
    { pty: "/tmp/x", baud: "9600", xonXoff: true },
    { pty: { link: "/tmp/x", baudRate: 9600, flowControl: "xon-xoff" } },
  ],
  ["the standard input", { stdin: true }, {}],
])("the ports when the flags say: %s", (_, given, ports) => {
  expect(parsePorts({ ...flags, ...given })).toEqual(ports);
});

it.each<[Partial<SimFlags>, RegExp]>([
  [{ baud: "9600" }, /add --pty/],
  [{ xonXoff: true }, /add --pty/],
  [{ pty: true, baud: "fast" }, /expected bits a second/],
  [{ usbip: "x" }, /--usbip x: expected a port/],
  [{ replies: "x" }, /add --stdin/],
])("the flags %j are refused", (given, message) => {
  expect(() => parsePorts({ ...flags, ...given })).toThrow(message);
});

it("prints the standard input, keeps what was answered, and ends", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sim-stdin-"));
  try {
    const parts = [Buffer.from("hello\n\x1dVB\0"), Buffer.from("rest\n\x10\x04\x01")];
    const io = { ...memoryIo(), stdin: Readable.from(parts) as NodeJS.ReadStream };
    const paths = ["--paper", folder, "--replies", join(folder, "replies.bin"), "--nv", join(folder, "nv.json")];
    const code = await runProgram(["sim", "--stdin", "--speed", "fast", "--json", ...paths], io, "1.2.3");
    const events = io.stdout.text.trim().split("\n");
    expect(code).toBe(0);
    expect(JSON.parse(events[0] ?? "")).toEqual({ event: "ready", stdin: true, profile: "tm-m30iii" });
    expect(JSON.parse(events[1] ?? "")).toMatchObject({ event: "ticket", number: 1 });
    expect((await readdir(folder)).sort()).toEqual(["nv.json", "replies.bin", "ticket-0001.png", "uncut.png"]);
    expect((await readFile(join(folder, "replies.bin"))).toString("hex")).toBe("12");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it("says so when the file of the replies cannot be written", async () => {
  const io = memoryIo();
  const code = await runProgram(["sim", "--stdin", "--speed", "fast", "--replies", tmpdir()], io, "1.2.3");
  expect(code).toBe(2);
  expect(io.stderr.text).toMatch(/--replies: the file cannot be written/);
});
