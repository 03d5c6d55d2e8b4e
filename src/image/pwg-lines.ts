/**
 * The line coding of PWG Raster (PWG 5102.4, clause 4.4): one octet "repeat this line n more times", then packets: n of 0
 * to 127 means n + 1 times the next pixel, n of 129 to 255 means 257 - n pixels as they are. A pixel narrower than 8
 * bits is packed into octets first.
 */

export type LineResult =
  | { readonly kind: "line"; readonly nextOffset: number; readonly repeats: number }
  /** The bytes end within the line. */
  | { readonly kind: "more" }
  | { readonly kind: "bad"; readonly reason: string };

/** What decodes one kind of line; no allocation by it. */
export interface LineShape {
  readonly bytesPerLine: number;
  /** Octets of one pixel: 1, or 3 for sRGB. */
  readonly pixelBytes: number;
  readonly whiteByte: number;
}

/** Decodes the line at `offset` into `line`, which has `bytesPerLine` bytes. */
export function decodeLine(bytes: Uint8Array, offset: number, shape: LineShape, line: Uint8Array): LineResult {
  const { bytesPerLine, pixelBytes } = shape;
  const repeats = bytes[offset];
  if (repeats === undefined) return { kind: "more" };
  let at = offset + 1;
  let filled = 0;
  while (filled < bytesPerLine) {
    const control = bytes[at];
    if (control === undefined) return { kind: "more" };
    at += 1;
    if (control === 128) {
      // Reserved by the standard; CUPS and Apple Raster use it for "white to the end of the line".
      line.fill(shape.whiteByte, filled, bytesPerLine);
      filled = bytesPerLine;
      break;
    }
    const isRun = control < 128;
    const length = (isRun ? control + 1 : 257 - control) * pixelBytes;
    const stored = isRun ? pixelBytes : length;
    if (filled + length > bytesPerLine) {
      return {
        kind: "bad",
        reason: `a packet of ${length} bytes runs over the line by ${filled + length - bytesPerLine}`,
      };
    }
    if (at + stored > bytes.length) return { kind: "more" };
    if (!isRun) line.set(bytes.subarray(at, at + stored), filled);
    else if (pixelBytes === 1) line.fill(bytes[at] ?? 0, filled, filled + length);
    else for (let i = 0; i < length; i += 1) line[filled + i] = bytes[at + (i % pixelBytes)] ?? 0;
    at += stored;
    filled += length;
  }
  return { kind: "line", nextOffset: at, repeats };
}

/** The most bytes that a line of `bytesPerLine` can take: a packet of its own for every octet. */
export function maxEncodedLineBytes(bytesPerLine: number): number {
  return 1 + 2 * bytesPerLine;
}

/** Encodes a line of one-octet pixels that is to appear `repeats` + 1 times (0 to 255). */
export function encodeLine(line: Uint8Array, repeats: number): Uint8Array {
  const out = new Uint8Array(maxEncodedLineBytes(line.length));
  out[0] = repeats;
  let to = 1;
  let from = 0;
  while (from < line.length) {
    const run = runLength(line, from);
    if (run > 1) {
      out[to] = run - 1;
      out[to + 1] = line[from] ?? 0;
      to += 2;
      from += run;
      continue;
    }
    const literals = literalLength(line, from);
    // 257 - 1 = 256 does not fit: a single octet is a run of one.
    out[to] = literals === 1 ? 0 : 257 - literals;
    out.set(line.subarray(from, from + literals), to + 1);
    to += 1 + literals;
    from += literals;
  }
  return out.subarray(0, to);
}

function runLength(line: Uint8Array, from: number): number {
  const value = line[from];
  const end = Math.min(line.length, from + 128);
  let at = from + 1;
  while (at < end && line[at] === value) at += 1;
  return at - from;
}

/** Octets up to the next run; a run of two amid literals saves nothing and is left among them. */
function literalLength(line: Uint8Array, from: number): number {
  const end = Math.min(line.length, from + 128);
  let at = from + 1;
  while (at < end) {
    const isRunOfThree = line[at] === line[at + 1] && line[at] === line[at + 2];
    const isRunAtEnd = at + 2 === line.length && line[at] === line[at + 1];
    if (isRunOfThree || isRunAtEnd) break;
    at += 1;
  }
  return at - from;
}
