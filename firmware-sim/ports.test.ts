import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterEach, describe, expect, it } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "./simulator.ts";
import { CUT, hex, processId, raster, stream, stripes } from "./test-bytes.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const sim = await startSimulator(options);
  cleanups.push(() => sim.close());
  return sim;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "firmware-sim-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function dial(port: number | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: port ?? 0, host: "127.0.0.1" }, () => resolve(socket));
    socket.on("error", reject);
    cleanups.push(() => socket.destroy());
  });
}

/** Resolves when the hex of everything received satisfies `wanted`. */
function received(socket: Socket, wanted: (hex: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += hex(bytes);
      if (wanted(text)) resolve(text);
    });
  });
}

describe("TCP", () => {
  it("prints what several hosts send and answers each of them", async () => {
    const sim = await start({ tcpPort: 0 });
    const [first, second] = [await dial(sim.port), await dial(sim.port)];
    const status = received(second, (text) => text.length === 2);
    const done = received(first, (text) => text.length === 14);
    second.write(stream("\x10\x04\x01"));
    first.write(stream(raster(stripes(300)), CUT, processId("DONE")));
    expect(await status).toBe("12");
    expect(await done).toBe("3722444f4e4500");
    expect((await sim.printed()).heightDots).toBe(300);
  });

  it("takes megabytes through its small buffer", async () => {
    const sim = await start({ tcpPort: 0 });
    const socket = await dial(sim.port);
    const rows = Array.from({ length: 20_000 }, (_, row) =>
      Array.from({ length: 72 }, (_, x) => (row * 31 + x) & 0xff),
    );
    socket.end(stream(raster(rows), CUT));
    const page = await sim.printed();
    expect(page.heightDots).toBe(20_000);
    expect(page.rows.every((row, index) => row[5] === rows[index]?.[5])).toBe(true);
  });

  it("says so when its port is taken", async () => {
    const sim = await start({ tcpPort: 0 });
    await expect(startSimulator({ tcpPort: sim.port ?? 0 })).rejects.toThrow(
      `TCP port ${sim.port} of 127.0.0.1 is already in use`,
    );
  });

  it("drops its hosts at a power cut and is back on the same port afterwards", async () => {
    const sim = await start({ tcpPort: 0 });
    const socket = await dial(sim.port);
    const closed = new Promise((resolve) => socket.on("close", resolve));
    sim.fail("power-cut");
    await closed;
    await expect(dial(sim.port)).rejects.toThrow(/ECONNREFUSED/);
    sim.fail("power-on");
    let again: Socket | undefined;
    while (again === undefined) again = await dial(sim.port).catch(() => undefined);
    again.write(stream("back\n", CUT));
    expect((await sim.printed()).text).toBe("back");
  });
});

describe("paper folder", () => {
  it("gets one picture per cut and the uncut rest at the end, whole or not at all", async () => {
    const folder = await temporaryFolder();
    const sim = await startSimulator({ paperFolder: folder });
    const host = sim.connect();
    await host.write(stream(raster(stripes(10)), CUT, raster(stripes(3000)), CUT, "rest\n"));
    expect((await sim.printed()).heightDots).toBe(10);
    const second = await sim.printed();
    expect(await readdir(folder)).toEqual(expect.arrayContaining(["ticket-0001.png", "ticket-0002.png"]));
    while (!sim.state.idle) await new Promise((resolve) => setImmediate(resolve));
    await sim.close();
    expect((await readdir(folder)).sort()).toEqual(["ticket-0001.png", "ticket-0002.png", "uncut.png"]);
    const png = PNG.sync.read(await readFile(join(folder, "ticket-0002.png")));
    expect([png.width, png.height]).toEqual([576, 3000]);
    second.rows.forEach((row, y) => {
      for (let x = 0; x < 8; x += 1) {
        const black = ((row[0] ?? 0) & (0x80 >> x)) !== 0;
        if ((png.data[(y * 576 + x) * 4] === 0) !== black) expect.fail(`dot ${x} of row ${y}`);
      }
    });
    await expect(sim.printed()).rejects.toThrow(/closed/);
  });

  it("numbers on after tickets that are already there", async () => {
    const folder = await temporaryFolder();
    for (const expected of ["ticket-0001.png", "ticket-0002.png"]) {
      const sim = await startSimulator({ paperFolder: folder });
      await sim.connect().write(stream("A\n", CUT));
      await sim.printed();
      await sim.close();
      expect(await readdir(folder)).toContain(expected);
    }
  });
});

describe("real speed", () => {
  it("takes the time of the model", async () => {
    const sim = await start({ speed: "real" });
    const startMs = performance.now();
    await sim.connect().write(stream(raster(stripes(240)), CUT));
    await sim.printed();
    // 336 rows of 1/203 inch at 300 mm/s take 140 ms, the cut 250 ms.
    expect(performance.now() - startMs).toBeGreaterThan(385);
  });
});
