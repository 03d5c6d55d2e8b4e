import { createDeflate, deflateSync } from "node:zlib";
import { rowBytes } from "./bits.ts";
import type { Page } from "./paper.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const CHUNK_ROWS = 512;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** The checksum of PNG chunks (PNG 5.5). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let index = 0; index < 4; index += 1) bytes[4 + index] = type.charCodeAt(index);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

function header(page: Page): Uint8Array[] {
  const size = new Uint8Array(13);
  const view = new DataView(size.buffer);
  view.setUint32(0, page.widthDots);
  view.setUint32(4, Math.max(1, page.heightDots));
  // 1 bit, grey scale: the smallest form every viewer reads.
  size[8] = 1;
  const resolution = new Uint8Array(9);
  const perMetre = Math.round(page.dpi / 0.0254);
  new DataView(resolution.buffer).setUint32(0, perMetre);
  new DataView(resolution.buffer).setUint32(4, perMetre);
  resolution[8] = 1;
  return [SIGNATURE, chunk("IHDR", size), chunk("pHYs", resolution)];
}

/** Filter byte and inverted dots (PNG grey scale has 0 = black), in blocks of rows. */
function* scanLines(page: Page): Generator<Uint8Array> {
  const stride = rowBytes(page.widthDots);
  for (let from = 0; from === 0 || from < page.heightDots; from += CHUNK_ROWS) {
    const rows = page.rows.slice(from, from + CHUNK_ROWS);
    const block = new Uint8Array(Math.max(1, rows.length) * (stride + 1)).fill(0xff);
    block[0] = 0;
    rows.forEach((row, index) => {
      const at = index * (stride + 1);
      block[at] = 0;
      for (let byte = 0; byte < stride; byte += 1) block[at + 1 + byte] = ~(row[byte] ?? 0) & 0xff;
    });
    yield block;
  }
}

/** A page as a 1-bit PNG. A page without rows becomes one white row: PNG has no empty images. */
export function pageToPng(page: Page): Uint8Array {
  const data = deflateSync(Buffer.concat([...scanLines(page)]));
  return Buffer.concat([...header(page), chunk("IDAT", data), chunk("IEND", new Uint8Array(0))]);
}

/** The same picture piece by piece, so that metres of paper need no memory of their own. */
export async function* pngPieces(page: Page): AsyncGenerator<Uint8Array> {
  yield* header(page);
  const deflate = createDeflate();
  const feeding = (async () => {
    for (const block of scanLines(page)) {
      if (!deflate.write(block)) await new Promise<void>((resolve) => deflate.once("drain", () => resolve()));
    }
    deflate.end();
  })();
  for await (const data of deflate) yield chunk("IDAT", data as Buffer);
  await feeding;
  yield chunk("IEND", new Uint8Array(0));
}
