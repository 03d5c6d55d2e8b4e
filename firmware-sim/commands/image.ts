import { type DotRow, rowBytes, setDots, widenDots } from "../bits.ts";
import type { Engine } from "../engine.ts";
import type { PageBuffer } from "../page-mode.ts";
import type { DataSink } from "../parser.ts";
import { block, type Command, code, digit, ESC, GS, word } from "./command.ts";

/** Rows handed to the mechanism together while raster data arrive. */
const BAND_ROWS = 24;

const NO_BYTES = new Uint8Array(0);

class RasterSink implements DataSink {
  private readonly engine: Engine;
  private readonly stride: number;
  private readonly scale: { readonly x: number; readonly y: number };
  private rowsLeft: number;
  /** Rows of one piece of memory: small arrays of their own are dear. */
  private band: Uint8Array = NO_BYTES;
  private filled = 0;
  /** Rows that the printer goes on for, taking whatever comes for dots. */
  private readonly overrunRows: number;

  constructor(
    engine: Engine,
    size: { readonly stride: number; readonly height: number },
    scale: { readonly x: number; readonly y: number },
    overrunRows = 0,
  ) {
    this.engine = engine;
    this.overrunRows = overrunRows;
    this.stride = size.stride;
    this.rowsLeft = size.height;
    this.scale = scale;
  }

  write(bytes: Uint8Array, from: number, to: number): number {
    if (this.band.length === 0) this.band = new Uint8Array(Math.min(BAND_ROWS, this.rowsLeft) * this.stride);
    const count = Math.min(this.band.length - this.filled, to - from);
    this.band.set(bytes.subarray(from, from + count), this.filled);
    this.filled += count;
    if (this.filled === this.band.length) this.flush();
    return count;
  }

  end(): void {
    this.flush();
    this.engine.rasterEnded();
    if (this.overrunRows === 0) return;
    this.engine.output.diagnose("ignored", `this printer takes what follows for ${this.overrunRows} more rows`);
    const size = { stride: this.stride, height: this.overrunRows };
    const sink = new RasterSink(this.engine, size, this.scale);
    this.engine.overrun = { sink, left: this.overrunRows * this.stride };
  }

  private flush(): void {
    const rows: DotRow[] = [];
    for (let at = 0; at < this.filled; at += this.stride) rows.push(this.band.subarray(at, at + this.stride));
    this.engine.printRaster(rows, this.stride * 8, this.scale);
    this.rowsLeft -= rows.length;
    this.band = NO_BYTES;
    this.filled = 0;
  }
}

/** Page mode: every row is developed in its place as it arrives, so that any height takes no memory. */
class PageRasterSink implements DataSink {
  private readonly engine: Engine;
  private readonly page: PageBuffer;
  private readonly row: Uint8Array;
  private readonly scale: { readonly x: number; readonly y: number };
  private readonly x: number;
  private y: number;
  private filled = 0;

  constructor(
    engine: Engine,
    page: PageBuffer,
    size: { stride: number; height: number },
    scale: { x: number; y: number },
  ) {
    this.engine = engine;
    this.page = page;
    this.scale = scale;
    this.row = new Uint8Array(size.stride);
    this.x = engine.line.x;
    this.y = page.y + 1 - size.height * scale.y;
    engine.line.moveTo(this.x + size.stride * 8 * scale.x);
    engine.markPrintingData();
  }

  write(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at < to; ) {
      const count = Math.min(this.row.length - this.filled, to - at);
      this.row.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled === this.row.length) this.developRow();
    }
    this.engine.markPrintingData();
    return to - from;
  }

  end(): void {
    this.engine.rasterEnded();
  }

  private developRow(): void {
    this.filled = 0;
    const dots = this.row.length * 8 * this.scale.x;
    const lines = new Array<DotRow>(this.scale.y).fill(widenDots(this.row, this.row.length * 8, this.scale.x));
    const visible = this.y < this.page.depthDots && this.y + this.scale.y > 0;
    if (visible) this.page.draw(lines, Math.min(dots, this.page.lineDots - this.x), this.x, this.y);
    this.y += this.scale.y;
  }
}

const DISCARD: DataSink = { write: (_bytes, from, to) => to - from, end: () => {} };

/** GS v 0: printed while it arrives. Not at the beginning of a line the data are read and thrown away. */
function openRaster(engine: Engine, params: readonly number[]): DataSink {
  const mode = digit(params[0] ?? 0);
  const stride = word(params, 1);
  const height = word(params, 3);
  if (mode > 3 || stride === 0 || height === 0) {
    engine.output.diagnose("out-of-range", "m is 0-3, x and y at least 1");
    return DISCARD;
  }
  // A position (ESC $, HT) is no data: the image begins there.
  if (engine.page === undefined && !engine.line.isEmpty) {
    engine.output.diagnose("ignored", "the line already holds data");
    return DISCARD;
  }
  const scale = { x: (mode & 1) + 1, y: mode >> 1 === 1 ? 2 : 1 };
  if (engine.page !== undefined) return new PageRasterSink(engine, engine.page, { stride, height }, scale);
  const { rasterOverrun } = engine.profile.quirks;
  const overrunRows = rasterOverrun !== undefined && height % rasterOverrun === 0 ? rasterOverrun : 0;
  return new RasterSink(engine, { stride, height }, scale, overrunRows);
}

const COLUMN_MODES: Readonly<Record<number, { readonly bytes: number; readonly widen: number }>> = {
  0: { bytes: 1, widen: 2 },
  1: { bytes: 1, widen: 1 },
  32: { bytes: 3, widen: 2 },
  33: { bytes: 3, widen: 1 },
};

/** ESC *: columns of 8 or 24 dots, most significant bit on top. */
function bitImage(engine: Engine, params: readonly number[], data: Uint8Array): void {
  const mode = COLUMN_MODES[params[0] ?? 0];
  if (mode === undefined) {
    engine.output.diagnose("out-of-range", "m is 0, 1, 32 or 33");
    return;
  }
  const columns = word(params, 1);
  const pitch = mode.bytes === 1 ? engine.profile.columnPitch8 : 1;
  const widthDots = Math.min(columns * mode.widen, Math.max(0, engine.areaWidthDots - engine.line.x));
  const rows = Array.from({ length: mode.bytes * 8 * pitch }, () => new Uint8Array(rowBytes(widthDots)));
  for (let column = 0; column < columns && column * mode.widen < widthDots; column += 1) {
    for (let bit = 0; bit < mode.bytes * 8; bit += 1) {
      if (((data[column * mode.bytes + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) === 0) continue;
      // The 8-dot modes have a third of the head's vertical density, so each of their dots covers three rows.
      for (let at = bit * pitch; at < (bit + 1) * pitch; at += 1) {
        const row = rows[at];
        if (row !== undefined) setDots(row, column * mode.widen, mode.widen);
      }
    }
  }
  engine.line.addImage(rows, widthDots);
  engine.markPrintingData();
}

export const IMAGE_COMMANDS: readonly Command[] = [
  {
    name: "GS v 0",
    prefix: [GS, code("v"), code("0")],
    shape: block(5, (params) => word(params, 1) * word(params, 3)),
    open: openRaster,
  },
  {
    name: "ESC *",
    prefix: [ESC, code("*")],
    shape: block(3, (params) => word(params, 1) * (COLUMN_MODES[params[0] ?? 0]?.bytes ?? 1)),
    execute: bitImage,
  },
];
