import { TwinspoolError } from "../../protocol/errors.ts";

/** Control characters that a text may have: tab, line feed, line tabulation, form feed, carriage return. */
const allowedControls = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d]);

function invalid(offset: number, seen: string): TwinspoolError {
  return new TwinspoolError("document-invalid", `byte ${offset} of the text is ${seen}`);
}

/**
 * Decodes UTF-8 strictly (Unicode 16, table 3-7), chunk by chunk, and passes over a byte order mark.
 * Throws `document-invalid` with the offset of the first byte that is not text, `document-truncated` when the last
 * character is cut.
 */
export async function* decodeUtf8(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<number[], void, undefined> {
  const decoder = new Utf8Decoder();
  for await (const chunk of chunks) yield decoder.decode(chunk);
  decoder.end();
}

class Utf8Decoder {
  #offset = 0;
  #startOffset = 0;
  #codePoint = 0;
  #missing = 0;
  /** The range of the next continuation byte; narrower after E0h, EDh, F0h, F4h. */
  #low = 0x80;
  #high = 0xbf;

  decode(chunk: Uint8Array): number[] {
    const codePoints: number[] = [];
    for (const byte of chunk) {
      const codePoint = this.#missing > 0 ? this.#continue(byte) : this.#begin(byte);
      if (codePoint >= 0 && !(codePoint === 0xfeff && this.#startOffset === 0)) codePoints.push(codePoint);
      this.#offset += 1;
    }
    return codePoints;
  }

  end(): void {
    if (this.#missing === 0) return;
    const detail = `the last character, at byte ${this.#startOffset}, lacks ${this.#missing} of its bytes`;
    throw new TwinspoolError("document-truncated", detail);
  }

  #begin(byte: number): number {
    this.#startOffset = this.#offset;
    if (byte < 0x20 && !allowedControls.has(byte)) {
      const name = byte === 0x1b ? "ESC, as raw printer commands have it, " : "";
      throw invalid(this.#offset, `the control character ${hex(byte)} ${name}and not text`);
    }
    if (byte < 0x80) return byte;
    this.#low = 0x80;
    this.#high = 0xbf;
    if (byte >= 0xc2 && byte <= 0xdf) this.#expect(1, byte & 0x1f);
    else if (byte >= 0xe0 && byte <= 0xef) {
      this.#expect(2, byte & 0x0f);
      if (byte === 0xe0) this.#low = 0xa0;
      if (byte === 0xed) this.#high = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      this.#expect(3, byte & 0x07);
      if (byte === 0xf0) this.#low = 0x90;
      if (byte === 0xf4) this.#high = 0x8f;
    } else
      throw invalid(this.#offset, `${hex(byte)}, which is not UTF-8 (Shift_JIS or Latin-1 must be converted first)`);
    return -1;
  }

  #expect(missing: number, bits: number): void {
    this.#missing = missing;
    this.#codePoint = bits;
  }

  #continue(byte: number): number {
    if (byte < this.#low || byte > this.#high) {
      const seen = `${hex(byte)} within the character that begins at byte ${this.#startOffset}, which is not UTF-8`;
      throw invalid(this.#offset, `${seen} (Shift_JIS or Latin-1 must be converted first)`);
    }
    this.#low = 0x80;
    this.#high = 0xbf;
    this.#codePoint = (this.#codePoint << 6) | (byte & 0x3f);
    this.#missing -= 1;
    return this.#missing === 0 ? this.#codePoint : -1;
  }
}

function hex(byte: number): string {
  return `${byte.toString(16).toUpperCase().padStart(2, "0")}h`;
}
