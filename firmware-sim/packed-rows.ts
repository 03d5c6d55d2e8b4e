import type { DotRow } from "./bits.ts";

function isSame(a: DotRow, b: DotRow): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

/**
 * The rows of a page in one piece of memory, equal neighbours only once: a thousand pages are kept, and an array of
 * its own costs a row more than its dots do.
 */
export class PackedRows {
  private readonly dots: Uint8Array;
  private readonly stride: number;
  /** Where each run of equal rows ends. */
  private readonly ends: Uint32Array;
  /** Views last as long as somebody looks at them. */
  private views: WeakRef<readonly DotRow[]> | undefined;

  /** All rows have the same number of bytes. */
  constructor(rows: readonly DotRow[]) {
    const firsts: DotRow[] = [];
    const ends: number[] = [];
    rows.forEach((row, index) => {
      const last = firsts.at(-1);
      if (last !== undefined && isSame(last, row)) ends[ends.length - 1] = index + 1;
      else {
        firsts.push(row);
        ends.push(index + 1);
      }
    });
    this.stride = rows[0]?.length ?? 0;
    this.ends = Uint32Array.from(ends);
    this.dots = new Uint8Array(firsts.length * this.stride);
    firsts.forEach((row, index) => {
      this.dots.set(row, index * this.stride);
    });
  }

  get rows(): readonly DotRow[] {
    const known = this.views?.deref();
    if (known !== undefined) return known;
    const rows: DotRow[] = [];
    this.ends.forEach((end, index) => {
      const row = this.dots.subarray(index * this.stride, (index + 1) * this.stride);
      while (rows.length < end) rows.push(row);
    });
    this.views = new WeakRef(rows);
    return rows;
  }
}
