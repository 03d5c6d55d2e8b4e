import { describe, expect, it } from "vitest";
import { defaultTimers } from "../protocol/limits.ts";
import { earliest, firstRetry, nextRetry } from "./retry.ts";

describe("retry", () => {
  it("grows from 0.5 s to 30 s and stays there (design §3)", () => {
    const pausesMs: number[] = [];
    let nowMs = 1_000;
    for (let retry = firstRetry(nowMs, defaultTimers); pausesMs.length < 9; ) {
      pausesMs.push(retry.atMs - nowMs);
      nowMs = retry.atMs;
      retry = nextRetry(retry, nowMs, defaultTimers);
    }
    expect(pausesMs).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("counts the next pause from the moment it was late, not from when it was due", () => {
    const retry = firstRetry(0, defaultTimers);
    expect(nextRetry(retry, 90_000, defaultTimers)).toEqual({ atMs: 91_000, delayMs: 1_000 });
  });
});

describe("earliest", () => {
  it.each([
    [[], undefined],
    [[undefined, undefined], undefined],
    [[0], 0],
    [[7, undefined, 3, 5], 3],
  ])("of %j is %s", (moments, expected) => {
    expect(earliest(moments)).toBe(expected);
  });
});
