/**
 * A picture as luminance in linear light, row by row: 0 is black, 65535 is white. Averages and dithering are right only
 * on these values, because a printed dot pattern mixes light and not sRGB code values.
 */
export interface LinearImage {
  readonly widthDots: number;
  readonly heightDots: number;
  /** A row is valid until the next one is asked for; its buffer is used again. */
  readonly rows: AsyncIterable<Uint16Array>;
}

export const linearWhite = 65_535;

/** IEC 61966-2-1: sRGB code value (0 to 1) to linear light (0 to 1). */
export function linearFromSrgb(value: number): number {
  return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/**
 * Table from sample (0 to `levels` - 1) to linear light (0 to 65535).
 * `exponent` replaces the sRGB curve by a plain power, as a PNG gAMA chunk asks for.
 */
export function makeLinearTable(levels: number, exponent?: number): Uint16Array {
  const table = new Uint16Array(levels);
  for (let i = 0; i < levels; i += 1) {
    const value = i / (levels - 1);
    table[i] = Math.round(linearWhite * (exponent === undefined ? linearFromSrgb(value) : value ** exponent));
  }
  return table;
}

/** Luminance of linear sRGB primaries (ITU-R BT.709, the primaries of sRGB). */
export function luminance(red: number, green: number, blue: number): number {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
