import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflate } from "node:zlib";
import { TwinspoolError } from "../../protocol/errors.ts";
import { ByteReader } from "../byte-reader.ts";
import { checkDocumentBounds, documentLimits } from "../document-limits.ts";
import type { LinearImage } from "../linear-image.ts";
import type { PngColors, PngHeader, RowConverter } from "./png-header.ts";
import { bitsPerPngPixel, makeRowConverter, parseIhdr } from "./png-header.ts";

export const pngSignature: readonly number[] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const maxChunkBytes = 0x7fff_ffff;
/** The chunks that are read as a whole are small: PLTE has 768 bytes at most. */
const maxKeptChunkBytes = 1024;

interface ChunkHead {
  readonly type: string;
  readonly length: number;
}

function invalid(reason: string): TwinspoolError {
  return new TwinspoolError("document-invalid", `PNG: ${reason}`);
}

function truncated(offset: number, expected: string): TwinspoolError {
  return new TwinspoolError("document-truncated", `PNG of ${offset} bytes, expected ${expected}`);
}

/**
 * Decodes a PNG row by row, as it streams in, in memory that does not grow with the height (interlaced pictures are
 * held whole, within a limit). The rows end only after every checksum and IEND were found right.
 * Throws `document-invalid`, `document-truncated` or `document-too-large`.
 */
export async function decodePng(chunks: AsyncIterable<Uint8Array>): Promise<LinearImage> {
  const parser = new PngParser(new ByteReader(chunks));
  try {
    const header = await parser.readHeader();
    checkDocumentBounds(header.widthDots, header.heightDots);
    const colors = await parser.readColors(header);
    const convert = makeRowConverter(header, colors);
    const source = { parser, header, convert };
    const rows = header.isInterlaced ? interlacedRows(source) : plainRows(source);
    return { widthDots: header.widthDots, heightDots: header.heightDots, rows };
  } catch (error) {
    await parser.close();
    throw error;
  }
}

/** Walks over the chunks of the file (ISO/IEC 15948 clause 5) and checks the CRC of each. */
class PngParser {
  readonly #reader: ByteReader;
  /** Head of the first IDAT, once `readColors` has found it. */
  #firstData: ChunkHead | undefined;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  async readHeader(): Promise<PngHeader> {
    const signature = await this.#need(8, "the signature");
    if (pngSignature.some((byte, i) => signature[i] !== byte)) throw invalid("it has not the signature");
    const head = await this.#readHead();
    if (head.type !== "IHDR") throw invalid(`the first chunk is ${head.type}, expected IHDR`);
    const header = parseIhdr(await this.#readBody(head));
    if (typeof header === "string") throw invalid(header);
    return header;
  }

  /** Reads up to the first IDAT. */
  async readColors(header: PngHeader): Promise<PngColors> {
    let [palette, transparency]: (Uint8Array | undefined)[] = [];
    let gamma: number | undefined;
    let hasProfile = false;
    for (;;) {
      const head = await this.#readHead();
      if (head.type === "IDAT") {
        this.#firstData = head;
        break;
      }
      if (head.type === "PLTE") palette = await this.#readBody(head);
      else if (head.type === "tRNS") transparency = await this.#readBody(head);
      else if (head.type === "gAMA") {
        const body = await this.#readBody(head);
        if (body.length === 4) gamma = new DataView(body.buffer).getUint32(0);
      } else {
        hasProfile ||= head.type === "sRGB" || head.type === "iCCP";
        await this.#skip(head);
      }
    }
    if (palette !== undefined && (palette.length % 3 !== 0 || palette.length === 0 || palette.length > 768)) {
      throw invalid(`PLTE has ${palette.length} bytes`);
    }
    if (header.colorType === 3 && palette === undefined) throw invalid("PLTE is missing before IDAT");
    return {
      ...(palette && { palette }),
      ...(transparency && { transparency }),
      ...(gamma !== undefined && !hasProfile && { gamma }),
    };
  }

  /** The joined content of all IDAT chunks, then on to IEND. */
  async *readData(): AsyncGenerator<Uint8Array, void, undefined> {
    let head = this.#firstData ?? (await this.#readHead());
    while (head.type === "IDAT") {
      yield* this.#streamBody(head);
      head = await this.#readHead();
    }
    while (head.type !== "IEND") {
      if (head.type === "IDAT") throw invalid("the IDAT chunks are not together");
      await this.#skip(head);
      head = await this.#readHead();
    }
    await this.#skip(head);
  }

  async #need(count: number, what: string): Promise<Uint8Array> {
    const bytes = await this.#reader.read(count);
    if (bytes === undefined) throw truncated(this.#reader.offset + this.#reader.buffered.length, what);
    return bytes;
  }

  async #readHead(): Promise<ChunkHead> {
    const bytes = await this.#need(8, "another chunk, up to IEND");
    const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getUint32(0);
    const type = String.fromCharCode(...bytes.subarray(4));
    if (length > maxChunkBytes || !/^[A-Za-z]{4}$/.test(type))
      throw invalid(`no chunk at byte ${this.#reader.offset - 8}`);
    return { type, length };
  }

  async #readBody(head: ChunkHead): Promise<Uint8Array> {
    if (head.length > maxKeptChunkBytes) throw invalid(`${head.type} has ${head.length} bytes`);
    const body = new Uint8Array(head.length);
    let at = 0;
    for await (const piece of this.#streamBody(head)) {
      body.set(piece, at);
      at += piece.length;
    }
    return body;
  }

  async #skip(head: ChunkHead): Promise<void> {
    const isCritical = head.type.charCodeAt(0) < 0x60;
    if (isCritical && head.type !== "IEND") throw invalid(`the critical chunk ${head.type} is unknown or out of place`);
    for await (const _ of this.#streamBody(head));
  }

  async *#streamBody(head: ChunkHead): AsyncGenerator<Uint8Array, void, undefined> {
    let crc = crc32(head.type);
    let left = head.length;
    while (left > 0) {
      const piece = await this.#reader.readSome(left);
      if (piece === undefined) throw truncated(this.#reader.offset, `${left} more bytes of ${head.type}`);
      crc = crc32(piece, crc);
      left -= piece.length;
      yield piece;
    }
    const stored = await this.#need(4, `the checksum of ${head.type}`);
    if (new DataView(stored.buffer, stored.byteOffset, 4).getUint32(0) !== crc) {
      throw invalid(`the checksum of ${head.type} before byte ${this.#reader.offset} is wrong`);
    }
  }
}

interface RowSource {
  readonly parser: PngParser;
  readonly header: PngHeader;
  readonly convert: RowConverter;
}

/** Unpacks the pixel data: one flat stream of filtered rows. */
async function* inflateData(parser: PngParser): AsyncGenerator<Uint8Array, void, undefined> {
  const inflate = createInflate({ chunkSize: 64 * 1024 });
  const pumped = pipeline(Readable.from(parser.readData()), inflate);
  // The error reaches the reader of `inflate` below; this promise only repeats it.
  pumped.catch(() => undefined);
  try {
    yield* inflate as AsyncIterable<Uint8Array>;
    await pumped;
  } catch (error) {
    if (error instanceof TwinspoolError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (reason.includes("unexpected end"))
      throw new TwinspoolError("document-truncated", "PNG: the pixel data ends early");
    throw new TwinspoolError("document-invalid", `PNG: the pixel data is damaged (${reason})`, { cause: error });
  } finally {
    inflate.destroy();
    await pumped.catch(() => undefined);
    await parser.close();
  }
}

/** The sizes of the rows to come, in the order of the data; the decoder yields each unfiltered and converted. */
interface RowPlan {
  readonly widthDots: number;
  readonly rowCount: number;
}

/** Cuts the data into rows and takes the filters off. The yielded row is valid until the next one is asked for. */
async function* unfilteredRows(
  source: RowSource,
  plans: readonly RowPlan[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const data = new ByteReader(inflateData(source.parser));
  const bits = bitsPerPngPixel(source.header);
  const pixelBytes = Math.max(1, bits >> 3);
  try {
    for (const plan of plans) {
      const rowBytes = Math.ceil((plan.widthDots * bits) / 8);
      let previous = new Uint8Array(rowBytes);
      let current = new Uint8Array(rowBytes);
      for (let row = 0; row < plan.rowCount; row += 1) {
        const stored = await data.read(rowBytes + 1);
        if (stored === undefined) throw new TwinspoolError("document-truncated", "PNG: pixel rows are missing");
        const filter = stored[0] ?? 0;
        if (filter > 4) throw invalid(`row ${row} has the unknown filter ${filter}`);
        current.set(stored.subarray(1));
        unfilter(filter, current, previous, pixelBytes);
        yield current;
        [previous, current] = [current, previous];
      }
    }
    if (data.buffered.length > 0 || (await data.pull()))
      throw invalid("there are more pixel rows than the header says");
  } finally {
    await data.close();
  }
}

/** ISO/IEC 15948 clause 9.2; works in place. */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, pixelBytes: number): void {
  if (filter === 0) return;
  for (let i = 0; i < row.length; i += 1) {
    const left = i >= pixelBytes ? (row[i - pixelBytes] ?? 0) : 0;
    const up = above[i] ?? 0;
    let predicted = left;
    if (filter === 2) predicted = up;
    else if (filter === 3) predicted = (left + up) >> 1;
    else if (filter === 4) predicted = paeth(left, up, i >= pixelBytes ? (above[i - pixelBytes] ?? 0) : 0);
    row[i] = (row[i] ?? 0) + predicted;
  }
}

function paeth(left: number, up: number, upLeft: number): number {
  const estimate = left + up - upLeft;
  const [toLeft, toUp, toUpLeft] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - upLeft)];
  if (toLeft <= toUp && toLeft <= toUpLeft) return left;
  return toUp <= toUpLeft ? up : upLeft;
}

function convertRow(source: RowSource, raw: Uint8Array, out: Uint16Array, count: number): void {
  const bad = source.convert(raw, out, count);
  if (bad >= 0) throw invalid(`pixel ${bad} of a row has a color that the palette has not`);
}

async function* plainRows(source: RowSource): AsyncGenerator<Uint16Array, void, undefined> {
  const { widthDots, heightDots } = source.header;
  const out = new Uint16Array(widthDots);
  for await (const raw of unfilteredRows(source, [{ widthDots, rowCount: heightDots }])) {
    convertRow(source, raw, out, widthDots);
    yield out;
  }
}

/** The seven passes of Adam7 (ISO/IEC 15948 clause 8.2): first column and row, then the steps between them. */
const adam7 = [
  { x: 0, y: 0, stepX: 8, stepY: 8 },
  { x: 4, y: 0, stepX: 8, stepY: 8 },
  { x: 0, y: 4, stepX: 4, stepY: 8 },
  { x: 2, y: 0, stepX: 4, stepY: 4 },
  { x: 0, y: 2, stepX: 2, stepY: 4 },
  { x: 1, y: 0, stepX: 2, stepY: 2 },
  { x: 0, y: 1, stepX: 1, stepY: 2 },
] as const;

async function* interlacedRows(source: RowSource): AsyncGenerator<Uint16Array, void, undefined> {
  const { widthDots, heightDots } = source.header;
  if (widthDots * heightDots > documentLimits.interlacedPixels) {
    await source.parser.close();
    const limit = `${documentLimits.interlacedPixels} pixels; save it without interlacing`;
    throw new TwinspoolError(
      "document-too-large",
      `interlaced PNG of ${widthDots} x ${heightDots}, the limit is ${limit}`,
    );
  }
  const picture = new Uint16Array(widthDots * heightDots);
  const passes = adam7
    .map((pass) => ({
      ...pass,
      widthDots: Math.ceil((widthDots - pass.x) / pass.stepX),
      rowCount: Math.ceil((heightDots - pass.y) / pass.stepY),
    }))
    .filter((pass) => pass.widthDots > 0 && pass.rowCount > 0);
  const targets = passes.flatMap((pass) => Array.from({ length: pass.rowCount }, (_, row) => ({ pass, row })));
  const out = new Uint16Array(widthDots);
  let index = 0;
  for await (const raw of unfilteredRows(source, passes)) {
    const target = targets[index];
    index += 1;
    if (target === undefined) break;
    const { pass, row } = target;
    convertRow(source, raw, out, pass.widthDots);
    const start = (pass.y + row * pass.stepY) * widthDots + pass.x;
    for (let x = 0; x < pass.widthDots; x += 1) picture[start + x * pass.stepX] = out[x] ?? 0;
  }
  for (let y = 0; y < heightDots; y += 1) yield picture.subarray(y * widthDots, (y + 1) * widthDots);
}
