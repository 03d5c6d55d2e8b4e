/** One character cell, or two columns of a wide one. */
export interface TextCell {
  readonly codePoint: number;
  readonly columns: 1 | 2;
  /** Combining marks that no composed character exists for. */
  readonly marks: readonly number[];
}

export type TextEvent = { readonly kind: "line"; readonly cells: readonly TextCell[] } | { readonly kind: "pageEnd" };

/** Columns of a code point in the font at hand. */
export type Measure = (codePoint: number) => 1 | 2;

const tabColumns = 8;
const lineFeed = 0x0a;
const space = 0x20;
const wideSpace = 0x3000;

/** JIS X 4051 kinsoku, the short list: what may not begin a line ... */
const noLineStart = new Set(
  [
    ..."、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】°′″℃％‰‐～〜,.:;?!)]}｡､｣･ｰﾞﾟぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶｧｨｩｪｫｯｬｭｮ",
  ].map((char) => char.codePointAt(0)),
);
/** ... and what may not end one. */
const noLineEnd = new Set([..."‘“（〔［｛〈《「『【([{｢￥＄¥$"].map((char) => char.codePointAt(0)));
const markPattern = /^[\p{Mn}\p{Me}]$/u;
/** Format characters, variation selectors and C1 controls: they have no dots. */
const invisiblePattern = /^(?:\p{Cf}|\p{Cc}|\p{Variation_Selector})$/u;

/**
 * Breaks text into lines of at most `columns` columns: at spaces, or between Japanese characters within the rules of
 * kinsoku, or anywhere when there is no such place. Tabs go to every eighth column. Holds one line at a time.
 */
export class TextLayout {
  readonly #columns: number;
  readonly #measure: Measure;
  #cells: TextCell[] = [];
  #usedColumns = 0;
  #endsInReturn = false;
  /** Spaces that did not fit have been dropped at the end of this line. */
  #hangsSpace = false;
  #events: TextEvent[] = [];

  constructor(columns: number, measure: Measure) {
    this.#columns = columns;
    this.#measure = measure;
  }

  /** Lays out more text; returns the lines and page ends that are now complete. */
  add(codePoints: readonly number[]): readonly TextEvent[] {
    for (const codePoint of codePoints) this.#addOne(codePoint);
    return this.#takeEvents();
  }

  /** The last line, when it has no line end. */
  end(): readonly TextEvent[] {
    if (this.#cells.length > 0) this.#endLine();
    return this.#takeEvents();
  }

  #takeEvents(): readonly TextEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #addOne(codePoint: number): void {
    const followsReturn = this.#endsInReturn;
    this.#endsInReturn = codePoint === 0x0d;
    if (codePoint === lineFeed && followsReturn) return;
    if (codePoint >= 0x0a && codePoint <= 0x0d) {
      if (codePoint !== 0x0c) this.#endLine();
      else {
        if (this.#cells.length > 0) this.#endLine();
        this.#events.push({ kind: "pageEnd" });
      }
      return;
    }
    if (codePoint === 0x09) return this.#addTab();
    if (codePoint >= 0x7f) {
      const char = String.fromCodePoint(codePoint);
      if (invisiblePattern.test(char)) return;
      if (markPattern.test(char)) return this.#addMark(char, codePoint);
    }
    this.#addCell({ codePoint, columns: this.#measure(codePoint), marks: [] });
  }

  #addTab(): void {
    const target = Math.min(this.#columns, (Math.floor(this.#usedColumns / tabColumns) + 1) * tabColumns);
    if (this.#usedColumns >= this.#columns) this.#hangsSpace = true;
    while (this.#usedColumns < target) this.#push({ codePoint: space, columns: 1, marks: [] });
  }

  #addMark(char: string, codePoint: number): void {
    const base = this.#cells.pop();
    if (base === undefined) return;
    const composed = [...`${String.fromCodePoint(base.codePoint)}${char}`.normalize("NFC")];
    const single = composed.length === 1 && base.marks.length === 0 ? composed[0]?.codePointAt(0) : undefined;
    const isSameWidth = single !== undefined && this.#measure(single) === base.columns;
    // Eight marks are more than any script stacks; more are only meant to fill memory.
    if (isSameWidth) this.#cells.push({ ...base, codePoint: single });
    else this.#cells.push(base.marks.length < 8 ? { ...base, marks: [...base.marks, codePoint] } : base);
  }

  #addCell(cell: TextCell): void {
    if (this.#usedColumns + cell.columns <= this.#columns && !this.#hangsSpace) return this.#push(cell);
    if (isSpace(cell.codePoint)) {
      this.#hangsSpace = true;
      return;
    }
    this.#wrap(cell);
  }

  #push(cell: TextCell): void {
    this.#cells.push(cell);
    this.#usedColumns += cell.columns;
  }

  #endLine(): void {
    this.#events.push({ kind: "line", cells: this.#cells });
    this.#cells = [];
    this.#usedColumns = 0;
    this.#hangsSpace = false;
  }

  /** Ends the line at the last place that allows it; what stood after that place begins the next line. */
  #wrap(cell: TextCell): void {
    const cells = this.#cells;
    const breakAt = this.#hangsSpace ? cells.length : findBreak(cells, cell);
    const moved = cells.slice(breakAt);
    this.#cells = trimEnd(cells.slice(0, breakAt));
    this.#endLine();
    for (const next of moved) this.#push(next);
    this.#addCell(cell);
  }
}

function isSpace(codePoint: number): boolean {
  return codePoint === space || codePoint === wideSpace;
}

function trimEnd(cells: readonly TextCell[]): TextCell[] {
  let end = cells.length;
  while (end > 0 && isSpace(cells[end - 1]?.codePoint ?? 0)) end -= 1;
  return cells.slice(0, end);
}

/** Index of the first cell of the next line; `cells.length` when only `next` goes there. */
function findBreak(cells: readonly TextCell[], next: TextCell): number {
  for (let i = cells.length; i > 0; i -= 1) {
    const before = cells[i - 1];
    const after = cells[i] ?? next;
    if (before !== undefined && isBreakBetween(before, after) && hasText(cells, i)) return i;
  }
  return cells.length;
}

/** A break after nothing but spaces would only make an empty line. */
function hasText(cells: readonly TextCell[], end: number): boolean {
  for (let i = 0; i < end; i += 1) if (!isSpace(cells[i]?.codePoint ?? space)) return true;
  return false;
}

function isBreakBetween(before: TextCell, after: TextCell): boolean {
  if (isSpace(after.codePoint)) return false;
  if (isSpace(before.codePoint)) return true;
  if (before.columns === 1 && after.columns === 1)
    return isKana(before.codePoint) && isKana(after.codePoint) && isKinsoku(before, after);
  return isKinsoku(before, after);
}

function isKinsoku(before: TextCell, after: TextCell): boolean {
  return !noLineEnd.has(before.codePoint) && !noLineStart.has(after.codePoint);
}

/** Half-width katakana: they need no spaces either. */
function isKana(codePoint: number): boolean {
  return codePoint >= 0xff61 && codePoint <= 0xff9f;
}
