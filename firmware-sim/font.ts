import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type DotRow, getDot, orDots, rowBytes, setDots } from "./bits.ts";

export interface Glyph {
  readonly widthDots: number;
  readonly rows: readonly DotRow[];
}

/** More than the characters of any receipt. Decoded, one takes forty times the memory that it has in its file. */
const MOST_GLYPHS = 2048;

/** When there is no room left all are forgotten: to keep count of who was used last would cost every character time. */
function remember(glyphs: Map<number, Glyph>, key: number, glyph: Glyph): void {
  if (glyphs.size >= MOST_GLYPHS) glyphs.clear();
  glyphs.set(key, glyph);
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
    remember(this.decoded, codePoint, glyph);
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

/** ESC M. */
export type FontName = "a" | "b" | "c";

export const FONT_CELLS: Readonly<Record<"a" | "b", CharacterCell>> = {
  a: { widthDots: 12, heightDots: 24 },
  b: { widthDots: 9, heightDots: 17 },
};

/** The dots of a character in Font A (12x24, full width 24x24) or Font B (9x17); what neither font has becomes '?'. */
export function characterGlyph(font: "a" | "b", codePoint: number): Glyph {
  return sourceGlyph(FONT_CELLS[font], codePoint);
}

/** The dots of a one-byte character, which always fills just its cell. */
export function glyphInCell(cell: CharacterCell, codePoint: number): Glyph {
  const key = (codePoint * 256 + cell.widthDots) * 256 + cell.heightDots;
  let fitted = fittedGlyphs.get(key);
  if (fitted === undefined) {
    fitted = fitInto(sourceGlyph(cell, codePoint), cell);
    remember(fittedGlyphs, key, fitted);
  }
  return fitted;
}

const fittedGlyphs = new Map<number, Glyph>();

function fitInto(glyph: Glyph, cell: CharacterCell): Glyph {
  if (glyph.widthDots === cell.widthDots && glyph.rows.length === cell.heightDots) return glyph;
  return centered(glyph.widthDots >= cell.widthDots * 2 ? halved(glyph) : glyph, cell);
}

/** The 24x24 dots of a kanji, or undefined when the font has none. */
export function kanjiGlyph(codePoint: number): Glyph | undefined {
  const glyph = loadFont("efont-24.tsf.gz").glyph(codePoint);
  return glyph === undefined || glyph.widthDots === KANJI_CELL.widthDots ? glyph : centered(glyph, KANJI_CELL);
}

const KANJI_CELL: CharacterCell = { widthDots: 24, heightDots: 24 };

function sourceGlyph(cell: CharacterCell, codePoint: number): Glyph {
  const small = loadFont("misc-9x18.tsf.gz");
  const large = loadFont("efont-24.tsf.gz");
  const glyph =
    cell.widthDots < FONT_CELLS.a.widthDots
      ? (small.glyph(codePoint) ?? large.glyph(codePoint))
      : (large.glyph(codePoint) ?? small.glyph(codePoint));
  if (glyph === undefined) return codePoint === 0x3f ? blankGlyph(cell) : sourceGlyph(cell, 0x3f);
  // The 18th row of the small font is below every Latin descender; Font B is 17 rows high.
  const isCut = glyph.rows.length === small.heightDots && cell.heightDots === FONT_CELLS.b.heightDots;
  return isCut ? { widthDots: glyph.widthDots, rows: glyph.rows.slice(0, cell.heightDots) } : glyph;
}

/** A glyph in the middle of a cell; what stands out is cut off. */
function centered(glyph: Glyph, cell: CharacterCell): Glyph {
  const left = Math.max(0, (cell.widthDots - glyph.widthDots) >> 1);
  const top = (cell.heightDots - glyph.rows.length) >> 1;
  const rows = blankGlyph(cell).rows;
  rows.forEach((row, y) => {
    const source = glyph.rows[y - top];
    if (source !== undefined) orDots(row, left, source, glyph.widthDots, cell.widthDots);
  });
  return { widthDots: cell.widthDots, rows };
}

/** Half as wide: two dots become one. */
function halved(glyph: Glyph): Glyph {
  const widthDots = glyph.widthDots >> 1;
  const rows = glyph.rows.map((source) => {
    const row = new Uint8Array(rowBytes(widthDots));
    for (let x = 0; x < glyph.widthDots; x += 1) if (getDot(source, x)) setDots(row, x >> 1, 1);
    return row;
  });
  return { widthDots, rows };
}

function blankGlyph(cell: CharacterCell): Glyph {
  return {
    widthDots: cell.widthDots,
    rows: Array.from({ length: cell.heightDots }, () => new Uint8Array(rowBytes(cell.widthDots))),
  };
}
