import type { ModuleMatrix } from "./symbol-encoder.ts";

/**
 * Chooses the mask of a QR Code model 2 (ISO/IEC 18004, 7.8): the encoder weighs all eight of them module by module,
 * which takes it three times as long as the code itself. Changing the mask of a finished symbol needs no encoder.
 */

/** By mask number: true where a module is turned over. */
export const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => ((y >> 1) + Math.floor(x / 3)) % 2 === 0,
  (x, y) => (x * y) % 6 === 0,
  (x, y) => (x * y) % 6 < 3,
  (x, y) => (x + y + ((x * y) % 3)) % 2 === 0,
];

/** Fifteen bits: level and mask with their BCH(15,5) code, turned over by the pattern of the model. */
export function formatBits(levelAndMask: number, pattern: number): number {
  let remainder = levelAndMask;
  for (let bit = 0; bit < 10; bit += 1) remainder = (remainder << 1) ^ ((remainder >> 9) * 0x537);
  return ((levelAndMask << 10) | remainder) ^ pattern;
}

/** Where each bit of the format stands, twice; the most significant one first. */
export function formatPlaces(size: number): readonly (readonly [x: number, y: number])[][] {
  return Array.from({ length: 15 }, (_, index) => [
    index < 8 ? [index < 6 ? index : index + 1, 8] : [8, index === 8 ? 7 : 14 - index],
    index < 7 ? [8, size - 1 - index] : [size - 15 + index, 8],
  ]);
}

/** Of model 2. */
const FORMAT_PATTERN = 0x5412;

/** What of a symbol is the same whatever its data are; it depends on the size alone. */
interface Frame {
  /** 1 for a module of data. */
  readonly isData: Uint8Array;
  readonly format: readonly (readonly number[])[];
  /** Modules that the penalty takes for light: the version, and the one dark module. */
  readonly light: readonly number[];
  /** By mask, 1 where a module of data is turned over. */
  readonly masks: readonly Uint8Array[];
}

const frames = new Map<number, Frame>();

function frameOf(size: number): Frame {
  const known = frames.get(size);
  if (known !== undefined) return known;
  const isData = new Uint8Array(size * size).fill(1);
  const clear = (left: number, top: number, width: number, height: number): number[] => {
    const cleared: number[] = [];
    for (let y = top; y < top + height; y += 1) for (let x = left; x < left + width; x += 1) cleared.push(y * size + x);
    for (const at of cleared) isData[at] = 0;
    return cleared;
  };
  // Finders with their separators and the format; the timing.
  clear(0, 0, 9, 9);
  clear(size - 8, 0, 8, 9);
  clear(0, size - 8, 9, 8);
  clear(0, 6, size, 1);
  clear(6, 0, 1, size);
  for (const [x, y] of alignmentCenters(size)) clear(x - 2, y - 2, 5, 5);
  const version = size < 45 ? [] : [...clear(size - 11, 0, 3, 6), ...clear(0, size - 11, 6, 3)];
  const frame = {
    isData,
    format: formatPlaces(size).map((places) => places.map(([x, y]) => y * size + x)),
    light: [...version, (size - 8) * size + 8],
    masks: MASKS.map((mask) => isData.map((data, at) => data & Number(mask(at % size, Math.floor(at / size))))),
  };
  frames.set(size, frame);
  return frame;
}

/** Annex E: evenly spread from the right and the bottom, with what remains next to the timing pattern. */
function alignmentCenters(size: number): (readonly [x: number, y: number])[] {
  const version = (size - 17) / 4;
  if (version < 2) return [];
  const count = Math.floor(version / 7) + 2;
  // Version 32 alone is an exception.
  const step = version === 32 ? 26 : 2 * Math.ceil((size - 13) / (2 * count - 2));
  const lines = Array.from({ length: count }, (_, index) => (index === 0 ? 6 : size - 7 - (count - 1 - index) * step));
  const last = size - 7;
  const inFinder = (x: number, y: number): boolean => (x === 6 && (y === 6 || y === last)) || (x === last && y === 6);
  return lines.flatMap((y) => lines.filter((x) => !inFinder(x, y)).map((x) => [x, y] as const));
}

/** Lengths of the runs of the present line, light and dark in turn. */
const runs = new Uint8Array(256);

/** Runs of one colour, and what looks like a finder with four light modules on one side. */
function linePenalty(modules: Uint8Array, start: number, step: number, size: number): number {
  let points = 0;
  let count = 0;
  let length = 0;
  let colour = 0;
  for (let index = 0, at = start; index < size; index += 1, at += step) {
    if (modules[at] === colour) {
      length += 1;
      continue;
    }
    if (length >= 5) points += length - 2;
    runs[count] = length;
    count += 1;
    length = 1;
    colour ^= 1;
  }
  if (length >= 5) points += length - 2;
  runs[count] = length;
  count += 1;
  for (let at = 3; at < count - 2; at += 2) if (isFinder(at, count)) points += 40;
  return points;
}

function isFinder(at: number, count: number): boolean {
  const unit = (runs[at] ?? 0) / 3;
  const isFramed = runs[at - 2] === unit && runs[at - 1] === unit && runs[at + 1] === unit && runs[at + 2] === unit;
  if (!isFramed) return false;
  const reachesEdge = at === 3 || at + 4 >= count;
  return reachesEdge || (runs[at - 3] ?? 0) >= 4 || (runs[at + 3] ?? 0) >= 4;
}

/** 7.8.3, as the encoder counts it. */
function penaltyOf(modules: Uint8Array, size: number): number {
  let points = 0;
  let dark = 0;
  for (let line = 0; line < size; line += 1) {
    points += linePenalty(modules, line * size, 1, size) + linePenalty(modules, line, size, size);
  }
  for (let at = 0; at < modules.length; at += 1) dark += modules[at] ?? 0;
  for (let y = 1; y < size; y += 1) {
    for (let at = y * size + 1; at < (y + 1) * size; at += 1) {
      const colour = modules[at];
      if (colour === modules[at - 1] && colour === modules[at - size] && colour === modules[at - size - 1]) points += 3;
    }
  }
  return points + Math.trunc(Math.abs((dark * 100) / (size * size) - 50) / 5) * 10;
}

/** A symbol is asked for its size and then printed, often several times. */
const chosen = new WeakMap<ModuleMatrix["modules"], ModuleMatrix>();

/** The same symbol with the mask that is easiest to read; `matrix` has mask 0. */
export function withBestMask(matrix: ModuleMatrix): ModuleMatrix {
  const known = chosen.get(matrix.modules);
  if (known !== undefined) return known;
  const best = choose(matrix);
  chosen.set(matrix.modules, best);
  return best;
}

function choose({ columns: size, modules }: ModuleMatrix): ModuleMatrix {
  const frame = frameOf(size);
  const plain = Uint8Array.from(modules);
  const format = frame.format.reduce((bits, [at = 0]) => (bits << 1) | (plain[at] ?? 0), 0);
  const level = (format ^ FORMAT_PATTERN) >> 13;
  turnOver(plain, frame, 0);
  // The encoder weighs a symbol whose format is still dark, and whose version is light.
  const weighed = Uint8Array.from(plain);
  for (const places of frame.format) for (const at of places) weighed[at] = 1;
  for (const at of frame.light) weighed[at] = 0;
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let mask = 0; mask < MASKS.length; mask += 1) {
    const penalty = penaltyOf(turnedOver(weighed, frame, mask), size);
    if (penalty >= least) continue;
    least = penalty;
    best = mask;
  }
  turnOver(plain, frame, best);
  const bits = formatBits((level << 3) | best, FORMAT_PATTERN);
  frame.format.forEach((places, index) => {
    for (const at of places) plain[at] = (bits >> (14 - index)) & 1;
  });
  return { columns: size, rows: size, modules: plain };
}

function turnedOver(modules: Uint8Array, frame: Frame, mask: number): Uint8Array {
  const turned = Uint8Array.from(modules);
  turnOver(turned, frame, mask);
  return turned;
}

function turnOver(modules: Uint8Array, { masks }: Frame, mask: number): void {
  const turned = masks[mask];
  if (turned === undefined) return;
  for (let at = 0; at < modules.length; at += 1) modules[at] = (modules[at] ?? 0) ^ (turned[at] ?? 0);
}
