import { describe, expect, it } from "vitest";
import { createFastClock, createRealClock, VirtualClock } from "./clock.ts";
import { parseFault } from "./faults.ts";
import { pageToHalfBlocks } from "./paper-view.ts";
import { findProfile } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { raster } from "./test-bytes.ts";

describe("clocks", () => {
  it("runs what is due in order of time, then of scheduling, and not what was canceled", () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    for (let index = 0; index < 50; index += 1)
      clock.schedule((index * 37) % 50, () => ran.push(`${(index * 37) % 50}`));
    clock.schedule(10, () => ran.push("second at 10"));
    clock.schedule(5.5, () => ran.push("canceled"))();
    clock.advance(10);
    expect(ran).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "second at 10"]);
    expect(clock.nowMs()).toBe(10);
    clock.runAll();
    expect(ran).toHaveLength(51);
    expect(ran.at(-1)).toBe("49");
  });

  it("says so when something reschedules for ever", () => {
    const clock = new VirtualClock();
    const again = (): void => {
      clock.schedule(clock.nowMs() + 1, again);
    };
    again();
    expect(() => clock.runAll(100)).toThrow(/100 calls/);
  });

  it("never runs anything synchronously, and skips the waiting when it may", async () => {
    const clock = createFastClock();
    const ran: number[] = [];
    await new Promise<void>((resolve) => {
      clock.schedule(3_600_000, resolve);
      clock.schedule(5, () => ran.push(clock.nowMs()));
      expect(ran).toEqual([]);
    });
    expect(ran).toEqual([5]);
    expect(clock.nowMs()).toBe(3_600_000);
  });

  it("keeps wall time otherwise", async () => {
    const clock = createRealClock();
    const startMs = clock.nowMs();
    await new Promise<void>((resolve) => clock.schedule(startMs + 20, resolve));
    expect(clock.nowMs() - startMs).toBeGreaterThan(15);
  });

  it("shows calls the moments they were scheduled for, however late the timers of the system are", async () => {
    const clock = createRealClock();
    const seen: [string, number][] = [];
    const startMs = clock.nowMs();
    await new Promise<void>((resolve) => {
      clock.schedule(startMs + 3, () => {
        seen.push(["first", clock.nowMs() - startMs]);
        clock.schedule(startMs + 4, () => seen.push(["follows from first", clock.nowMs() - startMs]));
      });
      clock.schedule(startMs + 5, () => {
        seen.push(["second", clock.nowMs() - startMs]);
        resolve();
      });
      const before = performance.now();
      while (performance.now() - before < 30);
    });
    expect(seen.map(([name]) => name)).toEqual(["first", "follows from first", "second"]);
    for (const [index, ms] of [3, 4, 5].entries()) expect(seen[index]?.[1]).toBeCloseTo(ms, 6);
    expect(clock.nowMs() - startMs).toBeGreaterThan(29);
  });

  it("never goes back for a call that is late, and forgets what was canceled", async () => {
    const clock = createRealClock();
    const startMs = clock.nowMs();
    const before = performance.now();
    const late = new Promise<number>((resolve) => clock.schedule(startMs + 1, () => resolve(clock.nowMs())));
    clock.schedule(startMs + 2, () => expect.unreachable("it was canceled"))();
    while (performance.now() - before < 10);
    const askedMs = clock.nowMs();
    expect(askedMs - startMs).toBeGreaterThan(9);
    expect(await late).toBeGreaterThanOrEqual(askedMs);
    await new Promise<void>((resolve) => clock.schedule(clock.nowMs() + 3, resolve));
  });
});

describe("words", () => {
  it("reads faults and profiles, and lists what it knows otherwise", () => {
    expect(parseFault("paper-end@1200")).toEqual({ kind: "paper-end", atRow: 1200 });
    expect(parseFault("cover-open")).toEqual({ kind: "cover-open" });
    for (const wrong of ["fire", "cover-open@3", "paper-end@x"])
      expect(() => parseFault(wrong)).toThrow(/paper-loaded/);
    expect(findProfile().name).toBe("tm-m30iii");
    expect(() => findProfile("lx-80")).toThrow(/tm-t88vi/);
  });
});

describe("the terminal picture", () => {
  it("draws two rows of dots a line", () => {
    const [page] = renderEscpos(raster([[0b10100000], [0b10010000], [0b01000000]]));
    expect(page && pageToHalfBlocks(page, 576)).toEqual(["█ ▀▄", " ▀"]);
    expect(page && pageToHalfBlocks(page, 144)).toEqual(["▀"]);
  });
});
