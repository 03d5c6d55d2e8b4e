import type { LinearImage } from "./linear-image.ts";

/** Width and height after shrinking to at most `maxWidthDots`; never enlarges, and keeps the proportions. */
export function fitToWidth(
  widthDots: number,
  heightDots: number,
  maxWidthDots: number,
): { readonly widthDots: number; readonly heightDots: number } {
  if (widthDots <= maxWidthDots) return { widthDots, heightDots };
  return { widthDots: maxWidthDots, heightDots: Math.max(1, Math.round((heightDots * maxWidthDots) / widthDots)) };
}

/** Shrinks a picture to at most `maxWidthDots` by the average over each dot's area, in linear light, row by row. */
export function shrinkToWidth(image: LinearImage, maxWidthDots: number): LinearImage {
  const size = fitToWidth(image.widthDots, image.heightDots, maxWidthDots);
  if (size.widthDots === image.widthDots) return image;
  return { ...size, rows: averageRows(image, size.widthDots, size.heightDots) };
}

async function* averageRows(
  image: LinearImage,
  widthDots: number,
  heightDots: number,
): AsyncGenerator<Uint16Array, void, undefined> {
  const narrow = new Float64Array(widthDots);
  const sums = new Float64Array(widthDots);
  const out = new Uint16Array(widthDots);
  const sourceRowsPerRow = image.heightDots / heightDots;
  let sourceRow = 0;
  let outRow = 0;
  for await (const row of image.rows) {
    averageColumns(row, narrow);
    // A source row covers [sourceRow, sourceRow + 1); each row of the result takes its share of it.
    let from = sourceRow;
    const to = sourceRow + 1;
    while (outRow < heightDots && from < to) {
      const end = outRow === heightDots - 1 ? image.heightDots : (outRow + 1) * sourceRowsPerRow;
      const share = Math.min(to, end) - from;
      for (let x = 0; x < widthDots; x += 1) sums[x] = (sums[x] ?? 0) + share * (narrow[x] ?? 0);
      from += share;
      if (end > to) break;
      for (let x = 0; x < widthDots; x += 1) out[x] = Math.round((sums[x] ?? 0) / sourceRowsPerRow);
      sums.fill(0);
      outRow += 1;
      yield out;
    }
    sourceRow += 1;
  }
}

/** Averages one row into fewer columns. */
function averageColumns(row: Uint16Array, narrow: Float64Array): void {
  const ratio = row.length / narrow.length;
  for (let x = 0; x < narrow.length; x += 1) {
    const start = x * ratio;
    const end = x === narrow.length - 1 ? row.length : (x + 1) * ratio;
    const first = Math.floor(start);
    const last = Math.min(Math.ceil(end), row.length) - 1;
    let sum = (row[first] ?? 0) * (Math.min(first + 1, end) - start);
    for (let i = first + 1; i < last; i += 1) sum += row[i] ?? 0;
    if (last > first) sum += (row[last] ?? 0) * (end - last);
    narrow[x] = sum / ratio;
  }
}
