import type { MemoryPage } from "../../image/print-image.ts";
import type { PrinterModel } from "./models.ts";

/** A small seeded generator (mulberry32), so that a failing test can be run again. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The seed of this run: TEST_SEED, or a new one; the caller prints it. */
export function testSeed(): number {
  const given = process.env["TEST_SEED"];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

export function pageOf(widthDots: number, rows: readonly Uint8Array[], resolutionDpi = 203): MemoryPage {
  return { widthDots, heightDots: rows.length, resolutionDpi, rows };
}

/** A page such as receipts have: text-like lines, gaps, solid bars, noise, and bytes that look like DLE commands. */
export function randomPage(random: () => number, model: PrinterModel, maxRows: number): MemoryPage {
  const widthBytes = (model.widthDots + 7) >> 3;
  const rows: Uint8Array[] = [];
  const heightDots = 1 + Math.floor(random() * maxRows);
  while (rows.length < heightDots) {
    const kind = Math.floor(random() * 5);
    const run = Math.min(heightDots - rows.length, 1 + Math.floor(random() * 60));
    const from = Math.floor(random() * widthBytes);
    const to = from + Math.floor(random() * (widthBytes - from + 1));
    for (let i = 0; i < run; i++) rows.push(randomRow(random, kind, widthBytes, from, to));
  }
  return pageOf(model.widthDots, rows, model.resolutionDpi);
}

const spiky = [0x10, 0x04, 0x05, 0x14, 0x01, 0x02, 0x08, 0x00];

function randomRow(random: () => number, kind: number, widthBytes: number, from: number, to: number): Uint8Array {
  const row = new Uint8Array(widthBytes);
  if (kind === 0) return row;
  for (let i = from; i < to; i++) {
    if (kind === 1) row[i] = 0xff;
    else if (kind === 2) row[i] = Math.floor(random() * 256);
    else if (kind === 3) row[i] = random() < 0.2 ? Math.floor(random() * 256) : 0;
    else row[i] = spiky[Math.floor(random() * spiky.length)] ?? 0;
  }
  // Leave blank dots at the left, without which a row that holds a command cannot be moved.
  if (kind > 1) row[0] = 0;
  return row;
}
