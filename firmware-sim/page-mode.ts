import { clearDots, type DotRow, getDot, isBlank, rowBytes, setDots } from "./bits.ts";
import type { Step } from "./step.ts";

/** ESC T n: where the characters start and which way they run. */
export type Direction = 0 | 1 | 2 | 3;

/** ESC W: the printing area, in dots from the upper left corner of the page. */
export interface PrintArea {
  readonly x: number;
  readonly y: number;
  readonly widthDots: number;
  readonly heightDots: number;
}

export interface PageSize {
  readonly widthDots: number;
  readonly heightDots: number;
}

interface PlacedText {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/**
 * The vertical position is the base line, and the base line of Font A is the 21st of its 24 rows: there the first line
 * of an area just fits under its upper edge.
 */
const FIRST_BASE_LINE = 20;

/** Texts of one page that are remembered; a host may strike the same place for ever. */
const MOST_TEXTS = 10_000;

/**
 * The page of page mode (ESC L): a picture that is developed in printing areas of any direction, and printed at once.
 * Positions are those of the present direction: x along the characters, y down the lines.
 */
export class PageBuffer {
  readonly size: PageSize;
  /** Rows by their place; those without a dot are absent, so that an empty page of any size costs nothing. */
  private readonly rows = new Map<number, DotRow>();
  private texts: PlacedText[] = [];
  private extentDots = 0;
  private area: PrintArea;
  private direction: Direction;
  /** The base line: images stand on it, the descenders of characters hang below it. */
  y = FIRST_BASE_LINE;
  /** Something was developed that has not been printed yet. */
  unprinted = false;

  constructor(size: PageSize, area: PrintArea, direction: Direction) {
    this.size = size;
    this.area = area;
    this.direction = direction;
  }

  /** True where the characters run along the paper: there the two motion units change places (ESC T). */
  get turned(): boolean {
    return (this.direction & 1) === 1;
  }

  /** How long a line is. */
  get lineDots(): number {
    return this.turned ? this.area.heightDots : this.area.widthDots;
  }

  /** How much room there is for lines. */
  get depthDots(): number {
    return this.turned ? this.area.widthDots : this.area.heightDots;
  }

  /** ESC W and ESC T both return to the starting position. */
  select(area: PrintArea, direction: Direction): void {
    this.area = area;
    this.direction = direction;
    this.y = FIRST_BASE_LINE;
  }

  /** Develops rows with their upper left corner at (x, top); what falls outside of the area is lost. */
  draw(rows: readonly DotRow[], widthDots: number, x: number, top: number): void {
    rows.forEach((row, index) => {
      for (let dot = 0; dot < widthDots; dot += 1) if (getDot(row, dot)) this.plot(x + dot, top + index);
    });
    this.touch();
  }

  /** A dot of the present direction. */
  plot(x: number, y: number): void {
    if (x < 0 || y < 0 || x >= this.lineDots || y >= this.depthDots) return;
    const at = this.onPage(x, y);
    if (at.y >= this.size.heightDots) return;
    let row = this.rows.get(at.y);
    if (row === undefined) {
      row = new Uint8Array(rowBytes(this.size.widthDots));
      this.rows.set(at.y, row);
    }
    setDots(row, at.x, 1);
  }

  addText(text: string, x: number): void {
    if (text.trim() !== "" && this.texts.length < MOST_TEXTS)
      this.texts.push({ ...this.onPage(x, this.y), text: text.trim() });
  }

  /** What is developed here counts as printing data of this area. */
  touch(): void {
    this.unprinted = true;
    this.extentDots = Math.max(this.extentDots, this.area.y + this.area.heightDots);
  }

  /** CAN: deletes what lies in the present area, whoever put it there. */
  clearArea(): void {
    const { x, y, widthDots, heightDots } = this.area;
    for (const [at, row] of this.rows) {
      if (at < y || at >= y + heightDots) continue;
      clearDots(row, x, widthDots);
      if (isBlank(row)) this.rows.delete(at);
    }
    this.texts = this.texts.filter(
      (text) => text.x < x || text.x >= x + widthDots || text.y < y || text.y >= y + heightDots,
    );
  }

  /** The page as steps, from its upper edge to the end of the lowest area in use. A step begins at each line of text. */
  print(): Step[] {
    const height = Math.min(this.size.heightDots, Math.max(this.extentDots, this.area.y + this.area.heightDots));
    const blank = new Uint8Array(rowBytes(this.size.widthDots));
    const rows = Array.from({ length: height }, (_, y) => this.rows.get(y)?.slice() ?? blank);
    const steps: Step[] = [];
    let from = 0;
    let text: string | undefined;
    const push = (to: number): void => {
      if (to > from) steps.push({ kind: "print", rows: rows.slice(from, to), ...(text === undefined ? {} : { text }) });
      from = to;
    };
    for (const [y, line] of this.textLines()) {
      push(Math.min(y, height - 1));
      text = line;
    }
    push(height);
    this.unprinted = false;
    return steps;
  }

  /** Texts that stand on one row of the paper read as one line. */
  private textLines(): Map<number, string> {
    const lines = new Map<number, string>();
    for (const { y, text } of this.texts.toSorted((a, b) => a.y - b.y || a.x - b.x)) {
      const before = lines.get(y);
      lines.set(y, before === undefined ? text : `${before} ${text}`);
    }
    return lines;
  }

  private onPage(x: number, y: number): { x: number; y: number } {
    const { area } = this;
    const right = area.x + area.widthDots - 1;
    const bottom = area.y + area.heightDots - 1;
    switch (this.direction) {
      case 0:
        return { x: area.x + x, y: area.y + y };
      case 1:
        return { x: area.x + y, y: bottom - x };
      case 2:
        return { x: right - x, y: bottom - y };
      case 3:
        return { x: right - y, y: area.y + x };
    }
  }
}
