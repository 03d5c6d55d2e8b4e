import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { TwinspoolError } from "../protocol/errors.ts";

export interface Glyph {
  readonly widthDots: number;
  /** `cellHeight` rows of ceil(widthDots / 8) bytes, leftmost dot in the high bit. */
  readonly rows: Uint8Array;
}

/** A bitmap font in character cells (`fonts/SOURCES.md`, `scripts/build-fonts.mjs`). */
export class BitmapFont {
  readonly cellHeight: number;
  readonly #bytes: Uint8Array;
  readonly #codePoints: Uint32Array;
  readonly #offsets: Uint32Array;

  /** Reads the TSF1 format, unpacked. Throws a RangeError when it is damaged. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 10 || view.getUint32(0) !== 0x54_53_46_31) throw new RangeError("not a TSF1 font");
    this.cellHeight = view.getUint16(4, true);
    const count = view.getUint32(6, true);
    if (count > bytes.length) throw new RangeError("the font is shorter than its glyph count");
    this.#bytes = bytes;
    this.#codePoints = new Uint32Array(count);
    this.#offsets = new Uint32Array(count);
    let offset = 10;
    for (let i = 0; i < count; i += 1) {
      if (offset + 5 > bytes.length) throw new RangeError("the font ends early");
      this.#codePoints[i] = view.getUint32(offset, true);
      this.#offsets[i] = offset + 4;
      offset += 5 + bytesOf(view.getUint8(offset + 4)) * this.cellHeight;
    }
    if (offset !== bytes.length) throw new RangeError("the font has another length than its glyphs");
  }

  /** The glyph of a code point, or undefined when the font has none. */
  glyph(codePoint: number): Glyph | undefined {
    let [low, high] = [0, this.#codePoints.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#codePoints[middle] ?? 0;
      if (found === codePoint) return this.#glyphAt(this.#offsets[middle] ?? 0);
      if (found < codePoint) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  #glyphAt(offset: number): Glyph {
    const widthDots = this.#bytes[offset] ?? 0;
    return { widthDots, rows: this.#bytes.subarray(offset + 1, offset + 1 + bytesOf(widthDots) * this.cellHeight) };
  }
}

function bytesOf(widthDots: number): number {
  return (widthDots + 7) >> 3;
}

const loaded = new Map<string, Promise<BitmapFont>>();

/** Loads a font of the package's `fonts` folder, once. */
export function loadFont(name: "efont-24" | "misc-9x18"): Promise<BitmapFont> {
  let font = loaded.get(name);
  if (font === undefined) {
    font = readFont(`${name}.tsf.gz`);
    loaded.set(name, font);
  }
  return font;
}

async function readFont(fileName: string): Promise<BitmapFont> {
  // From source this file is two folders below the package, in the bundle one: the folder is looked for upwards.
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < 4; level += 1) {
    const packed = await readFile(join(folder, "fonts", fileName)).catch(() => undefined);
    if (packed !== undefined) return new BitmapFont(await promisify(gunzip)(packed));
    folder = dirname(folder);
  }
  throw new TwinspoolError("internal", `the font ${fileName} is missing from the package`);
}
