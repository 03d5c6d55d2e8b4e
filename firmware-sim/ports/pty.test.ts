import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdtemp, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SerialPort } from "serialport";
import { afterEach, describe, expect, it } from "vitest";
import { findProfile, type Profile } from "../profiles.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../simulator.ts";
import { CUT, hex, processId, raster, stream } from "../test-bytes.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const sim = await startSimulator({ pty: true, ...options });
  cleanups.push(() => sim.close());
  return sim;
}

/** A real program's serial port. */
class Host {
  readonly port: SerialPort;
  received = "";
  private readonly wakeUp = new Set<() => void>();

  private constructor(port: SerialPort) {
    this.port = port;
    port.on("data", (bytes: Buffer) => {
      this.received += hex(bytes);
      for (const wake of this.wakeUp) wake();
    });
    port.on("error", () => {});
  }

  static async open(path: string | undefined, settings: { xon?: boolean } = {}): Promise<Host> {
    const port = new SerialPort({ path: path ?? "", baudRate: 38_400, ...settings });
    const host = new Host(port);
    await once(port, "open");
    cleanups.push(() => host.close());
    return host;
  }

  /** Resolves when everything has left for the printer. */
  send(bytes: Uint8Array): Promise<void> {
    this.port.write(Buffer.from(bytes));
    return new Promise((resolve, reject) => {
      this.port.drain((error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
  }

  async heard(wanted: (hex: string) => boolean): Promise<string> {
    while (!wanted(this.received)) {
      await new Promise<void>((resolve) => {
        this.wakeUp.add(resolve);
      });
    }
    return this.received;
  }

  /** Resolves when the terminal has been taken away; writes that this ends may fail first. */
  gone(): Promise<void> {
    return new Promise((resolve) => {
      this.port.once("close", () => resolve());
    });
  }

  async close(): Promise<void> {
    if (!this.port.isOpen) return;
    const closed = this.gone();
    this.port.close();
    await closed;
  }
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "firmware-sim-pty-"));
  cleanups.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** BUSY is the buffer's affair alone: an open cover fills it. */
const SMALL: Profile = {
  ...findProfile("tm-m30iii"),
  bufferBytes: 1000,
  busyAtFreeBytes: 128,
  readyAtFreeBytes: 256,
  busyWhenOffline: false,
};

/** A raster of distinct rows with every byte value in it, XON and XOFF too. */
function picture(heightDots: number): number[][] {
  return Array.from({ length: heightDots }, (_, row) => Array.from({ length: 72 }, (_, x) => (row * 7 + x) & 0xff));
}

function expectPicture(page: { readonly rows: readonly Uint8Array[] }, rows: readonly number[][]): void {
  expect(page.rows.map((row) => hex(row))).toEqual(rows.map((row) => hex(Uint8Array.from(row))));
}

describe.skipIf(process.platform === "win32")("the pseudo terminal", () => {
  it("prints what a serial port sends, byte for byte, and answers", async () => {
    const sim = await start();
    const host = await Host.open(sim.ptyPath);
    const rows = picture(200);
    await host.send(stream("\x10\x04\x01", raster(rows), CUT, processId("DONE")));
    expectPicture(await sim.printed(), rows);
    expect(await host.heard((text) => text.length === 16)).toBe("123722444f4e4500");
  });

  it("outlives the hosts that open and close it", async () => {
    const sim = await start();
    for (const name of ["first", "second", "third"]) {
      const host = await Host.open(sim.ptyPath);
      await host.send(stream(`${name}\n`, CUT, "\x10\x04\x01"));
      expect((await sim.printed()).text).toBe(name);
      await host.heard((text) => text === "12");
      await host.close();
    }
  });

  it("works for a program that knows nothing of serial ports", async () => {
    const sim = await start();
    const file = join(await folder(), "receipt.bin");
    await writeFile(file, stream("by cat\r\n", CUT));
    execFileSync("sh", ["-c", `cat "${file}" > "${sim.ptyPath}"`]);
    expect((await sim.printed()).text).toBe("by cat");
  });

  it("lets the host wait while its buffer is full, and loses nothing", async () => {
    const sim = await start({ profile: SMALL });
    const file = join(await folder(), "long.bin");
    const rows = picture(2000);
    await writeFile(file, stream(raster(rows), CUT));
    sim.fail("cover-open");
    // More than the terminal itself holds: the program sleeps in its write.
    const program = spawn("sh", ["-c", `cat "${file}" > "${sim.ptyPath}"`]);
    while (sim.state.bufferedBytes < 1000) await new Promise((resolve) => setImmediate(resolve));
    expect(program.exitCode).toBe(null);
    sim.fail("cover-closed");
    expectPicture(await sim.printed(), rows);
    expect(sim.state.lostBytes).toBe(0);
  });

  it("leads several hosts to one printer, beside other ports", async () => {
    const sim = await start();
    await (await Host.open(sim.ptyPath)).send(stream("by line\n", CUT));
    expect((await sim.printed()).text).toBe("by line");
    await sim.connect().write(stream("from within\n", CUT));
    expect((await sim.printed()).text).toBe("from within");
  });
});

describe.skipIf(process.platform === "win32")("XON/XOFF", () => {
  it("stops the host in its kernel and lets it go on, without a byte lost", async () => {
    const sim = await start({ profile: SMALL, pty: { flowControl: "xon-xoff" } });
    const file = join(await folder(), "long.bin");
    const rows = picture(1000);
    await writeFile(file, stream(raster(rows), CUT));
    sim.fail("cover-open");
    const command = `stty -F "${sim.ptyPath}" ixon; cat "${file}" > "${sim.ptyPath}"`;
    const program = spawn("sh", ["-c", command], { stdio: "ignore" });
    while (sim.state.bufferedBytes < 1000 - 128) await new Promise((resolve) => setImmediate(resolve));
    expect(program.exitCode).toBe(null);
    sim.fail("cover-closed");
    expectPicture(await sim.printed(), rows);
    expect(sim.state.lostBytes).toBe(0);
  });

  it("reaches a program that listens for it itself", async () => {
    const sim = await start({ pty: { flowControl: "xon-xoff" } });
    const host = await Host.open(sim.ptyPath);
    sim.fail("cover-open");
    await host.heard((text) => text === "13");
    sim.fail("cover-closed");
    await host.heard((text) => text === "1311");
  });

  it("at a baud rate, loses nothing where the host's kernel keeps to it", async () => {
    const sim = await start({ profile: SMALL, pty: { flowControl: "xon-xoff", baudRate: 115_200 } });
    const host = await Host.open(sim.ptyPath, { xon: true });
    // So short that it is in the kernel before XOFF: serialport 13 forgets that a write waits when it begins to wait for
    // something to read (its poller asks for the latest event alone).
    const rows = picture(30);
    sim.fail("cover-open");
    const sent = host.send(stream(raster(rows), CUT));
    while (sim.state.bufferedBytes < 1000 - 128) await new Promise((resolve) => setImmediate(resolve));
    sim.fail("cover-closed");
    await sent;
    expectPicture(await sim.printed(), rows);
    expect(sim.state.lostBytes).toBe(0);
  });

  it("is lost on a host that does not care, and so are its bytes", async () => {
    const sim = await start({ profile: SMALL, pty: { flowControl: "xon-xoff", baudRate: 115_200 } });
    const host = await Host.open(sim.ptyPath);
    sim.fail("cover-open");
    await host.send(new Uint8Array(3000).fill(0x41));
    while (sim.state.bufferedBytes + sim.state.lostBytes < 3000) await new Promise((resolve) => setImmediate(resolve));
    expect(sim.state.lostBytes).toBe(2000);
  });
});

describe.skipIf(process.platform === "win32")("the baud rate", () => {
  it("takes its time, and without flow control what finds no room is lost", async () => {
    const sim = await start({ profile: SMALL, pty: { baudRate: 9600 } });
    const host = await Host.open(sim.ptyPath);
    const rows = picture(20);
    await host.send(stream(raster(rows), CUT, processId("DONE")));
    await host.heard((text) => text.endsWith("00") && text.length === 14);
    // 1463 bytes to the printer at 960 a second, on the printer's clock.
    expect(sim.replies[0]?.atMs).toBeGreaterThan(1463 / 0.96);
    sim.fail("cover-open");
    await host.send(new Uint8Array(1500).fill(0x41));
    while (sim.state.bufferedBytes + sim.state.lostBytes < 1500) await new Promise((resolve) => setImmediate(resolve));
    expect(sim.state.lostBytes).toBe(500);
  });
});

describe.skipIf(process.platform === "win32")("hanging up", () => {
  it.each([
    ["link-cut", "link-restored"],
    ["power-cut", "power-on"],
  ] as const)("by %s; %s brings a new terminal under the same link", async (cut, restored) => {
    const link = join(await folder(), "printer");
    const sim = await start({ pty: { link } });
    expect(sim.ptyPath).toBe(link);
    // A sleeping reader: serialport 13 takes the end of file of a hang-up that comes before it sleeps for no data yet.
    const reader = spawn("cat", [link]);
    const ended = once(reader, "close");
    execFileSync("sh", ["-c", `printf '\\020\\004\\001' > "${link}"`]);
    expect(hex((await once(reader.stdout, "data"))[0])).toBe("12");
    sim.fail(cut);
    await ended;
    await expect(lstat(link)).rejects.toThrow(/ENOENT/);
    sim.fail(restored);
    expect(await readlink(link)).toMatch(/^\/dev\//);
    const again = await Host.open(link);
    await again.send(stream("back\n", CUT));
    expect((await sim.printed()).text).toBe("back");
    await again.close();
    await sim.close();
    await expect(lstat(link)).rejects.toThrow(/ENOENT/);
  });

  it("in the middle of a print loses what the printer has not received", async () => {
    const sim = await start({ profile: SMALL });
    const file = join(await folder(), "long.bin");
    await writeFile(file, stream("received\n", CUT, "z".repeat(200_000)));
    sim.fail("cover-open");
    const program = spawn("sh", ["-c", `cat "${file}" > "${sim.ptyPath}"`], { stdio: "ignore" });
    const ended = once(program, "close");
    while (sim.state.bufferedBytes < 1000) await new Promise((resolve) => setImmediate(resolve));
    sim.fail("link-cut");
    expect((await ended)[0]).not.toBe(0);
    sim.fail("cover-closed");
    expect((await sim.printed()).text).toBe("received");
  });
});

describe.skipIf(process.platform === "win32")("the link", () => {
  it("never takes the place of a file", async () => {
    const link = join(await folder(), "precious");
    await writeFile(link, "data");
    await expect(startSimulator({ pty: { link } })).rejects.toThrow(/is no symbolic link; name another path/);
    expect((await lstat(link)).isFile()).toBe(true);
  });

  it("takes the place of one that a killed simulator left", async () => {
    const link = join(await folder(), "printer");
    await symlink("/dev/pts/99999", link);
    const sim = await start({ pty: { link } });
    await (await Host.open(link)).send(stream("mine\n", CUT));
    expect((await sim.printed()).text).toBe("mine");
  });

  it("stays when somebody else has taken it over", async () => {
    const link = join(await folder(), "printer");
    const sim = await start({ pty: { link } });
    await rm(link);
    await symlink("/dev/null", link);
    await sim.close();
    expect(await readlink(link)).toBe("/dev/null");
  });
});
