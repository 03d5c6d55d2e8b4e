import type { Timers } from "../protocol/limits.ts";

/** A thing repeated with growing pauses until it is answered: when it is due next, and the pause after that. */
export interface Retry {
  readonly atMs: number;
  readonly delayMs: number;
}

/** Due after the first pause. */
export function firstRetry(nowMs: number, timers: Timers): Retry {
  return { atMs: nowMs + timers.retryFirstMs, delayMs: timers.retryFirstMs };
}

/** Due after twice the pause before, at most `retryLastMs`. */
export function nextRetry(retry: Retry, nowMs: number, timers: Timers): Retry {
  const delayMs = Math.min(retry.delayMs * 2, timers.retryLastMs);
  return { atMs: nowMs + delayMs, delayMs };
}

/** The earliest of several moments, undefined when there is none. */
export function earliest(moments: Iterable<number | undefined>): number | undefined {
  let first: number | undefined;
  for (const moment of moments) {
    if (moment !== undefined && (first === undefined || moment < first)) first = moment;
  }
  return first;
}
