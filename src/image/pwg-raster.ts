import { TwinspoolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";
import { ByteReader } from "./byte-reader.ts";
import { checkDocumentBounds } from "./document-limits.ts";
import type { ImagePage, MemoryPage, PageGeometry } from "./print-image.ts";
import { bytesPerRow } from "./print-image.ts";
import type { PwgHeader } from "./pwg-header.ts";
import { bitsPerPixel, isZeroWhite, makePwgHeader, parsePwgHeader, pwgHeaderBytes, pwgSync } from "./pwg-header.ts";
import type { LineResult, LineShape } from "./pwg-lines.ts";
import { decodeLine, encodeLine } from "./pwg-lines.ts";

/** A page of any PWG Raster document: its pixels as they are stored. */
export interface PwgPage {
  readonly header: PwgHeader;
  /** `heightDots` rows of `bytesPerLine` bytes; may be read once, and the pages in their order. */
  readonly rows: AsyncIterable<Uint8Array>;
}

type Pages = AsyncIterable<ImagePage | MemoryPage> | Iterable<ImagePage | MemoryPage>;

const syncBytes = Uint8Array.from(pwgSync, (char) => char.charCodeAt(0));

function wholePage(geometry: PageGeometry, rows: number): TwinspoolError {
  return new TwinspoolError("image-invalid", `a page of ${geometry.heightDots} rows was given ${rows}`);
}

/** Coded lines are some thirty bytes each: written one by one they would cost a disk write a line. */
const chunkBytes = 32 * 1024;

/** Writes pages as PWG Raster, 1-bit black, in chunks of about 32 KiB. `totalPages` 0 is "not known". */
export async function* encodePwg(pages: Pages, totalPages = 0): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting = new Uint8Array(chunkBytes);
  let length = 0;
  for await (const part of encodeParts(pages, totalPages)) {
    if (length + part.length > chunkBytes) {
      yield waiting.subarray(0, length);
      waiting = new Uint8Array(Math.max(chunkBytes, part.length));
      length = 0;
    }
    waiting.set(part, length);
    length += part.length;
  }
  yield waiting.subarray(0, length);
}

/** Page headers and coded lines. */
async function* encodeParts(pages: Pages, totalPages: number): AsyncGenerator<Uint8Array, void, undefined> {
  yield syncBytes;
  for await (const page of pages) {
    const { widthDots, heightDots, resolutionDpi } = page;
    yield makePwgHeader({ widthDots, heightDots, resolutionDpi, pixelType: "black_1", totalPages });
    const rowBytes = bytesPerRow(widthDots);
    let pending: Uint8Array | undefined;
    let repeats = 0;
    let count = 0;
    for await (const row of page.rows) {
      count += 1;
      if (row.length !== rowBytes || count > heightDots) throw wholePage(page, count);
      if (pending !== undefined && repeats < 255 && isSame(pending, row)) {
        repeats += 1;
        continue;
      }
      if (pending !== undefined) yield encodeLine(pending, repeats);
      pending = row;
      repeats = 0;
    }
    if (count !== heightDots || pending === undefined) throw wholePage(page, count);
    yield encodeLine(pending, repeats);
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

function shapeOf(header: PwgHeader): LineShape {
  return {
    bytesPerLine: header.bytesPerLine,
    pixelBytes: Math.max(1, bitsPerPixel(header.pixelType) >> 3),
    whiteByte: isZeroWhite(header.pixelType) ? 0 : 255,
  };
}

/** The bits beyond the width are no dots, so they are cleared. */
function clearPadding(row: Uint8Array, widthDots: number): void {
  const spare = row.length * 8 - widthDots;
  if (spare > 0) row[row.length - 1] = (row[row.length - 1] ?? 0) & (0xff << spare);
}

/** Sums up pages against the limits of a print image. */
class PrintImageBounds {
  #pages = 0;
  #heightDots = 0;

  add(header: PwgHeader): void {
    if (header.pixelType !== "black_1") {
      throw new TwinspoolError("image-invalid", `its dots are ${header.pixelType}, expected black_1`);
    }
    if (header.resolutionDpi === 0) throw new TwinspoolError("image-invalid", "its resolution is 0 dpi");
    this.#pages += 1;
    this.#heightDots += header.heightDots;
    checkPrintImageBounds(this.#pages, header.widthDots, this.#heightDots);
  }
}

/** Throws `image-too-large` when a print image of this geometry is beyond the limits. */
export function checkPrintImageBounds(pages: number, widthDots: number, heightDots: number): void {
  const check = (seen: number, limit: number, what: string): void => {
    if (seen > limit) throw new TwinspoolError("image-too-large", `${seen} ${what}, the limit is ${limit}`);
  };
  check(pages, limits.imagePages, "pages");
  check(widthDots, limits.imageWidthDots, "dots of width");
  check(heightDots, limits.imageHeightDots, "dots of height");
}

function truncated(page: number, offset: number, expected: string): TwinspoolError {
  return new TwinspoolError("document-truncated", `page ${page} ends at byte ${offset}, expected ${expected}`);
}

function startsWithSync(bytes: Uint8Array): boolean {
  return syncBytes.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads a print image that is wholly in memory. All of it is checked at once (geometry, limits, every line), the dots
 * are decoded row by row when `rows` is iterated, which may be done more than once. Throws `image-invalid`,
 * `image-too-large` or `document-truncated`.
 */
export function readPrintImage(bytes: Uint8Array): { readonly pages: readonly MemoryPage[] } {
  if (bytes.length > limits.imageBytes) {
    throw new TwinspoolError("image-too-large", `${bytes.length} bytes, the limit is ${limits.imageBytes}`);
  }
  if (bytes.length < syncBytes.length) throw truncated(1, bytes.length, `the sync word ${pwgSync}`);
  if (!startsWithSync(bytes)) throw new TwinspoolError("image-invalid", `it does not begin with ${pwgSync}`);
  const pages: MemoryPage[] = [];
  const bounds = new PrintImageBounds();
  let offset = syncBytes.length;
  while (offset < bytes.length || pages.length === 0) {
    const pageNumber = pages.length + 1;
    if (bytes.length - offset < pwgHeaderBytes) throw truncated(pageNumber, bytes.length, "a page header");
    const parsed = parsePwgHeader(bytes.subarray(offset, offset + pwgHeaderBytes));
    if (!parsed.ok) throw new TwinspoolError("image-invalid", `page ${pageNumber}: ${parsed.reason}`);
    bounds.add(parsed.header);
    const start = offset + pwgHeaderBytes;
    const { widthDots, heightDots, resolutionDpi } = parsed.header;
    offset = checkLines(bytes, start, parsed.header, pageNumber);
    const rows = { [Symbol.iterator]: () => decodeRows(bytes, start, parsed.header) };
    pages.push({ widthDots, heightDots, resolutionDpi, rows });
  }
  return { pages };
}

/** Walks over the lines of a page. Returns the offset after them. */
function checkLines(bytes: Uint8Array, start: number, header: PwgHeader, pageNumber: number): number {
  const shape = shapeOf(header);
  const line = new Uint8Array(header.bytesPerLine);
  let offset = start;
  let row = 0;
  while (row < header.heightDots) {
    const rowsLeft = header.heightDots - row;
    const result = decodeLine(bytes, offset, shape, line);
    if (result.kind === "more") throw truncated(pageNumber, bytes.length, `${rowsLeft} more rows`);
    const good = checkLine(result, rowsLeft, { pageNumber, invalidCode: "image-invalid" }, row);
    row += good.repeats + 1;
    offset = good.nextOffset;
  }
  return offset;
}

/** Refuses a bad line, and repeats beyond the page. */
function checkLine(
  result: Exclude<LineResult, { kind: "more" }>,
  rowsLeft: number,
  place: LinePlace,
  row: number,
): Extract<LineResult, { kind: "line" }> {
  const where = `page ${place.pageNumber}, row ${row}`;
  if (result.kind === "bad") throw new TwinspoolError(place.invalidCode, `${where}: ${result.reason}`);
  if (result.repeats >= rowsLeft) {
    const reason = `a line stands for ${result.repeats + 1} rows, but ${rowsLeft} are left`;
    throw new TwinspoolError(place.invalidCode, `${where}: ${reason}`);
  }
  return result;
}

/** Decodes rows that `checkLines` has found good. */
function* decodeRows(bytes: Uint8Array, start: number, header: PwgHeader): Generator<Uint8Array, void, undefined> {
  const shape = shapeOf(header);
  let offset = start;
  let row = 0;
  while (row < header.heightDots) {
    const line = new Uint8Array(header.bytesPerLine);
    const result = decodeLine(bytes, offset, shape, line);
    if (result.kind !== "line")
      throw new TwinspoolError("image-invalid", "the buffer was changed after it was checked");
    clearPadding(line, header.widthDots);
    for (let i = 0; i <= result.repeats; i += 1) yield line;
    offset = result.nextOffset;
    row += result.repeats + 1;
  }
}

/**
 * Reads PWG Raster of any supported kind as it streams in. A page whose rows were not read to the end is passed over.
 * Throws `document-truncated`, `document-too-large`, or `invalidCode` for what is not right.
 */
export async function* decodePwgDocument(
  chunks: AsyncIterable<Uint8Array>,
  invalidCode: "image-invalid" | "document-invalid" = "document-invalid",
): AsyncGenerator<PwgPage, void, undefined> {
  const reader = new ByteReader(chunks);
  try {
    const sync = await reader.read(syncBytes.length);
    if (sync === undefined) throw truncated(1, reader.offset, `the sync word ${pwgSync}`);
    if (!startsWithSync(sync)) throw new TwinspoolError(invalidCode, `it does not begin with ${pwgSync}`);
    for (let pageNumber = 1; pageNumber === 1 || reader.buffered.length > 0 || (await reader.pull()); pageNumber += 1) {
      const bytes = await reader.read(pwgHeaderBytes);
      if (bytes === undefined) throw truncated(pageNumber, reader.offset, "a page header");
      const parsed = parsePwgHeader(bytes);
      if (!parsed.ok) throw new TwinspoolError(invalidCode, `page ${pageNumber}: ${parsed.reason}`);
      checkDocumentBounds(parsed.header.widthDots, parsed.header.heightDots);
      const rows = streamRows(reader, parsed.header, { pageNumber, invalidCode });
      // No `return`: leaving a loop over the rows early must not end them, for they must still be passed over.
      yield { header: parsed.header, rows: { [Symbol.asyncIterator]: () => ({ next: () => rows.next() }) } };
      for await (const _ of rows);
    }
  } finally {
    await reader.close();
  }
}

/** Where a line stands, for the message when it is bad. */
interface LinePlace {
  readonly pageNumber: number;
  readonly invalidCode: "image-invalid" | "document-invalid";
}

async function* streamRows(reader: ByteReader, header: PwgHeader, place: LinePlace): AsyncGenerator<Uint8Array, void> {
  const shape = shapeOf(header);
  let row = 0;
  while (row < header.heightDots) {
    const rowsLeft = header.heightDots - row;
    const line = new Uint8Array(header.bytesPerLine);
    let result = decodeLine(reader.buffered, 0, shape, line);
    while (result.kind === "more") {
      if (!(await reader.pull())) throw truncated(place.pageNumber, reader.offset, `${rowsLeft} more rows`);
      result = decodeLine(reader.buffered, 0, shape, line);
    }
    const good = checkLine(result, rowsLeft, place, row);
    reader.take(good.nextOffset);
    if (bitsPerPixel(header.pixelType) === 1) clearPadding(line, header.widthDots);
    for (let i = 0; i <= good.repeats; i += 1) yield line;
    row += good.repeats + 1;
  }
}

/** Reads a print image as it streams in, within the limits. Pages and rows are read in order, once. */
export async function* decodePwg(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ImagePage, void, undefined> {
  const bounds = new PrintImageBounds();
  for await (const { header, rows } of decodePwgDocument(chunks, "image-invalid")) {
    bounds.add(header);
    const { widthDots, heightDots, resolutionDpi } = header;
    yield { widthDots, heightDots, resolutionDpi, rows };
  }
}
