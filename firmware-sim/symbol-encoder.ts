import { createRequire } from "node:module";
import { type DotRow, rowBytes, setDots } from "./bits.ts";

/** Widths in modules, bar and space in turn, a bar first. */
export type Bars = readonly number[];

/** Square modules, row by row. */
export interface ModuleMatrix {
  readonly columns: number;
  readonly rows: number;
  readonly modules: ArrayLike<number>;
}

/** An image of the width that it has on paper. */
export interface SymbolImage {
  readonly widthDots: number;
  readonly rows: readonly DotRow[];
}

type EncoderOptions = Readonly<Record<string, string | number | boolean>>;

type Point = readonly [x: number, y: number];

/** What the library draws on, one unit a module; what it has no use for here does nothing. */
interface Canvas {
  scale(): readonly [number, number];
  init(width: number, height: number): void;
  polygon(points: readonly Point[]): void;
  fill(): void;
  end(): void;
}

interface Encoder {
  raw(options: EncoderOptions): readonly EncodedSymbol[];
  render(options: EncoderOptions, canvas: Canvas): void;
}

interface EncodedSymbol {
  readonly sbs?: ArrayLike<number>;
  readonly pixs?: ArrayLike<number>;
  readonly pixx?: number;
  readonly pixy?: number;
}

let encoder: Encoder | undefined;

/** The library is large: a simulator that prints no bar code must not pay for it. */
function loadEncoder(): Encoder {
  const require = createRequire(import.meta.url);
  encoder ??= require("@bwip-js/node") as Encoder;
  return encoder;
}

/** Data that the symbology cannot hold. */
export class SymbolDataError extends Error {}

/** Runs the library; whatever it throws is about the data. */
function attempt<Result>(run: (library: Encoder) => Result): Result {
  const library = loadEncoder();
  try {
    return run(library);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SymbolDataError(message.replace(/^bwipp?\.\w+#?\d*: */, ""));
  }
}

/** A symbol is asked for its size and then printed, often several times: the last ones are kept. */
const kept = new Map<string, EncodedSymbol | ModuleMatrix>();
const MOST_KEPT = 8;

function keep<Result extends EncodedSymbol | ModuleMatrix>(key: string, make: () => Result): Result {
  const known = kept.get(key);
  // A key names one kind of result only.
  const result = known === undefined ? make() : (known as Result);
  kept.delete(key);
  kept.set(key, result);
  for (const oldest of kept.keys()) {
    if (kept.size <= MOST_KEPT) break;
    kept.delete(oldest);
  }
  return result;
}

function encode(symbology: string, text: string, options: EncoderOptions): EncodedSymbol {
  return keep(JSON.stringify(["raw", symbology, text, options]), () => {
    const [symbol] = attempt((library) => library.raw({ bcid: symbology, text, ...options }));
    if (symbol === undefined) throw new SymbolDataError("there is nothing to print");
    return symbol;
  });
}

export function encodeBars(symbology: string, text: string, options: EncoderOptions = {}): Bars {
  return Array.from(encode(symbology, text, options).sbs ?? []);
}

export function encodeMatrix(symbology: string, text: string, options: EncoderOptions = {}): ModuleMatrix {
  const { pixs = [], pixx = 0, pixy = 0 } = encode(symbology, text, options);
  return { columns: pixx, rows: pixy, modules: pixs };
}

/**
 * Symbols whose rows differ in height: stacked and composite ones. Only what the library draws tells the heights, so it
 * draws on a canvas of modules.
 */
export function encodeRows(symbology: string, text: string, options: EncoderOptions = {}): ModuleMatrix {
  return keep(JSON.stringify(["rows", symbology, text, options]), () => {
    const outlines: (readonly Point[])[] = [];
    let columns = 0;
    let rows = 0;
    const canvas: Canvas = {
      scale: () => [1, 1],
      init: (width, height) => {
        columns = width;
        rows = height;
      },
      polygon: (points) => outlines.push(points),
      fill: () => {},
      end: () => {},
    };
    attempt((library) => library.render({ bcid: symbology, text, scale: 1, ...options }, canvas));
    return { columns, rows, modules: fillOutlines(outlines, columns, rows) };
  });
}

/** Every upright edge turns what is to the right of it between dark and light. */
function fillOutlines(outlines: readonly (readonly Point[])[], columns: number, rows: number): Uint8Array {
  const modules = new Uint8Array(columns * rows);
  for (const points of outlines) {
    points.forEach(([x, y], index) => {
      const [nextX, nextY] = points[(index + 1) % points.length] ?? [x, y];
      if (x !== nextX) return;
      for (let row = Math.min(y, nextY); row < Math.max(y, nextY); row += 1) {
        const at = row * columns + x;
        if (x < columns) modules[at] = (modules[at] ?? 0) ^ 1;
      }
    });
  }
  for (let at = 0; at < modules.length; at += 1) {
    if (at % columns !== 0) modules[at] = (modules[at] ?? 0) ^ (modules[at - 1] ?? 0);
  }
  return modules;
}

/** MaxiCode: the numbers of the dark hexagons, 30 a row. */
export function encodeHexagons(text: string, mode: number): readonly number[] {
  return Array.from(encode("maxicode", text, { mode, binarytext: true }).pixs ?? []);
}

/** Bytes as the string that the library takes them in. */
export function binaryText(bytes: Iterable<number>): string {
  return String.fromCharCode(...bytes);
}

export function drawMatrix(matrix: ModuleMatrix, moduleDots: number, rowDots = moduleDots): SymbolImage {
  const widthDots = matrix.columns * moduleDots;
  const rows: DotRow[] = [];
  for (let y = 0; y < matrix.rows; y += 1) {
    const row = new Uint8Array(rowBytes(widthDots));
    for (let x = 0; x < matrix.columns; x += 1) {
      if (matrix.modules[y * matrix.columns + x] === 1) setDots(row, x * moduleDots, moduleDots);
    }
    for (let times = 0; times < rowDots; times += 1) rows.push(row);
  }
  return { widthDots, rows };
}

/** `dotsOf` says how many dots an element of so many modules has. */
export function drawBars(bars: Bars, heightDots: number, dotsOf: (modules: number) => number): SymbolImage {
  const dots = bars.map(dotsOf);
  // A trailing space is not part of the symbol.
  if (dots.length % 2 === 0) dots.pop();
  const widthDots = dots.reduce((sum, count) => sum + count, 0);
  const row = new Uint8Array(rowBytes(widthDots));
  let x = 0;
  dots.forEach((count, index) => {
    if (index % 2 === 0) setDots(row, x, count);
    x += count;
  });
  return { widthDots, rows: new Array<DotRow>(heightDots).fill(row) };
}
