import { type DotRow, getDot, orDots, orImage, rowBytes, setDots } from "./bits.ts";
import { type CharacterStyle, drawCharacter } from "./character.ts";
import type { Glyph } from "./font.ts";

export type Alignment = "left" | "center" | "right";

interface LineItem {
  readonly x: number;
  readonly widthDots: number;
  readonly rows: readonly DotRow[];
  /** Rows below the base line: an eighth of a character, nothing of an image. */
  readonly descentDots: number;
  readonly isImage: boolean;
}

/** What is struck over and over again in one line is kept one by one up to here, and as dots from here on. */
const MOST_ITEMS = 2048;

/** Where a line stands on the paper. */
export interface LineArea {
  readonly leftDots: number;
  readonly widthDots: number;
  readonly paperWidthDots: number;
}

export interface ComposedLine {
  readonly rows: readonly DotRow[];
  readonly text: string;
}

interface PlacedCharacter {
  readonly x: number;
  readonly widthDots: number;
  readonly character: string;
}

/** The print buffer of one line: characters and bit images that share a base line. */
export class LineBuffer {
  private items: LineItem[] = [];
  private characters: PlacedCharacter[] = [];
  /** The print position, in dots from the left of the printing area. */
  x = 0;
  /** Set by anything after which the printer is no longer at the beginning of the line. */
  touched = false;

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  clear(): void {
    this.items = [];
    this.characters = [];
    this.x = 0;
    this.touched = false;
  }

  addCharacter(glyph: Glyph, character: string, style: CharacterStyle): void {
    const { rows, widthDots } = drawCharacter(glyph, style);
    if (this.characters.length < MOST_ITEMS) this.characters.push({ x: this.x, widthDots, character });
    this.add(rows, widthDots, rows.length >> 3, false);
  }

  /** Adds a bit image at the print position. */
  addImage(rows: readonly DotRow[], widthDots: number): void {
    this.add(rows, widthDots, 0, true);
  }

  /** Takes what has been put into the line, and leaves the print position where it is. */
  takeItems(): { readonly items: readonly LineItem[]; readonly text: string } {
    const taken = { items: this.items, text: readLine(this.characters) };
    this.items = [];
    this.characters = [];
    return taken;
  }

  moveTo(x: number): void {
    this.x = Math.max(0, x);
    this.touched = true;
  }

  /** The dots of the line on the paper: characters of all sizes on one base line (GS !), images on the lowest row. */
  compose(area: LineArea, alignment: Alignment, upsideDown: boolean): ComposedLine {
    const descentDots = greatest(this.items, (item) => item.descentDots);
    const below = (item: LineItem): number => (item.isImage ? 0 : descentDots - item.descentDots);
    const heightDots = greatest(this.items, (item) => item.rows.length + below(item));
    const endDots = greatest(this.items, (item) => item.x + item.widthDots);
    const left = area.leftDots + alignmentOffset(area.widthDots - Math.min(area.widthDots, endDots), alignment);
    const limit = Math.min(area.paperWidthDots, area.leftDots + area.widthDots);
    // One piece of memory for all: small arrays of their own are dear.
    const stride = rowBytes(area.paperWidthDots);
    const dots = new Uint8Array(heightDots * stride);
    for (const item of this.items) {
      const place = { top: heightDots - below(item) - item.rows.length, at: left + item.x, limit };
      orImage(dots, stride, place, item.rows, item.widthDots);
    }
    const rows: DotRow[] = [];
    for (let at = 0; at < dots.length; at += stride) rows.push(dots.subarray(at, at + stride));
    return { rows: upsideDown ? turnOver(rows, area) : rows, text: readLine(this.characters) };
  }

  private add(rows: readonly DotRow[], widthDots: number, descentDots: number, isImage: boolean): void {
    if (this.items.length >= MOST_ITEMS) {
      this.items = [
        merged(this.items.filter((item) => item.isImage)),
        merged(this.items.filter((item) => !item.isImage)),
      ];
    }
    this.items.push({ x: this.x, widthDots, rows, descentDots, isImage });
    this.x += widthDots;
    this.touched = true;
  }
}

function greatest(items: readonly LineItem[], measure: (item: LineItem) => number): number {
  return items.reduce((most, item) => Math.max(most, measure(item)), 0);
}

/** Items that all stand alike, as one. */
function merged(items: readonly LineItem[]): LineItem {
  const widthDots = greatest(items, (item) => item.x + item.widthDots);
  const descentDots = greatest(items, (item) => item.descentDots);
  const ascentDots = greatest(items, (item) => item.rows.length - item.descentDots);
  const rows = Array.from({ length: ascentDots + descentDots }, () => new Uint8Array(rowBytes(widthDots)));
  for (const item of items) {
    const top = ascentDots + item.descentDots - item.rows.length;
    item.rows.forEach((source, index) => {
      const target = rows[top + index];
      if (target !== undefined) orDots(target, item.x, source, item.widthDots, widthDots);
    });
  }
  return { x: 0, widthDots, rows, descentDots, isImage: items[0]?.isImage === true };
}

/**
 * The characters as they stand, from left to right, whatever the order in which they came (ESC $ and ESC \\ go back).
 * A space where another character stands, and a character struck again at its own place, are not read.
 */
function readLine(characters: readonly PlacedCharacter[]): string {
  let text = "";
  let last: PlacedCharacter | undefined;
  // Gaps that are no whole characters wide must not add up.
  let restDots = 0;
  for (const placed of characters.toSorted((a, b) => a.x - b.x)) {
    if (last !== undefined && placed.x < last.x + last.widthDots / 2) {
      if (placed.character === " " || placed.character === last.character) continue;
      if (last.character === " ") text = text.slice(0, -1);
    } else {
      const gapDots = placed.x - (last === undefined ? 0 : last.x + last.widthDots);
      if (gapDots > 0) {
        const cellDots = Math.max(1, placed.widthDots);
        const gap = Math.max(text === "" ? 0 : 1, Math.round((gapDots + restDots) / cellDots));
        restDots += gapDots - gap * cellDots;
        text += " ".repeat(gap);
      }
    }
    text += placed.character;
    last = placed;
  }
  return text;
}

/** Dots to the left of something that leaves `spareDots` free. */
export function alignmentOffset(spareDots: number, alignment: Alignment): number {
  if (alignment === "left" || spareDots <= 0) return 0;
  return alignment === "right" ? spareDots : spareDots >> 1;
}

/** ESC {: the line turned by 180 degrees within its printing area. */
export function turnOver(rows: readonly DotRow[], area: LineArea): DotRow[] {
  const end = Math.min(area.paperWidthDots, area.leftDots + area.widthDots);
  return rows.toReversed().map((row) => {
    const turned = new Uint8Array(row.length);
    for (let dot = area.leftDots; dot < end; dot += 1) {
      if (getDot(row, dot)) setDots(turned, end - 1 - (dot - area.leftDots), 1);
    }
    return turned;
  });
}
