import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { getDot, isBlank, rowBytes } from "./bits.ts";
import { characterGlyph } from "./font.ts";
import { Interpreter } from "./interpreter.ts";
import { applyStep } from "./mechanism.ts";
import { type Page, PaperRoll } from "./paper.ts";
import type { Diagnostic } from "./parser.ts";
import { pageToPng } from "./png.ts";
import { findProfile, type Profile } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { ALL_WELL } from "./status.ts";
import { CUT, INITIALIZE, raster, stream, stripes } from "./test-bytes.ts";

const TESTDATA = join(fileURLToPath(import.meta.url), "..", "testdata");

function only(pages: readonly Page[]): Page {
  expect(pages).toHaveLength(1);
  const [page] = pages;
  if (page === undefined) throw new Error("no page");
  return page;
}

function render(...parts: (string | ArrayLike<number>)[]): Page {
  return only(renderEscpos(stream(...parts)));
}

/** Rows that hold dots. */
function inkedRows(page: Page): number[] {
  return page.rows.flatMap((row, index) => (isBlank(row) ? [] : [index]));
}

function dotColumns(row: Uint8Array | undefined): number[] {
  return row === undefined ? [] : Array.from({ length: row.length * 8 }, (_, dot) => dot).filter((x) => getDot(row, x));
}

function readPng(bytes: Uint8Array): { width: number; height: number; isBlack(x: number, y: number): boolean } {
  const png = PNG.sync.read(Buffer.from(bytes));
  return {
    width: png.width,
    height: png.height,
    isBlack: (x, y) => (png.data[(y * png.width + x) * 4] ?? 255) < 128,
  };
}

/** Pages as one string: comparing rows one by one is slow. */
function fingerprint(pages: readonly Page[]): string {
  return pages
    .map((page) => {
      const rows = createHash("sha256");
      for (const row of page.rows) rows.update(row);
      return [page.heightDots, page.cut, JSON.stringify(page.text), rows.digest("hex")].join(" ");
    })
    .join("\n");
}

function renderInPieces(bytes: Uint8Array, sizes: readonly number[], profile: Profile = findProfile()): Page[] {
  const pages: Page[] = [];
  const paper = new PaperRoll(profile, (page) => pages.push(page));
  const interpreter = new Interpreter(profile, {
    push: (step) => applyStep(paper, step),
    reply: () => {},
    processIdResponse: () => () => {},
    setOfflineResponse: () => {},
    setAutomaticStatus: () => {},
    initialized: () => {},
    pulse: () => {},
    conditions: () => ALL_WELL,
    diagnosed: () => {},
  });
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    const piece = bytes.slice(at, at + size);
    for (let done = 0; done < piece.length; ) done += interpreter.feed(piece, done);
    at += size;
  }
  const uncut = paper.uncut();
  return uncut === undefined ? pages : [...pages, uncut];
}

describe("raster", () => {
  it("prints the very dots, at the left edge, and feeds by their height", () => {
    const rows = stripes(60);
    const page = render(INITIALIZE, raster(rows), CUT);
    expect(page.heightDots).toBe(60);
    expect(page.cut).toBe("partial");
    expect(page.rows.map((row) => row[0])).toEqual(rows.map((row) => row[0]));
    expect(page.rows.every((row) => row.length === rowBytes(576) && row.slice(1).every((byte) => byte === 0))).toBe(
      true,
    );
  });

  it("doubles width, height and both", () => {
    const row = [0b10100001];
    const wide = dotColumns(Uint8Array.of(0b11001100, 0b00000011));
    expect(dotColumns(render(raster([row], 1)).rows[0])).toEqual(wide);
    expect(render(raster([row], 1)).heightDots).toBe(1);
    expect(render(raster([row], 2)).rows.map(dotColumns)).toEqual([dotColumns(Uint8Array.from(row)), [0, 2, 7]]);
    expect(render(raster([row], 51)).rows.map(dotColumns)).toEqual([wide, wide]);
  });

  it("obeys margin, area and alignment, and drops what lies outside", () => {
    expect(dotColumns(render("\x1dL\x0d\x00", raster([[0xff]])).rows[0])).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
    expect(dotColumns(render("\x1ba\x02", raster([[0x81]])).rows[0])).toEqual([568, 575]);
    expect(dotColumns(render("\x1ba\x01", raster([[0x81]])).rows[0])).toEqual([284, 291]);
    expect(dotColumns(render("\x1dL\x0d\x00\x1dW\x05\x00", raster([[0xff]])).rows[0])).toEqual([13, 14, 15, 16, 17]);
    expect(dotColumns(render(raster([Array(80).fill(0xff) as number[]])).rows[0])).toHaveLength(576);
  });

  it("begins at the print position, which is no data (ESC $, HT)", () => {
    expect(dotColumns(render("\x1b$\x43\x00", raster([[0x81]])).rows[0])).toEqual([67, 74]);
    expect(dotColumns(render("\x1ba\x02\x1b$\x43\x00", raster([[0x81]])).rows[0])).toEqual([568, 575]);
    const page = render("\t", raster([[0x80]]), raster([[0x80]]));
    expect(page.rows.map(dotColumns)).toEqual([[96], [0]]);
  });

  it("is thrown away when the line already holds data", () => {
    const found: Diagnostic[] = [];
    const pages = renderEscpos(stream("A", raster([[0x41], [0x42]]), "B\n"), { onDiagnostic: (d) => found.push(d) });
    expect(only(pages).text).toBe("AB");
    expect(found).toMatchObject([{ kind: "ignored", name: "GS v 0", offset: 1 }]);
  });
});

describe("paper motion", () => {
  it.each([
    ["tm-m30iii", 203],
    ["tm-t88vi", 180],
  ])("counts half dots on %s", (profile) => {
    const height = (...parts: string[]): number =>
      renderEscpos(stream(...parts, raster([[1]])), { profile }).reduce((sum, page) => sum + page.heightDots, 0) - 1;
    expect(height("\x1bJ\x01")).toBe(0);
    expect(height("\x1bJ\x01\x1bJ\x01")).toBe(1);
    expect(height("\x1bJ\x03\x1bJ\x04\x1bJ\x01")).toBe(4);
    expect(height("\x1bJ\xff\x1bJ\xff")).toBe(255);
    expect(height("\x1b3\x05\n\n\n")).toBe(7);
  });

  it("feeds a line by its spacing, or by its height where that is more", () => {
    expect(renderEscpos(stream("A\nA\n"), { profile: "tm-t88vi" })[0]?.heightDots).toBe(60);
    expect(renderEscpos(stream("\x1b3\x00A\nA\n"), { profile: "tm-t88vi" })[0]?.heightDots).toBe(48);
    expect(render("\x1d!\x33A\n").heightDots).toBe(96);
    expect(render("\x1b3\x3cA\x1bd\x03").heightDots).toBe(90);
  });

  it("keeps a line spacing when the motion unit changes (GS P)", () => {
    expect(render("\x1b3\x3c\x1dP\x00\x64\n\x1bJ\x64").heightDots).toBe(30 + 203);
  });
});

describe("cuts", () => {
  const profile: Profile = { ...findProfile("tm-t88vi"), headToCutterDots: 10 };
  const heights = (...parts: (string | ArrayLike<number>)[]): [number, string][] =>
    renderEscpos(stream(...parts), { profile }).map((page) => [page.heightDots, page.cut]);

  it("feeds to the blade and further with function B", () => {
    expect(heights(raster(stripes(20)), "\x1dVA\x00", raster(stripes(5)), "\x1dVB\x08")).toEqual([
      [20, "full"],
      [9, "partial"],
    ]);
  });

  it("leaves what has not reached the blade on the next piece with function A, ESC i and ESC m", () => {
    for (const cut of ["\x1dV\x00", "\x1dV0", "\x1dV\x01", "\x1dV1", "\x1bi", "\x1bm"]) {
      const kind = cut === "\x1dV\x00" || cut === "\x1dV0" ? "full" : "partial";
      expect(heights(raster(stripes(20)), cut)).toEqual([
        [10, kind],
        [10, "none"],
      ]);
      expect(heights(raster(stripes(20)), "\x1bJ\x14", cut)).toEqual([[20, kind]]);
    }
  });

  it("carries out a reserved cut when the paper gets there", () => {
    const pages = renderEscpos(stream(raster(stripes(20)), "\x1dVa\x00", raster(stripes(30)), "\x1dVA\x00"), {
      profile,
    });
    expect(pages.map((page) => page.heightDots)).toEqual([20, 30]);
    expect(pages[1]?.rows[0]?.[0]).toBe(1);
  });

  it("cuts a blank slip twice, nothing in the air, and nothing within a line", () => {
    expect(heights("\x1dVA\x00")).toEqual([[10, "full"]]);
    expect(heights("\x1dV\x00")).toEqual([]);
    expect(heights("A\x1dV\x00B\x0a")).toEqual([[30, "none"]]);
  });
});

describe("text", () => {
  it("draws Font A, Font B and Latin letters from the fonts, cell for cell", () => {
    for (const [select, font, heightDots] of [
      ["\x1bM\x00", "a", 24],
      ["\x1bM\x01", "b", 17],
    ] as const) {
      const page = only(renderEscpos(stream("\x1b3\x00", select, "A\x82\xc9\n"), { profile: "tm-t88vi" }));
      expect(page.heightDots).toBe(heightDots);
      expect(page.text).toBe("Aé╔");
      const cells = Array.from("Aé╔", (character) => characterGlyph(font, character.codePointAt(0) ?? 0));
      page.rows.forEach((row, y) => {
        const expected = cells.flatMap((cell, column) =>
          dotColumns(cell.rows[y]).map((x) => x + column * cell.widthDots),
        );
        expect(dotColumns(row)).toEqual(expected);
      });
    }
  });

  it("gives every printable byte of the common tables a glyph of its own", () => {
    for (const table of [0, 1, 2, 16, 19]) {
      const bytes = Array.from({ length: 48 }, (_, index) => 0xa1 + index);
      const page = render("\x1bt", [table], bytes, "\n");
      expect(page.text).not.toContain("?");
      expect(inkedRows(page).length).toBeGreaterThan(10);
    }
  });

  it("prints '?' where the font has nothing, and UTF-8 when told so (FS ( C)", () => {
    expect(characterGlyph("a", 0x10ffff)).toBe(characterGlyph("a", 0x3f));
    expect(characterGlyph("b", 0x10ffff).rows).toEqual(characterGlyph("b", 0x3f).rows);
    const utf8 = new TextEncoder().encode("印刷 ok é\n");
    expect(render("\x1c(C\x02\x0002", utf8).text).toBe("印刷 ok é");
  });

  it("enlarges, emphasizes, underlines and reverses", () => {
    const plain = render("\x1b3\x00A\n");
    const big = render("\x1b3\x00\x1d!\x21A\n");
    expect(big.heightDots).toBe(48);
    big.rows.forEach((row, y) => {
      for (let x = 0; x < 36; x += 1) {
        expect(getDot(row, x)).toBe(getDot(plain.rows[y >> 1] ?? row, Math.floor(x / 3)));
      }
    });
    const underlined = render("\x1b3\x00\x1b-\x02A\n");
    expect(underlined.rows.slice(22).map((row) => dotColumns(row).length)).toEqual([12, 12]);
    const reverse = render("\x1b3\x00\x1dB\x01A\n");
    reverse.rows.forEach((row, y) => {
      expect(dotColumns(row).length).toBe(12 - dotColumns(plain.rows[y]).length);
    });
    const bold = render("\x1b3\x00\x1bE\x01A\n");
    const ink = (page: Page): number => page.rows.reduce((sum, row) => sum + dotColumns(row).length, 0);
    expect(ink(bold)).toBeGreaterThan(ink(plain));
    expect(render("\x1b!\xb8A\n").heightDots).toBe(48);
  });

  it("aligns lines, wraps at the area, and puts characters on one base line", () => {
    expect(render("\x1ba\x01", "\x1b!\x00AB\n").text).toBe("AB");
    expect(dotColumns(render("\x1ba\x02\x1dB\x01A\n").rows[0])[0]).toBe(564);
    expect(render("x".repeat(49), "\n").text).toBe(`${"x".repeat(48)}\nx`);
    // A cell of 24 rows has three below the base line, one of 48 has six.
    const mixed = render("\x1b3\x00\x1dB\x01A\x1d!\x01A\n");
    expect(mixed.rows.flatMap((row, y) => (getDot(row, 0) ? [y] : []))).toEqual(
      Array.from({ length: 24 }, (_, y) => 21 + y),
    );
  });

  it("tabs to default and set stops and moves to positions", () => {
    const at = (...parts: string[]): number | undefined =>
      dotColumns(render("\x1dB\x01", ...parts, "\x1d!\x00A\n").rows[0]).find((x) => x > 12);
    expect(at("B\t")).toBe(96);
    expect(at("\x1bD\x03\x05\x00B\t\t")).toBe(60);
    expect(at("B\x1b$\x64\x00")).toBe(100);
    expect(at("B\x1b\\\x64\x00")).toBe(112);
    expect(render("B\tA\n").text).toBe("B       A");
  });

  it("keeps tab stops where they were set, ends their list at a column that does not rise, and stops at the edge", () => {
    const columns = (...parts: string[]): number[] =>
      dotColumns(render("\x1dB\x01\x1b3\x00", ...parts).rows[0]).filter((x, at, all) => all[at - 1] !== x - 1);
    expect(columns("\x1bD\x03\x00\x1d!\x10\t \n")).toEqual([36]);
    expect(columns("\x1d!\x10\x1bD\x03\x00\x1d!\x00\t \n")).toEqual([72]);
    expect(render("\x1bD\x09\x03AB\tC\n").text).toBe("AB       C");
    expect(render(`\x1bD${Array.from({ length: 32 }, (_, at) => String.fromCharCode(at + 1)).join("")}!A\n`).text).toBe(
      "!A",
    );
    expect(render("A\x1bD\x28\x7f\x00\t\tB\n").text).toBe("A\nB");
    expect(render("A\x1bD\x28\x7f\x00\t\t\tB\n").text).toBe(`A\n${" ".repeat(40)}B`);
  });

  it("turns lines upside down (ESC {)", () => {
    const plain = render("\x1b3\x00A\n");
    const turned = render("\x1b3\x00\x1b{\x01A\n");
    turned.rows.forEach((row, y) => {
      const mirrored = dotColumns(plain.rows[23 - y]).map((x) => 575 - x);
      expect(dotColumns(row)).toEqual(mirrored.toReversed());
    });
  });
});

describe("the parser", () => {
  const samples = [
    stream(INITIALIZE, "Hi\x1bE\x01 there\n", raster(stripes(50)), "\x1bJ\x07\x1b*\x21\x02\x00abcdef\n", CUT, "x\n"),
    stream("\x1d(L\x0c\x000p0\x01\x011\x08\x00\x02\x00\xaa\x55\x1d(L\x02\x0002", "\x1dk\x04ABC\x00ok\n", CUT),
    Uint8Array.from(readFileSync(join(TESTDATA, "streams", "receipt.bin")).subarray(0, 600)),
  ];

  it("gives the same paper for every split point", () => {
    for (const bytes of samples) {
      const whole = fingerprint(renderEscpos(bytes));
      for (let at = 1; at < bytes.length; at += 1) {
        expect(fingerprint(renderInPieces(bytes, [at, bytes.length])), `split at ${at}`).toBe(whole);
      }
    }
  });

  it("gives the same paper for any pieces of any bytes, and never throws", () => {
    const command = fc.constantFrom(0x1b, 0x1d, 0x1c, 0x10, 0x0a, 0x28, 0x56, 0x76, 0x30, 0x00);
    const bytes = fc.array(fc.oneof(command, fc.integer({ min: 0, max: 255 })), { maxLength: 400 });
    fc.assert(
      fc.property(bytes, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), (list, sizes) => {
        const data = Uint8Array.from(list);
        expect(fingerprint(renderInPieces(data, sizes))).toBe(fingerprint(renderEscpos(data)));
      }),
      { numRuns: 300, ...(process.env["SEED"] === undefined ? {} : { seed: Number(process.env["SEED"]) }) },
    );
  });

  it("names what it does not know and goes on after it", () => {
    const found: Diagnostic[] = [];
    const pages = renderEscpos(stream("A\x1b\x01B\x07C\x1c(Z\x02\x00xyD\n"), { onDiagnostic: (d) => found.push(d) });
    expect(only(pages).text).toBe("ABCD");
    expect(found).toMatchObject([
      { kind: "unknown", offset: 1, bytes: [0x1b, 0x01] },
      { kind: "unknown", offset: 4, bytes: [0x07] },
      { kind: "unsupported", offset: 6, name: "FS ( Z", bytes: [0x1c, 0x28, 0x5a, 0x02, 0x00] },
    ]);
  });
});

describe("pictures", () => {
  it("writes PNG that others read, dot for dot", () => {
    const page = render(raster(Array.from({ length: 1200 }, (_, row) => [row & 0xff, (row * 7) & 0xff])));
    const png = readPng(pageToPng(page));
    expect([png.width, png.height]).toEqual([576, 1200]);
    page.rows.forEach((row, y) => {
      const dots = Array.from({ length: 576 }, (_, x) => x).filter((x) => png.isBlack(x, y));
      expect(dotColumns(row)).toEqual(dots);
    });
  });
});
