import type { LinearImage } from "./linear-image.ts";
import { linearWhite } from "./linear-image.ts";
import { bytesPerRow } from "./print-image.ts";

/** How tones become dots: `photo` by error diffusion, `line-art` by a threshold. */
export type ToneMode = "photo" | "line-art";

/** Half the light of white, sRGB 188: a dot is black when it covers more ink than paper. */
const halfLight = linearWhite / 2;
/** Of a shrunk picture: thin strokes are thinner than a dot and would vanish at half the light. */
const shrunkThreshold = linearWhite * 0.7;

/** Turns rows of a picture into rows of `pageWidthDots` dots, the picture at the left, white to its right. */
export async function* rowsToDots(
  image: LinearImage,
  pageWidthDots: number,
  mode: ToneMode,
  isShrunk: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const diffuser = new ErrorDiffuser(image.widthDots);
  const threshold = isShrunk ? shrunkThreshold : halfLight;
  for await (const row of image.rows) {
    const dots = new Uint8Array(bytesPerRow(pageWidthDots));
    if (mode === "photo") diffuser.diffuse(row, dots);
    else thresholdRow(row, threshold, dots);
    yield dots;
  }
}

/** Sets the dots of all pixels that are darker than the threshold. */
export function thresholdRow(row: Uint16Array, threshold: number, dots: Uint8Array): void {
  for (let x = 0; x < row.length; x += 1) {
    if ((row[x] ?? 0) < threshold) dots[x >> 3] = (dots[x >> 3] ?? 0) | (0x80 >> (x & 7));
  }
}

/**
 * Error diffusion after Floyd and Steinberg, in linear light, every other row from right to left so that no worms crawl
 * to one side. Pure black and pure white stay as they are and pass no error on: text within a photograph keeps its
 * edges, and blank paper costs no bytes.
 */
export class ErrorDiffuser {
  readonly #width: number;
  /** Errors for this row and the next; one spare cell at each end. */
  #current: Float64Array;
  #next: Float64Array;
  #isLeftward = false;

  constructor(widthDots: number) {
    this.#width = widthDots;
    this.#current = new Float64Array(widthDots + 2);
    this.#next = new Float64Array(widthDots + 2);
  }

  diffuse(row: Uint16Array, dots: Uint8Array): void {
    const [current, next] = [this.#current, this.#next];
    const step = this.#isLeftward ? -1 : 1;
    let x = this.#isLeftward ? this.#width - 1 : 0;
    for (let count = 0; count < this.#width; count += 1, x += step) {
      const light = row[x] ?? 0;
      const isExtreme = light === 0 || light === linearWhite;
      const wanted = isExtreme ? light : light + (current[x + 1] ?? 0);
      const isBlack = wanted < halfLight;
      if (isBlack) dots[x >> 3] = (dots[x >> 3] ?? 0) | (0x80 >> (x & 7));
      if (isExtreme) continue;
      const error = (wanted - (isBlack ? 0 : linearWhite)) / 16;
      const at = x + 1;
      current[at + step] = (current[at + step] ?? 0) + 7 * error;
      next[at - step] = (next[at - step] ?? 0) + 3 * error;
      next[at] = (next[at] ?? 0) + 5 * error;
      next[at + step] = (next[at + step] ?? 0) + error;
    }
    current.fill(0);
    this.#current = next;
    this.#next = current;
    this.#isLeftward = !this.#isLeftward;
  }
}
