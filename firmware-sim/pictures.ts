import { type DotRow, getDot, rowBytes, setDots, widenDots } from "./bits.ts";

/** A bit image of any origin, as rows. */
export interface Picture {
  readonly widthDots: number;
  readonly rows: readonly DotRow[];
}

/** Raster data: rows of whole bytes. */
export function rasterPicture(data: Uint8Array, widthDots: number, heightDots: number): Picture {
  const stride = rowBytes(widthDots);
  return {
    widthDots,
    rows: Array.from({ length: heightDots }, (_, row) => data.slice(row * stride, (row + 1) * stride)),
  };
}

/** Column data: from the left, each column of whole bytes from the top. */
export function columnPicture(data: Uint8Array, widthDots: number, heightDots: number): Picture {
  const stride = rowBytes(heightDots);
  const rows = Array.from({ length: heightDots }, () => new Uint8Array(rowBytes(widthDots)));
  for (let x = 0; x < widthDots; x += 1) {
    const column = data.subarray(x * stride, (x + 1) * stride);
    rows.forEach((row, y) => {
      if (getDot(column, y)) setDots(row, x, 1);
    });
  }
  return { widthDots, rows };
}

export function scaledPicture(picture: Picture, x: number, y: number): Picture {
  if (x === 1 && y === 1) return picture;
  const rows = picture.rows.flatMap((row) => new Array<DotRow>(y).fill(widenDots(row, picture.widthDots, x)));
  return { widthDots: picture.widthDots * x, rows };
}

/** Bytes that a picture takes in the printer's memory. */
export function pictureBytes(picture: Picture): number {
  return rowBytes(picture.widthDots) * picture.rows.length;
}

/** Thresholds of an ordered dither: every level of 0-15 blackens its share of a 4 x 4 square. */
const THRESHOLDS = [
  [0, 8, 2, 10],
  [12, 4, 14, 6],
  [3, 11, 1, 9],
  [15, 7, 13, 5],
] as const;

/** Multiple tone: four planes give each dot one of 16 levels, the first plane counting most. A head has only dots. */
export function ditheredPicture(planes: readonly (Picture | undefined)[]): Picture | undefined {
  const known = planes.filter((plane) => plane !== undefined);
  if (known.length === 0) return undefined;
  const widthDots = Math.max(...known.map((plane) => plane.widthDots));
  const heightDots = Math.max(...known.map((plane) => plane.rows.length));
  const rows = Array.from({ length: heightDots }, (_, y) => {
    const target = new Uint8Array(rowBytes(widthDots));
    for (let x = 0; x < widthDots; x += 1) {
      let level = 0;
      for (const plane of planes) {
        const row = plane !== undefined && x < plane.widthDots ? plane.rows[y] : undefined;
        level = level * 2 + (row !== undefined && getDot(row, x) ? 1 : 0);
      }
      if (level > (THRESHOLDS[y & 3]?.[x & 3] ?? 0) || level === 15) setDots(target, x, 1);
    }
    return target;
  });
  return { widthDots, rows };
}
