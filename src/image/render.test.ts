import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { limits } from "../protocol/limits.ts";
import { detectFormat } from "./detect-format.ts";
import { readEscposPages } from "./formats/escpos.ts";
import { decodeJpeg } from "./formats/jpeg.ts";
import { makePicturePage, planPicture } from "./formats/picture.ts";
import { decodePng, pngSignature } from "./formats/png.ts";
import type { LinearImage } from "./linear-image.ts";
import { encodePng, pngChunk, previewPng } from "./png-writer.ts";
import type { MemoryPage } from "./print-image.ts";
import { makePwgHeader } from "./pwg-header.ts";
import { encodePwg, readPrintImage } from "./pwg-raster.ts";
import type { RenderedDocument, RenderOptions } from "./render.ts";
import { renderDocument } from "./render.ts";
import { codeOf, collect, ihdr, inChunks } from "./test-support.ts";

const target = { widthDots: 576, resolutionDpi: 203 };
let folder = "";
let fileCount = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twinspool-render-test-"));
  // What is left behind can only be counted in a temporary folder of one's own.
  for (const name of ["TMPDIR", "TEMP", "TMP"]) vi.stubEnv(name, folder);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function write(content: Uint8Array | string): Promise<string> {
  fileCount += 1;
  const path = join(folder, `document-${fileCount}`);
  await writeFile(path, content);
  return path;
}

interface Rendered extends RenderedDocument {
  readonly image: Uint8Array;
  readonly pageList: readonly MemoryPage[];
}

async function render(content: Uint8Array | string, options?: RenderOptions, to = target): Promise<Rendered> {
  const rendered = await renderDocument({ path: await write(content) }, to, options);
  const image = await collect(rendered.chunks);
  const { pages } = readPrintImage(image);
  expect(pages.length).toBe(rendered.pages);
  expect(pages.reduce((sum, page) => sum + page.heightDots, 0)).toBe(rendered.heightDots);
  expect(pages.every((page) => page.widthDots === to.widthDots)).toBe(true);
  return { ...rendered, image, pageList: pages };
}

function showPage(page: MemoryPage | undefined, widthDots: number): string[] {
  return [...(page?.rows ?? [])].map((row) =>
    Array.from({ length: widthDots }, (_, x) => (((row[x >> 3] ?? 0) & (0x80 >> (x & 7))) === 0 ? "." : "#")).join(""),
  );
}

function countBlack(page: MemoryPage | undefined): number {
  return showPage(page, page?.widthDots ?? 0).reduce((sum, row) => sum + row.replaceAll(".", "").length, 0);
}

function gradientPixels(width: number, height: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: width * height * 3 }, (_, i) => 40 + (((i / 3) % width) * 170) / width));
}

describe("PNG", () => {
  test("a black and white picture of the printer's width passes dot for dot", async () => {
    const rows = Array.from({ length: 50 }, (_, y) => new Uint8Array(72).map((_unused, x) => (x * 31 + y * 17) & 0xff));
    const png = encodePng({ ...target, heightDots: 50 }, rows);
    const { format, pageList } = await render(png);
    expect(format).toBe("png");
    expect(Buffer.concat([...(pageList[0]?.rows ?? [])])).toEqual(Buffer.concat(rows));
  });

  test("a wide photograph is shrunk and dithered, its light kept", async () => {
    const picture = new PNG({ width: 1500, height: 400 });
    picture.data.fill(188);
    for (let i = 3; i < picture.data.length; i += 4) picture.data[i] = 255;
    const { pageList, heightDots } = await render(PNG.sync.write(picture));
    expect(heightDots).toBe(154);
    expect(countBlack(pageList[0]) / (576 * 154)).toBeCloseTo(0.5, 1);
    const forced = await render(PNG.sync.write(picture), { mode: "line-art" });
    expect(countBlack(forced.pageList[0])).toBe(576 * 154);
  });

  test("copies repeat the pages", async () => {
    const png = encodePng({ ...target, heightDots: 2 }, [new Uint8Array(72).fill(7), new Uint8Array(72)]);
    const { pageList } = await render(png, { copies: 3 });
    expect(pageList.map((page) => Buffer.concat([...page.rows]).toString("hex"))).toEqual(
      Array.from({ length: 3 }, () => Buffer.concat([new Uint8Array(72).fill(7), new Uint8Array(72)]).toString("hex")),
    );
    for (const copies of [0, 1.5, limits.copies + 1]) {
      expect(await codeOf(render(png, { copies }))).toBe("request-invalid");
    }
  });

  test("a picture too high for the printer is refused", async () => {
    const rows = Array.from({ length: 3 }, () => new Uint8Array(72));
    const png = encodePng({ ...target, heightDots: 3 }, rows);
    expect(await codeOf(render(png, { copies: 99 }))).toBe("resolved");
    const narrow = { widthDots: 8, heightDots: limits.imageHeightDots + 1, resolutionDpi: 203 };
    const high = encodePng(
      narrow,
      Array.from({ length: narrow.heightDots }, () => new Uint8Array(1)),
    );
    expect(await codeOf(render(high))).toBe("image-too-large");
  });

  test("noise that codes to more bytes than an image may have is refused while it is made", async () => {
    const row = Uint8Array.from({ length: 512 }, (_, i) => (i * 73 + (i >> 3) * 11) & 0xff);
    const other = row.map((byte) => byte ^ 0x5a);
    const geometry = { widthDots: 4096, heightDots: 34_000, resolutionDpi: 203 };
    const png = encodePng(
      geometry,
      Array.from({ length: geometry.heightDots }, (_, y) => (y % 2 === 0 ? row : other)),
    );
    expect(await codeOf(render(png, { mode: "line-art" }, { widthDots: 4096, resolutionDpi: 203 }))).toBe(
      "image-too-large",
    );
  }, 60_000);
});

describe("memory", () => {
  test("100,000 rows pass through with a bounded number of them held at any moment", async () => {
    const [width, height] = [576, 100_000];
    let bytesMade = 0;
    let rowsSeen = 0;
    let bytesAhead = 0;
    /** A PNG with stored (uncompressed) deflate blocks, so that bytes made stand for rows made. */
    async function* makeLongPng(): AsyncGenerator<Uint8Array, void, undefined> {
      yield Uint8Array.from(pngSignature);
      yield ihdr({ widthDots: width, heightDots: height, bitDepth: 8, colorType: 0 });
      yield pngChunk("IDAT", Uint8Array.of(0x78, 0x01));
      let [a, b] = [1, 0];
      let pending: Uint8Array[] = [];
      for (let y = 0; y < height; y += 1) {
        const row = new Uint8Array(width + 1).fill(y & 255, 1);
        // Adler-32 of a zero and then `width` equal bytes, in one step.
        const value = y & 255;
        b = (b + a + width * a + (value * width * (width + 1)) / 2) % 65_521;
        a = (a + width * value) % 65_521;
        const head = Uint8Array.of(y === height - 1 ? 1 : 0, 0, 0, 0, 0);
        new DataView(head.buffer).setUint16(1, row.length, true);
        new DataView(head.buffer).setUint16(3, ~row.length & 0xffff, true);
        bytesMade += row.length;
        bytesAhead = Math.max(bytesAhead, bytesMade - rowsSeen * (width + 1));
        pending.push(head, row);
        if (y % 20 !== 19) continue;
        yield pngChunk("IDAT", Buffer.concat(pending));
        pending = [];
      }
      yield pngChunk("IDAT", Uint8Array.of(b >> 8, b & 255, a >> 8, a & 255));
      yield pngChunk("IEND", new Uint8Array(0));
    }
    async function decodeCounted(): Promise<LinearImage> {
      bytesMade = 0;
      rowsSeen = 0;
      const image = await decodePng(makeLongPng());
      async function* counted(): AsyncGenerator<Uint16Array, void, undefined> {
        for await (const row of image.rows) {
          rowsSeen += 1;
          yield row;
        }
      }
      return { ...image, rows: counted() };
    }
    const plan = await planPicture(await decodeCounted(), { widthDots: 384, resolutionDpi: 203 }, "auto");
    expect([rowsSeen, plan.mode, plan.geometry.heightDots]).toEqual([height, "photo", 66_667]);
    let imageBytes = 0;
    for await (const chunk of encodePwg([makePicturePage(await decodeCounted(), plan)])) imageBytes += chunk.length;
    expect(rowsSeen).toBe(height);
    expect(imageBytes).toBeGreaterThan(1_000_000);
    // The whole picture has 58 MB; what the producer was ever ahead of the last row stays below 1 MB.
    expect(bytesAhead).toBeLessThan(1_000_000);
  }, 60_000);
});

describe("JPEG", () => {
  const [width, height] = [900, 300];
  const raw = { raw: { width, height, channels: 3 } } as const;

  async function temporaryFolders(): Promise<string[]> {
    return (await readdir(folder)).filter((name) => name.startsWith("twinspool-jpeg-"));
  }

  test("a photograph is shrunk to the width and dithered; nothing temporary stays", async () => {
    const before = await temporaryFolders();
    const jpeg = await sharp(gradientPixels(width, height), raw).jpeg().toBuffer();
    const { format, heightDots, pageList } = await render(jpeg);
    expect([format, heightDots]).toEqual(["jpeg", 192]);
    const [row] = showPage(pageList[0], 576).slice(100);
    expect(row?.slice(0, 200).replaceAll(".", "").length).toBeGreaterThan(180);
    const unread = await renderDocument({ path: await write(jpeg) }, target);
    await unread.close();
    await unread.close();
    const left = await renderDocument({ path: await write(jpeg) }, target);
    for await (const _ of left.chunks) break;
    expect(await temporaryFolders()).toEqual(before);
  });

  test("the light of a flat tone is right after shrinking", async () => {
    const jpeg = await sharp(Buffer.alloc(width * height * 3, 188), raw)
      .jpeg({ quality: 100 })
      .toBuffer();
    const { pageList } = await render(jpeg);
    expect(countBlack(pageList[0]) / (576 * 192)).toBeCloseTo(0.5, 2);
  });

  test("the orientation of EXIF is obeyed", async () => {
    const jpeg = await sharp(gradientPixels(400, 200), { raw: { width: 400, height: 200, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { heightDots, pageList } = await render(jpeg);
    expect(heightDots).toBe(400);
    const rows = showPage(pageList[0], 200);
    const blackOf = (row: string | undefined): number => row?.replaceAll(".", "").length ?? 0;
    expect(blackOf(rows[10])).toBeGreaterThan(blackOf(rows[390]) + 40);
  });

  test("a cut JPEG is refused", async () => {
    const jpeg = await sharp(gradientPixels(width, height), raw).jpeg().toBuffer();
    const before = await temporaryFolders();
    for (const share of [0.3, 0.6, 0.9, 0.99]) {
      expect([share, await codeOf(render(jpeg.subarray(0, Math.floor(jpeg.length * share))))]).toEqual([
        share,
        "document-truncated",
      ]);
    }
    expect(await codeOf(render(jpeg.subarray(0, 2)))).toBe("document-truncated");
    expect(await codeOf(render(Buffer.concat([jpeg.subarray(0, 20), Buffer.alloc(3000, 7)])))).toMatch(/^document-/);
    expect(await temporaryFolders()).toEqual(before);
  });

  test("without sharp the refusal says what to install", async () => {
    const path = await write("x");
    const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package 'sharp'"));
    expect(await codeOf(decodeJpeg(path, 576, missing))).toBe("decoder-missing");
  });

  test.each([
    ["VipsJpeg: premature end of JPEG image", "document-truncated"],
    ["Input image exceeds pixel limit", "document-too-large"],
    ["Input buffer contains unsupported image format", "document-invalid"],
  ])("what libvips says is told by our codes: %s", async (reason, code) => {
    const before = await temporaryFolders();
    const failing = (() => ({ metadata: () => Promise.reject(new Error(reason)) })) as unknown as typeof sharp;
    expect(await codeOf(decodeJpeg("x", 576, async () => failing))).toBe(code);
    expect(await temporaryFolders()).toEqual(before);
  });

  test("a picture beyond the limits is refused before it is decoded", async () => {
    const huge = (() => ({ metadata: async () => ({ width: 65_000, height: 65_000 }) })) as unknown as typeof sharp;
    expect(await codeOf(decodeJpeg("x", 576, async () => huge))).toBe("document-too-large");
  });
});

describe("PWG Raster", () => {
  const resolutionDpi = 203;

  test("pages of the printer's own dots pass as they are", async () => {
    const page = (fill: number): MemoryPage => ({
      ...target,
      heightDots: 2,
      rows: [new Uint8Array(72).fill(fill), new Uint8Array(72)],
    });
    const document = await collect(encodePwg([page(5), page(6)], 2));
    const { format, image } = await render(document);
    expect(format).toBe("pwg");
    expect(Buffer.from(image).equals(document)).toBe(true);
  });

  function document(
    pixelType: "black_1" | "black_8" | "sgray_1" | "sgray_8" | "srgb_8",
    lines: readonly number[],
  ): Uint8Array {
    const header = makePwgHeader({ widthDots: 2, heightDots: 1, resolutionDpi, pixelType, totalPages: 1 });
    return Buffer.concat([Buffer.from("RaS2"), header, Uint8Array.from([0, ...lines])]);
  }

  test.each([
    ["black_1", [0, 0x80], "#."],
    ["sgray_1", [0, 0x40], "#."],
    ["black_8", [255, 255, 0], "#."],
    ["sgray_8", [255, 0, 255], "#."],
    ["srgb_8", [255, 0, 0, 0, 255, 255, 255], "#."],
  ] as const)("%s has the sense that the standard gives it", async (pixelType, lines, dots) => {
    const { pageList } = await render(document(pixelType, lines));
    expect(showPage(pageList[0], 2)).toEqual([dots]);
  });

  test("a wider page is shrunk", async () => {
    const wide = {
      widthDots: 1152,
      resolutionDpi: 406,
      heightDots: 8,
      rows: Array.from({ length: 8 }, () => new Uint8Array(144).fill(0xf0)),
    };
    const { pageList } = await render(await collect(encodePwg([wide], 1)));
    expect(showPage(pageList[0], 8)).toEqual(Array.from({ length: 4 }, () => "##..##.."));
  });

  test("a cut or damaged document is refused", async () => {
    const good = document("srgb_8", [255, 0, 0, 0, 255, 255, 255]);
    for (let length = 9; length < good.length; length += 1) {
      expect([length, await codeOf(render(good.subarray(0, length)))]).toEqual([length, "document-truncated"]);
    }
    const bad = Uint8Array.from(good);
    bad[4] = 0;
    expect(await codeOf(render(bad))).toBe("document-invalid");
    const cmyk = Uint8Array.from(good);
    new DataView(cmyk.buffer).setUint32(4 + 400, 6);
    await expect(render(cmyk)).rejects.toThrow(/color space 6 with 24 bits a pixel; expected black or sGray/);
  });
});

describe("text", () => {
  test("pages, line spacing and columns", async () => {
    const { format, pageList } = await render("one\ntwo\fthree");
    expect(format).toBe("text");
    expect(pageList.map((page) => page.heightDots)).toEqual([60, 30]);
    const wrapped = await render("x".repeat(97));
    expect(wrapped.heightDots).toBe(90);
  });

  test("frames are closed from line to line, letters stay within theirs", async () => {
    const { pageList } = await render("│A\n│A");
    const rows = showPage(pageList[0], 24);
    expect(rows.every((row) => row.slice(5, 7) === "##")).toBe(true);
    expect(rows.filter((row) => row.slice(12).includes("#")).length).toBe(28);
  });

  test("a character without a glyph is a box, a mark is laid over its letter", async () => {
    const { pageList } = await render("\u{1F600}");
    expect(showPage(pageList[0], 24)[6]).toBe(`.${"#".repeat(22)}.`);
    const [plain, marked] = [await render("x"), await render("x\u0301")];
    expect(countBlack(marked.pageList[0])).toBeGreaterThan(countBlack(plain.pageList[0]));
  });

  test("finer heads get larger letters", async () => {
    const { pageList } = await render("A", {}, { widthDots: 832, resolutionDpi: 406 });
    expect(pageList[0]?.heightDots).toBe(60);
    const normal = await render("A");
    expect(countBlack(pageList[0])).toBe(4 * countBlack(normal.pageList[0]));
  });

  test("bad text is refused, with the place", async () => {
    await expect(render(`${"good\n".repeat(2000)}\0`)).rejects.toThrow(
      /byte 10000 of the text is the control character 00h/,
    );
    await expect(render(Buffer.from([0x61, 0xe9, 0x62]))).rejects.toThrow(/byte 2/);
    expect(await codeOf(render("\f\f"))).toBe("document-invalid");
    expect(await codeOf(render("\n".repeat(9000)))).toBe("image-too-large");
    expect(await codeOf(render("a\f".repeat(501)))).toBe("image-too-large");
  });

  test("text changed between the passes is noticed", async () => {
    const path = await write("one\ntwo\nthree\n");
    const rendered = await renderDocument({ path }, target);
    await writeFile(path, "one\n");
    expect(await codeOf(collect(rendered.chunks))).toBe("document-invalid");
  });
});

describe("what is no document", () => {
  test("is named, with what is expected", async () => {
    await expect(render("%PDF-1.7\n")).rejects.toThrow(/is PDF.*What to do: print PNG, JPEG, UTF-8 text or PWG Raster/);
    await expect(render(Buffer.from([0x1b, 0x5b, 0x41]))).rejects.toThrow(/begins with the bytes 1b 5b 41/);
    await expect(render("")).rejects.toThrow(/is empty/);
    expect(await codeOf(renderDocument({ path: folder }, target))).toBe("document-missing");
    expect(await codeOf(renderDocument({ path: join(folder, "none") }, target))).toBe("document-missing");
  });

  test.each([
    [[0x25, 0x50, 0x44, 0x46, 0x2d, 0x31], "report.pdf is PDF"],
    [[0x47, 0x49, 0x46, 0x38, 0x39, 0x61], "is GIF"],
    [[0x50, 0x4b, 0x03, 0x04, 0, 0], "ZIP archive"],
    [[0x42, 0x4d, 0x00, 0x01], "BMP"],
    [[0xff, 0xfe, 0x41, 0x00], "UTF-16"],
  ])("%j", (bytes, reason) => {
    expect(() => detectFormat(Uint8Array.from(bytes), "report.pdf")).toThrow(reason);
  });

  test("texts that begin like other types are texts", () => {
    expect(detectFormat(Buffer.from("BM is not a bitmap"))).toBe("text");
    expect(detectFormat(Buffer.from("\ufeff日本"))).toBe("text");
  });

  test("the beginning of a picture is told as truncated", () => {
    for (const head of [[0x89], [0x89, 0x50, 0x4e], [0xff], [0xff, 0xd8]]) {
      expect(() => detectFormat(Uint8Array.from(head))).toThrow(/the beginning of a picture/);
    }
  });
});

test("the preview of several pages is one PNG with cuts between them", async () => {
  const { image } = await render("one\fthree");
  const picture = PNG.sync.read(Buffer.from(await previewPng(image)));
  expect([picture.width, picture.height]).toEqual([576, 30 + 12 + 30]);
  const [page] = readPrintImage(image).pages;
  const rows = [...(page?.rows ?? [])];
  for (let y = 0; y < 30; y += 1) {
    for (let x = 0; x < 576; x += 1) {
      const isBlack = ((rows[y]?.[x >> 3] ?? 0) & (0x80 >> (x & 7))) !== 0;
      if (picture.data[4 * (y * 576 + x)] !== (isBlack ? 0 : 255)) expect.fail(`dot ${x},${y}`);
    }
  }
  expect(picture.data[4 * (36 * 576)]).toBe(0);
});

test("what was written as PNG reads back", async () => {
  const geometry = { widthDots: 13, heightDots: 2, resolutionDpi: 180 };
  const rows = [Uint8Array.of(0xaa, 0xa8), Uint8Array.of(0x55, 0x50)];
  const png = encodePng(geometry, rows);
  expect(PNG.sync.read(Buffer.from(png)).width).toBe(13);
  const image = await decodePng(inChunks(png));
  const seen: string[] = [];
  for await (const row of image.rows) seen.push([...row].map((light) => (light === 0 ? "#" : ".")).join(""));
  expect(seen).toEqual(["#.#.#.#.#.#.#", ".#.#.#.#.#.#."]);
});

describe("raw ESC/POS bytes", () => {
  const kitchen = Buffer.from("\x1b@\x1b!\x30Table 7\n\x1b!\x00two coffees\n\x1dVB\x00for the bar\n", "latin1");

  test("become the pages that their printer would cut", async () => {
    const rendered = await render(kitchen);
    expect(rendered.format).toBe("escpos");
    const paper = readEscposPages(kitchen, "tm-m30iii");
    expect(rendered.pageList.map((page) => [...page.rows])).toEqual(paper.map((page) => [...page.rows]));
    expect(paper.map((page) => page.text)).toEqual(["Table 7\ntwo coffees", "for the bar"]);
  });

  test("are drawn by the profile of the printer's model, or one with such a head", async () => {
    // Table 16 is windows-1252 at Epson's; the sign for the euro is elsewhere in the tables of a clone.
    const bytes = Buffer.from("\x1b@\x1bt\x10\x80 4,20\n", "latin1");
    const rows = (profile: string) => readEscposPages(bytes, profile).flatMap((page) => [...page.rows]);
    const drawn = async (model: string, widthDots: number, resolutionDpi: number) => {
      const { pageList } = await render(bytes, {}, { model, widthDots, resolutionDpi } as typeof target);
      return pageList.flatMap((page) => [...page.rows]);
    };
    expect(await drawn("Epson TM-T88VI", 512, 180)).toEqual(rows("tm-t88vi"));
    expect(await drawn("Xprinter XP-80", 576, 203)).toEqual(rows("xp-80"));
    expect(await drawn("ESC/POS printer, 58 mm", 384, 203)).toEqual(rows("nt-5890k"));
    expect((await drawn("a wide one", 832, 203))[0]).toHaveLength(104);
  });

  test("are known by how they begin, by their name, or because they are said to be", async () => {
    const text = Buffer.from("plain words first\x1d!\x11large\n", "latin1");
    expect(detectFormat(kitchen)).toBe("escpos");
    expect(detectFormat(text, "receipt.prn")).toBe("escpos");
    expect(() => detectFormat(text)).toThrow(/not text at byte/);
    expect((await render(text, { format: "escpos" })).pages).toBe(1);
    for (const foreign of ["\x1b%-12345X@PJL", "\x1b[31mred", "\x1b"]) {
      expect(() => detectFormat(Buffer.from(foreign, "latin1"))).toThrow(/not text/);
    }
    expect(detectFormat(Uint8Array.from(pngSignature), "picture.bin")).toBe("png");
  });

  test("end with their last line, also without its line feed", async () => {
    const whole = await render("\x1b@a\nb\n");
    const open = await render("\x1b@a\nb");
    expect(countBlack(open.pageList[0])).toBe(countBlack(whole.pageList[0]));
    expect((await render("\x1b@a\n\x1dVB\x00")).heightDots).toBe((await render("\x1b@a\n")).heightDots);
  });

  test("are refused when they break off within a command", async () => {
    expect(await codeOf(render(kitchen.subarray(0, 4)))).toBe("document-truncated");
    expect(await codeOf(render("\x1b@"))).toBe("document-invalid");
  });
});
