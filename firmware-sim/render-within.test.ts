import { expect, it } from "vitest";
import { renderEscpos, renderEscposWithin } from "./render.ts";
import { CUT, raster, stream, stripes } from "./test-bytes.ts";

function rowsOf(pages: readonly { readonly heightDots: number }[]): number {
  return pages.reduce((sum, page) => sum + page.heightDots, 0);
}

it("gives all of the paper when it is short enough, and says so", () => {
  const bytes = stream("hello\n", CUT, raster(stripes(100)));
  const whole = renderEscpos(bytes);
  expect(renderEscposWithin(bytes, { maxRows: 10_000 })).toEqual({ pages: whole, truncated: false });
});

it("stops at the row it was told, within a picture as between feeds", () => {
  const picture = renderEscposWithin(stream(raster(stripes(500))), { maxRows: 123 });
  expect([rowsOf(picture.pages), picture.truncated]).toEqual([123, true]);
  const feeds = renderEscposWithin(stream("A\n", "\x1b3\xff\x1bd\xff".repeat(1000)), { maxRows: 1000 });
  expect([rowsOf(feeds.pages), feeds.truncated, feeds.pages[0]?.text]).toEqual([1000, true, "A"]);
});

it("exactly as many rows are not too many", () => {
  const bytes = stream(raster(stripes(96)));
  expect(renderEscposWithin(bytes, { maxRows: 96 }).truncated).toBe(false);
  expect(renderEscposWithin(bytes, { maxRows: 95 }).truncated).toBe(true);
});

it("keeps macros that multiply paper within bounds", () => {
  const macro = stream("\x1d:", "\x1bd\xff".repeat(600), "\x1d:", "\x1d^\xff\x00\x00".repeat(100));
  const { pages, truncated } = renderEscposWithin(macro, { maxRows: 20_000 });
  expect([rowsOf(pages), truncated]).toEqual([20_000, true]);
});
