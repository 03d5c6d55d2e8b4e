import { describe, expect, it } from "vitest";
import { createRealClock, type SimClock, VirtualClock } from "../firmware-sim/mod.ts";
import { MINUTE_CHAPTERS, playChapters, type Witness } from "./minute.ts";

/** Chapters of a run in real time: about three seconds. */
const SHORT_CHAPTERS = 3;

/** Counts what is scheduled: the work of a clock that waits for nothing. */
class CountingClock implements SimClock {
  readonly virtual = new VirtualClock();
  scheduled = 0;

  nowMs(): number {
    return this.virtual.nowMs();
  }

  schedule(atMs: number, fn: () => void): () => void {
    this.scheduled += 1;
    return this.virtual.schedule(atMs, fn);
  }
}

function playVirtually(chapters: number, clock: CountingClock): Promise<Witness> {
  return playChapters(chapters, clock, async () => clock.virtual.runAll());
}

describe("a document of mixed content", () => {
  it("gives the same paper, and the same replies at the same moments, in real time and on the virtual clock", async () => {
    const real = await playChapters(SHORT_CHAPTERS, createRealClock(), (ended) => ended);
    const virtual = await playVirtually(SHORT_CHAPTERS, new CountingClock());
    expect(virtual).toEqual(real);
    expect(virtual.printedMs).toBeGreaterThan(2_500);
    // The end of the paper and the new roll, as automatic status, and a splice in the paper.
    expect(virtual.replies.map((reply) => reply.split(" ")[0])).toContain("18000f00");
    expect(virtual.pieces.some((piece) => / \d+ [0-9a-f]{64}$/.test(piece))).toBe(true);
    expect(virtual.diagnostics).toBe(0);
  });

  it("takes a minute of the model, and few wake-ups of the clock", async () => {
    const clock = new CountingClock();
    const { printedMs, pieces, replies } = await playVirtually(MINUTE_CHAPTERS, clock);
    expect(printedMs).toBeGreaterThan(60_000);
    expect(pieces).toHaveLength(MINUTE_CHAPTERS);
    expect(replies.length).toBeGreaterThan(6 * MINUTE_CHAPTERS);
    // A call for each step of the mechanism and each turn of the interpreter, none for a row or a byte.
    expect(clock.scheduled).toBeLessThan(200 * MINUTE_CHAPTERS);
  });
});
