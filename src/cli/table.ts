import { fitText, padText, printable, textWidth } from "./text-width.ts";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: "left" | "right";
  /** May be cut down to so many columns when the terminal is narrow; others are never cut. */
  readonly shrinkTo?: number;
}

const gap = 2;

/** Aligned lines with a head, at most `maxColumns` wide as far as the columns can shrink. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  maxColumns: number = Number.POSITIVE_INFINITY,
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const wanted = columns.map((column, index) =>
    Math.max(textWidth(column.title), ...cells.map((line) => textWidth(line[index] ?? ""))),
  );
  const widths = fitWidths(columns, wanted, maxColumns);
  const line = (texts: readonly string[]): string =>
    columns
      .map((column, index) => {
        const width = widths[index] ?? 0;
        return padText(fitText(texts[index] ?? "", width), width, column.align);
      })
      .join(" ".repeat(gap))
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)];
}

/** Takes one terminal column at a time from the widest table column that may still shrink. */
function fitWidths<Row>(columns: readonly Column<Row>[], wanted: readonly number[], maxColumns: number): number[] {
  const widths = [...wanted];
  let excess = widths.reduce((sum, width) => sum + width, gap * (columns.length - 1)) - maxColumns;
  while (excess > 0) {
    let widest: number | undefined;
    for (const [index, column] of columns.entries()) {
      const width = widths[index] ?? 0;
      if (column.shrinkTo === undefined || width <= column.shrinkTo) continue;
      if (widest === undefined || width > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}

/** `name   value` lines of one thing. */
export function formatFields(fields: readonly (readonly [name: string, value: string | undefined])[]): string[] {
  const shown = fields.filter((field): field is readonly [string, string] => field[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => textWidth(name)));
  return shown.map(([name, value]) => `${padText(name, width)}  ${printable(value)}`.trimEnd());
}
