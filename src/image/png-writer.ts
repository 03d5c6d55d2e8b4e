import { Readable } from "node:stream";
import { crc32, createDeflate, deflateSync } from "node:zlib";
import { pngSignature } from "./formats/png.ts";
import type { MemoryPage, PageGeometry } from "./print-image.ts";
import { bytesPerRow } from "./print-image.ts";
import { readPrintImage } from "./pwg-raster.ts";

/** Writes one page as a PNG of 1 bit a pixel. */
export function encodePng(geometry: PageGeometry, rows: Iterable<Uint8Array>): Uint8Array {
  const filtered: Uint8Array[] = [];
  for (const row of rows) filtered.push(filterRow(row));
  return Buffer.concat([...pngHead(geometry), pngChunk("IDAT", deflateSync(Buffer.concat(filtered))), pngEnd()]);
}

/** Writes rows as a PNG while they come. */
export async function* encodePngStream(
  geometry: PageGeometry,
  rows: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* pngHead(geometry);
  const source = Readable.from(filterRows(rows));
  const deflate = createDeflate({ chunkSize: 64 * 1024 });
  source.once("error", (error) => deflate.destroy(error));
  try {
    for await (const data of source.pipe(deflate) as AsyncIterable<Uint8Array>) yield pngChunk("IDAT", data);
  } finally {
    source.destroy();
    deflate.destroy();
  }
  yield pngEnd();
}

/**
 * The preview of a print image: all its pages in one PNG, one below the other, a dashed line where the paper is cut.
 * Throws as `readPrintImage` does.
 */
export async function previewPng(image: Uint8Array): Promise<Uint8Array> {
  return encodePagesPng(readPrintImage(image).pages);
}

/** Several pages as one PNG, one below the other. */
export async function encodePagesPng(pages: readonly MemoryPage[]): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of encodePngStream(stackGeometry(pages), stackRows(pages))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const cutDots = 12;

function stackGeometry(pages: readonly MemoryPage[]): PageGeometry {
  return {
    widthDots: Math.max(...pages.map((page) => page.widthDots)),
    heightDots: pages.reduce((sum, page) => sum + page.heightDots, (pages.length - 1) * cutDots),
    resolutionDpi: pages[0]?.resolutionDpi ?? 203,
  };
}

function* stackRows(pages: readonly MemoryPage[]): Generator<Uint8Array, void, undefined> {
  const rowBytes = bytesPerRow(stackGeometry(pages).widthDots);
  for (const [index, page] of pages.entries()) {
    if (index > 0) {
      for (let y = 0; y < cutDots; y += 1) yield new Uint8Array(rowBytes).fill(y === cutDots / 2 ? 0xf0 : 0);
    }
    for (const row of page.rows) {
      const wide = new Uint8Array(rowBytes);
      wide.set(row);
      yield wide;
    }
  }
}

/** Filter type 0, and PNG's sense of grey: 1 is white. */
function filterRow(row: Uint8Array): Uint8Array {
  const filtered = new Uint8Array(row.length + 1);
  for (let i = 0; i < row.length; i += 1) filtered[i + 1] = ~(row[i] ?? 0);
  return filtered;
}

async function* filterRows(rows: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const row of rows) yield filterRow(row);
}

function pngHead(geometry: PageGeometry): Uint8Array[] {
  const header = new Uint8Array(13);
  const headerView = new DataView(header.buffer);
  headerView.setUint32(0, geometry.widthDots);
  headerView.setUint32(4, geometry.heightDots);
  header[8] = 1;
  const physical = new Uint8Array(9);
  const physicalView = new DataView(physical.buffer);
  const dotsPerMeter = Math.round(geometry.resolutionDpi / 0.0254);
  physicalView.setUint32(0, dotsPerMeter);
  physicalView.setUint32(4, dotsPerMeter);
  physical[8] = 1;
  return [Uint8Array.from(pngSignature), pngChunk("IHDR", header), pngChunk("pHYs", physical)];
}

function pngEnd(): Uint8Array {
  return pngChunk("IEND", new Uint8Array(0));
}

/** One chunk of a PNG (ISO/IEC 15948 clause 5.3). */
export function pngChunk(type: string, body: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(12 + body.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i += 1) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(body, 8);
  view.setUint32(8 + body.length, crc32(chunk.subarray(4, 8 + body.length)));
  return chunk;
}
