import { expect, it } from "vitest";
import { pageToBraille, pageToHalfBlocks } from "./paper-view.ts";
import { renderEscpos } from "./render.ts";
import { raster, stream } from "./test-bytes.ts";

function view(draw: typeof pageToBraille, columns: number, rows: readonly (readonly number[])[]): string[] {
  const [page] = renderEscpos(stream(raster(rows.map((row) => [...row]))), { profile: "tm-m30iii" });
  return page === undefined ? [] : draw({ ...page, widthDots: 16 }, columns);
}

it("draws dot for dot where there is room", () => {
  const rows = [
    [0b10100000, 0],
    [0b01000000, 0],
    [0b00000000, 1],
    [0b11000000, 0],
  ];
  expect(view(pageToHalfBlocks, 80, rows)).toEqual(["▀▄▀", "▄▄             ▀"]);
  expect(view(pageToBraille, 80, rows)).toEqual(["⣑⠁     ⠠"]);
});

it.each([pageToHalfBlocks, pageToBraille])("$name is as wide as asked, and no wider than the paper", (draw) => {
  const full = Array.from({ length: 16 }, () => [0xff, 0xff]);
  for (const columns of [3, 4, 5, 7]) expect(view(draw, columns, full)[0]).toHaveLength(columns);
  expect(view(draw, 100, full)[0]).toHaveLength(draw === pageToBraille ? 8 : 16);
});

it("parts strokes with paper between them, and keeps lines of one dot", () => {
  // Two dots black, four white: a sample of two dots sees each stroke.
  const strokes = Array.from({ length: 4 }, () => [0b11000011, 0b00001100]);
  expect(view(pageToHalfBlocks, 8, strokes)).toEqual(["█  █  █"]);
  const line = [
    [0, 0],
    [0, 0],
    [0, 0],
    [0xff, 0xff],
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ];
  expect(view(pageToHalfBlocks, 4, line)).toEqual(["▀▀▀▀"]);
  // One dot in a sample of sixteen is dirt.
  expect(
    view(pageToHalfBlocks, 4, [
      [0b10000000, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ]),
  ).toEqual([""]);
});
