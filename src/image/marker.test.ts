import { describe, expect, test } from "vitest";
import { BitmapFont, loadFont } from "./font.ts";
import { markDuplicate } from "./marker.ts";
import type { MemoryPage } from "./print-image.ts";
import { encodePwg, readPrintImage } from "./pwg-raster.ts";
import { codeOf, collect, inChunks } from "./test-support.ts";

const line = "DUPLICATE / 再印刷";

function makePages(widthDots: number): MemoryPage[] {
  const rows = [1, 2, 3].map((fill) => new Uint8Array(Math.ceil(widthDots / 8)).fill(fill * 8));
  const page = { widthDots, heightDots: 3, resolutionDpi: 203, rows };
  return [page, page];
}

describe("duplicate mark", () => {
  test.each([576, 384, 100])("stands above the first page only, %i dots wide", async (widthDots) => {
    const pages = makePages(widthDots);
    const image = await collect(encodePwg(pages, 2));
    const marked = readPrintImage(await collect(markDuplicate(image, line))).pages;
    expect(marked.length).toBe(2);
    const first = [...(marked[0]?.rows ?? [])];
    expect(first.slice(-3)).toEqual([...(readPrintImage(image).pages[0]?.rows ?? [])]);
    expect(first[0]?.subarray(0, widthDots >> 3).every((byte) => byte === 0xff)).toBe(true);
    expect([...(marked[1]?.rows ?? [])]).toEqual([...(readPrintImage(image).pages[1]?.rows ?? [])]);
    // Bars and margins (36 rows), and the words: double size where they fit so, else wrapped.
    const wordRows = { 576: 60, 384: 30, 100: 90 }[widthDots];
    expect(first.length - 3).toBe(36 + (wordRows ?? 0));
    expect(first.slice(14, 44).some((row) => row.some((byte) => byte !== 0))).toBe(true);
  });

  test("the same from a stream; marking is repeatable", async () => {
    const image = await collect(encodePwg(makePages(576), 2));
    const once = await collect(markDuplicate(image, line));
    expect(Buffer.from(await collect(markDuplicate(inChunks(image, 99), line))).equals(once)).toBe(true);
  });

  test("what is no print image is refused", async () => {
    expect(await codeOf(collect(markDuplicate(Uint8Array.of(1, 2, 3, 4, 5), line)))).toBe("image-invalid");
  });
});

describe("fonts", () => {
  test("have the characters of a Japanese receipt", async () => {
    const font = await loadFont("efont-24");
    expect(font.cellHeight).toBe(24);
    const widths = [..."A¥é│═ｱﾟ漢あア￥①"].map((char) => font.glyph(char.codePointAt(0) ?? 0)?.widthDots);
    expect(widths.slice(0, 7)).toEqual([12, 12, 12, 12, 12, 12, 12]);
    expect(widths.slice(7, 11)).toEqual([24, 24, 24, 24]);
    for (let codePoint = 0xff61; codePoint <= 0xff9f; codePoint += 1) expect(font.glyph(codePoint)?.widthDots).toBe(12);
    expect(font.glyph(0xe000)).toBeUndefined();
    expect((await loadFont("misc-9x18")).glyph(0x41)?.rows.length).toBe(36);
    expect(await loadFont("efont-24")).toBe(font);
  });

  test("damaged ones are refused", () => {
    const good = Uint8Array.of(0x54, 0x53, 0x46, 0x31, 1, 0, 1, 0, 0, 0, 65, 0, 0, 0, 8, 0x7e);
    expect(new BitmapFont(good).glyph(65)).toEqual({ widthDots: 8, rows: Uint8Array.of(0x7e) });
    const withCount = Uint8Array.from(good);
    withCount[6] = 200;
    for (const bad of [good.subarray(0, 9), good.subarray(1), good.subarray(0, 15), good.subarray(0, 12), withCount]) {
      expect(() => new BitmapFont(bad)).toThrow(RangeError);
    }
  });
});
