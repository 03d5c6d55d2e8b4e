import { describe, expect, it } from "vitest";
import type { Page } from "./paper.ts";
import { findProfile } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { raster, stream, stripes } from "./test-bytes.ts";

function print(profile: string, ...parts: (string | ArrayLike<number>)[]) {
  const details: string[] = [];
  const pages = renderEscpos(stream(...parts), {
    profile,
    onDiagnostic: ({ name, detail }) => details.push(`${name ?? "unknown"}: ${detail ?? ""}`),
  });
  return { page: pages[0], details };
}

/** The first black column of a row. */
function leftEdge(page: Page | undefined, row: number): number {
  const bytes = page?.rows[row] ?? new Uint8Array(0);
  return bytes.findIndex((byte) => byte !== 0) * 8;
}

/** An 8-dot column image, one byte wide. */
const MARK = "\x1b*\x01\x08\x00\xff\xff\xff\xff\xff\xff\xff\xff";

describe("NT-5890K", () => {
  it("goes to the right with ESC \\, not to the left", () => {
    const moves = ["\x1b\\\x20\x00", "\x1b\\\xf0\xff", MARK, "\n"];
    const there = print("nt-5890k", ...moves);
    expect(leftEdge(there.page, 0)).toBe(32);
    expect(there.details).toEqual(["ESC \\: this printer ignores ESC \\ to the left"]);
    expect(leftEdge(print("zj-58", ...moves).page, 0)).toBe(16);
  });

  it("obeys ESC $ at the beginning of a line, not within it", () => {
    const blank = "\x1b*\x01\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    const there = print("nt-5890k", "\x1b$\x10\x00", blank, "\x1b$\x40\x00", MARK, "\n");
    expect(leftEdge(there.page, 0)).toBe(24);
    expect(there.details).toEqual(["ESC $: this printer ignores ESC $ within a line"]);
  });

  it("returns bar code settings to their defaults after the form with NUL", () => {
    const twice = ["\x1dh\x20", "\x1dk\x0312345670\x00\n", "\x1dk\x0312345670\x00\n"];
    const height = (profile: string): number => print(profile, ...twice).page?.heightDots ?? 0;
    expect(height("nt-5890k") - height("zj-58")).toBe(162 - 32);
  });

  it("has neither page mode nor cutter, and reads their commands whole", () => {
    const there = print("nt-5890k", "\x1bL\x1bW\x00\x00\x00\x00\x40\x00\x40\x00\x1bT\x01A\n\x0c\x1dV\x00");
    expect(there.page?.text).toBe("A");
    expect(there.details).toEqual([
      "ESC L: this printer has no page mode",
      "ESC W: this printer has no page mode",
      "ESC T: this printer has no page mode",
      "FF: this printer has no page mode",
      "GS V: this printer has no cutter",
    ]);
    expect(print("xp-80", "\x1bLA\n\x0c").details).toEqual([]);
  });
});

describe("POS-5890K", () => {
  it("takes what follows a picture of 48, 96, ... rows for more of it, in any pieces", () => {
    const there = print("pos-5890k", raster(stripes(96)), "x".repeat(48), "seen\n");
    expect(there.page?.text).toBe("seen");
    expect(there.page?.heightDots).toBe(96 + 48 + 30);
    expect(there.page?.rows.slice(96, 144).map((row) => row[0])).toEqual(new Array(48).fill(0x78));
    expect(there.details).toEqual(["GS v 0: this printer takes what follows for 48 more rows"]);
  });

  it("prints other heights as they are", () => {
    expect(print("pos-5890k", raster(stripes(97)), "seen\n").page?.text).toBe("seen");
    expect(print("nt-5890k", raster(stripes(96)), "\nseen\n").page?.text).toBe("seen");
  });
});

describe("memory", () => {
  it("is as large as the model's", () => {
    const stored = (profile: string, y: number) =>
      // FS q: 48 x y bytes of 8 dots.
      print(profile, "\x1cq\x01\x30\x00", [y & 0xff, y >> 8], new Uint8Array(48 * y * 8), "\x1cp\x01\x00").details;
    expect(stored("zj-58", 160)).toEqual([]);
    expect(stored("zj-58", 200)).toHaveLength(2);
    expect(stored("xp-80", 200)).toEqual([]);
    expect(findProfile("tm-t88vi").memory).toEqual({
      nvGraphicsBytes: 262_144,
      ramGraphicsBytes: 12_288,
      nvRecordBytes: 1024,
      macroBytes: 2048,
    });
  });
});
