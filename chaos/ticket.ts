import { PNG } from "pngjs";

/*
 * A ticket that says in each of its rows which ticket it is and which part of it: cells as wide as the paper divided by
 * 48, black for one. 4 bits 1010, 16 bits number, 8 bits band, 16 bits check, 4 bits 0101. A band has the same row
 * several times. So whatever piece of it comes out of a printer, wherever the paper is cut, is known again.
 */
const cells = 48;
const frontMark = 0b1010;
const backMark = 0b0101;
const bandCount = 24;
const bandRows = 10;

/** Something of a ticket on the paper. */
export interface Copy {
  readonly number: number;
  /** All of its bands, each with all its rows. */
  readonly isWhole: boolean;
}

/** A PNG of ticket `number`, as wide as the printer's head. */
export function drawTicket(number: number, widthDots: number): Buffer {
  const png = new PNG({ width: widthDots, height: bandCount * bandRows, colorType: 0, inputColorType: 0, bitDepth: 8 });
  png.data = Buffer.alloc(widthDots * bandCount * bandRows, 0xff);
  for (let band = 0; band < bandCount; band++) {
    const code = encode(number, band);
    for (let x = 0; x < widthDots; x++) {
      const cell = Math.floor((x * cells) / widthDots);
      if (code[cell] !== 1) continue;
      for (let row = 0; row < bandRows; row++) png.data[(band * bandRows + row) * widthDots + x] = 0;
    }
  }
  return PNG.sync.write(png, { colorType: 0, inputColorType: 0, bitDepth: 8 });
}

/** The tickets on one piece of paper, from its top. */
export function readTickets(paper: Buffer): Copy[] {
  const { width, height, data } = PNG.sync.read(paper);
  const copies: { number: number; rows: number[] }[] = [];
  for (let y = 0; y < height; y++) {
    const found = decode((cell) => {
      const x = Math.floor(((cell + 0.5) * width) / cells);
      return (data[(y * width + x) * 4] ?? 255) < 128 ? 1 : 0;
    });
    if (found === undefined) continue;
    const last = copies.at(-1);
    const isNext = last !== undefined && last.number === found.number && last.rows.length - 1 <= found.band;
    const copy = isNext ? last : { number: found.number, rows: [] };
    if (!isNext) copies.push(copy);
    while (copy.rows.length <= found.band) copy.rows.push(0);
    copy.rows[found.band] = (copy.rows[found.band] ?? 0) + 1;
  }
  return copies.map(({ number, rows }) => ({
    number,
    isWhole: rows.length === bandCount && rows.every((count) => count === bandRows),
  }));
}

function encode(number: number, band: number): number[] {
  const bits = (value: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => (value >>> (count - 1 - i)) & 1);
  return [
    ...bits(frontMark, 4),
    ...bits(number, 16),
    ...bits(band, 8),
    ...bits(checkOf(number, band), 16),
    ...bits(backMark, 4),
  ];
}

function decode(cellAt: (cell: number) => number): { readonly number: number; readonly band: number } | undefined {
  const value = (from: number, count: number): number => {
    let word = 0;
    for (let cell = from; cell < from + count; cell++) word = (word << 1) | cellAt(cell);
    return word;
  };
  const [number, band] = [value(4, 16), value(20, 8)];
  const isMark = value(0, 4) === frontMark && value(44, 4) === backMark;
  return isMark && value(28, 16) === checkOf(number, band) ? { number, band } : undefined;
}

function checkOf(number: number, band: number): number {
  return (Math.imul(number * 256 + band + 1, 0x9e37_79b1) >>> 11) & 0xffff;
}
