import { describe, expect, it } from "vitest";
import { parseDuration, parseMoment, parsePriority } from "./duration.ts";

describe("a duration", () => {
  it.each([
    ["90s", 90_000],
    ["15m", 900_000],
    ["2h", 7_200_000],
    ["3d", 259_200_000],
    ["0s", 0],
  ])("%s is %d ms", (text, durationMs) => {
    expect(parseDuration("--expires", text)).toBe(durationMs);
  });

  it.each(["", "2", "h", "-1h", "1.5h", "367d", "1w"])("%j is refused with what would do", (text) => {
    expect(() => parseDuration("--expires", text)).toThrow(/--expires .*90s, 15m, 2h or 3d/);
  });
});

describe("a moment", () => {
  const noon = new Date(2026, 10, 23, 12, 0, 0).getTime();

  it("later today", () => {
    expect(parseMoment("--at", "18:30", noon)).toBe(6.5 * 3_600_000);
  });

  it("is tomorrow when it has passed", () => {
    expect(new Date(noon + parseMoment("--at", "9:00", noon)).getDate()).toBe(24);
  });

  it("may be a duration", () => {
    expect(parseMoment("--at", "10m", noon)).toBe(600_000);
  });

  it.each(["24:00", "12:60", "noon"])("%s is refused", (text) => {
    expect(() => parseMoment("--at", text, noon)).toThrow(/--at/);
  });
});

describe("a priority", () => {
  it("goes from 1 to 100", () => {
    expect([parsePriority("1"), parsePriority("100")]).toEqual([1, 100]);
  });

  it.each(["0", "101", "high", "5.5"])("%s is refused", (text) => {
    expect(() => parsePriority(text)).toThrow(/1 to 100/);
  });
});
