import type { Output } from "./io.ts";
import { fitText, printable } from "./text-width.ts";

const redrawMs = 100;

/**
 * What a person follows: on a terminal one line that is drawn anew, in a pipe a line for each step and nothing in
 * between.
 */
export class ProgressLine {
  readonly #out: Output;
  readonly #nowMs: () => number;
  #drawn = "";
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(out: Output, nowMs: () => number) {
    this.#out = out;
    this.#nowMs = nowMs;
  }

  /** How far it has come: shown on a terminal, at most ten times a second. */
  update(text: string): void {
    if (!this.#out.isTerminal) return;
    const nowMs = this.#nowMs();
    if (nowMs - this.#drawnAtMs < redrawMs) return;
    this.#draw(text, nowMs);
  }

  /** A step that counts: always shown; in a pipe as a line of its own. */
  step(text: string): void {
    if (this.#out.isTerminal) this.#draw(text, this.#nowMs());
    else this.#out.write(`${printable(text)}\n`);
  }

  /** A line that stays. */
  line(text: string): void {
    this.clear();
    this.#out.write(`${printable(text)}\n`);
  }

  clear(): void {
    if (this.#drawn === "") return;
    this.#out.write("\r\u001b[K");
    this.#drawn = "";
  }

  #draw(text: string, nowMs: number): void {
    // One column is left free: terminals wrap, or not, when the last one is written.
    const fitted = fitText(printable(text), (this.#out.columns ?? 80) - 1);
    this.#drawnAtMs = nowMs;
    if (fitted === this.#drawn) return;
    this.#out.write(`\r${fitted}\u001b[K`);
    this.#drawn = fitted;
  }
}
