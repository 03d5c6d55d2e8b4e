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

interface Encoder {
  raw(options: EncoderOptions): readonly EncodedSymbol[];
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

function encode(symbology: string, text: string, options: EncoderOptions): EncodedSymbol {
  let symbols: readonly EncodedSymbol[];
  const library = loadEncoder();
  try {
    symbols = library.raw({ bcid: symbology, text, ...options });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SymbolDataError(message.replace(/^bwipp?\.\w+#?\d*: */, ""));
  }
  const [symbol] = symbols;
  if (symbol === undefined) throw new SymbolDataError("there is nothing to print");
  return symbol;
}

export function encodeBars(symbology: string, text: string, options: EncoderOptions = {}): Bars {
  return Array.from(encode(symbology, text, options).sbs ?? []);
}

export function encodeMatrix(symbology: string, text: string, options: EncoderOptions = {}): ModuleMatrix {
  const { pixs = [], pixx = 0, pixy = 0 } = encode(symbology, text, options);
  return { columns: pixx, rows: pixy, modules: pixs };
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
