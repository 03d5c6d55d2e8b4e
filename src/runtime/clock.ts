import type { Instant } from "./machine.ts";

/** Where shells get time from. */
export interface Clock {
  now(): Instant;
  /** Calls `fn` once at or soon after that monotonic time (ms); a time gone by means soon. Returns the cancel. */
  setTimer(atMonotonicMs: number, fn: () => void): () => void;
}

/** setTimeout takes a signed 32-bit delay and fires at once when it is larger. */
const longestDelayMs = 2 ** 31 - 1;

export const nodeClock: Clock = {
  now: () => ({ monotonicMs: performance.now(), wallMs: Date.now() }),
  setTimer(atMonotonicMs, fn) {
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const leftMs = Math.max(0, Math.ceil(atMonotonicMs - performance.now()));
      // Node may fire up to a millisecond early by this clock; whoever asked for a time must not be woken before it.
      handle = setTimeout(
        () => {
          if (performance.now() < atMonotonicMs) arm();
          else fn();
        },
        Math.min(leftMs, longestDelayMs),
      );
    };
    arm();
    return () => clearTimeout(handle);
  },
};
