import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../firmware-sim/mod.ts";
import { encodePwg } from "../image/pwg-raster.ts";
import { type Clock, nodeClock } from "../runtime/clock.ts";
import type { Device, OutputResult } from "./device.ts";
import { findPrinterModel } from "./escpos/models.ts";
import { EscposDevice } from "./escpos-device.ts";
import { openDevice } from "./open-device.ts";
import { SimTransport } from "./transports/sim.ts";
import { SocketTransport } from "./transports/socket.ts";

const ids = ["job1", "job2"] as const;
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const never = new AbortController().signal;

/** Real time, only faster: for outcomes that take a printer's patience. */
function hurried(times: number): Clock {
  return {
    now: () => ({ monotonicMs: performance.now() * times, wallMs: Date.now() }),
    setTimer: (atMonotonicMs, fn) => nodeClock.setTimer(atMonotonicMs / times, fn),
  };
}

/** A ticket with a different row at each height, so that lost or doubled rows show. */
function ticketRows(widthDots: number, heightDots: number): Uint8Array[] {
  return Array.from({ length: heightDots }, (_, y) => {
    const row = new Uint8Array((widthDots + 7) >> 3);
    for (let i = 1; i < row.length; i++) row[i] = (y * 31 + i * 7) & 0x55;
    return row;
  });
}

async function imageOf(widthDots: number, resolutionDpi: number, rows: readonly Uint8Array[]): Promise<Uint8Array> {
  async function* lines(): AsyncGenerator<Uint8Array> {
    yield* rows;
  }
  async function* pages() {
    yield { widthDots, heightDots: rows.length, resolutionDpi, rows: lines() };
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of encodePwg(pages())) chunks.push(chunk.slice());
  return new Uint8Array(Buffer.concat(chunks));
}

function until(device: Device, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (condition()) resolve();
    };
    device.onStateChange(check);
    check();
  });
}

interface Rig {
  readonly device: Device;
  readonly sim: Simulator;
  readonly rows: readonly Uint8Array[];
  print(signal?: AbortSignal, onProgress?: (rowsDone: number) => void): Promise<OutputResult>;
}

async function rig(
  port: "tcp" | "in process",
  profile = "tm-m30iii",
  heightDots = 1500,
  clock = nodeClock,
): Promise<Rig> {
  const model = findPrinterModel(profile);
  let sim: Simulator;
  let device: EscposDevice;
  if (port === "tcp") {
    sim = await startSimulator({ profile, tcpPort: 0 });
    closers.push(() => sim.close());
    device = new EscposDevice(model, new SocketTransport({ host: "127.0.0.1", port: sim.port ?? 0 }), { clock });
  } else {
    const transport = new SimTransport({ profile });
    sim = await transport.simulator();
    device = new EscposDevice(model, transport, { clock });
  }
  closers.push(() => device.close());
  const rows = ticketRows(model.widthDots, heightDots);
  const image = await imageOf(model.widthDots, model.resolutionDpi, rows);
  device.open();
  await until(device, () => device.ready);
  return {
    device,
    sim,
    rows,
    print: (signal = never, onProgress = () => undefined) =>
      device.print({ jobId: "aaaaaaaa-bbbbbb-1", image, processIds: ids }, onProgress, signal),
  };
}

function sameDots(paper: readonly Uint8Array[] | undefined, rows: readonly Uint8Array[]): boolean {
  return rows.every((row, y) => Buffer.compare(paper?.[y] ?? new Uint8Array(0), row) === 0);
}

describe.each(["tcp", "in process"] as const)("an output to the simulator, %s", (port) => {
  it("prints every dot once and is proven by process IDs", async () => {
    const { device, sim, rows, print } = await rig(port);
    const progress: number[] = [];
    expect(await print(never, (rowsDone) => progress.push(rowsDone))).toEqual({
      kind: "printed",
      evidence: "process-id",
    });
    expect(sim.paper.length).toBe(1);
    expect(sameDots(sim.paper[0]?.rows, rows)).toBe(true);
    expect(progress.at(-1)).toBe(rows.length);
    expect([device.ready, device.state]).toEqual([true, { state: "idle", reasons: ["none"] }]);
    expect(sim.diagnostics).toEqual([]);
  });

  it("waits at paper end in the middle, then goes on", async () => {
    const { device, sim, rows, print } = await rig(port);
    sim.fail("paper-end@700");
    const output = print();
    await until(device, () => device.state.reasons.includes("media-empty-error"));
    expect(sim.paper.length).toBe(0);
    sim.fail("paper-loaded");
    expect(await output).toEqual({ kind: "printed", evidence: "process-id" });
    expect(sim.paper.length).toBe(1);
    expect(sameDots(sim.paper[0]?.rows, rows)).toBe(true);
  });

  it("is uncertain when power is cut in the middle; the rest is cut off, and the next ticket stands alone", async () => {
    const { device, sim, rows, print } = await rig(port, "tm-m30iii", 6000, hurried(5));
    sim.fail("paper-end@700");
    const output = print();
    await until(device, () => device.state.reasons.includes("media-empty-error"));
    sim.fail("power-cut");
    expect(await output).toMatchObject({ kind: "uncertain" });
    sim.fail("paper-loaded");
    sim.fail("power-on");
    await until(device, () => device.ready);
    expect(await print()).toEqual({ kind: "printed", evidence: "process-id" });
    expect(sim.paper.length).toBe(2);
    expect(sim.paper[0]?.heightDots).toBeGreaterThanOrEqual(700);
    expect(sameDots(sim.paper[1]?.rows, rows)).toBe(true);
  });

  it("is uncertain when the link is cut with bytes left", async () => {
    const { device, sim, print } = await rig(port, "tm-m30iii", 60_000);
    sim.fail("paper-end@700");
    const output = print();
    await until(device, () => device.state.reasons.includes("media-empty-error"));
    sim.fail("link-cut");
    expect(await output).toMatchObject({ kind: "uncertain" });
    sim.fail("link-restored");
    sim.fail("paper-loaded");
    await until(device, () => device.ready);
  });

  it("gets the late process ID when the link is cut after the last byte", async () => {
    // Small enough to wait in the printer as a whole.
    const { device, sim, rows, print } = await rig(port, "tm-m30iii", 40);
    sim.fail("paper-end@20");
    const output = print();
    await until(device, () => device.state.reasons.includes("media-empty-error"));
    sim.fail("link-cut");
    await until(device, () => device.state.reasons.includes("connecting-to-device"));
    sim.fail("paper-loaded");
    await sim.printed();
    sim.fail("link-restored");
    expect(await output).toEqual({ kind: "printed", evidence: "process-id" });
    expect(sameDots(sim.paper[0]?.rows, rows)).toBe(true);
    expect(sim.paper.length).toBe(1);
    await until(device, () => device.ready);
  });

  it("is uncertain when canceled in the middle, and the next ticket stands alone", async () => {
    const { device, sim, rows, print } = await rig(port, "tm-m30iii", 6000);
    sim.fail("paper-end@700");
    const abort = new AbortController();
    const output = print(abort.signal);
    await until(device, () => device.state.reasons.includes("media-empty-error"));
    abort.abort();
    expect(await output).toEqual({ kind: "uncertain", reason: "canceled while printing" });
    sim.fail("paper-loaded");
    await until(device, () => device.ready);
    expect(await print()).toEqual({ kind: "printed", evidence: "process-id" });
    expect(sameDots(sim.paper.at(-1)?.rows, rows)).toBe(true);
  });

  it("finds evidence of a former life", async () => {
    const { device, sim, print } = await rig(port, "tm-m30iii", 40);
    sim.fail("paper-end@20");
    const output = print();
    await until(device, () => device.state.reasons.includes("media-empty-error"));
    if (port === "in process") {
      sim.fail("paper-loaded");
      await output;
      expect(await device.seekEvidence(ids, 5000)).toBe("process-id");
      expect(await device.seekEvidence(["none", "nono"], 1)).toBeUndefined();
      return;
    }
    await device.close();
    expect(await output).toMatchObject({ kind: "uncertain" });
    sim.fail("paper-loaded");
    await sim.printed();
    const transport = new SocketTransport({ host: "127.0.0.1", port: sim.port ?? 0 });
    const next = new EscposDevice(findPrinterModel("tm-m30iii"), transport);
    closers.push(() => next.close());
    next.open();
    expect(await next.seekEvidence(ids, 5000)).toBe("process-id");
  });
});

describe("other outputs", () => {
  it("prints on a clone with status as evidence", async () => {
    const { sim, rows, print } = await rig("tcp", "xp-80", 600);
    expect(await print()).toEqual({ kind: "printed", evidence: "status" });
    expect(sameDots(sim.paper[0]?.rows, rows)).toBe(true);
  });

  it("refuses an image that is none, and an aborted signal, without a byte", async () => {
    const { device, sim, print } = await rig("in process");
    const image = Uint8Array.of(1, 2, 3);
    const refused = await device.print({ jobId: "x", image, processIds: ids }, () => undefined, never);
    expect(refused).toMatchObject({ kind: "not-started" });
    expect(await print(AbortSignal.abort())).toMatchObject({ kind: "not-started" });
    expect([sim.state.headRow, device.ready]).toEqual([0, true]);
  });

  it("refuses a second output at a time", async () => {
    const { print } = await rig("in process");
    const first = print();
    expect(await print()).toEqual({ kind: "not-started", reason: "another output is going on" });
    expect(await first).toMatchObject({ kind: "printed" });
  });
});

describe("device URIs", () => {
  it("sim: prints into a folder of PNGs", async () => {
    const folder = await mkdtemp(join(tmpdir(), "escpos-device-"));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const device = openDevice(`sim:?profile=tm-t88vi&paper=${encodeURIComponent(folder)}`);
    closers.push(() => device.close());
    expect([device.widthDots, device.resolutionDpi, device.model]).toEqual([512, 180, "Epson TM-T88VI"]);
    device.open();
    await until(device, () => device.ready);
    const image = await imageOf(512, 180, ticketRows(512, 50));
    const result = await device.print({ jobId: "x", image, processIds: ids }, () => undefined, never);
    expect(result).toEqual({ kind: "printed", evidence: "process-id" });
    await device.close();
    expect(await readdir(folder)).toContain("ticket-0001.png");
  });

  it("file: takes the bytes, with no evidence", async () => {
    const folder = await mkdtemp(join(tmpdir(), "escpos-device-"));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, "out put.bin");
    const device = openDevice(pathToFileURL(path).href, { modelName: "tm-m30iii", clock: hurried(20) });
    closers.push(() => device.close());
    device.open();
    await until(device, () => device.ready);
    const image = await imageOf(576, 203, ticketRows(576, 2));
    const result = await device.print({ jobId: "x", image, processIds: ids }, () => undefined, never);
    expect(result).toEqual({ kind: "printed", evidence: "none" });
    expect([...(await readFile(path))].slice(-4)).toEqual([0x1d, 0x56, 0x42, 0]);
  });

  it("socket: takes the usual port, a model, and IPv6", () => {
    expect(openDevice("socket://printer.example").widthDots).toBe(576);
    expect(openDevice("socket://[::1]:9101", { modelName: "generic-58" }).widthDots).toBe(384);
  });

  it.each([
    ["ipp://x", /socket:\/\/host:9100, sim:.*file:/],
    ["nonsense", /is none of/],
    ["socket://", /no host|no URI/],
    ["sim:?colour=red", /profile, paper, speed/],
    ["sim:?speed=ludicrous", /neither fast nor real/],
    ["sim:?profile=lp-1", /is not one of/],
  ])("refuses %s, saying what works", (uri, message) => {
    expect(() => openDevice(uri)).toThrow(message);
    expect(() => openDevice(uri)).toThrow(expect.objectContaining({ code: "config-invalid" }));
  });
});
