import { expect, it } from "vitest";
import { agoText, formatBytes, formatCount, formatPercent, formatTime } from "./format.ts";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 KB"],
  [9_940, "9.9 KB"],
  [9_960, "10 KB"],
  [999_499, "999 KB"],
  [999_500, "1.0 MB"],
  [16_777_216, "17 MB"],
  [5_000_000_000_000, "5000 GB"],
])("%i bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it.each([
  [0, 0, "0 %"],
  [0, 950, "0 %"],
  [949, 950, "99 %"],
  [950, 950, "100 %"],
  [960, 950, "100 %"],
])("%i of %i rows are %s", (done, total, text) => {
  expect(formatPercent(done, total)).toBe(text);
});

it("counts in words", () => {
  expect([formatCount(1, "page"), formatCount(0, "page")]).toEqual(["1 page", "0 pages"]);
});

it("tells the time of this machine's zone", () => {
  expect(formatTime(new Date(2026, 10, 3, 4, 5, 6).getTime())).toBe("2026-11-03 04:05:06");
});

it.each([
  [0, "0 seconds ago"],
  [61_000, "1 minute ago"],
  [7_200_000, "2 hours ago"],
  [90_000_000, "1 day ago"],
])("%i ms are %s", (ms, text) => {
  expect(agoText(ms)).toBe(text);
});
