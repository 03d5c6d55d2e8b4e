import { getDot, isBlank } from "./bits.ts";
import type { Page } from "./paper.ts";

/** A line of text and the rectangle, in dots, that its ink fills. */
export interface TextPlace {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly widthDots: number;
  readonly heightDots: number;
}

export type PrintedPage = Pick<Page, "widthDots" | "heightDots" | "dpi" | "rows" | "lines">;

/** Where each line of text stands: the ink between its row and the next line's. Lines without ink are left out. */
export function locateText(page: PrintedPage): TextPlace[] {
  const lines = page.lines.filter((line) => line.text.trim() !== "").toSorted((a, b) => a.row - b.row);
  const starts = [...new Set(page.lines.map(({ row }) => row)), page.heightDots].toSorted((a, b) => a - b);
  let next = 0;
  return lines.flatMap((line) => {
    while ((starts[next] ?? page.heightDots) <= line.row && next < starts.length) next += 1;
    const place = inkOf(page, line.row, starts[next] ?? page.heightDots);
    return place === undefined ? [] : [{ text: line.text, ...place }];
  });
}

function inkOf(page: PrintedPage, from: number, to: number): Omit<TextPlace, "text"> | undefined {
  let [left, right, top, bottom] = [page.widthDots, -1, -1, -1];
  for (let y = from; y < to; y += 1) {
    const row = page.rows[y];
    if (row === undefined || isBlank(row)) continue;
    if (top < 0) top = y;
    bottom = y;
    for (let x = 0; x < left; x += 1) if (getDot(row, x)) left = x;
    for (let x = page.widthDots - 1; x > right; x -= 1) if (getDot(row, x)) right = x;
  }
  return right < 0 ? undefined : { x: left, y: top, widthDots: right - left + 1, heightDots: bottom - top + 1 };
}
