import type { DotRow } from "./bits.ts";
import type { Page } from "./paper.ts";

/** A third of the area, where letters can be read ... */
const MOST_NEEDED = 1 / 3;
/** ... and less where a sample is so large that it shows no more than where something is. */
const LEAST_NEEDED = 1 / 5;

/**
 * A page as lines of half blocks, two rows of samples a line, in the colour of the letters. `columns` is the width of
 * the picture at most. A sample is black when enough of its area is, so that letters do not run together.
 */
export function pageToHalfBlocks(page: Page, columns = 72): string[] {
  return drawCells(page, columns, { across: 1, down: 2 }, ([top, bottom]) =>
    top ? (bottom ? "█" : "▀") : bottom ? "▄" : " ",
  );
}

/** Bits of the dots of a Braille character (Unicode, U+2800 to U+28FF), row by row. */
const BRAILLE_BITS = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];

/** The same as Braille, two samples across and four down in a character: twice as fine as half blocks. */
export function pageToBraille(page: Page, columns = 72): string[] {
  return drawCells(page, columns, { across: 2, down: 4 }, (samples) => {
    const bits = samples.reduce((sum, black, index) => sum + (black ? (BRAILLE_BITS[index] ?? 0) : 0), 0);
    return bits === 0 ? " " : String.fromCharCode(0x2800 + bits);
  });
}

interface Cell {
  readonly across: number;
  readonly down: number;
}

function drawCells(page: Page, columns: number, cell: Cell, draw: (samples: boolean[]) => string): string[] {
  const sampler = new Sampler(page, columns * cell.across);
  const lines: string[] = [];
  for (let row = 0; row < sampler.rows; row += cell.down) {
    const rows = Array.from({ length: cell.down }, (_, index) => sampler.row(row + index));
    let line = "";
    for (let x = 0; x < sampler.columns; x += cell.across) {
      line += draw(rows.flatMap((samples) => Array.from({ length: cell.across }, (_, at) => samples[x + at] ?? false)));
    }
    lines.push(line.trimEnd());
  }
  return lines;
}

/** The page in samples of equal size, each of them black or white. */
class Sampler {
  readonly columns: number;
  readonly rows: number;
  private readonly page: Page;
  private readonly dotsPerSample: number;
  /** Where each sample begins, and where the last one ends. */
  private readonly edges: readonly number[];

  constructor(page: Page, most: number) {
    this.page = page;
    this.dotsPerSample = Math.max(1, page.widthDots / most);
    this.columns = Math.min(most, page.widthDots);
    this.rows = Math.ceil(page.heightDots / this.dotsPerSample);
    this.edges = Array.from({ length: this.columns + 1 }, (_, column) => Math.round(column * this.dotsPerSample));
  }

  row(index: number): boolean[] {
    const top = Math.round(index * this.dotsPerSample);
    const bottom = Math.min(this.page.heightDots, Math.round((index + 1) * this.dotsPerSample));
    const counts = new Array<number>(this.columns).fill(0);
    for (let y = top; y < bottom; y += 1) countDots(this.page.rows[y], this.edges, counts);
    // A line of one dot is seen, wherever it falls.
    const needed = Math.max(LEAST_NEEDED, Math.min(MOST_NEEDED, 1 / Math.ceil(this.dotsPerSample)));
    return counts.map((count, column) => {
      const area = ((this.edges[column + 1] ?? 0) - (this.edges[column] ?? 0)) * (bottom - top);
      return count > 0 && count >= area * needed;
    });
  }
}

/** Adds the black dots of one row to the samples in which they lie. */
function countDots(dots: DotRow | undefined, edges: readonly number[], counts: number[]): void {
  if (dots === undefined) return;
  let column = 0;
  for (let index = 0; index < dots.length; index += 1) {
    const byte = dots[index] ?? 0;
    for (let bit = 0; byte !== 0 && bit < 8; bit += 1) {
      if ((byte & (0x80 >> bit)) === 0) continue;
      const x = index * 8 + bit;
      while (column < counts.length - 1 && x >= (edges[column + 1] ?? 0)) column += 1;
      counts[column] = (counts[column] ?? 0) + 1;
    }
  }
}
