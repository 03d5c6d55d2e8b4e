import type { MemoryPage } from "../../image/print-image.ts";
import type { Evidence } from "../../protocol/job.ts";
import { concatBytes, enableAsb, feedUnits, initialize, requestProcessId, transmitPaperStatus } from "./commands.ts";
import type { PrinterModel } from "./models.ts";
import { encodeBand, rasterCommand, usedBytes } from "./raster-band.ts";

/** Bytes that belong together: no command is cut by the end of a chunk. */
export interface OutputChunk {
  readonly bytes: Uint8Array;
  /** Rows of the job handed over when this chunk is, counted over all pages. */
  readonly rowsDone: number;
  /** Time the paper needs for this chunk, by the model's speed and the black in it. */
  readonly mechanicalMs: number;
}

export interface OutputOptions {
  readonly model: PrinterModel;
  /** What to ask for at the end: process IDs and GS r, GS r alone, or nothing. */
  readonly evidence: Evidence;
  readonly processIds: readonly [string, string];
}

/** Chunks are joined up to this size: one write each, small enough for the 4 KB buffers of old printers to follow. */
const chunkBytes = 4096;

/** Bytes a raster costs beside its data, and a feed. */
const rasterOverheadBytes = 8;
const feedBytes = 3;

/** A page taken apart: rows to print, rows to skip. */
type Segment =
  | { readonly kind: "rows"; readonly rows: readonly Uint8Array[] }
  | { readonly kind: "blank"; readonly heightRows: number };

/**
 * The bytes that print these pages, in chunks of whole commands. Each page is fed to the cutter and cut.
 * Process ID 1 follows the last black row of the job: GS ( H is bound to the data just before it, and only after
 * printing data does its answer mean "printed". Process ID 2 follows the last cut, and GS r everything.
 * The rows of the pages are iterated twice, the second time as the chunks are taken.
 * Pages must be as wide as the model or narrower; wider ones are the caller's error (RangeError).
 */
export function* encodeOutput(pages: readonly MemoryPage[], options: OutputOptions): Generator<OutputChunk> {
  yield* joinChunks(encodeParts(pages, options));
}

function* encodeParts(pages: readonly MemoryPage[], options: OutputOptions): Generator<OutputChunk> {
  const { model } = options;
  const last = findLastBlackRow(pages);
  let rowsBefore = 0;
  // Makers do not say whether ESC @ ends ASB, so it is asked for again.
  const start = options.evidence === "none" ? initialize : concatBytes([initialize, enableAsb]);
  yield { bytes: start, rowsDone: 0, mechanicalMs: 0 };
  for (const [pageIndex, page] of pages.entries()) {
    let row = 0;
    for (const segment of splitPage(page, model)) {
      const black = segment.kind === "rows";
      row += black ? segment.rows.length : segment.heightRows;
      const rowsDone = rowsBefore + row;
      if (black) {
        const bytes = concatBytes(encodeBand(segment.rows));
        yield { bytes, rowsDone, mechanicalMs: printMs(segment.rows, model) };
      } else {
        const bytes = blankRows(segment.heightRows, model);
        yield { bytes, rowsDone, mechanicalMs: feedMs(segment.heightRows, model) };
      }
      if (pageIndex === last?.pageIndex && row === last.row + 1) {
        yield { bytes: firstRequest(options), rowsDone, mechanicalMs: 0 };
      }
    }
    rowsBefore += row;
    const mechanicalMs = feedMs(model.feedBeforeCutRows, model) + model.cutMs;
    yield { bytes: endOfPage(model), rowsDone: rowsBefore, mechanicalMs };
  }
  // With nothing black in the job there was no last line to follow.
  if (last === undefined) yield { bytes: firstRequest(options), rowsDone: rowsBefore, mechanicalMs: 0 };
  yield { bytes: lastRequests(options), rowsDone: rowsBefore, mechanicalMs: 0 };
}

function findLastBlackRow(pages: readonly MemoryPage[]): { pageIndex: number; row: number } | undefined {
  for (let pageIndex = pages.length - 1; pageIndex >= 0; pageIndex--) {
    let last = -1;
    let row = 0;
    for (const dots of pages[pageIndex]?.rows ?? []) {
      if (usedBytes(dots) > 0) last = row;
      row++;
    }
    if (last >= 0) return { pageIndex, row: last };
  }
  return undefined;
}

/** What ends a ticket: feed to the cutter and cut, or to the tear bar. */
export function endOfPage(model: PrinterModel): Uint8Array {
  return concatBytes([blankRows(model.feedBeforeCutRows, model), Uint8Array.from(model.cut)]);
}

/** Longest single command this encoder emits for the model: what a cut-off command may still be waiting for. */
export function longestCommandBytes(model: PrinterModel): number {
  return rasterOverheadBytes + model.bandRows * ((model.widthDots + 7) >> 3);
}

function firstRequest(options: OutputOptions): Uint8Array {
  return options.evidence === "process-id" ? requestProcessId(options.processIds[0]) : new Uint8Array(0);
}

function lastRequests(options: OutputOptions): Uint8Array {
  if (options.evidence === "none") return new Uint8Array(0);
  if (options.evidence === "status") return transmitPaperStatus;
  return concatBytes([requestProcessId(options.processIds[1]), transmitPaperStatus]);
}

function* splitPage(page: MemoryPage, model: PrinterModel): Generator<Segment> {
  if (page.widthDots > model.widthDots) throw new RangeError(`page of ${page.widthDots} dots on ${model.name}`);
  let band: Uint8Array[] = [];
  let bandWidthBytes = 1;
  let blank = 0;
  for (const row of page.rows) {
    const used = usedBytes(row);
    if (used === 0) {
      blank++;
      continue;
    }
    if (blank > 0) {
      const joins = band.length > 0 && band.length + blank < model.bandRows;
      if (joins && blank * Math.max(bandWidthBytes, used) <= blankCostBytes(blank, model)) {
        for (; blank > 0; blank--) band.push(new Uint8Array(row.length));
      } else {
        if (band.length > 0) yield { kind: "rows", rows: band };
        yield { kind: "blank", heightRows: blank };
        [band, bandWidthBytes, blank] = [[], 1, 0];
      }
    }
    // Rows may be views of a buffer that is used again.
    band.push(row.slice());
    bandWidthBytes = Math.max(bandWidthBytes, used);
    if (band.length >= model.bandRows) {
      yield { kind: "rows", rows: band };
      [band, bandWidthBytes] = [[], 1];
    }
  }
  if (band.length > 0) yield { kind: "rows", rows: band };
  if (blank > 0) yield { kind: "blank", heightRows: blank };
}

/** Bytes that a gap of blank rows costs when the band is ended for it. */
function blankCostBytes(rows: number, model: PrinterModel): number {
  if (model.blankRows === "raster") return rows + 2 * rasterOverheadBytes;
  return feedBytes * Math.ceil((rows * model.verticalMotionUnitsPerDot) / 255) + rasterOverheadBytes;
}

function blankRows(rows: number, model: PrinterModel): Uint8Array {
  const parts: Uint8Array[] = [];
  if (model.blankRows === "raster") {
    for (let left = rows; left > 0; left -= model.bandRows) {
      parts.push(rasterCommand(1, new Uint8Array(Math.min(left, model.bandRows))));
    }
    return concatBytes(parts);
  }
  // Each feed is a whole number of dots, so that none is rounded.
  const perFeed = 255 - (255 % model.verticalMotionUnitsPerDot);
  for (let units = rows * model.verticalMotionUnitsPerDot; units > 0; units -= perFeed) {
    parts.push(feedUnits(Math.min(units, perFeed)));
  }
  return concatBytes(parts);
}

function feedMs(rows: number, model: PrinterModel): number {
  return ((rows / model.resolutionDpi) * 25.4 * 1000) / model.speedMmPerS;
}

const bitsOfByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0;
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1;
  return bits;
});

/**
 * Speed falls with the dots driven at once. A published table gives 130 mm/s up to 25 % of the dots, 61 at 50 % and
 * 38 at 100 %; models differ in speed, less in this shape.
 */
function printMs(rows: readonly Uint8Array[], model: PrinterModel): number {
  let slowness = 0;
  for (const row of rows) {
    const duty = row.reduce((sum, byte) => sum + (bitsOfByte[byte] ?? 0), 0) / model.widthDots;
    if (duty <= 0.25) slowness += 1;
    else if (duty <= 0.5) slowness += 1 + ((duty - 0.25) / 0.25) * 1.13;
    else slowness += 2.13 + ((duty - 0.5) / 0.5) * 1.29;
  }
  return slowness * feedMs(1, model);
}

function* joinChunks(parts: Iterable<OutputChunk>): Generator<OutputChunk> {
  let waiting: OutputChunk[] = [];
  let sizeBytes = 0;
  const join = (): OutputChunk => ({
    bytes: concatBytes(waiting.map((part) => part.bytes)),
    rowsDone: waiting.at(-1)?.rowsDone ?? 0,
    mechanicalMs: waiting.reduce((sum, part) => sum + part.mechanicalMs, 0),
  });
  for (const part of parts) {
    if (sizeBytes > 0 && sizeBytes + part.bytes.length > chunkBytes) {
      yield join();
      waiting = [];
      sizeBytes = 0;
    }
    waiting.push(part);
    sizeBytes += part.bytes.length;
  }
  if (waiting.length > 0) yield join();
}
