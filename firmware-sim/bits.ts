/** Rows of dots: one bit a dot, most significant bit leftmost, 1 = black. */
export type DotRow = Uint8Array;

export function rowBytes(widthDots: number): number {
  return (widthDots + 7) >> 3;
}

/** Sets `count` dots from `from` on; dots outside the row are dropped. */
export function setDots(row: DotRow, from: number, count: number): void {
  const end = Math.min(from + count, row.length * 8);
  for (let dot = Math.max(0, from); dot < end; dot += 1) row[dot >> 3] = (row[dot >> 3] ?? 0) | (0x80 >> (dot & 7));
}

/** Clears `count` dots from `from` on. */
export function clearDots(row: DotRow, from: number, count: number): void {
  const end = Math.min(from + count, row.length * 8);
  const last = (end + 7) >> 3;
  for (let index = from >> 3; index < last; index += 1) {
    const left = Math.max(0, from - index * 8);
    const right = Math.max(0, index * 8 + 8 - end);
    row[index] = (row[index] ?? 0) & ~((0xff >> left) & (0xff << right));
  }
}

export function getDot(row: DotRow, dot: number): boolean {
  return ((row[dot >> 3] ?? 0) & (0x80 >> (dot & 7))) !== 0;
}

/** ORs the first `count` dots of `source` into `target` at dot `at`; what falls outside `limit` dots is dropped. */
export function orDots(target: DotRow, at: number, source: DotRow, count: number, limit: number): void {
  const visible = Math.min(count, limit - at);
  const shift = at & 7;
  for (let done = 0; done < visible; done += 8) {
    let byte = source[done >> 3] ?? 0;
    const left = visible - done;
    if (left < 8) byte &= (0xff << (8 - left)) & 0xff;
    if (byte === 0) continue;
    const index = (at + done) >> 3;
    target[index] = (target[index] ?? 0) | (byte >> shift);
    if (shift !== 0 && index + 1 < target.length) {
      target[index + 1] = (target[index + 1] ?? 0) | ((byte << (8 - shift)) & 0xff);
    }
  }
}

/**
 * The same for all rows of an image, into rows of `stride` bytes that lie one after the other, from row `top` on; it
 * must not begin left of them or end below them, and `limit` not be beyond their end.
 */
export function orImage(
  target: Uint8Array,
  stride: number,
  place: { readonly top: number; readonly at: number; readonly limit: number },
  rows: readonly DotRow[],
  count: number,
): void {
  const visible = Math.min(count, place.limit - place.at);
  const shift = place.at & 7;
  const last = ((visible + 7) >> 3) - 1;
  const lastMask = 0xff & (0xff << (7 - ((visible - 1) & 7)));
  let begin = place.top * stride + (place.at >> 3);
  for (let y = 0; y < rows.length; y += 1, begin += stride) {
    const source = rows[y];
    if (source === undefined) continue;
    for (let index = 0; index <= last; index += 1) {
      const byte = (source[index] ?? 0) & (index === last ? lastMask : 0xff);
      if (byte === 0) continue;
      const to = begin + index;
      target[to] = (target[to] ?? 0) | (byte >> shift);
      const rest = (byte << (8 - shift)) & 0xff;
      if (rest !== 0) target[to + 1] = (target[to + 1] ?? 0) | rest;
    }
  }
}

/** Each of the first `count` dots of `source` becomes `times` dots. */
export function widenDots(source: DotRow, count: number, times: number): DotRow {
  if (times === 1) return source;
  const wide = new Uint8Array(rowBytes(count * times));
  for (let dot = 0; dot < count; dot += 1) if (getDot(source, dot)) setDots(wide, dot * times, times);
  return wide;
}

export function isBlank(row: DotRow): boolean {
  for (const byte of row) if (byte !== 0) return false;
  return true;
}
