import { TwinspoolError } from "../protocol/errors.ts";
import { pngSignature } from "./formats/png.ts";

export type DocumentFormat = "png" | "jpeg" | "pwg" | "escpos" | "text";

/** Bytes of a document's beginning that `detectFormat` likes to see. */
export const detectionBytes = 4096;

/** Well-known types that we do not print, so that the refusal can name them. */
const foreignTypes: readonly (readonly [string, readonly number[]])[] = [
  ["PDF", [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ["PostScript", [0x25, 0x21, 0x50, 0x53]],
  ["GIF", [0x47, 0x49, 0x46, 0x38]],
  ["Apple Raster", [0x55, 0x4e, 0x49, 0x52, 0x41, 0x53, 0x54]],
  ["CUPS Raster or PWG Raster of the other byte order", [0x32, 0x53, 0x61, 0x52]],
  ["CUPS Raster", [0x52, 0x61, 0x53, 0x33]],
  ["a ZIP archive or an office document", [0x50, 0x4b, 0x03, 0x04]],
  ["gzip", [0x1f, 0x8b]],
  ["TIFF", [0x49, 0x49, 0x2a, 0x00]],
  ["TIFF", [0x4d, 0x4d, 0x00, 0x2a]],
  ["WebP or another RIFF file", [0x52, 0x49, 0x46, 0x46]],
  ["BMP", [0x42, 0x4d]],
  ["UTF-16 text", [0xff, 0xfe]],
  ["UTF-16 text", [0xfe, 0xff]],
];

const escposNames = /\.(?:bin|escpos|prn)$/i;

/**
 * Tells the type of a document by its first bytes. `name` serves the message, and tells raw ESC/POS bytes that begin
 * with text.
 * Throws `document-unknown`, or `document-invalid` when there is not a single byte.
 */
export function detectFormat(head: Uint8Array, name = "the document"): DocumentFormat {
  if (head.length === 0) throw new TwinspoolError("document-invalid", `${name} is empty`);
  if (startsWith(head, pngSignature)) return "png";
  if (startsWith(head, [0xff, 0xd8, 0xff])) return "jpeg";
  if (startsWith(head, [0x52, 0x61, 0x53, 0x32])) return "pwg";
  const foreign = foreignTypes.find(([, magic]) => startsWith(head, magic) && isBinaryOrLong(head, magic));
  if (foreign !== undefined) throw unknown(name, `is ${foreign[0]}`);
  if (head.length < pngSignature.length && isPrefixOfPicture(head)) {
    throw new TwinspoolError("document-truncated", `${name} has ${head.length} bytes, the beginning of a picture`);
  }
  if (escposNames.test(name) || beginsAsEscpos(head)) return "escpos";
  const binaryAt = head.findIndex(isBinary);
  if (binaryAt >= 0)
    throw unknown(name, `begins with the bytes ${showBytes(head)} and is not text at byte ${binaryAt}`);
  return "text";
}

/** ESC @, another ESC, FS or GS command, a DLE real-time command, or CAN. */
function beginsAsEscpos([first, second]: Uint8Array): boolean {
  // ESC % -12345X begins Printer Job Language, ESC [ the colours of a terminal: no receipt printer speaks them.
  if (first === 0x1b) return second !== undefined && second !== 0x25 && second !== 0x5b;
  if (first === 0x10) return second === 0x04 || second === 0x05 || second === 0x14;
  return first === 0x1c || first === 0x1d || first === 0x18;
}

function unknown(name: string, seen: string): TwinspoolError {
  return new TwinspoolError("document-unknown", `${name} ${seen}`);
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** "BM" and "PK" also begin honest texts; a binary byte behind them tells. */
function isBinaryOrLong(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.length > 2 || magic.some((byte) => byte >= 0x80) || head.some(isBinary);
}

function isPrefixOfPicture(head: Uint8Array): boolean {
  const isPrefix = (magic: readonly number[]): boolean => head.every((byte, i) => magic[i] === byte);
  return isPrefix(pngSignature) || isPrefix([0xff, 0xd8, 0xff]);
}

function isBinary(byte: number): boolean {
  return byte < 0x09 || (byte > 0x0d && byte < 0x20) || byte === 0x7f;
}

function showBytes(head: Uint8Array): string {
  return [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
