import { expect, test } from "vitest";
import { nodeClock } from "./clock.ts";
import { VirtualClock } from "./virtual-clock.ts";

test("the real clock fires at or after the time asked for, and never what was cancelled", async () => {
  const fired: string[] = [];
  const atMs = nodeClock.now().monotonicMs + 20;
  const cancel = nodeClock.setTimer(atMs - 10, () => fired.push("cancelled"));
  cancel();
  const firedAtMs = await new Promise<number>((resolve) => {
    nodeClock.setTimer(atMs, () => resolve(nodeClock.now().monotonicMs));
  });
  expect(firedAtMs).toBeGreaterThanOrEqual(atMs);
  expect(fired).toEqual([]);
});

test("a time further away than setTimeout can count does not fire at once", async () => {
  let fired = false;
  const cancel = nodeClock.setTimer(nodeClock.now().monotonicMs + 2 ** 40, () => {
    fired = true;
  });
  await new Promise<void>((resolve) => nodeClock.setTimer(nodeClock.now().monotonicMs + 10, resolve));
  cancel();
  expect(fired).toBe(false);
});

test("the virtual clock fires in the order of time, then of asking, each at its own time", () => {
  const clock = new VirtualClock(100, 1_000_000);
  const seen: [string, number][] = [];
  const note = (name: string) => () => seen.push([name, clock.now().monotonicMs]);
  clock.setTimer(130, note("c"));
  clock.setTimer(110, () => {
    note("a")();
    clock.setTimer(115, note("b"));
  });
  clock.setTimer(130, note("d"));
  clock.setTimer(120, note("never"))();
  clock.setTimer(90, note("overdue"));
  expect(clock.nextTimerMs()).toBe(90);
  clock.advance(35);
  expect(seen).toEqual([
    ["overdue", 100],
    ["a", 110],
    ["b", 115],
    ["c", 130],
    ["d", 130],
  ]);
  expect(clock.now()).toEqual({ monotonicMs: 135, wallMs: 1_000_035 });
  expect(clock.nextTimerMs()).toBeUndefined();
});
