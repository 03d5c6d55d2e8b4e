import { type DotRow, getDot, orDots, rowBytes, setDots, widenDots } from "./bits.ts";
import type { Glyph } from "./font.ts";

/** How a character is drawn. */
export interface CharacterStyle {
  readonly widthTimes: number;
  readonly heightTimes: number;
  /** ESC E. */
  readonly bold: boolean;
  /** ESC G. */
  readonly doubleStrike: boolean;
  readonly reverse: boolean;
  /** Thickness in dots. */
  readonly underline: number;
  /** ESC SP and the right side of FS S. */
  readonly spacingDots: number;
  /** The left side of FS S. */
  readonly leftSpacingDots: number;
  /** ESC V: a quarter turn clockwise. */
  readonly rotated: boolean;
  /** GS b. */
  readonly smooth: boolean;
}

export const PLAIN_STYLE: CharacterStyle = {
  widthTimes: 1,
  heightTimes: 1,
  bold: false,
  doubleStrike: false,
  reverse: false,
  underline: 0,
  spacingDots: 0,
  leftSpacingDots: 0,
  rotated: false,
  smooth: false,
};

interface Drawing {
  readonly widthDots: number;
  readonly rows: readonly DotRow[];
}

/** How far a character moves the print position. */
export function characterWidthDots(glyph: Glyph, style: CharacterStyle): number {
  const cellDots = style.rotated ? glyph.rows.length : glyph.widthDots;
  return (style.leftSpacingDots + cellDots + style.spacingDots) * alongLine(style);
}

/** A turned character is enlarged before it is turned: double height makes it longer along the line (GS !). */
function alongLine(style: CharacterStyle): number {
  return style.rotated ? style.heightTimes : style.widthTimes;
}

/**
 * Receipts repeat few characters in few styles: there is room for some three thousand of plain size. The largest one
 * has a thousand times the dots of the smallest, so they are counted by what they weigh.
 */
const MOST_DRAWN_BYTES = 12_000_000;
/** What an array takes besides its bytes. */
const ARRAY_BYTES = 150;
let drawings = new WeakMap<Glyph, Map<string, Drawing>>();
let drawnBytes = 0;
const styleKeys = new WeakMap<CharacterStyle, string>();

function keyOf(style: CharacterStyle): string {
  let key = styleKeys.get(style);
  if (key === undefined) {
    const { widthTimes, heightTimes, bold, doubleStrike, reverse, underline } = style;
    const { spacingDots, leftSpacingDots, rotated, smooth } = style;
    const size = [widthTimes, heightTimes, underline, spacingDots, leftSpacingDots];
    key = [...size, bold || doubleStrike, reverse, rotated, smooth].join();
    styleKeys.set(style, key);
  }
  return key;
}

/** The dots of a character. The same one in the same style is drawn once. */
export function drawCharacter(glyph: Glyph, style: CharacterStyle): Drawing {
  const key = keyOf(style);
  const known = drawings.get(glyph)?.get(key);
  if (known !== undefined) return known;
  const drawing = draw(glyph, style);
  if (drawnBytes >= MOST_DRAWN_BYTES) {
    drawings = new WeakMap();
    drawnBytes = 0;
  }
  const ofGlyph = drawings.get(glyph) ?? new Map<string, Drawing>();
  drawings.set(glyph, ofGlyph.set(key, drawing));
  drawnBytes += drawing.rows.length * (rowBytes(drawing.widthDots) + ARRAY_BYTES);
  return drawing;
}

function draw(glyph: Glyph, style: CharacterStyle): Drawing {
  const emphasized = style.bold || style.doubleStrike ? { ...glyph, rows: glyph.rows.map(emphasizer(glyph)) } : glyph;
  // The manual limits smoothing to characters that are at least doubled both ways.
  const smooth = style.smooth && style.widthTimes > 1 && style.heightTimes > 1;
  const enlarged = smooth ? smoothed(emphasized, style) : scaled(emphasized, style);
  const turned = style.rotated ? quarterTurn(enlarged) : enlarged;
  const widthDots = characterWidthDots(glyph, style);
  // One piece of memory for all: small arrays of their own are dear.
  const stride = rowBytes(widthDots);
  const dots = new Uint8Array(stride * turned.rows.length);
  const rows = turned.rows.map((source, y) => {
    const row = dots.subarray(y * stride, (y + 1) * stride);
    orDots(row, style.leftSpacingDots * alongLine(style), source, turned.widthDots, widthDots);
    return row;
  });
  // The manual turns underline off for reversed characters (GS B) and for turned ones (ESC -).
  if (style.reverse) return { widthDots, rows: rows.map((row) => reversed(row, widthDots)) };
  if (style.underline > 0 && !style.rotated) for (const row of rows.slice(-style.underline)) setDots(row, 0, widthDots);
  return { widthDots, rows };
}

/** A thermal head cannot strike twice: emphasis and double strike both thicken by one dot, within the cell. */
function emphasizer(glyph: Glyph): (source: DotRow) => DotRow {
  return (source) => {
    const row = new Uint8Array(rowBytes(glyph.widthDots));
    orDots(row, 0, source, glyph.widthDots, glyph.widthDots);
    orDots(row, 1, source, glyph.widthDots, glyph.widthDots);
    return row;
  };
}

function scaled(glyph: Glyph, { widthTimes, heightTimes }: CharacterStyle): Drawing {
  const rows: DotRow[] = [];
  for (const source of glyph.rows) {
    const wide = widenDots(source, glyph.widthDots, widthTimes);
    for (let times = 0; times < heightTimes; times += 1) rows.push(wide);
  }
  return { widthDots: glyph.widthDots * widthTimes, rows };
}

/** Enlarges and fills the inner corners of stairs: where two dots only touch diagonally, both cells between them. */
function smoothed(glyph: Glyph, style: CharacterStyle): Drawing {
  const { widthTimes, heightTimes } = style;
  const plain = scaled(glyph, style);
  const rows = plain.rows.map((row) => Uint8Array.from(row));
  const black = (x: number, y: number): boolean => {
    const row = glyph.rows[y];
    return x >= 0 && x < glyph.widthDots && row !== undefined && getDot(row, x);
  };
  for (let y = 0; y < glyph.rows.length; y += 1) {
    for (let x = 0; x < glyph.widthDots; x += 1) {
      if (black(x, y)) continue;
      for (const [dx, dy] of [
        [-1, -1],
        [1, -1],
        [-1, 1],
        [1, 1],
      ] as const) {
        if (!black(x + dx, y) || !black(x, y + dy) || black(x + dx, y + dy)) continue;
        fillCorner(rows, { x, y, dx, dy, widthTimes, heightTimes });
      }
    }
  }
  return { widthDots: plain.widthDots, rows };
}

interface Corner {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly widthTimes: number;
  readonly heightTimes: number;
}

function fillCorner(rows: readonly DotRow[], corner: Corner): void {
  const { widthTimes, heightTimes } = corner;
  for (let down = 0; down < heightTimes; down += 1) {
    for (let along = 0; along < widthTimes; along += 1) {
      if ((along + 0.5) / widthTimes + (down + 0.5) / heightTimes > 0.5) continue;
      const x = corner.x * widthTimes + (corner.dx < 0 ? along : widthTimes - 1 - along);
      const row = rows[corner.y * heightTimes + (corner.dy < 0 ? down : heightTimes - 1 - down)];
      if (row !== undefined) setDots(row, x, 1);
    }
  }
}

function quarterTurn(drawing: Drawing): Drawing {
  const heightDots = drawing.rows.length;
  const rows = Array.from({ length: drawing.widthDots }, (_, x) => {
    const row = new Uint8Array(rowBytes(heightDots));
    drawing.rows.forEach((source, y) => {
      if (getDot(source, x)) setDots(row, heightDots - 1 - y, 1);
    });
    return row;
  });
  return { widthDots: heightDots, rows };
}

function reversed(row: DotRow, widthDots: number): DotRow {
  const result = new Uint8Array(row.length);
  for (let dot = 0; dot < widthDots; dot += 1) if (!getDot(row, dot)) setDots(result, dot, 1);
  return result;
}
