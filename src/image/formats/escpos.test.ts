import { PNG } from "pngjs";
import { describe, expect, test } from "vitest";
import { previewEscposPng, readEscposPages } from "./escpos.ts";

const job = Buffer.from("\x1b@Hello\n\x1dVB\x00Second\n", "latin1");

describe("preview of raw ESC/POS", () => {
  test("has a page per cut", () => {
    const pages = readEscposPages(job);
    expect(pages.length).toBe(2);
    expect(pages.every((page) => [...page.rows].length === page.heightDots && page.resolutionDpi > 100)).toBe(true);
    expect(pages.every((page) => [...page.rows].some((row) => row.some((byte) => byte !== 0)))).toBe(true);
  });

  test("is one PNG", async () => {
    const pages = readEscposPages(job);
    const picture = PNG.sync.read(Buffer.from(await previewEscposPng(job)));
    expect(picture.width).toBe(pages[0]?.widthDots);
    expect(picture.height).toBe(pages.reduce((sum, page) => sum + page.heightDots, 12));
  });

  test("refuses more paper than any job may have", () => {
    const feeds = Buffer.from("x\n".concat("\x1b3\xff\x1bd\xff".repeat(2000)), "latin1");
    expect(() => readEscposPages(feeds)).toThrow(/more than 262144 rows/);
  });

  test("refuses what prints nothing, unknown profiles, and what is too large", () => {
    expect(() => readEscposPages(Buffer.from("\x1b@", "latin1"))).toThrow(/print nothing/);
    expect(() => readEscposPages(job, "no such printer")).toThrow(/ESC\/POS: /);
    expect(() => readEscposPages(new Uint8Array(4 * 1024 * 1024 + 1))).toThrow(/the limit is 4194304/);
  });
});
