import { type DotRow, orDots, rowBytes } from "./bits.ts";
import type { Engine } from "./engine.ts";
import { characterGlyph, FONT_CELLS } from "./font.ts";
import { alignmentOffset, turnOver } from "./line-buffer.ts";
import type { SymbolImage } from "./symbol-encoder.ts";

/** A line of HRI characters, always of normal size and plain (GS H: not affected by the print modes). */
function drawReadable(text: string, font: "a" | "b"): SymbolImage {
  const glyphs = Array.from(text, (character) => characterGlyph(font, character.codePointAt(0) ?? 0x3f));
  const widthDots = glyphs.reduce((sum, glyph) => sum + glyph.widthDots, 0);
  const rows = Array.from({ length: FONT_CELLS[font].heightDots }, () => new Uint8Array(rowBytes(widthDots)));
  let x = 0;
  for (const glyph of glyphs) {
    glyph.rows.forEach((source, y) => {
      const row = rows[y];
      if (row !== undefined) orDots(row, x, source, glyph.widthDots, widthDots);
    });
    x += glyph.widthDots;
  }
  return { widthDots, rows };
}

/** True when the symbol fits into the printing area from the print position on. */
export function fitsIntoArea(engine: Engine, image: SymbolImage): boolean {
  const room = engine.page === undefined ? engine.areaWidthDots : engine.areaWidthDots - engine.line.x;
  return image.widthDots <= room;
}

export interface ReadableText {
  readonly text: string;
  readonly font: "a" | "b";
  readonly above: boolean;
  readonly below: boolean;
}

/** Height of a symbol with its lines of HRI characters. */
export function heightOf(image: SymbolImage, readable?: ReadableText): number {
  if (readable === undefined || readable.text === "") return image.rows.length;
  const lines = Number(readable.above) + Number(readable.below);
  return image.rows.length + lines * FONT_CELLS[readable.font].heightDots;
}

function blankRows(engine: Engine, heightDots: number): DotRow[] {
  return new Array<DotRow>(heightDots).fill(new Uint8Array(rowBytes(engine.profile.widthDots)));
}

interface Part {
  readonly image: SymbolImage;
  readonly x: number;
  readonly text?: string;
}

/** Prints a symbol by margin and alignment, with its HRI characters in the middle above and below it. */
export function printSymbol(engine: Engine, image: SymbolImage, readable?: ReadableText): void {
  const inPage = engine.page !== undefined;
  if (!fitsIntoArea(engine, image)) {
    engine.output.diagnose("ignored", `${image.widthDots} dots do not fit into the printing area`);
    // "Feeds the paper as much as the symbol's height, without printing the symbol" (GS k; GS ( k fn 681).
    if (!inPage) engine.printRows(blankRows(engine, heightOf(image, readable)));
    return;
  }
  const areaDots = engine.areaWidthDots;
  const left = inPage ? engine.line.x : alignmentOffset(areaDots - image.widthDots, engine.modes.alignment);
  const parts: Part[] = [{ image, x: left }];
  if (readable !== undefined && readable.text !== "") {
    const line = drawReadable(readable.text, readable.font);
    const middle = left + ((image.widthDots - line.widthDots) >> 1);
    const x = Math.max(0, Math.min(middle, areaDots - line.widthDots));
    if (readable.above) parts.unshift({ image: line, x, text: readable.text });
    if (readable.below) parts.push({ image: line, x, text: readable.text });
  }
  if (inPage) printIntoPage(engine, parts, left, image.widthDots);
  else printOnPaper(engine, parts);
}

function printOnPaper(engine: Engine, parts: readonly Part[]): void {
  const { leftMarginDots, upsideDown } = engine.modes;
  const area = {
    leftDots: leftMarginDots,
    widthDots: engine.areaWidthDots,
    paperWidthDots: engine.profile.widthDots,
  };
  // Upside-down is the one print mode that bar codes obey (GS k).
  for (const part of upsideDown ? parts.toReversed() : parts) {
    const rows = placed(part, area.leftDots, area.leftDots + area.widthDots, area.paperWidthDots);
    engine.printRows(upsideDown ? turnOver(rows, area) : rows, part.text);
  }
}

/** Page mode: one image that stands on the base line. */
function printIntoPage(engine: Engine, parts: readonly Part[], left: number, widthDots: number): void {
  const from = Math.min(...parts.map((part) => part.x));
  const to = Math.max(...parts.map((part) => part.x + part.image.widthDots));
  const rows = parts.flatMap((part) => placed({ ...part, x: part.x - from }, 0, to - from, to - from));
  engine.line.moveTo(from);
  engine.line.addImage(rows, to - from);
  engine.line.moveTo(left + widthDots);
  const text = parts.find((part) => part.text !== undefined)?.text;
  if (text !== undefined) engine.page?.addText(text, left);
  engine.markPrintingData();
}

function placed(part: Part, leftDots: number, limit: number, widthDots: number): DotRow[] {
  const done = new Map<DotRow, DotRow>();
  return part.image.rows.map((source) => {
    // Rows of one bar are one and the same: there is no need to draw them hundreds of times.
    const known = done.get(source);
    if (known !== undefined) return known;
    const row = new Uint8Array(rowBytes(widthDots));
    orDots(row, leftDots + part.x, source, part.image.widthDots, limit);
    done.set(source, row);
    return row;
  });
}
