import { rowBytes, setDots } from "../bits.ts";
import type { Engine } from "../engine.ts";
import type { CharacterCell, Glyph } from "../font.ts";
import type { ParameterShape } from "../parser.ts";
import { type Command, code, ESC, fixed } from "./command.ts";

/** Every font of three bytes a column has at most 24 rows. */
const COLUMN_BYTES = 3;

/** A printer gives up on a definition out of range at once: what follows is text. */
function isInRange([y = 0, first = 0, last = 0]: readonly number[]): boolean {
  return y === COLUMN_BYTES && first >= 0x20 && last <= 0x7e && first <= last;
}

/** ESC &: y c1 c2, then for each character its width and y bytes a column. */
const GLYPHS: ParameterShape = {
  more: (params) => {
    if (params.length < 3) return 3 - params.length;
    if (!isInRange(params)) return 0;
    const [y = 0, first = 0, last = 0] = params;
    let at = 3;
    for (let character = first; character <= last; character += 1) {
      const width = params[at];
      if (width === undefined) return 1;
      at += 1 + width * y;
    }
    return Math.max(0, at - params.length);
  },
};

function glyphOfColumns(columns: readonly number[], cell: CharacterCell): Glyph {
  const rows = Array.from({ length: cell.heightDots }, () => new Uint8Array(rowBytes(cell.widthDots)));
  rows.forEach((row, y) => {
    for (let x = 0; x < cell.widthDots; x += 1) {
      if (((columns[x * COLUMN_BYTES + (y >> 3)] ?? 0) & (0x80 >> (y & 7))) !== 0) setDots(row, x, 1);
    }
  });
  return { widthDots: cell.widthDots, rows };
}

/** Defines for the selected font; columns that are not given stay blank. */
function defineGlyphs(engine: Engine, params: readonly number[]): void {
  const [y = 0, first = 0, last = 0] = params;
  const cell = engine.profile.fonts[engine.modes.font] ?? engine.profile.fonts.a;
  if (!isInRange(params)) {
    engine.output.diagnose("out-of-range", "y is 3, characters are 20h-7Eh in rising order");
    return;
  }
  let at = 3;
  for (let character = first; character <= last; character += 1) {
    const width = params[at] ?? 0;
    const end = at + 1 + width * y;
    if (width > cell.widthDots) engine.output.diagnose("out-of-range", `a character of ${width} columns`);
    else engine.text.defineGlyph(character, glyphOfColumns(params.slice(at + 1, end), cell));
    at = end;
  }
}

export const USER_GLYPH_COMMANDS: readonly Command[] = [
  {
    name: "ESC %",
    prefix: [ESC, code("%")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      engine.text.modes.userDefined = (n & 1) === 1;
    },
  },
  { name: "ESC &", prefix: [ESC, code("&")], shape: GLYPHS, execute: defineGlyphs },
  {
    name: "ESC ?",
    prefix: [ESC, code("?")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => engine.text.cancelGlyph(n),
  },
];
