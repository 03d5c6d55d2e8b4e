import { describe, expect, it } from "vitest";
import { type Column, formatFields, formatTable } from "./table.ts";
import { textWidth } from "./text-width.ts";

interface Row {
  readonly id: string;
  readonly pages: number;
  readonly title: string;
}

const columns: readonly Column<Row>[] = [
  { title: "JOB", value: (row) => row.id },
  { title: "PAGES", value: (row) => String(row.pages), align: "right" },
  { title: "TITLE", value: (row) => row.title, shrinkTo: 6 },
];
const rows: readonly Row[] = [
  { id: "a-1", pages: 1, title: "厨房オーダー票 第三卓" },
  { id: "a-10", pages: 12, title: "receipt.png" },
];

describe("formatTable", () => {
  it("aligns columns, whatever they are written in", () => {
    expect(formatTable(columns, rows)).toEqual([
      "JOB   PAGES  TITLE",
      "a-1       1  厨房オーダー票 第三卓",
      "a-10     12  receipt.png",
    ]);
  });

  it("cuts only what may be cut, and fits the terminal as long as that is possible", () => {
    for (let width = 19; width < 40; width += 1) {
      for (const line of formatTable(columns, rows, width)) expect(textWidth(line)).toBeLessThanOrEqual(width);
    }
    expect(formatTable(columns, rows, 20)[1]).toBe("a-1       1  厨房オ…");
    expect(formatTable(columns, rows, 5)[2]).toBe("a-10     12  recei…");
  });

  it("shrinks the widest column first", () => {
    const two: readonly Column<Row>[] = [
      { title: "A", value: () => "aaaaaaaaaa", shrinkTo: 1 },
      { title: "B", value: () => "bbbb", shrinkTo: 1 },
    ];
    expect(formatTable(two, rows.slice(0, 1), 12)[1]).toBe("aaaaa…  bbbb");
  });

  it("shows control characters as what they are", () => {
    expect(formatTable(columns, [{ id: "x", pages: 1, title: "a\u001b[31mb" }])[1]).toBe("x        1  a�[31mb");
  });
});

it("formatFields leaves out what is not known", () => {
  expect(
    formatFields([
      ["job", "a-1"],
      ["document date", undefined],
      ["title", "票"],
    ]),
  ).toEqual(["job    a-1", "title  票"]);
});
