import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { findProfile } from "../profiles.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../simulator.ts";
import { CUT, hex, processId, raster, stream, stripes } from "../test-bytes.ts";
import { UsbHost } from "./test-usb-host.ts";

const EPIPE = -32;
const ECONNRESET = -104;
const GET_DESCRIPTOR = [0x80, 6] as const;

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const sim = await startSimulator({ usbipPort: 0, ...options });
  cleanups.push(() => sim.close());
  return sim;
}

async function attach(sim: Simulator): Promise<UsbHost> {
  const host = await UsbHost.attach(sim.usbipPort);
  if (host === undefined) throw new Error("refused");
  cleanups.push(() => host.socket.destroy());
  return host;
}

/** Attaches when the printer lets it: a connection that has just ended may still hold the device. */
async function refused(sim: Simulator): Promise<boolean> {
  const host = await UsbHost.attach(sim.usbipPort);
  cleanups.push(() => host?.socket.destroy());
  return host === undefined;
}

/** Sends raw bytes and resolves with everything that comes back until the printer's side closes. */
async function talk(port: number | undefined, bytes: Uint8Array): Promise<string> {
  const socket = connect({ port: port ?? 0, host: "127.0.0.1" });
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += hex(chunk);
  });
  socket.on("error", () => {});
  socket.end(bytes);
  await once(socket, "close");
  return text;
}

function text(descriptor: Uint8Array): string {
  return Buffer.from(descriptor.subarray(2)).toString("utf16le");
}

describe("attaching", () => {
  it("lists the printer, with its class at the interface", async () => {
    const sim = await start();
    const list = Buffer.from(await talk(sim.usbipPort, Buffer.from("0111800500000000", "hex")), "hex");
    expect(list.length).toBe(12 + 312 + 4);
    expect(hex(list.subarray(0, 12))).toBe("011100050000000000000001");
    expect(list.toString("latin1", 12 + 256, 12 + 260)).toBe("1-1\0");
    expect(hex(list.subarray(12 + 288))).toBe("00000001000000020000000304b802020100000000010101" + "07010200");
  });

  it("is enumerated as Linux does it", async () => {
    const host = await attach(await start());
    expect(hex((await host.control(...GET_DESCRIPTOR, 0x0100, 0, 64)).data)).toBe(
      "12010002000000" + "40b80402020001" + "01020301",
    );
    expect((await host.control(...GET_DESCRIPTOR, 0x0600, 0, 10)).data).toHaveLength(10);
    expect((await host.control(...GET_DESCRIPTOR, 0x0f00, 0, 5)).status).toBe(EPIPE);
    expect(hex((await host.control(...GET_DESCRIPTOR, 0x0200, 0, 9)).data)).toBe("0902200001" + "0100c001");
    expect(hex((await host.control(...GET_DESCRIPTOR, 0x0200, 0, 255)).data)).toBe(
      "09022000010100c001" + "090400000207010200" + "07050102000200" + "07058202000200",
    );
    expect(hex((await host.control(...GET_DESCRIPTOR, 0x0300, 0, 255)).data)).toBe("04030904");
    const strings = await Promise.all([1, 2, 3].map((n) => host.control(...GET_DESCRIPTOR, 0x0300 | n, 0x0409, 255)));
    expect(strings.map(({ data }) => text(data))).toEqual(["EPSON", "TM-m30III", "SIM0000001"]);
    expect((await host.control(...GET_DESCRIPTOR, 0x0304, 0x0409, 255)).status).toBe(EPIPE);
    expect(hex((await host.control(0x80, 8, 0, 0, 1)).data)).toBe("00");
    expect((await host.control(0x00, 9, 1)).status).toBe(0);
    expect(hex((await host.control(0x80, 8, 0, 0, 1)).data)).toBe("01");
    expect((await host.control(0x01, 11, 0, 0)).status).toBe(0);
    expect((await host.control(0x01, 11, 1, 0)).status).toBe(EPIPE);
    expect(hex((await host.control(0x80, 0, 0, 0, 2)).data)).toBe("0100");
  });

  it("answers with the IEEE 1284 identity of its model", async () => {
    const host = await attach(await start());
    const { data } = await host.control(0xa1, 0, 0, 0, 1023);
    const identity = Buffer.from(data);
    expect(identity.readUInt16BE(0)).toBe(identity.length);
    expect(identity.toString("latin1", 2)).toBe(
      "MFG:EPSON;CMD:ESC/POS;MDL:TM-m30III;CLS:PRINTER;DES:EPSON TM-m30III;SN:SIM0000001;",
    );
    expect((await host.control(0xa1, 0, 0, 0, 2)).data).toHaveLength(2);
    const own = findProfile("xp-80");
    const odd = await start({ profile: { ...own, identity: { ...own.identity, model: "A;B:ü" } } });
    const answer = await (await attach(odd)).control(0xa1, 0, 0, 0, 1023);
    expect(Buffer.from(answer.data).toString("latin1")).toContain("MDL:A B  ;");
  });

  it("belongs to one host at a time, and to the next when that has gone", async () => {
    const sim = await start();
    const first = await attach(sim);
    expect(sim.usb?.attached).toBe(true);
    expect(await refused(sim)).toBe(true);
    expect(await talk(sim.usbipPort, Buffer.from("0111800500000000", "hex"))).toBe("011100050000000000000000");
    first.socket.destroy();
    while (sim.usb?.attached) await new Promise((resolve) => setImmediate(resolve));
    await attach(sim);
    expect(await (await UsbHost.dial(sim.usbipPort)).importDevice("2-7")).toBeUndefined();
  });

  it("says so when its port is taken, and leaves no other port open", async () => {
    const sim = await start();
    const other = await start({ tcpPort: 0 });
    const tcpPort = other.port ?? 0;
    await other.close();
    const taken = startSimulator({ tcpPort, usbipPort: sim.usbipPort ?? 0 });
    await expect(taken).rejects.toThrow(`TCP port ${sim.usbipPort} of 127.0.0.1 is already in use`);
    await start({ tcpPort });
  });
});

describe("printing", () => {
  it("prints what comes, and answers reads when it has something to say", async () => {
    const sim = await start();
    const host = await attach(sim);
    const reads = [host.read(), host.read()];
    expect((await host.write(stream("\x10\x04\x01")).result).length).toBe(3);
    expect(hex((await reads[0]?.result)?.data ?? new Uint8Array(0))).toBe("12");
    await host.write(stream("hello\n", CUT, processId("DONE"))).result;
    expect((await sim.printed()).text).toBe("hello");
    expect(hex((await reads[1]?.result)?.data ?? new Uint8Array(0))).toBe("3722444f4e4500");
  });

  it("keeps what it said until the host reads, in pieces as long as the host has room", async () => {
    const sim = await start();
    const host = await attach(sim);
    await host.write(stream("\x10\x04\x01\x10\x04\x02\x10\x04\x04")).result;
    expect(hex((await host.read(2).result).data)).toBe("1212");
    expect(hex((await host.read(64).result).data)).toBe("12");
  });

  it("takes a megabyte in one transfer, beside a host of another port", async () => {
    const sim = await start({ tcpPort: 0 });
    const host = await attach(sim);
    const rows = Array.from({ length: 15_000 }, (_, row) => Array.from({ length: 72 }, (_, x) => (row + x) & 0xff));
    expect((await host.write(stream(raster(rows), CUT)).result).status).toBe(0);
    const page = await sim.printed();
    expect(page.heightDots).toBe(15_000);
    expect(page.rows.every((row, index) => row[7] === rows[index]?.[7])).toBe(true);
    const socket = connect({ port: sim.port ?? 0, host: "127.0.0.1" });
    socket.end(stream("from elsewhere\n", CUT));
    expect((await sim.printed()).text).toBe("from elsewhere");
  });

  it("withholds the answer while its buffer is full, still tells its status, and lets the host take the rest back", async () => {
    const sim = await start({ profile: { ...findProfile("tm-m30iii"), bufferBytes: 4096 } });
    const host = await attach(sim);
    sim.fail("paper-end");
    const transfer = host.write(stream("x".repeat(99_999), "\n"));
    const next = host.write(stream("never\n"));
    expect(hex((await host.control(0xa1, 1, 0, 0, 1)).data)).toBe("30");
    expect([transfer, next].map(({ seqnum }) => host.isAnswered(seqnum))).toEqual([false, false]);
    expect(sim.state.bufferedBytes).toBe(4096);
    expect(await host.unlink(next.seqnum)).toBe(ECONNRESET);
    expect(await host.unlink(transfer.seqnum)).toBe(ECONNRESET);
    expect(await host.unlink(transfer.seqnum)).toBe(0);
    sim.fail("paper-loaded");
    await host.write(stream("\nafterwards\n", CUT)).result;
    const { text: printed } = await sim.printed();
    // The buffer, and the packet that was on its way.
    expect(printed.replaceAll("\n", "")).toBe(`${"x".repeat(4096 + 512)}afterwards`);
  });

  it("takes a read back", async () => {
    const host = await attach(await start());
    const read = host.read();
    expect(await host.unlink(read.seqnum)).toBe(ECONNRESET);
    await host.write(stream("\x10\x04\x01")).result;
    expect(hex((await host.read().result).data)).toBe("12");
    expect(host.isAnswered(read.seqnum)).toBe(true);
  });
});

describe("the port status", () => {
  it.each([
    ["all is well", undefined, "18"],
    ["paper end", "paper-end", "30"],
    ["open cover", "cover-open", "10"],
    ["paper near end", "paper-near-end", "18"],
  ] as const)("%s", async (_, fault, status) => {
    const sim = await start();
    const host = await attach(sim);
    if (fault !== undefined) sim.fail(fault);
    expect(hex((await host.control(0xa1, 1, 0, 0, 1)).data)).toBe(status);
  });
});

describe("endpoints", () => {
  it("stall until the host clears them, losing nothing that was not begun", async () => {
    const sim = await start();
    const host = await attach(sim);
    const read = host.read();
    sim.usb?.stall("in");
    sim.usb?.stall("out");
    expect((await read.result).status).toBe(EPIPE);
    expect((await host.write(stream("no\n")).result).status).toBe(EPIPE);
    expect(hex((await host.control(0x82, 0, 0, 0x01, 2)).data)).toBe("0100");
    expect((await host.control(0x02, 1, 0, 0x01)).status).toBe(0);
    expect((await host.control(0x02, 1, 0, 0x82)).status).toBe(0);
    expect(hex((await host.control(0x82, 0, 0, 0x01, 2)).data)).toBe("0000");
    await host.write(stream("yes\n", CUT)).result;
    expect((await sim.printed()).text).toBe("yes");
  });

  it("that are not there stall, and so do requests that no printer knows", async () => {
    const host = await attach(await start());
    const strange = await Promise.all([
      host.submit(5, false, 3, stream("abc")).result,
      host.submit(1, true, 64).result,
      host.control(0x02, 3, 0, 0x07),
      host.control(0xc0, 1, 0, 0, 10),
      host.control(0x80, 6, 0x2200, 0, 10),
    ]);
    expect(strange.map(({ status }) => status)).toEqual([EPIPE, EPIPE, EPIPE, EPIPE, EPIPE]);
  });

  it.each([0x21, 0x23])("SOFT_RESET (%i) throws away what has not been printed", async (requestType) => {
    const sim = await start();
    const host = await attach(sim);
    sim.fail("cover-open");
    await host.write(stream("gone\n")).result;
    expect((await host.control(requestType, 2)).status).toBe(0);
    expect(sim.state.bufferedBytes).toBe(0);
    sim.fail("cover-closed");
    await host.write(stream("stays\n", CUT)).result;
    expect((await sim.printed()).text).toBe("stays");
  });
});

describe("unplugging", () => {
  it("in the middle of a transfer: the host loses its device, the printer prints what it has", async () => {
    const sim = await start();
    const host = await attach(sim);
    sim.fail("cover-open");
    const transfer = host.write(stream("first\n", CUT, "y".repeat(50_000)));
    await host.control(0x80, 0, 0, 0, 2);
    sim.usb?.unplug();
    await host.closed;
    await expect(transfer.result).rejects.toThrow(/gone/);
    expect(sim.usb?.attached).toBe(false);
    expect(await refused(sim)).toBe(true);
    sim.fail("cover-closed");
    expect((await sim.printed()).text).toBe("first");
    sim.usb?.plug();
    const again = await attach(sim);
    await again.write(stream("\n", CUT, "again\n", CUT)).result;
    await sim.printed();
    expect((await sim.printed()).text).toBe("again");
  });

  it.each([
    ["link-cut", "link-restored"],
    ["power-cut", "power-on"],
  ] as const)("by %s, until %s", async (cut, restored) => {
    const sim = await start();
    const host = await attach(sim);
    sim.fail(cut);
    await host.closed;
    expect(await refused(sim)).toBe(true);
    sim.fail(restored);
    const again = await attach(sim);
    await again.write(stream("back\n", CUT)).result;
    expect((await sim.printed()).text).toBe("back");
  });

  it("and plugging at once gives the next host a fresh device", async () => {
    const sim = await start();
    const host = await attach(sim);
    await host.control(0x00, 9, 1);
    sim.usb?.unplug();
    sim.usb?.plug();
    const again = await attach(sim);
    expect(hex((await again.control(0x80, 8, 0, 0, 1)).data)).toBe("00");
    await host.closed;
    expect(sim.usb?.attached).toBe(true);
    expect(sim.state.connections).toBe(1);
  });
});

/** A request header, with words of its own. */
function header(...words: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(48);
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, index * 4);
  return bytes;
}

const IMPORT = Buffer.concat([Buffer.from("0111800300000000", "hex"), Buffer.from("1-1"), Buffer.alloc(29)]);

describe("a peer that speaks nonsense", () => {
  it.each<[string, Uint8Array, string]>([
    ["text", stream("GET / HTTP/1.1\r\n\r\n"), ""],
    ["another version", Buffer.from("0106800500000000", "hex"), ""],
    ["no operation", Buffer.from("0111800700000000", "hex"), ""],
    ["half an operation", Buffer.from("01118005", "hex"), ""],
    ["half an import", IMPORT.subarray(0, 20), ""],
  ])("is dropped: %s", async (_, bytes, answer) => {
    const sim = await start();
    expect(await talk(sim.usbipPort, bytes)).toBe(answer);
    await attach(sim);
  });

  it.each<[string, Uint8Array]>([
    ["no command", header(9, 1)],
    ["a transfer of 4 GB", header(1, 1, 0, 0, 1, 0, 0xffffffff, 0, 0)],
    ["an isochronous transfer", header(1, 1, 0, 0, 1, 0, 64, 0, 3)],
    ["a second import", Buffer.concat([IMPORT, Buffer.alloc(8)])],
    ["half a header", header(1, 1).subarray(0, 30)],
    ["half a transfer", Buffer.concat([header(1, 1, 0, 0, 1, 0, 5000, 0, 0), Buffer.alloc(100)])],
  ])("loses its device: %s", async (_, bytes) => {
    const sim = await start();
    expect((await talk(sim.usbipPort, Buffer.concat([IMPORT, bytes]))).slice(0, 16)).toBe("0111000300000000");
    await attach(sim);
  });

  it("cannot claim memory that it does not fill", async () => {
    const sim = await start();
    const before = process.memoryUsage().arrayBuffers;
    const sockets = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const socket = connect({ port: sim.usbipPort ?? 0, host: "127.0.0.1" });
        await once(socket, "connect");
        cleanups.push(() => socket.destroy());
        return socket;
      }),
    );
    const answered = once(sockets[0] ?? connect(0), "data");
    for (const socket of sockets) {
      socket.on("error", () => {});
      socket.write(Buffer.concat([IMPORT, header(1, 1, 0, 0, 1, 0, 16 * 1024 * 1024, 0, 0)]));
    }
    await answered;
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });

  it("never brings the printer down, and the next host prints", async () => {
    const sim = await start();
    const word = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 0xffffffff }));
    const request = fc
      .tuple(
        fc.array(word, { minLength: 8, maxLength: 12 }),
        fc.integer({ min: 1, max: 2 }),
        fc.integer({ min: 0, max: 200 }),
      )
      .map(([words, command, length]) => {
        words[0] = command;
        words[6] = length;
        words[8] = 0;
        return Buffer.concat([header(...words), Buffer.alloc(length, 0x0a)]);
      });
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.constant(IMPORT),
      request,
      fc.array(word, { maxLength: 12 }).map((words) => header(...words)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), fc.boolean(), async (parts, imports) => {
        await talk(sim.usbipPort, Buffer.concat(imports ? [IMPORT, ...parts] : parts));
      }),
      { numRuns: 300 },
    );
    while (sim.usb?.attached) await new Promise((resolve) => setImmediate(resolve));
    const host = await attach(sim);
    await host.write(stream("\x1b@\n", raster(stripes(3)), "alive\n", CUT)).result;
    for (;;) if ((await sim.printed()).text.includes("alive")) break;
  });
});
