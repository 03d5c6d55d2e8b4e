import { isDeepStrictEqual } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createRealClock, renderEscpos, startSimulator, VirtualClock } from "../firmware-sim/mod.ts";
import type { Figures, Say } from "./bench.ts";
import { MINUTE_CHAPTERS, mixedDocument, playChapters, raster, type Witness } from "./minute.ts";

/**
 * The best of so many rounds counts, by time of the processor: what other programs do to the machine only ever makes a
 * round slower.
 */
const ROUNDS = 5;
const RECEIPTS = 300;
const RECEIPT_LINES = 40;
const PICTURES = 24;
/** 30 cm at 203 dpi. */
const PICTURE_ROWS = 2400;
const KEPT_PAGES = 1000;
const ALLOWED_MINUTE_MS = 300;

/** Raster data and text through the simulator beside a plain pass, a minute on the virtual clock, memory of paper. */
export async function benchSimulator(say: Say): Promise<Figures> {
  const rasterFigures = await benchStream("raster data", pictures(PICTURES), say);
  const textFigures = await benchStream("text", receipts(RECEIPTS), say);
  const minute = await benchMinute(say);
  const memory = await benchMemory(say);
  return { raster: rasterFigures, text: textFigures, minute, memory };
}

/** The whole minute at the speed of the model; throws when paper or replies differ from those of the virtual clock. */
export async function benchSimulatorInRealTime(say: Say): Promise<Figures> {
  say("a minute in real time ...");
  const real = await playChapters(MINUTE_CHAPTERS, createRealClock(), (ended) => ended);
  const virtual = await playVirtually();
  if (!isDeepStrictEqual(real, virtual)) throw new Error("paper or replies differ between real and virtual time");
  const { printedMs, pieces, replies, metres } = virtual;
  say(
    `${(printedMs / 1000).toFixed(1)} s of the model, ${metres.toFixed(1)} m of paper in ${pieces.length} pieces, ` +
      `${replies.length} replies: the same dots, the same replies at the same moments`,
  );
  return { modelMs: printedMs, metres, pieces: pieces.length, replies: replies.length };
}

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function measured(run: () => unknown): Promise<Measured> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await run();
  const wallMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

async function bestOf(rounds: number, run: () => unknown): Promise<Measured> {
  let best: Measured = { wallMs: Number.POSITIVE_INFINITY, cpuMs: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round += 1) {
    const { wallMs, cpuMs } = await measured(run);
    best = { wallMs: Math.min(best.wallMs, wallMs), cpuMs: Math.min(best.cpuMs, cpuMs) };
  }
  return best;
}

async function benchStream(name: string, bytes: Uint8Array, say: Say): Promise<Figures> {
  const pass = await bestOf(ROUNDS, () => plainPass(bytes));
  const render = await bestOf(ROUNDS, () => renderEscpos(bytes));
  const print = await bestOf(ROUNDS, () => printVirtually(bytes));
  const again = await bestOf(ROUNDS, () => plainPass(bytes));
  const speed = (ms: number): number => bytes.length / 1000 / ms;
  const passMBPerS = speed(Math.min(pass.cpuMs, again.cpuMs));
  const [renderMBPerS, printMBPerS] = [speed(render.cpuMs), speed(print.cpuMs)];
  const [renderRatio, printRatio] = [renderMBPerS / passMBPerS, printMBPerS / passMBPerS];
  say(
    [
      `${name}, ${(bytes.length / 1e6).toFixed(1)} MB:`,
      `  one plain pass: ${passMBPerS.toFixed(0)} MB/s`,
      `  rendered: ${renderMBPerS.toFixed(2)} MB/s, ratio to the plain pass ${ratioText(renderRatio)}`,
      `  printed on the virtual clock: ${printMBPerS.toFixed(2)} MB/s, ratio to the plain pass ${ratioText(printRatio)}`,
    ].join("\n"),
  );
  return { bytes: bytes.length, passMBPerS, renderMBPerS, renderRatio, printMBPerS, printRatio };
}

function ratioText(ratio: number): string {
  return `${ratio.toFixed(4)} (1 : ${(1 / ratio).toFixed(0)})`;
}

/** What any program has to do at least: to look at every byte once. */
function plainPass(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 1) sum = (sum + (bytes[at] ?? 0)) | 0;
  return sum;
}

async function printVirtually(bytes: Uint8Array): Promise<void> {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock });
  void simulator.connect().write(bytes);
  clock.runAll();
  if (!simulator.state.idle) throw new Error("the printer has not printed everything");
  await simulator.close();
}

function playVirtually(): Promise<Witness> {
  const clock = new VirtualClock();
  return playChapters(MINUTE_CHAPTERS, clock, async () => clock.runAll());
}

async function benchMinute(say: Say): Promise<Figures> {
  const { printedMs, metres } = await playVirtually();
  // Witnessing (hashes of the dots) and making the document are not printing.
  const document = mixedDocument(MINUTE_CHAPTERS);
  const { wallMs, cpuMs } = await bestOf(ROUNDS, () => printVirtually(document));
  say(
    `a minute of printing (${(printedMs / 1000).toFixed(1)} s of the model, ${metres.toFixed(1)} m): ` +
      `${wallMs.toFixed(0)} ms on the virtual clock, ${cpuMs.toFixed(0)} ms of the processor, ` +
      `${(printedMs / wallMs).toFixed(0)} times as fast as the model, ` +
      `${(wallMs / ALLOWED_MINUTE_MS).toFixed(2)} of the ${ALLOWED_MINUTE_MS} ms that it may take`,
  );
  return { modelMs: printedMs, metres, wallMs, cpuMs, timesAsFast: printedMs / wallMs };
}

/** Bytes that live: objects and what array buffers hold outside of the heap. */
function livingBytes(collect: () => void): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

async function benchMemory(say: Say): Promise<Figures> {
  const collect = garbageCollector();
  const kept = async (bytes: Uint8Array): Promise<{ readonly bytes: number; readonly metres: number }> => {
    const clock = new VirtualClock();
    const simulator = await startSimulator({ clock });
    const before = livingBytes(collect);
    const connection = simulator.connect();
    void connection.write(bytes);
    clock.runAll();
    const metres = (simulator.state.headRow / simulator.profile.dpi) * 0.0254;
    const living = livingBytes(collect) - before;
    await simulator.close();
    return { bytes: living, metres };
  };
  const [picture, text] = [await kept(pictures(PICTURES)), await kept(receipts(RECEIPTS))];
  const perMetre = (of: { readonly bytes: number; readonly metres: number }): number => of.bytes / of.metres;
  const pages = await keptPages(collect);
  say(
    [
      `memory of a metre of paper: ${kilobytes(perMetre(picture))} of pictures, ${kilobytes(perMetre(text))} of receipts`,
      `memory of the ${KEPT_PAGES} pages of 30 cm that a simulator keeps: ${kilobytes(pages.fullBytes)}; ` +
        `after as many again ${kilobytes(pages.againBytes)}`,
    ].join("\n"),
  );
  return { picturesPerMetreBytes: perMetre(picture), receiptsPerMetreBytes: perMetre(text), ...pages };
}

/** The longest paper a simulator keeps: pictures throughout; it must not grow when as much is printed again. */
async function keptPages(collect: () => void): Promise<{ readonly fullBytes: number; readonly againBytes: number }> {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock });
  const before = livingBytes(collect);
  const connection = simulator.connect();
  const page = Buffer.concat([picture(0), Buffer.from("\x1dV\x00", "latin1")]);
  const printPages = async (): Promise<number> => {
    for (let count = 0; count < KEPT_PAGES; count += 1) {
      const written = connection.write(page);
      clock.runAll();
      await written;
    }
    return livingBytes(collect) - before;
  };
  const fullBytes = await printPages();
  const againBytes = await printPages();
  await simulator.close();
  return { fullBytes, againBytes };
}

function kilobytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(0)} KB` : `${(bytes / 1e6).toFixed(0)} MB`;
}

/** Pictures of an eighth of black dots, no two rows alike, as no photograph and no logo is denser. */
function pictures(count: number): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, (_, index) => picture(index)));
}

function picture(seed: number): Uint8Array {
  let state = seed + 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 24;
  };
  return raster(PICTURE_ROWS, () => random() & random() & random());
}

function receipts(count: number): Uint8Array {
  const parts: string[] = [];
  for (let receipt = 0; receipt < count; receipt += 1) {
    for (let line = 0; line < RECEIPT_LINES; line += 1) {
      const price = (((receipt * 31 + line * 97) % 9000) / 100).toFixed(2);
      parts.push(`${String((line % 9) + 1)} x article number ${receipt * RECEIPT_LINES + line}`.padEnd(40));
      parts.push(price.padStart(8), "\n");
    }
    parts.push("\x1dV\x42\x00");
  }
  return Buffer.from(parts.join(""), "latin1");
}
