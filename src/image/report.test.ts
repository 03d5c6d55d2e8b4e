import { describe, expect, it } from "vitest";
import { bytesPerRow } from "./print-image.ts";
import { drawReport, type ReportBlock } from "./report.ts";

const at203 = (widthDots: number) => ({ widthDots, resolutionDpi: 203 });

async function dotsOf(block: ReportBlock, widthDots = 576): Promise<number[][]> {
  const page = await drawReport([block], at203(widthDots));
  return [...page.rows].map((row) =>
    Array.from({ length: widthDots }, (_, x) => x).filter((x) => ((row[x >> 3] ?? 0) & (0x80 >> (x & 7))) !== 0),
  );
}

async function linesOf(block: ReportBlock, widthDots = 576): Promise<number> {
  return (await drawReport([block], at203(widthDots))).heightDots / 30;
}

describe("a report", () => {
  it("is as wide as the paper, and as high as its blocks", async () => {
    const blocks: ReportBlock[] = [
      { kind: "banner", text: "印刷履歴" },
      { kind: "space" },
      { kind: "line", text: "one" },
      { kind: "rule", style: "thick" },
    ];
    for (const widthDots of [384, 500, 512, 576]) {
      const page = await drawReport(blocks, at203(widthDots));
      const rows = [...page.rows];
      expect(rows).toHaveLength(page.heightDots);
      expect(rows.every((row) => row.length === bytesPerRow(widthDots))).toBe(true);
      const spare = bytesPerRow(widthDots) * 8 - widthDots;
      expect(rows.every((row) => ((row.at(-1) ?? 0) & ((1 << spare) - 1)) === 0)).toBe(true);
    }
  });

  it("has a banner of white letters on black, double where they fit", async () => {
    const rows = await dotsOf({ kind: "banner", text: "AB" });
    expect(rows).toHaveLength(10 + 60 + 10);
    expect(rows[0]).toHaveLength(576);
    const whites = rows.flatMap((row) => (row.length === 576 ? [] : [row.length]));
    expect(whites.length).toBeGreaterThan(20);
    expect(await dotsOf({ kind: "banner", text: "x".repeat(40) }, 576)).toHaveLength(10 + 30 + 10);
  });

  it("sets both ends of a pair, and wraps the left one beside the right one", async () => {
    const rows = await dotsOf({ kind: "pair", left: "total", right: "12" });
    const dots = rows.flat();
    expect(Math.min(...dots)).toBeLessThan(12);
    expect(Math.max(...dots)).toBeGreaterThan(576 - 12);
    const left = "a title with more than forty characters in it, so";
    expect(await linesOf({ kind: "pair", left, right: "printed" })).toBe(2);
    // No room beside it: the right text has a line of its own.
    expect(await linesOf({ kind: "pair", left: "a b c d e f", right: "x".repeat(28) }, 384)).toBe(2);
  });

  it("wraps a value within its column", async () => {
    const rows = await dotsOf({ kind: "field", name: "Name", value: "word ".repeat(30), nameColumns: 10 });
    expect(rows.length).toBeGreaterThan(60);
    expect(Math.min(...rows.slice(30).flat())).toBeGreaterThanOrEqual(120);
  });

  it("makes bold letters a dot wider, and nothing else of them", async () => {
    const plain = await dotsOf({ kind: "pair", left: "Ill", right: "" });
    const bold = await dotsOf({ kind: "pair", left: "Ill", right: "", bold: true });
    expect(bold).toEqual(plain.map((row) => [...new Set(row.flatMap((x) => [x, x + 1]))].sort((a, b) => a - b)));
  });

  it("draws with more dots for a finer head", async () => {
    const page = await drawReport([{ kind: "rule", style: "thick" }], { widthDots: 1152, resolutionDpi: 406 });
    expect(page.heightDots).toBe(2 * (7 + 3 + 7));
  });
});
