import type { ToneMode } from "./dither.ts";
import { linearFromSrgb, linearWhite } from "./linear-image.ts";

/** sRGB 32 and 223: what lies between is a tone, neither ink nor paper. */
const darkestTone = linearFromSrgb(32 / 255) * linearWhite;
const lightestTone = linearFromSrgb(223 / 255) * linearWhite;
/** Smoothed edges of letters are one or two pixels of tone; areas of tone are wider and higher. */
const areaSidePixels = 4;
/** A photograph of this share of the picture makes all of it a photograph. */
const photoShare = 0.01;

/**
 * Tells photographs from line art in a first pass over the rows: by the share of pixels that lie within areas of middle
 * tones. A plain histogram would take small smoothed print for a photograph, and miss a photograph on a long receipt.
 */
export class ToneMeter {
  readonly #columnRuns: Uint16Array;
  #pixels = 0;
  #areaPixels = 0;

  constructor(widthDots: number) {
    this.#columnRuns = new Uint16Array(widthDots);
  }

  add(row: Uint16Array): void {
    const runs = this.#columnRuns;
    let deepRun = 0;
    for (let x = 0; x < runs.length; x += 1) {
      const light = row[x] ?? 0;
      if (light <= darkestTone || light >= lightestTone) {
        runs[x] = 0;
        deepRun = 0;
        continue;
      }
      const columnRun = Math.min((runs[x] ?? 0) + 1, areaSidePixels);
      runs[x] = columnRun;
      deepRun = columnRun === areaSidePixels ? deepRun + 1 : 0;
      if (deepRun >= areaSidePixels) this.#areaPixels += 1;
    }
    this.#pixels += runs.length;
  }

  get mode(): ToneMode {
    return this.#areaPixels > this.#pixels * photoShare ? "photo" : "line-art";
  }
}
