import { TwinspoolError } from "../../protocol/errors.ts";
import type { BitmapFont, Glyph } from "../font.ts";
import { loadFont } from "../font.ts";
import type { ImagePage, PageGeometry, RenderTarget } from "../print-image.ts";
import { bytesPerRow } from "../print-image.ts";
import { checkPrintImageBounds } from "../pwg-raster.ts";
import type { Measure, TextCell, TextEvent } from "./text-layout.ts";
import { TextLayout } from "./text-layout.ts";
import { decodeUtf8 } from "./utf8.ts";

/** ESC/POS's own default line spacing: 30 dots for a font of 24. */
const lineDots = 30;
const columnDots = 12;
/** The resolution the font was drawn for; finer heads get every dot twice or more. */
const fontDpi = 203;

/** East Asian Wide and Fullwidth (UAX #11), for characters that the font has no glyph of. */
const widePattern =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]$/u;

/** Draws laid-out lines as rows of dots. */
export class TextPainter {
  readonly widthDots: number;
  readonly columns: number;
  readonly lineHeightDots: number;
  readonly measure: Measure;
  /** Dots of the paper for a dot of the font, in each direction. */
  readonly magnification: number;
  readonly #font: BitmapFont;

  constructor(font: BitmapFont, target: RenderTarget, magnification?: number) {
    this.#font = font;
    this.widthDots = target.widthDots;
    this.magnification = magnification ?? Math.max(1, Math.round(target.resolutionDpi / fontDpi));
    this.columns = Math.max(2, Math.floor(target.widthDots / (columnDots * this.magnification)));
    this.lineHeightDots = lineDots * this.magnification;
    this.measure = (codePoint) => {
      const glyph = font.glyph(codePoint);
      if (glyph !== undefined) return glyph.widthDots > columnDots ? 2 : 1;
      return widePattern.test(String.fromCodePoint(codePoint)) ? 2 : 1;
    };
  }

  /** `lineHeightDots` rows. Box drawing reaches over the space between the lines, so that frames are closed. */
  *paint(cells: readonly TextCell[]): Generator<Uint8Array, void, undefined> {
    const gapAbove = (lineDots - this.#font.cellHeight) >> 1;
    for (let y = 0; y < lineDots; y += 1) {
      const row = new Uint8Array(bytesPerRow(this.widthDots));
      const fontRow = y - gapAbove;
      let column = 0;
      for (const cell of cells) {
        this.#paintCell(cell, column, fontRow, row);
        column += cell.columns;
      }
      for (let i = 0; i < this.magnification; i += 1) yield row;
    }
  }

  #paintCell(cell: TextCell, column: number, fontRow: number, row: Uint8Array): void {
    const left = column * columnDots * this.magnification;
    const lastRow = this.#font.cellHeight - 1;
    const isFrame = cell.codePoint >= 0x2500 && cell.codePoint <= 0x259f;
    const y = isFrame ? Math.min(Math.max(fontRow, 0), lastRow) : fontRow;
    if (y < 0 || y > lastRow) return;
    const glyph = this.#font.glyph(cell.codePoint) ?? makeMissingGlyph(cell.columns, this.#font.cellHeight);
    this.#paintGlyphRow(glyph, y, left, row);
    for (const mark of cell.marks) {
      const markGlyph = this.#font.glyph(mark);
      const inset = markGlyph === undefined ? 0 : (cell.columns * columnDots - markGlyph.widthDots) >> 1;
      if (markGlyph !== undefined) this.#paintGlyphRow(markGlyph, y, left + inset * this.magnification, row);
    }
  }

  #paintGlyphRow(glyph: Glyph, y: number, left: number, row: Uint8Array): void {
    const rowBytes = bytesPerRow(glyph.widthDots);
    for (let x = 0; x < glyph.widthDots; x += 1) {
      if (((glyph.rows[y * rowBytes + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) === 0) continue;
      for (let i = 0; i < this.magnification; i += 1) {
        const at = left + x * this.magnification + i;
        if (at >= 0 && at < this.widthDots) row[at >> 3] = (row[at >> 3] ?? 0) | (0x80 >> (at & 7));
      }
    }
  }
}

/** A hollow box: the reader sees that a character is there, and which one is missing is in the document. */
function makeMissingGlyph(columns: number, cellHeight: number): Glyph {
  const widthDots = columns * columnDots;
  const rowBytes = bytesPerRow(widthDots);
  const rows = new Uint8Array(rowBytes * cellHeight);
  for (let y = 3; y < cellHeight - 3; y += 1) {
    for (let x = 1; x < widthDots - 1; x += 1) {
      const isEdge = y === 3 || y === cellHeight - 4 || x === 1 || x === widthDots - 2;
      if (isEdge) rows[y * rowBytes + (x >> 3)] = (rows[y * rowBytes + (x >> 3)] ?? 0) | (0x80 >> (x & 7));
    }
  }
  return { widthDots, rows };
}

async function* layOut(
  chunks: AsyncIterable<Uint8Array>,
  painter: TextPainter,
): AsyncGenerator<TextEvent, void, undefined> {
  const layout = new TextLayout(painter.columns, painter.measure);
  for await (const codePoints of decodeUtf8(chunks)) yield* layout.add(codePoints);
  yield* layout.end();
}

export interface TextDocument {
  readonly pages: readonly PageGeometry[];
  readPages(): AsyncIterable<ImagePage>;
}

/**
 * Prepares UTF-8 text: a first pass checks all of it and counts the lines of every page, `readPages` reads it again and
 * draws. Pages without a line are left out.
 */
export async function openText(
  openChunks: () => AsyncIterable<Uint8Array>,
  target: RenderTarget,
): Promise<TextDocument> {
  const painter = new TextPainter(await loadFont("efont-24"), target);
  const pages: PageGeometry[] = [];
  let lines = 0;
  let heightDots = 0;
  const endPage = (): void => {
    if (lines > 0) pages.push({ ...target, heightDots: lines * painter.lineHeightDots });
    lines = 0;
  };
  for await (const event of layOut(openChunks(), painter)) {
    if (event.kind === "pageEnd") endPage();
    else {
      lines += 1;
      heightDots += painter.lineHeightDots;
      checkPrintImageBounds(pages.length + 1, target.widthDots, heightDots);
    }
  }
  endPage();
  if (pages.length === 0) throw new TwinspoolError("document-invalid", "the text has no line to print");
  return { pages, readPages: () => paintPages(layOut(openChunks(), painter), pages, painter) };
}

async function* paintPages(
  events: AsyncIterator<TextEvent>,
  pages: readonly PageGeometry[],
  painter: TextPainter,
): AsyncGenerator<ImagePage, void, undefined> {
  try {
    for (const page of pages)
      yield { ...page, rows: paintLines(events, page.heightDots / painter.lineHeightDots, painter) };
  } finally {
    await events.return?.();
  }
}

async function* paintLines(
  events: AsyncIterator<TextEvent>,
  lineCount: number,
  painter: TextPainter,
): AsyncGenerator<Uint8Array, void, undefined> {
  let lines = 0;
  while (lines < lineCount) {
    const { done, value } = await events.next();
    if (done === true) throw new TwinspoolError("document-invalid", "the text was changed while it was read");
    if (value.kind === "pageEnd") continue;
    yield* painter.paint(value.cells);
    lines += 1;
  }
}
