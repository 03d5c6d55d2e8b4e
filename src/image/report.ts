import type { BitmapFont } from "./font.ts";
import { loadFont } from "./font.ts";
import { TextPainter } from "./formats/text.ts";
import type { TextCell } from "./formats/text-layout.ts";
import { TextLayout } from "./formats/text-layout.ts";
import type { MemoryPage, RenderTarget } from "./print-image.ts";
import { bytesPerRow } from "./print-image.ts";

/** A piece of a report for receipt paper; each is as wide as the paper. */
export type ReportBlock =
  /** White on black, in double size where it fits so. */
  | { readonly kind: "banner"; readonly text: string }
  | { readonly kind: "line"; readonly text: string; readonly indent?: number }
  /** What belongs to both edges; the left text wraps beside the right one. */
  | { readonly kind: "pair"; readonly left: string; readonly right: string; readonly bold?: boolean }
  /** A name, and a value that wraps within its own column. */
  | { readonly kind: "field"; readonly name: string; readonly value: string; readonly nameColumns: number }
  | { readonly kind: "rule"; readonly style: "thick" | "thin" }
  | { readonly kind: "space" };

/** One page of a print image with these blocks, one below the other. */
export async function drawReport(blocks: readonly ReportBlock[], target: RenderTarget): Promise<MemoryPage> {
  const drawing = new ReportDrawing(await loadFont("efont-24"), target);
  const rows = blocks.flatMap((block) => drawing.draw(block));
  return { ...target, heightDots: rows.length, rows };
}

/** Dots of white and black at 203 dpi; finer heads get as many times more as the letters. */
const spaceDots = 12;
const bannerMarginDots = 10;
const ruleMarginDots = 7;

class ReportDrawing {
  readonly #painter: TextPainter;
  readonly #double: TextPainter;
  readonly #scale: number;
  readonly #widthDots: number;

  constructor(font: BitmapFont, target: RenderTarget) {
    this.#painter = new TextPainter(font, target);
    this.#scale = this.#painter.magnification;
    this.#double = new TextPainter(font, target, this.#scale * 2);
    this.#widthDots = target.widthDots;
  }

  draw(block: ReportBlock): Uint8Array[] {
    switch (block.kind) {
      case "banner":
        return this.#banner(block.text);
      case "line":
        return this.#indented(block.text, block.indent ?? 0);
      case "pair":
        return this.#pair(block.left, block.right, block.bold === true);
      case "field":
        return this.#field(block.name, block.value, block.nameColumns);
      case "rule":
        return [...this.#white(ruleMarginDots), ...this.#rule(block.style), ...this.#white(ruleMarginDots)];
      case "space":
        return this.#white(spaceDots);
    }
  }

  #banner(text: string): Uint8Array[] {
    const { measure } = this.#painter;
    const columns = [...text].reduce((sum, char) => sum + measure(char.codePointAt(0) ?? 0), 0);
    const painter = columns <= this.#double.columns ? this.#double : this.#painter;
    const words = this.#wrap(text, painter.columns).flatMap((cells) => {
      const left = Math.floor((painter.columns - widthOf(cells)) / 2);
      return [...painter.paint([...blank(left), ...cells])];
    });
    const margin = this.#white(bannerMarginDots);
    return [...margin, ...words, ...margin].map((row) => inverted(row, this.#widthDots));
  }

  #indented(text: string, indent: number): Uint8Array[] {
    const lines = this.#wrap(text, this.#painter.columns - indent);
    return lines.flatMap((cells) => [...this.#painter.paint([...blank(indent), ...cells])]);
  }

  #pair(left: string, right: string, isBold: boolean): Uint8Array[] {
    const { columns } = this.#painter;
    const [rightCells = []] = this.#wrap(right, columns);
    const room = columns - widthOf(rightCells) - 1;
    // Beside a right text that takes half of the paper, the left one would become a column of syllables.
    const isBeside = room >= columns / 2 || this.#wrap(left, room).length <= 1;
    const lines = this.#wrap(left, isBeside ? room : columns);
    return [...lines, ...(isBeside ? [] : [[]])].flatMap((cells, index) => {
      const isRightHere = isBeside ? index === 0 : index === lines.length;
      const gap = columns - widthOf(cells) - widthOf(rightCells);
      const row = [...this.#painter.paint(isRightHere ? [...cells, ...blank(gap), ...rightCells] : cells)];
      return isBold ? row.map(bold) : row;
    });
  }

  #field(name: string, value: string, nameColumns: number): Uint8Array[] {
    const [nameCells = []] = this.#wrap(name, nameColumns);
    const lines = this.#wrap(value, this.#painter.columns - nameColumns);
    return lines.flatMap((cells, index) => {
      const head = index === 0 ? nameCells : [];
      return [...this.#painter.paint([...head, ...blank(nameColumns - widthOf(head)), ...cells])];
    });
  }

  #rule(style: "thick" | "thin"): Uint8Array[] {
    const row = new Uint8Array(bytesPerRow(this.#widthDots));
    for (let x = 0; x < this.#widthDots; x += 1) {
      // Dashes of six dots and as many of white: a hair line of one dot and grey would print unevenly.
      if (style === "thick" || x % (12 * this.#scale) < 6 * this.#scale)
        row[x >> 3] = (row[x >> 3] ?? 0) | (0x80 >> (x & 7));
    }
    return Array.from({ length: (style === "thick" ? 3 : 1) * this.#scale }, () => row);
  }

  #white(dots: number): Uint8Array[] {
    const row = new Uint8Array(bytesPerRow(this.#widthDots));
    return Array.from({ length: dots * this.#scale }, () => row);
  }

  /** At least one line, so that a name without a value keeps its place. */
  #wrap(text: string, columns: number): (readonly TextCell[])[] {
    const layout = new TextLayout(Math.max(2, columns), this.#painter.measure);
    const codePoints = [...text].map((char) => char.codePointAt(0) ?? 0);
    const lines = [...layout.add(codePoints), ...layout.end()].flatMap((event) =>
      event.kind === "line" ? [event.cells] : [],
    );
    return lines.length === 0 ? [[]] : lines;
  }
}

function widthOf(cells: readonly TextCell[]): number {
  return cells.reduce((sum, cell) => sum + cell.columns, 0);
}

function blank(columns: number): TextCell[] {
  return Array.from({ length: Math.max(0, columns) }, () => ({ codePoint: 0x20, columns: 1, marks: [] }));
}

/** Every dot twice, side by side: what dot matrix printers call emphasized. */
function bold(row: Uint8Array): Uint8Array {
  return row.map((byte, at) => byte | (byte >> 1) | (((row[at - 1] ?? 0) & 1) << 7));
}

function inverted(row: Uint8Array, widthDots: number): Uint8Array {
  const out = row.map((byte) => ~byte & 0xff);
  const spare = out.length * 8 - widthDots;
  out[out.length - 1] = ((out[out.length - 1] ?? 0) >> spare) << spare;
  return out;
}
