import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type DotRow, rowBytes } from "./bits.ts";

export interface Glyph {
  readonly widthDots: number;
  readonly rows: readonly DotRow[];
}

/** A bitmap font: the magic TSF1, cell height, glyph count, then glyphs in code point order. */
class BitmapFont {
  readonly heightDots: number;
  private readonly bytes: Uint8Array;
  private readonly offsets = new Map<number, number>();
  private readonly decoded = new Map<number, Glyph>();

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 10 || view.getUint32(0) !== 0x54534631) throw new Error("not a TSF1 font");
    this.bytes = bytes;
    this.heightDots = view.getUint16(4, true);
    const count = view.getUint32(6, true);
    let at = 10;
    for (let index = 0; index < count; index += 1) {
      this.offsets.set(view.getUint32(at, true), at + 4);
      at += 5 + this.heightDots * rowBytes(view.getUint8(at + 4));
    }
    if (at > bytes.length) throw new Error("the font file is cut short");
  }

  /** The glyph of a code point, or undefined when the font has none. */
  glyph(codePoint: number): Glyph | undefined {
    const known = this.decoded.get(codePoint);
    if (known !== undefined) return known;
    const at = this.offsets.get(codePoint);
    if (at === undefined) return undefined;
    const widthDots = this.bytes[at] ?? 0;
    const stride = rowBytes(widthDots);
    const rows = Array.from({ length: this.heightDots }, (_, row) =>
      this.bytes.subarray(at + 1 + row * stride, at + 1 + (row + 1) * stride),
    );
    const glyph = { widthDots, rows };
    this.decoded.set(codePoint, glyph);
    return glyph;
  }
}

/** The folder of the font files: bundled or not, the package root is the first parent with a package.json and fonts. */
function fontFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if (existsSync(join(folder, "package.json")) && existsSync(join(folder, "fonts"))) return join(folder, "fonts");
    const parent = dirname(folder);
    if (parent === folder) throw new Error("the package's fonts folder was not found beside its package.json");
    folder = parent;
  }
}

const loaded = new Map<string, BitmapFont>();

function loadFont(fileName: string): BitmapFont {
  let font = loaded.get(fileName);
  if (font === undefined) {
    font = new BitmapFont(gunzipSync(readFileSync(join(fontFolder(), fileName))));
    loaded.set(fileName, font);
  }
  return font;
}

export interface CharacterCell {
  readonly widthDots: number;
  readonly heightDots: number;
}

export const FONT_CELLS: Readonly<Record<"a" | "b", CharacterCell>> = {
  a: { widthDots: 12, heightDots: 24 },
  b: { widthDots: 9, heightDots: 17 },
};

/** The dots of a character in Font A (12x24, full width 24x24) or Font B (9x17); what neither font has becomes '?'. */
export function characterGlyph(font: "a" | "b", codePoint: number): Glyph {
  if (font === "b") {
    const small = loadFont("misc-9x18.tsf.gz").glyph(codePoint);
    // The 18th row of the source font is below every Latin descender; Font B is 17 rows high.
    if (small !== undefined) return { widthDots: small.widthDots, rows: small.rows.slice(0, FONT_CELLS.b.heightDots) };
  }
  const glyph = loadFont("efont-24.tsf.gz").glyph(codePoint);
  if (glyph !== undefined) return glyph;
  return codePoint === 0x3f ? blankGlyph(FONT_CELLS[font]) : characterGlyph(font, 0x3f);
}

function blankGlyph(cell: CharacterCell): Glyph {
  return {
    widthDots: cell.widthDots,
    rows: Array.from({ length: cell.heightDots }, () => new Uint8Array(rowBytes(cell.widthDots))),
  };
}
