import { expect, it } from "vitest";
import { getDot } from "./bits.ts";
import type { Page } from "./paper.ts";
import { renderEscpos } from "./render.ts";
import { pageToSvg } from "./svg.ts";
import { CUT, INITIALIZE, raster, stream } from "./test-bytes.ts";
import { locateText } from "./text-places.ts";

function onePage(...parts: readonly (string | Uint8Array)[]): Page {
  const [page] = renderEscpos(stream(INITIALIZE, ...parts, CUT));
  if (page === undefined) throw new Error("no paper");
  return page;
}

/** The dots that the path of an SVG paints. */
function paintedDots(svg: string): string[] {
  const path = /d="([^"]*)"/.exec(svg)?.[1] ?? "";
  return [...path.matchAll(/M(\d+) (\d+)h(\d+)v(\d+)h-\d+z/g)].flatMap((match) => {
    const [x = 0, y = 0, width = 0, height = 0] = match.slice(1).map(Number);
    return Array.from({ length: width * height }, (_, at) => `${x + (at % width)},${y + Math.floor(at / width)}`);
  });
}

function blackDots(page: Page): string[] {
  return page.rows.flatMap((row, y) =>
    Array.from({ length: page.widthDots }, (_, x) => x).flatMap((x) => (getDot(row, x) ? [`${x},${y}`] : [])),
  );
}

it("paints every black dot once, and no other", () => {
  const page = onePage(
    "Tee & Kuchen\n",
    raster([
      [0xf0, 0x0f],
      [0xf0, 0x0f],
      [0xa5, 0x81],
      [0, 0],
      [0xff, 0xff],
    ]),
  );
  expect(paintedDots(pageToSvg(page)).sort()).toEqual(blackDots(page).sort());
});

it("merges equal rows", () => {
  const page = onePage(raster(Array.from({ length: 40 }, () => [0xff, 0x00, 0xff])));
  expect(pageToSvg(page)).toContain('d="M0 0h8v40h-8zM16 0h8v40h-8z"');
});

it("has the size of the paper, and the text as text", () => {
  const svg = pageToSvg(onePage('a<b & "c"\n'));
  expect(svg).toMatch(/^<svg xmlns="[^"]*" width="72\.07mm" height="[\d.]+mm" viewBox="0 0 576 \d+">\n/);
  expect(svg).toContain('xml:space="preserve">a&lt;b &amp; "c"</text>');
});

it("says where a line stands", () => {
  const [left, right, ...others] = locateText(onePage("X\n\x1ba\x02", "\x1d!\x11X\n"));
  expect(others).toEqual([]);
  if (left === undefined || right === undefined) throw new Error("two lines were printed");
  expect(left.x).toBeLessThan(12);
  expect(right.x).toBeGreaterThan(576 - 2 * 12 - 1);
  expect(right.widthDots).toBeGreaterThan(left.widthDots);
  expect(right.y).toBeGreaterThanOrEqual(left.y + left.heightDots);
});

it("gives blank paper a picture too", () => {
  const page = onePage("\x1bd\x02");
  expect(pageToSvg(page)).toContain('d=""');
  expect(locateText(page)).toEqual([]);
});
