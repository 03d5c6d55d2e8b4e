import { getDot } from "./bits.ts";
import type { Page } from "./paper.ts";

/**
 * A page as lines of half blocks, two rows of samples a line, black on the terminal's own background.
 * `columns` is the width of the picture; a sample is black when any of its dots is.
 */
export function pageToHalfBlocks(page: Page, columns = 72): string[] {
  const dotsPerSample = Math.max(1, Math.ceil(page.widthDots / columns));
  const sampleColumns = Math.ceil(page.widthDots / dotsPerSample);
  const sampleRows = Math.ceil(page.heightDots / dotsPerSample);
  const isBlack = (column: number, row: number): boolean => {
    for (let y = row * dotsPerSample; y < Math.min((row + 1) * dotsPerSample, page.heightDots); y += 1) {
      const dots = page.rows[y];
      if (dots === undefined) continue;
      for (let x = column * dotsPerSample; x < Math.min((column + 1) * dotsPerSample, page.widthDots); x += 1) {
        if (getDot(dots, x)) return true;
      }
    }
    return false;
  };
  const lines: string[] = [];
  for (let row = 0; row < sampleRows; row += 2) {
    let line = "";
    for (let column = 0; column < sampleColumns; column += 1) {
      const top = isBlack(column, row);
      const bottom = isBlack(column, row + 1);
      line += top ? (bottom ? "█" : "▀") : bottom ? "▄" : " ";
    }
    lines.push(line.trimEnd());
  }
  return lines;
}
