import { type DotRow, isBlank, rowBytes } from "./bits.ts";
import { PackedRows } from "./packed-rows.ts";
import type { CutKind } from "./step.ts";

/** One piece of paper, from cut to cut. One bit a dot, rows of ceil(widthDots/8) bytes, MSB leftmost, 1 = black. */
export interface Page {
  readonly widthDots: number;
  readonly heightDots: number;
  readonly dpi: number;
  readonly rows: readonly DotRow[];
  /** What a person reads on it, as far as it was sent as text. */
  readonly text: string;
  /** The same, line by line, with the row each line begins at. */
  readonly lines: readonly TextLine[];
  /** How the piece ended; `none` when it still hangs in the printer, or was torn off for being too long. */
  readonly cut: CutKind | "none";
  /** Rows at which a new roll was loaded within this piece. */
  readonly splices: readonly number[];
}

/** A line of text as it was sent. */
export interface TextLine {
  /** From the upper edge of the piece. */
  readonly row: number;
  readonly text: string;
}

/** Nobody lets more paper hang out of a printer (30 m at 203 dpi), and no simulator should keep more of it. */
const LONGEST_PIECE_ROWS = 240_000;
/** GS V 97 and 98 that wait for their place; a printer has one blade. */
const MOST_RESERVED_CUTS = 16;

/**
 * The paper under the head. The blade stands `headToCutterDots` behind the head, so a cut without a feed leaves the
 * last rows on the next piece, as on a real printer. The strip between edge and head after a cut is not part of a
 * page while it is blank: pages begin with the first row that could be printed.
 */
export class PaperRoll {
  private readonly widthDots: number;
  private readonly dpi: number;
  private readonly blankRow: DotRow;
  private readonly onPage: (page: Page) => void;
  private rows: DotRow[] = [];
  private lines: TextLine[] = [];
  private splices: number[] = [];
  /** Blank rows between the edge of the paper and the first of `rows`. */
  private marginDots: number;
  private reserved: { cut: CutKind; atRow: number }[] = [];
  private advancedRows = 0;
  private endsAtRow = Number.POSITIVE_INFINITY;
  private readonly headToCutterDots: number;

  constructor(
    geometry: { readonly widthDots: number; readonly dpi: number; readonly headToCutterDots: number },
    onPage: (page: Page) => void,
  ) {
    this.widthDots = geometry.widthDots;
    this.dpi = geometry.dpi;
    this.headToCutterDots = geometry.headToCutterDots;
    this.marginDots = geometry.headToCutterDots;
    this.blankRow = new Uint8Array(rowBytes(geometry.widthDots));
    this.onPage = onPage;
  }

  /** Rows that have passed the head since the simulator started. */
  get headRow(): number {
    return this.advancedRows;
  }

  get rowsLeft(): number {
    return Math.max(0, this.endsAtRow - this.advancedRows);
  }

  /** The roll ends when `headRow` reaches this row; at once when it already has. */
  endAt(row: number): void {
    this.endsAtRow = row;
  }

  load(): void {
    if (this.rowsLeft === 0 && this.rows.length > 0) this.splices.push(this.rows.length);
    this.endsAtRow = Number.POSITIVE_INFINITY;
  }

  addText(text: string): void {
    this.lines.push({ row: this.rows.length, text });
  }

  print(row: DotRow): void {
    this.rows.push(row);
    this.advanced();
  }

  feed(dots: number): void {
    for (let count = 0; count < dots; count += 1) {
      this.rows.push(this.blankRow);
      this.advanced();
    }
  }

  reserveCut(cut: CutKind, dots: number): void {
    if (this.reserved.length < MOST_RESERVED_CUTS) this.reserved.push({ cut, atRow: this.advancedRows + dots });
    this.cutWhatIsDue();
  }

  cut(cut: CutKind): void {
    const cutRow = this.rows.length - this.headToCutterDots;
    if (cutRow <= 0) this.cutAboveFirstRow(cut, cutRow);
    else this.cutBelowFirstRow(cut, cutRow);
  }

  /** The blade stands above everything that was printed: a blank slip falls, or nothing at all. */
  private cutAboveFirstRow(cut: CutKind, cutRow: number): void {
    const blanks = Math.max(0, cutRow + this.marginDots);
    this.marginDots -= blanks;
    this.keepRest(this.rows, 0);
    if (blanks > 0) this.emit(new Array<DotRow>(blanks).fill(this.blankRow), [], cut, []);
  }

  private cutBelowFirstRow(cut: CutKind, cutRow: number): void {
    const rows = this.rows.slice(0, cutRow);
    const lines = this.lines.filter((line) => line.row < cutRow);
    const splices = this.splices.filter((row) => row < cutRow);
    this.marginDots = 0;
    this.keepRest(this.rows.slice(cutRow), cutRow);
    this.emit(rows, lines, cut, splices);
  }

  /** What stays between blade and head begins the next piece; while it is blank it is only margin. */
  private keepRest(rest: DotRow[], cutRow: number): void {
    const lines = this.lines.filter((line) => line.row >= cutRow);
    if (rest.every(isBlank)) {
      this.rows = [];
      this.marginDots += rest.length;
      this.lines = lines.filter((line) => line.text !== "").map((line) => ({ row: 0, text: line.text }));
      this.splices = [];
    } else {
      this.rows = rest;
      this.lines = lines.map((line) => ({ row: line.row - cutRow, text: line.text }));
      this.splices = this.splices.filter((row) => row >= cutRow).map((row) => row - cutRow);
    }
  }

  /** What hangs out of the printer uncut, or undefined when that is nothing. */
  uncut(): Page | undefined {
    return this.rows.length === 0 ? undefined : this.pageOf(this.rows.slice(), this.lines, "none", this.splices);
  }

  private advanced(): void {
    this.advancedRows += 1;
    if (this.rows.length >= LONGEST_PIECE_ROWS) this.tearOff();
    if (this.reserved.length > 0) this.cutWhatIsDue();
  }

  private cutWhatIsDue(): void {
    const due = this.reserved.filter((cut) => cut.atRow <= this.advancedRows);
    this.reserved = this.reserved.filter((cut) => cut.atRow > this.advancedRows);
    for (const reserved of due) this.cut(reserved.cut);
  }

  /** At the head: a person who tears by hand needs no blade. */
  private tearOff(): void {
    this.emit(this.rows, this.lines, "none", this.splices);
    this.rows = [];
    this.lines = [];
    this.splices = [];
  }

  private emit(
    rows: readonly DotRow[],
    lines: readonly TextLine[],
    cut: Page["cut"],
    splices: readonly number[],
  ): void {
    const packed = new PackedRows(rows);
    this.onPage({
      ...this.pageOf(rows, lines, cut, splices),
      get rows() {
        return packed.rows;
      },
    });
  }

  private pageOf(
    rows: readonly DotRow[],
    lines: readonly TextLine[],
    cut: Page["cut"],
    splices: readonly number[],
  ): Page {
    const text = lines.map((line) => line.text.trimEnd()).join("\n");
    return {
      widthDots: this.widthDots,
      heightDots: rows.length,
      dpi: this.dpi,
      rows,
      text: text.replace(/\n+$/, ""),
      lines: [...lines],
      cut,
      splices: [...splices],
    };
  }
}
