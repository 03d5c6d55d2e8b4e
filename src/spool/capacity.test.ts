import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultThresholds, judgeCapacity, judgeImage } from "./capacity.ts";
import { diskUsage } from "./disk-usage.ts";

const givenSeed = process.env["TEST_SEED"];
if (givenSeed !== undefined) fc.configureGlobal({ seed: Number(givenSeed) });

const mib = 1024 * 1024;
const disk = (totalBytes: number, availableBytes: number) => ({ totalBytes, availableBytes });

describe("capacity", () => {
  it.each([
    [79.9, "ok", ""],
    [80, "near-full", "80 % of the spool's quota are used"],
    [89.9, "near-full", "89 % of the spool's quota are used"],
    [90, "full", "90 % of the spool's quota are used"],
    [150, "full", "150 % of the spool's quota are used"],
  ])("judges a quota that is used by %d %% as %s", (percent, level, reason) => {
    expect(judgeCapacity({ usedBytes: percent * mib, quotaBytes: 100 * mib })).toEqual({ level, reason });
  });

  it("takes the worse of quota and disk", () => {
    const usage = { usedBytes: 85, quotaBytes: 100 };
    expect(judgeCapacity({ ...usage, disk: disk(10_000 * mib, 500 * mib) })).toEqual({
      level: "full",
      reason: "95 % of the disk are used",
    });
    expect(judgeCapacity({ ...usage, disk: disk(10_000 * mib, 5000 * mib) }).reason).toMatch(/quota/);
    expect(judgeCapacity({ ...usage, disk: disk(100 * mib, 63.5 * mib) })).toEqual({
      level: "full",
      reason: "the disk has only 63 MiB left",
    });
    expect(judgeCapacity({ ...usage, disk: disk(100 * mib, 3.25 * mib) }).reason).toMatch("3.2 MiB");
    expect(judgeCapacity({ usedBytes: 0, quotaBytes: 0 }).level).toBe("full");
  });

  it("does not flicker at a threshold", () => {
    const at = (usedBytes: number, before: "ok" | "near-full" | "full") =>
      judgeCapacity({ usedBytes, quotaBytes: 100 }, before).level;
    expect(at(89, "near-full")).toBe("near-full");
    expect(at(89, "full")).toBe("full");
    expect(at(87, "full")).toBe("near-full");
    expect(at(79, "full")).toBe("near-full");
    expect(at(79, "near-full")).toBe("near-full");
    expect(at(79, "ok")).toBe("ok");
    expect(at(77, "near-full")).toBe("ok");
  });

  it("never gets better by using more", () => {
    const levels = ["ok", "near-full", "full"] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...levels),
        fc.nat(200),
        fc.nat(200),
        fc.nat(1000),
        (before, some, more, availableMib) => {
          const judge = (usedBytes: number) =>
            judgeCapacity({ usedBytes, quotaBytes: 100, disk: disk(1000 * mib, availableMib * mib) }, before).level;
          expect(levels.indexOf(judge(some + more))).toBeGreaterThanOrEqual(levels.indexOf(judge(some)));
        },
      ),
    );
  });

  it("says whether one more image fits, and why not", () => {
    const usage = { usedBytes: 50 * mib, quotaBytes: 100 * mib, disk: disk(1000 * mib, 500 * mib) };
    const judge = (sizeBytes: number, clientUsedBytes = 0, changed = {}) =>
      judgeImage({ ...usage, ...changed }, { sizeBytes, clientUsedBytes }, defaultThresholds);
    expect(judge(10 * mib)).toEqual({ level: "ok", reason: "" });
    expect(judge(51 * mib).reason).toBe("51 MiB more would exceed the spool's quota of 100 MiB");
    expect(judge(10 * mib, 10 * mib).level).toBe("ok");
    expect(judge(10 * mib, 11 * mib).reason).toBe("this client's images would take more than its share of 20 MiB");
    expect(judge(30 * mib).level).toBe("ok");
    expect(judge(10 * mib, 0, { disk: disk(1000 * mib, 70 * mib) })).toEqual({
      level: "full",
      reason: "the disk has only 70 MiB left",
    });
    expect(judgeImage({ usedBytes: 0, quotaBytes: 10 }, { sizeBytes: 10, clientUsedBytes: 0 }).level).toBe("ok");
  });
});

describe("disk usage", () => {
  it("asks the system", async () => {
    const usage = await diskUsage(tmpdir());
    expect(usage.totalBytes).toBeGreaterThan(0);
    expect(usage.availableBytes).toBeLessThanOrEqual(usage.totalBytes);
    const nowhere = diskUsage(join(tmpdir(), "twinspool-not-there"));
    await expect(nowhere).rejects.toEqual(expect.objectContaining({ code: "disk-failed" }));
  });
});
