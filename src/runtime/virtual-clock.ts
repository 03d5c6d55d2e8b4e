import type { Clock } from "./clock.ts";
import type { Instant } from "./machine.ts";

interface Timer {
  readonly atMonotonicMs: number;
  readonly fn: () => void;
}

/** A clock that stands still until it is moved, for tests: a minute passes in no time, and the same way each time. */
export class VirtualClock implements Clock {
  #monotonicMs: number;
  readonly #wallOffsetMs: number;
  /** In the order of asking, which decides among equal times. */
  readonly #timers = new Set<Timer>();

  constructor(startMonotonicMs = 0, startWallMs = Date.UTC(2025, 0, 1)) {
    this.#monotonicMs = startMonotonicMs;
    this.#wallOffsetMs = startWallMs - startMonotonicMs;
  }

  now(): Instant {
    return { monotonicMs: this.#monotonicMs, wallMs: this.#monotonicMs + this.#wallOffsetMs };
  }

  setTimer(atMonotonicMs: number, fn: () => void): () => void {
    const timer = { atMonotonicMs, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Time of the next timer, or undefined when none is set. */
  nextTimerMs(): number | undefined {
    return this.#next()?.atMonotonicMs;
  }

  /** Moves time on by so many milliseconds and fires what falls due, in order, each at its own time. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (let timer = this.#next(); timer !== undefined && timer.atMonotonicMs <= endMs; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#monotonicMs = Math.max(this.#monotonicMs, timer.atMonotonicMs);
      timer.fn();
    }
    this.#monotonicMs = endMs;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.atMonotonicMs < first.atMonotonicMs) first = timer;
    }
    return first;
  }
}
