import { formatBits, formatPlaces, MASKS } from "./qr-mask.ts";
import { type ModuleMatrix, SymbolDataError } from "./symbol-encoder.ts";

interface Blocks {
  readonly count: number;
  readonly dataCodewords: number;
  readonly correctionCodewords: number;
}

/** Tables M.2 and M.4: for each version the correction and data codewords of a block and the blocks, at L, M, Q and H. */
const VERSIONS: readonly string[] = [
  "7/19 10/16 13/13 17/9",
  "10/36 16/30 22/24 30/16",
  "15/57 28/44 36/36 48/24",
  "20/80 40/60 50/50 66/34",
  "26/108 52/82 66/68 44/23*2",
  "34/136 32/53*2 42/43*2 56/29*2",
  "42/170 40/66*2 52/54*2 46/24*3",
  "24/104*2 48/80*2 64/64*2 56/29*3",
  "30/123*2 60/93*2 50/52*3 68/34*3",
  "34/145*2 68/111*2 58/61*3 58/31*4",
  "40/168*2 40/64*4 52/52*4 54/29*5",
  "46/192*2 46/73*4 58/61*4 62/33*5",
  "36/144*3 52/83*4 66/69*4 58/32*6",
  "40/163*3 60/92*4 60/62*5 66/35*6",
];

function blocksOf(version: number, level: number): Blocks {
  const [correctionCodewords = 0, dataCodewords = 0, count = 1] =
    (VERSIONS[version - 1] ?? "").split(" ")[level]?.split(/[/*]/).map(Number) ?? [];
  return { count, dataCodewords, correctionCodewords };
}

const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

interface Mode {
  readonly indicator: number;
  /** Bits of the character count up to version 9, and beyond. */
  readonly countBits: readonly [number, number];
  readonly fits: (text: string) => boolean;
  /** Bits of so many characters, and how many go together. */
  readonly group: number;
  readonly bitsOf: (group: string) => readonly [value: number, bits: number];
}

const BYTES: Mode = {
  indicator: 4,
  countBits: [8, 16],
  fits: () => true,
  group: 1,
  bitsOf: (group) => [group.charCodeAt(0), 8],
};

const MODES: readonly Mode[] = [
  {
    indicator: 1,
    countBits: [10, 12],
    fits: (text) => /^[0-9]+$/.test(text),
    group: 3,
    bitsOf: (group) => [Number(group), group.length * 3 + 1],
  },
  {
    indicator: 2,
    countBits: [9, 11],
    fits: (text) => Array.from(text).every((character) => ALPHANUMERIC.includes(character)),
    group: 2,
    bitsOf: (group) => {
      const [first = 0, second] = Array.from(group, (character) => ALPHANUMERIC.indexOf(character));
      return second === undefined ? [first, 6] : [first * 45 + second, 11];
    },
  },
];

class BitString {
  readonly bits: number[] = [];

  append(value: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit -= 1) this.bits.push((value >> bit) & 1);
  }

  bytes(): number[] {
    const bytes: number[] = [];
    for (let at = 0; at < this.bits.length; at += 8) {
      bytes.push(this.bits.slice(at, at + 8).reduce((byte, bit) => byte * 2 + bit, 0));
    }
    return bytes;
  }
}

function dataBits(text: string, version: number): BitString {
  const mode = MODES.find(({ fits }) => fits(text)) ?? BYTES;
  const stream = new BitString();
  // The first four modules of the corner are no data.
  stream.append(0, 4);
  stream.append(mode.indicator, 4);
  stream.append(text.length, mode.countBits[version <= 9 ? 0 : 1]);
  for (let at = 0; at < text.length; at += mode.group) {
    const [value, bits] = mode.bitsOf(text.slice(at, at + mode.group));
    stream.append(value, bits);
  }
  return stream;
}

function paddedData(stream: BitString, codewords: number): number[] {
  const room = codewords * 8 - stream.bits.length;
  stream.append(0, Math.min(4, room));
  stream.append(0, (8 - (stream.bits.length % 8)) % 8);
  const bytes = stream.bytes();
  for (let pad = 0; bytes.length < codewords; pad += 1) bytes.push(pad % 2 === 0 ? 0xec : 0x11);
  return bytes;
}

/** Multiplies in GF(256) with the polynomial of QR Code, x^8 + x^4 + x^3 + x^2 + 1. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> bit) & 1) * a;
  }
  return product;
}

function correction(data: readonly number[], count: number): number[] {
  // Coefficients of (x - 1)(x - 2)(x - 4)..., without the leading one.
  const generator = new Array<number>(count).fill(0);
  generator[count - 1] = 1;
  let root = 1;
  for (let factor = 0; factor < count; factor += 1) {
    for (let at = 0; at < count; at += 1) {
      generator[at] = multiply(generator[at] ?? 0, root) ^ (generator[at + 1] ?? 0);
    }
    root = multiply(root, 2);
  }
  const remainder = new Array<number>(count).fill(0);
  for (const byte of data) {
    const lead = byte ^ (remainder.shift() ?? 0);
    remainder.push(0);
    for (let at = 0; at < count; at += 1) {
      remainder[at] = (remainder[at] ?? 0) ^ multiply(generator[at] ?? 0, lead);
    }
  }
  return remainder;
}

/** Unlike in model 2 the blocks are not interleaved: all data, then the correction of one block after the other. */
function withCorrection(data: readonly number[], { count, dataCodewords, correctionCodewords }: Blocks): number[] {
  const corrections = Array.from({ length: count }, (_, block) =>
    correction(data.slice(block * dataCodewords, (block + 1) * dataCodewords), correctionCodewords),
  );
  return [...data, ...corrections.flat()];
}

/** Where a codeword stands: its first module, at the lower right, and how many are side by side. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly across: 2 | 4;
}

/** From the right to the left, each column of codewords upwards (figure M.5). */
function places(size: number): Place[] {
  const found: Place[] = [];
  const last = size - 1;
  const tall = Math.floor((size - 8) / 4);
  for (const column of [0, 1]) {
    for (let row = 0; row < tall; row += 1) {
      const extension = column === 0 && row % 2 === 0 && row > 0 && row < tall - 1;
      if (!extension) found.push({ x: last - column * 2, y: last - row * 4, across: 2 });
    }
  }
  const wideColumns = Math.floor(size / 4) - 3;
  const wideRows = Math.floor(size / 2);
  for (let column = 0; column < wideColumns; column += 1) {
    for (let row = 0; row < wideRows; row += 1) {
      const finder = column === 0 && row >= wideRows - 4;
      const extension = row === 0 && column % 2 === 1 && column !== wideColumns - 1;
      if (finder || extension) continue;
      // The timing pattern is in between.
      const y = last - row * 2 - (row >= wideRows - 3 ? 1 : 0);
      found.push({ x: last - 4 - column * 4, y, across: 4 });
    }
  }
  for (const x of [8, 5, 3, 1]) {
    for (let row = 0; row < Math.floor((size - 16) / 4); row += 1) {
      found.push({ x, y: last - 8 - row * 4, across: 2 });
    }
  }
  return found;
}

/** Of model 1: it keeps its format apart from that of model 2. */
const FORMAT_PATTERN = 0x2825;

class Symbol1 {
  readonly size: number;
  readonly modules: Uint8Array;

  constructor(size: number) {
    this.size = size;
    this.modules = new Uint8Array(size * size);
  }

  get(x: number, y: number): number {
    return this.modules[y * this.size + x] ?? 0;
  }

  set(x: number, y: number, dark: boolean | number): void {
    this.modules[y * this.size + x] = Number(dark);
  }

  /**
   * Finders and timing. What the extension patterns and the corner look like stands in no source that could be read;
   * readers skip them, and here they are light.
   */
  drawFunctionPatterns(): void {
    for (let at = 0; at < this.size; at += 1) {
      this.set(at, 6, at % 2 === 0);
      this.set(6, at, at % 2 === 0);
    }
    for (const [left, top] of [
      [0, 0],
      [this.size - 7, 0],
      [0, this.size - 7],
    ] as const) {
      for (let y = -1; y <= 7; y += 1) {
        for (let x = -1; x <= 7; x += 1) {
          if (left + x < 0 || top + y < 0 || left + x >= this.size || top + y >= this.size) continue;
          const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3));
          this.set(left + x, top + y, ring !== 2 && ring !== 4);
        }
      }
    }
  }

  drawCodewords(codewords: readonly number[], mask: (x: number, y: number) => boolean): void {
    places(this.size).forEach(({ x, y, across }, index) => {
      for (let bit = 0; bit < 8; bit += 1) {
        if (index === 0 && bit < 4) continue;
        const moduleX = x - (bit % across);
        const moduleY = y - Math.floor(bit / across);
        const dark = (((codewords[index] ?? 0) >> (7 - bit)) & 1) === 1;
        this.set(moduleX, moduleY, dark !== mask(moduleX, moduleY));
      }
    });
  }

  /** Level and mask, twice. */
  drawFormat(level: number, mask: number): void {
    const format = formatBits(((level ^ 1) << 3) | mask, FORMAT_PATTERN);
    formatPlaces(this.size).forEach((places, index) => {
      for (const [x, y] of places) this.set(x, y, (format >> (14 - index)) & 1);
    });
    this.set(8, this.size - 8, 1);
  }

  /** How hard the symbol is to read: runs, squares, what looks like a finder, too much of one colour. */
  penalty(): number {
    const { size } = this;
    const row = (y: number): string => Array.from({ length: size }, (_, x) => this.get(x, y)).join("");
    const column = (x: number): string => Array.from({ length: size }, (_, y) => this.get(x, y)).join("");
    let points = 0;
    for (let at = 0; at < size; at += 1) {
      for (const line of [row(at), column(at)]) {
        for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) points += run.length - 2;
        points += 40 * Array.from(line.matchAll(/(?<=0000)1011101|1011101(?=0000)/g)).length;
      }
    }
    for (let y = 1; y < size; y += 1) {
      for (let x = 1; x < size; x += 1) {
        const sum = this.get(x, y) + this.get(x - 1, y) + this.get(x, y - 1) + this.get(x - 1, y - 1);
        if (sum % 4 === 0) points += 3;
      }
    }
    const dark = this.modules.reduce((sum, module) => sum + module, 0);
    return points + 10 * Math.floor(Math.abs((dark * 20) / (size * size) - 10));
  }
}

/**
 * The original QR Code (ISO/IEC 18004:2000 annex M), which no library at hand writes: no alignment patterns, codewords
 * of 2 by 4 modules. The data are compacted in one mode: digits, upper-case text or bytes. `level` is 0 to 3 for L, M, Q
 * and H.
 */
export function encodeQrModel1(text: string, level: number): ModuleMatrix {
  for (let version = 1; version <= VERSIONS.length; version += 1) {
    const blocks = blocksOf(version, level);
    const codewords = blocks.count * blocks.dataCodewords;
    const stream = dataBits(text, version);
    if (stream.bits.length > codewords * 8) continue;
    const sequence = withCorrection(paddedData(stream, codewords), blocks);
    const size = 17 + 4 * version;
    const candidates = MASKS.map((mask, number) => {
      const symbol = new Symbol1(size);
      symbol.drawFunctionPatterns();
      symbol.drawCodewords(sequence, mask);
      symbol.drawFormat(level, number);
      return { symbol, penalty: symbol.penalty() };
    });
    const best = candidates.reduce((least, candidate) => (candidate.penalty < least.penalty ? candidate : least));
    return { columns: size, rows: size, modules: best.symbol.modules };
  }
  throw new SymbolDataError("QR Code model 1 cannot hold these data");
}
