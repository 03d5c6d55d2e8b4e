import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TwinspoolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";
import type { MemoryPage } from "./print-image.ts";
import { bytesPerRow } from "./print-image.ts";
import { makePwgHeader, parsePwgHeader, pwgHeaderBytes } from "./pwg-header.ts";
import { decodePwg, decodePwgDocument, encodePwg, readPrintImage } from "./pwg-raster.ts";
import { codeOf, collect, inChunks, makeRandom, pickSeed } from "./test-support.ts";

const resolutionDpi = 203;

function makePage(widthDots: number, rows: readonly Uint8Array[]): MemoryPage {
  return { widthDots, heightDots: rows.length, resolutionDpi, rows };
}

/** Pages of rows with runs, literals and repeats, the padding clear. */
const pageArbitrary = fc
  .tuple(
    fc.integer({ min: 1, max: 700 }),
    fc.array(
      fc.tuple(fc.integer({ min: 1, max: 600 }), fc.array(fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 300 })))),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
  )
  .map(([widthDots, groups]) => {
    const rows = groups.flatMap(([repeats, runs]) => {
      const row = new Uint8Array(bytesPerRow(widthDots));
      let at = 0;
      for (const [value, length] of runs) {
        row.fill(value, at, at + length);
        at += length;
      }
      row[row.length - 1] = (row[row.length - 1] ?? 0) & (0xff << (row.length * 8 - widthDots));
      return Array.from({ length: repeats }, () => row);
    });
    return makePage(widthDots, rows);
  });

function digest(rows: readonly Uint8Array[]): string {
  return createHash("sha256").update(Buffer.concat(rows)).digest("hex");
}

async function encodePages(pages: readonly MemoryPage[], totalPages = pages.length): Promise<Uint8Array> {
  return collect(encodePwg(pages, totalPages));
}

async function readStream(bytes: Uint8Array, chunkBytes?: number): Promise<Uint8Array[][]> {
  const pages: Uint8Array[][] = [];
  for await (const page of decodePwg(inChunks(bytes, chunkBytes))) {
    const rows: Uint8Array[] = [];
    for await (const row of page.rows) rows.push(row);
    pages.push(rows);
  }
  return pages;
}

const small = [
  makePage(20, [Uint8Array.of(1, 2, 0x30), Uint8Array.of(1, 2, 0x30), Uint8Array.of(0, 0, 0)]),
  makePage(9, [Uint8Array.of(0xff, 0x80)]),
];

describe("round trips", () => {
  test("any pages come back dot for dot, from memory and from a stream", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(pageArbitrary, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 5000 }),
        async (pages, size) => {
          const bytes = await encodePages(pages);
          const expected = pages.map((page) => digest([...page.rows]));
          const read = readPrintImage(bytes).pages;
          expect(read.map((page) => digest([...page.rows]))).toEqual(expected);
          expect(read.map((page) => [page.widthDots, page.heightDots, page.resolutionDpi])).toEqual(
            pages.map((page) => [page.widthDots, page.heightDots, resolutionDpi]),
          );
          expect((await readStream(bytes, size)).map((rows) => digest(rows))).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("rows of a page in memory can be read again", async () => {
    const [page] = readPrintImage(await encodePages(small)).pages;
    expect([...(page?.rows ?? [])]).toEqual([...(page?.rows ?? [])]);
  });

  test("dots beyond the width are cleared", async () => {
    const bytes = await encodePages([makePage(9, [Uint8Array.of(0xff, 0xff)])]);
    expect([...(readPrintImage(bytes).pages[0]?.rows ?? [])]).toEqual([Uint8Array.of(0xff, 0x80)]);
    expect(await readStream(bytes)).toEqual([[Uint8Array.of(0xff, 0x80)]]);
  });

  test("the line coding is that of PWG 5102.4: repeat count, runs, literals", async () => {
    const row = Uint8Array.of(7, 7, 7, 1, 2, 3, 9);
    const bytes = await encodePages([makePage(56, [row, row, row])]);
    expect([...bytes.subarray(4 + pwgHeaderBytes)]).toEqual([2, 2, 7, 253, 1, 2, 3, 9]);
  });

  test("a line is repeated at most 256 times at once", async () => {
    const blank = new Uint8Array(1);
    const bytes = await encodePages([
      makePage(
        8,
        Array.from({ length: 600 }, () => blank),
      ),
    ]);
    expect([...bytes.subarray(4 + pwgHeaderBytes)]).toEqual([255, 0, 0, 255, 0, 0, 87, 0, 0]);
  });

  test("a page with another number or width of rows than it says is refused", async () => {
    const row = new Uint8Array(1);
    expect(await codeOf(encodePages([{ ...makePage(8, [row]), heightDots: 2 }]))).toBe("image-invalid");
    expect(await codeOf(encodePages([{ ...makePage(8, [row, row]), heightDots: 1 }]))).toBe("image-invalid");
    expect(await codeOf(encodePages([makePage(9, [row])]))).toBe("image-invalid");
  });
});

describe("header", () => {
  test("the numbers stand where the standard has them", () => {
    const bytes = makePwgHeader({
      widthDots: 576,
      heightDots: 1000,
      resolutionDpi: 203,
      pixelType: "black_1",
      totalPages: 3,
    });
    const view = new DataView(bytes.buffer);
    expect(Buffer.from(bytes.subarray(0, 10)).toString("latin1")).toBe("PwgRaster\0");
    const numbers = [276, 280, 352, 356, 372, 376, 384, 388, 392, 396, 400, 420, 452, 456, 460].map((at) =>
      view.getUint32(at),
    );
    expect(numbers).toEqual([203, 203, 204, 355, 576, 1000, 1, 1, 72, 0, 3, 1, 3, 1, 1]);
  });

  test.each([
    ["black_1", 3, 1],
    ["black_8", 3, 8],
    ["sgray_1", 18, 1],
    ["sgray_8", 18, 8],
    ["srgb_8", 19, 24],
  ] as const)("%s is color space %i with %i bits", (pixelType, colorSpace, bits) => {
    const bytes = makePwgHeader({ widthDots: 13, heightDots: 1, resolutionDpi, pixelType, totalPages: 0 });
    const view = new DataView(bytes.buffer);
    expect([view.getUint32(400), view.getUint32(388)]).toEqual([colorSpace, bits]);
    expect(parsePwgHeader(bytes)).toMatchObject({
      ok: true,
      header: { pixelType, bytesPerLine: Math.ceil((13 * bits) / 8) },
    });
  });

  test.each([
    [0, 0, "PwgRaster"],
    [372, 0, "0 x 4"],
    [376, 0, "9 x 0"],
    [388, 4, "4 bits"],
    [392, 3, "3 bytes a line"],
    [396, 1, "color order 1"],
    [400, 6, "color space 6"],
    [400, 18, undefined],
  ])("number at %i set to %i", (at, value, reason) => {
    const bytes = makePwgHeader({ widthDots: 9, heightDots: 4, resolutionDpi, pixelType: "black_1", totalPages: 1 });
    new DataView(bytes.buffer).setUint32(at, value);
    const result = parsePwgHeader(bytes);
    expect(result.ok ? undefined : result.reason).toEqual(
      reason === undefined ? undefined : expect.stringContaining(reason),
    );
  });
});

describe("bad images", () => {
  test("an image cut at any byte is refused as truncated, but for a cut between pages", async () => {
    const bytes = await encodePages(small);
    const firstPage = (await encodePages(small.slice(0, 1))).length;
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = bytes.slice(0, length);
      const expected = length === firstPage ? "resolved" : "document-truncated";
      expect([length, await codeOf((async () => readPrintImage(cut))())]).toEqual([length, expected]);
      expect([length, await codeOf(readStream(cut, 700))]).toEqual([length, expected]);
    }
  });

  test("bytes that are no page after the last page are refused", async () => {
    const bytes = Buffer.concat([await encodePages(small), new Uint8Array(pwgHeaderBytes)]);
    expect(() => readPrintImage(bytes)).toThrow(/page 3: the page header/);
    expect(await codeOf(readStream(bytes))).toBe("image-invalid");
    expect(() => readPrintImage(Uint8Array.of(1, 2, 3, 4))).toThrow(/does not begin with RaS2/);
    expect(await codeOf(readStream(Uint8Array.of(1, 2, 3, 4)))).toBe("image-invalid");
  });

  async function withLines(
    lines: readonly number[],
    change: (view: DataView) => void = () => undefined,
  ): Promise<Uint8Array> {
    const rows = Array.from({ length: 4 }, () => new Uint8Array(3));
    const head = Uint8Array.from((await encodePages([makePage(24, rows)])).subarray(0, 4 + pwgHeaderBytes));
    change(new DataView(head.buffer, 4));
    return Buffer.concat([head, Uint8Array.from(lines)]);
  }

  test.each([
    ["a packet beyond the line", [3, 3, 0], /runs over the line by 1/],
    ["literals beyond the line", [3, 253, 1, 2, 3, 4], /runs over the line by 1/],
    ["repeats beyond the page", [4, 2, 0], /stands for 5 rows, but 4 are left/],
  ])("%s", async (_, lines, reason) => {
    const bytes = await withLines(lines);
    expect(() => readPrintImage(bytes)).toThrow(reason);
    await expect(readStream(bytes)).rejects.toThrow(reason);
  });

  test("packet 128 is white to the end of the line", async () => {
    const bytes = await withLines([3, 0, 9, 128]);
    expect([...(readPrintImage(bytes).pages[0]?.rows ?? [])][3]).toEqual(Uint8Array.of(9, 0, 0));
  });

  test("other kinds of dots, and sizes beyond the limits, are refused before anything is allocated", async () => {
    const grey = await withLines([], (view) => view.setUint32(400, 18));
    expect(() => readPrintImage(grey)).toThrow(/sgray_1, expected black_1/);
    const noResolution = await withLines([], (view) => view.setUint32(276, 0));
    expect(() => readPrintImage(noResolution)).toThrow(/0 dpi/);
    const high = await withLines([], (view) => view.setUint32(376, 0xffff_ffff));
    expect(await codeOf((async () => readPrintImage(high))())).toBe("image-too-large");
    const wide = await withLines([], (view) => {
      view.setUint32(372, 0xffff_fff8);
      view.setUint32(392, 0x1fff_ffff);
    });
    expect(await codeOf((async () => readPrintImage(wide))())).toBe("image-too-large");
    expect(await codeOf(readStream(wide))).toBe("document-too-large");
    expect(await codeOf((async () => readPrintImage(new Uint8Array(limits.imageBytes + 1)))())).toBe("image-too-large");
    const manyPages = await encodePages(
      Array.from({ length: limits.imagePages + 1 }, () => makePage(8, [new Uint8Array(1)])),
    );
    expect(await codeOf((async () => readPrintImage(manyPages))())).toBe("image-too-large");
  });

  test("a buffer changed after the check is noticed", async () => {
    const bytes = Uint8Array.from(await encodePages(small));
    const { pages } = readPrintImage(bytes);
    bytes[4 + pwgHeaderBytes + 1] = 100;
    expect(() => [...(pages[0]?.rows ?? [])]).toThrow(/changed/);
  });

  test("mutated images give rows or a TwinspoolError, nothing else", async () => {
    const seed = pickSeed();
    const random = makeRandom(seed);
    const bytes = await encodePages(small);
    for (let round = 0; round < 3000; round += 1) {
      const mutated = Uint8Array.from(bytes);
      for (let i = random(4); i >= 0; i -= 1)
        mutated[random(2) === 0 ? random(bytes.length) : 350 + random(120)] = random(256);
      try {
        for (const page of readPrintImage(mutated).pages) expect([...page.rows].length).toBe(page.heightDots);
      } catch (error) {
        expect(error, `TEST_SEED=${seed}, round ${round}: ${error}`).toBeInstanceOf(TwinspoolError);
      }
    }
  });
});

test("a document page that is left early is passed over", async () => {
  const bytes = await encodePages([...small, ...small]);
  const widths: number[] = [];
  for await (const page of decodePwgDocument(inChunks(bytes, 11))) {
    widths.push(page.header.widthDots);
    for await (const _ of page.rows) break;
  }
  expect(widths).toEqual([20, 9, 20, 9]);
});
