import { linearWhite, luminance, makeLinearTable } from "../linear-image.ts";

/** IHDR and what else of a PNG (ISO/IEC 15948) decides how its samples become light. */
export interface PngHeader {
  readonly widthDots: number;
  readonly heightDots: number;
  readonly bitDepth: 1 | 2 | 4 | 8 | 16;
  readonly colorType: 0 | 2 | 3 | 4 | 6;
  readonly isInterlaced: boolean;
}

export interface PngColors {
  /** PLTE: red, green, blue of each entry. */
  readonly palette?: Uint8Array;
  /** tRNS, as it is stored. */
  readonly transparency?: Uint8Array;
  /** gAMA times 100000, when neither sRGB nor an ICC profile stands above it. */
  readonly gamma?: number;
}

/** Turns one unfiltered row of `count` pixels into light. Returns the index of a bad pixel, or -1. */
export type RowConverter = (raw: Uint8Array, out: Uint16Array, count: number) => number;

const channelsOf = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
const depthsOf: { readonly [type: number]: readonly number[] } = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** Reads the body of IHDR. Returns the reason when it is not valid. */
export function parseIhdr(body: Uint8Array): PngHeader | string {
  if (body.length !== 13) return `IHDR has ${body.length} bytes, expected 13`;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [widthDots, heightDots] = [view.getUint32(0), view.getUint32(4)];
  const [bitDepth = 0, colorType = 0, compression, filter, interlace = 0] = body.subarray(8);
  if (widthDots === 0 || heightDots === 0) return `the picture has ${widthDots} x ${heightDots} pixels`;
  if (depthsOf[colorType]?.includes(bitDepth) !== true) return `color type ${colorType} with ${bitDepth} bits a sample`;
  if (compression !== 0 || filter !== 0 || interlace > 1) return "an unknown compression, filter or interlace method";
  return {
    widthDots,
    heightDots,
    bitDepth: bitDepth as PngHeader["bitDepth"],
    colorType: colorType as PngHeader["colorType"],
    isInterlaced: interlace === 1,
  };
}

export function bitsPerPngPixel(header: PngHeader): number {
  return channelsOf[header.colorType] * header.bitDepth;
}

/** Makes the converter for one picture: white paper shows through what is transparent. */
export function makeRowConverter(header: PngHeader, colors: PngColors): RowConverter {
  const levels = 2 ** header.bitDepth;
  // A file gamma of 1/2.2 is what sRGB writers put there for old readers; the sRGB curve is then the better one.
  const isPlain = colors.gamma === undefined || colors.gamma === 0 || Math.abs(colors.gamma - 45_455) <= 500;
  const exponent = isPlain ? undefined : 100_000 / (colors.gamma ?? 1);
  if (header.colorType === 3) return makePaletteConverter(header, colors, exponent);
  const light = makeLinearTable(levels, exponent);
  const isWide = header.bitDepth === 16;
  const channels = channelsOf[header.colorType];
  const key = readTransparentKey(colors.transparency, channels);
  if (channels === 1) return makeGrayConverter(header.bitDepth, light, key);
  const hasAlpha = header.colorType >= 4;
  const colorChannels = hasAlpha ? channels - 1 : channels;
  const sample = (raw: Uint8Array, index: number): number =>
    isWide ? ((raw[2 * index] ?? 0) << 8) | (raw[2 * index + 1] ?? 0) : (raw[index] ?? 0);
  return (raw, out, count) => {
    for (let x = 0; x < count; x += 1) {
      const at = x * channels;
      const [a, b, c] = [sample(raw, at), sample(raw, at + 1), sample(raw, at + 2)];
      let value = light[a] ?? 0;
      if (colorChannels === 3) value = luminance(value, light[b] ?? 0, light[c] ?? 0);
      if (hasAlpha) value = overWhite(value, sample(raw, at + colorChannels) / (levels - 1));
      else if (key !== undefined && a === key[0] && b === key[1] && c === key[2]) value = linearWhite;
      out[x] = Math.round(value);
    }
    return -1;
  };
}

/** ISO/IEC 15948 clause 13.16: compositing is done on linear light. */
function overWhite(light: number, alpha: number): number {
  return linearWhite + (light - linearWhite) * alpha;
}

function readTransparentKey(stored: Uint8Array | undefined, channels: number): readonly number[] | undefined {
  if (stored === undefined || stored.length !== channels * 2) return undefined;
  return Array.from({ length: channels }, (_, i) => ((stored[2 * i] ?? 0) << 8) | (stored[2 * i + 1] ?? 0));
}

function makeGrayConverter(bitDepth: number, light: Uint16Array, key: readonly number[] | undefined): RowConverter {
  const transparent = key?.[0];
  if (transparent !== undefined && transparent < light.length) light[transparent] = linearWhite;
  if (bitDepth === 16) {
    return (raw, out, count) => {
      for (let x = 0; x < count; x += 1) out[x] = light[((raw[2 * x] ?? 0) << 8) | (raw[2 * x + 1] ?? 0)] ?? 0;
      return -1;
    };
  }
  return (raw, out, count) => {
    for (let x = 0; x < count; x += 1) out[x] = light[packedSample(raw, x, bitDepth)] ?? 0;
    return -1;
  };
}

function makePaletteConverter(header: PngHeader, colors: PngColors, exponent: number | undefined): RowConverter {
  const palette = colors.palette ?? new Uint8Array(0);
  const table = makeLinearTable(256, exponent);
  const light = Uint16Array.from({ length: palette.length / 3 }, (_, i) => {
    const [red = 0, green = 0, blue = 0] = palette.subarray(3 * i, 3 * i + 3);
    const value = luminance(table[red] ?? 0, table[green] ?? 0, table[blue] ?? 0);
    return Math.round(overWhite(value, (colors.transparency?.[i] ?? 255) / 255));
  });
  return (raw, out, count) => {
    for (let x = 0; x < count; x += 1) {
      const value = light[packedSample(raw, x, header.bitDepth)];
      if (value === undefined) return x;
      out[x] = value;
    }
    return -1;
  };
}

/** Sample `index` of a row of samples of 1, 2, 4 or 8 bits, the leftmost in the high bits. */
function packedSample(raw: Uint8Array, index: number, bitDepth: number): number {
  if (bitDepth === 8) return raw[index] ?? 0;
  const bit = index * bitDepth;
  return ((raw[bit >> 3] ?? 0) >> (8 - bitDepth - (bit & 7))) & ((1 << bitDepth) - 1);
}
