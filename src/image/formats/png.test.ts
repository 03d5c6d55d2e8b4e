import { deflateSync } from "node:zlib";
import { PNG } from "pngjs";
import { describe, expect, test } from "vitest";
import { TwinspoolError } from "../../protocol/errors.ts";
import { linearWhite, luminance, makeLinearTable } from "../linear-image.ts";
import { pngChunk } from "../png-writer.ts";
import type { TestPng } from "../test-support.ts";
import { codeOf, ihdr, inChunks, makePng, makeRandom, pickSeed } from "../test-support.ts";
import { decodePng, pngSignature } from "./png.ts";

const channelsOf: { readonly [type: number]: number } = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const kinds: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [0, 4],
  [0, 8],
  [0, 16],
  [2, 8],
  [2, 16],
  [3, 1],
  [3, 2],
  [3, 4],
  [3, 8],
  [4, 8],
  [4, 16],
  [6, 8],
  [6, 16],
];
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

async function decode(bytes: Uint8Array, chunkBytes?: number): Promise<{ widthDots: number; rows: Uint16Array[] }> {
  const image = await decodePng(inChunks(bytes, chunkBytes));
  const rows: Uint16Array[] = [];
  for await (const row of image.rows) rows.push(Uint16Array.from(row));
  expect(rows.length).toBe(image.heightDots);
  return { widthDots: image.widthDots, rows };
}

/** Random filtered rows for a picture of this kind: any bytes are a valid picture, whatever the filter. */
function randomData(png: Omit<TestPng, "data">, random: (below: number) => number): Uint8Array {
  const bits = (channelsOf[png.colorType] ?? 1) * png.bitDepth;
  const sizes =
    png.interlace === 1
      ? passes.map(
          ([x, y, dx, dy]) => [Math.ceil((png.widthDots - x) / dx), Math.ceil((png.heightDots - y) / dy)] as const,
        )
      : [[png.widthDots, png.heightDots] as const];
  const parts: Uint8Array[] = [];
  for (const [width, height] of sizes) {
    if (width <= 0 || height <= 0) continue;
    for (let y = 0; y < height; y += 1) {
      const row = Uint8Array.from({ length: 1 + Math.ceil((width * bits) / 8) }, () => random(256));
      row[0] = random(5);
      parts.push(row);
    }
  }
  return Buffer.concat(parts);
}

/** What the light of pngjs's 8-bit RGBA is; pngjs is the independent decoder here. */
function oracleRows(bytes: Uint8Array): number[][] {
  const picture = PNG.sync.read(Buffer.from(bytes));
  const light = makeLinearTable(256);
  return Array.from({ length: picture.height }, (_, y) =>
    Array.from({ length: picture.width }, (_unused, x) => {
      const [red = 0, green = 0, blue = 0, alpha = 0] = picture.data.subarray(4 * (y * picture.width + x));
      const value = luminance(light[red] ?? 0, light[green] ?? 0, light[blue] ?? 0);
      return linearWhite + (value - linearWhite) * (alpha / 255);
    }),
  );
}

describe("every kind of PNG against pngjs", () => {
  const seed = pickSeed();
  const random = makeRandom(seed);
  for (const [colorType, bitDepth] of kinds) {
    for (const interlace of [0, 1] as const) {
      test(`color type ${colorType}, ${bitDepth} bits, ${interlace ? "interlaced" : "plain"}`, async () => {
        for (const size of [1, 3, 17, 33]) {
          const kind = { widthDots: size, heightDots: size + random(9), bitDepth, colorType, interlace };
          const palette = Uint8Array.from({ length: 3 * 2 ** Math.min(bitDepth, 8) }, () => random(256));
          const before = colorType === 3 ? [pngChunk("PLTE", palette)] : [];
          if (colorType === 3 && size > 3) before.push(pngChunk("tRNS", Uint8Array.of(0, 128)));
          const bytes = makePng({ ...kind, data: randomData(kind, random), before });
          const { rows } = await decode(bytes, 1 + random(500));
          const expected = oracleRows(bytes);
          // pngjs rounds 16-bit samples to 8, and alpha with them.
          const tolerance = bitDepth === 16 ? 700 : 2;
          for (const [y, row] of rows.entries()) {
            for (const [x, value] of row.entries()) {
              const difference = Math.abs(value - (expected[y]?.[x] ?? Number.NaN));
              expect(difference <= tolerance, `TEST_SEED=${seed} at ${x},${y}: off by ${difference}`).toBe(true);
            }
          }
        }
      });
    }
  }

  test("pictures that pngjs wrote", async () => {
    for (const colorType of [0, 2, 4, 6] as const) {
      const picture = new PNG({ width: 61, height: 40 });
      for (let i = 0; i < picture.data.length; i += 1) picture.data[i] = (i * 7 + (i >> 5)) & 255;
      const bytes = PNG.sync.write(picture, { colorType, inputHasAlpha: true });
      const expected = oracleRows(bytes).flat();
      const seen = (await decode(bytes)).rows.flatMap((row) => [...row]);
      expect(Math.max(...seen.map((value, i) => Math.abs(value - (expected[i] ?? 0))))).toBeLessThanOrEqual(2);
    }
  });
});

const gray8 = { widthDots: 3, heightDots: 2, bitDepth: 8, colorType: 0 } as const;
const gray8Data = Uint8Array.of(0, 0, 128, 255, 0, 1, 2, 3);

describe("colors", () => {
  test("a transparent key is paper, in grey and in color", async () => {
    const gray = makePng({ ...gray8, data: gray8Data, before: [pngChunk("tRNS", Uint8Array.of(0, 0))] });
    expect((await decode(gray)).rows[0]?.[0]).toBe(linearWhite);
    const color = makePng({
      widthDots: 2,
      heightDots: 1,
      bitDepth: 8,
      colorType: 2,
      data: Uint8Array.of(0, 1, 2, 3, 1, 2, 4),
      before: [pngChunk("tRNS", Uint8Array.of(0, 1, 0, 2, 0, 3))],
    });
    const [row] = (await decode(color)).rows;
    expect(row?.[0]).toBe(linearWhite);
    expect(row?.[1]).toBeLessThan(100);
  });

  test("a key of the wrong length, or beyond the levels, is passed over", async () => {
    const plain = await decode(makePng({ ...gray8, data: gray8Data }));
    for (const key of [Uint8Array.of(0), Uint8Array.of(9, 9)]) {
      expect(await decode(makePng({ ...gray8, data: gray8Data, before: [pngChunk("tRNS", key)] }))).toEqual(plain);
    }
  });

  function gamma(value: number): Uint8Array {
    const body = new Uint8Array(4);
    new DataView(body.buffer).setUint32(0, value);
    return pngChunk("gAMA", body);
  }

  test("gAMA is obeyed, unless it is that of sRGB or a profile stands above it", async () => {
    const middle = async (before: readonly Uint8Array[]): Promise<number> => {
      const { rows } = await decode(makePng({ ...gray8, data: gray8Data, before }));
      return rows[0]?.[1] ?? 0;
    };
    const plain = await middle([]);
    expect(plain / linearWhite).toBeCloseTo(0.216, 3);
    expect((await middle([gamma(100_000)])) / linearWhite).toBeCloseTo(128 / 255, 4);
    expect(await middle([gamma(45_455)])).toBe(plain);
    expect(await middle([gamma(0)])).toBe(plain);
    expect(await middle([pngChunk("gAMA", Uint8Array.of(1))])).toBe(plain);
    expect(await middle([pngChunk("sRGB", Uint8Array.of(0)), gamma(100_000)])).toBe(plain);
    expect(await middle([gamma(100_000), pngChunk("iCCP", Uint8Array.of(0))])).toBe(plain);
  });
});

describe("bad pictures", () => {
  const good = makePng({ ...gray8, data: gray8Data });

  test("a picture cut at any byte is refused as truncated", async () => {
    for (let length = 0; length < good.length; length += 1) {
      expect([length, await codeOf(decode(good.subarray(0, length), 9))]).toEqual([length, "document-truncated"]);
    }
  });

  test("a flipped bit anywhere is refused", async () => {
    for (let at = 0; at < good.length; at += 1) {
      const bad = Uint8Array.from(good);
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      expect([at, await codeOf(decode(bad))]).not.toEqual([at, "resolved"]);
    }
  });

  test("bytes after IEND do not matter", async () => {
    expect(await decode(Buffer.concat([good, Uint8Array.of(1, 2, 3)]))).toEqual(await decode(good));
  });

  const head = Uint8Array.from(pngSignature);
  const data = pngChunk("IDAT", deflateSync(gray8Data));
  const end = pngChunk("IEND", new Uint8Array(0));
  const text = pngChunk("tEXt", new Uint8Array(5000));
  const header = ihdr(gray8);
  const palette = { ...gray8, colorType: 3, data: Uint8Array.of(0, 0, 1, 2, 0, 0, 0, 0) };
  const badHeader = (change: Partial<Record<keyof typeof gray8 | "interlace", number>>): Uint8Array =>
    Buffer.concat([head, ihdr({ ...gray8, ...change }), data, end]);

  test.each<[string, Uint8Array, string]>([
    ["no signature", Buffer.from("not a picture at all"), "signature"],
    ["IHDR is not first", Buffer.concat([head, text, header, data, end]), "first chunk is tEXt"],
    ["a short IHDR", Buffer.concat([head, pngChunk("IHDR", new Uint8Array(12))]), "IHDR has 12 bytes"],
    ["a second IHDR", Buffer.concat([head, header, header, data, end]), "critical chunk IHDR"],
    [
      "an unknown critical chunk",
      Buffer.concat([head, header, pngChunk("ABCD", head), data, end]),
      "critical chunk ABCD",
    ],
    ["no IDAT", Buffer.concat([head, header, end, data]), "ends too early"],
    ["parted IDAT", Buffer.concat([head, header, data, text, data, end]), "not together"],
    ["a bad chunk name", Buffer.concat([head, header, pngChunk("a1bc", head)]), "no chunk at byte 33"],
    ["no width", badHeader({ widthDots: 0 }), "0 x 2"],
    ["an unknown depth", badHeader({ bitDepth: 3 }), "color type 0 with 3 bits"],
    ["an unknown color type", badHeader({ colorType: 5 }), "color type 5"],
    ["an unknown interlacing", badHeader({ interlace: 2 }), "interlace method"],
    ["no palette", makePng(palette), "PLTE is missing"],
    ["a palette of 4 bytes", makePng({ ...palette, before: [pngChunk("PLTE", new Uint8Array(4))] }), "PLTE has 4"],
    ["a huge palette", makePng({ ...palette, before: [pngChunk("PLTE", new Uint8Array(3000))] }), "PLTE has 3000"],
    ["a color beyond the palette", makePng({ ...palette, before: [pngChunk("PLTE", new Uint8Array(6))] }), "pixel 2"],
    ["an unknown filter", makePng({ ...gray8, data: Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0) }), "unknown filter 5"],
    ["too many rows", makePng({ ...gray8, data: new Uint8Array(9) }), "more pixel rows"],
    ["too few rows", makePng({ ...gray8, data: new Uint8Array(7) }), "pixel rows are missing"],
    ["no zlib data", Buffer.concat([head, header, pngChunk("IDAT", Uint8Array.of(1, 2, 3)), end]), "damaged"],
    [
      "cut zlib data",
      Buffer.concat([head, header, pngChunk("IDAT", deflateSync(gray8Data).subarray(0, 9)), end]),
      "ends early",
    ],
    ["too wide", badHeader({ widthDots: 70_000 }), "limit is 65500 wide"],
    ["too many pixels", badHeader({ widthDots: 60_000, heightDots: 60_000 }), "500000000 in all"],
    ["interlaced and large", badHeader({ widthDots: 9000, heightDots: 9000, interlace: 1 }), "interlaced PNG"],
  ])("%s", async (_, bytes, reason) => {
    await expect(decode(bytes)).rejects.toThrow(reason);
  });

  test("mutated pictures with right checksums give rows or a TwinspoolError, nothing else", async () => {
    const seed = pickSeed();
    const random = makeRandom(seed);
    for (let round = 0; round < 300; round += 1) {
      const [colorType, bitDepth] = kinds[random(kinds.length)] ?? [0, 8];
      const kind = {
        widthDots: 1 + random(9),
        heightDots: 1 + random(9),
        bitDepth,
        colorType,
        interlace: random(2) as 0 | 1,
      };
      const rows = randomData(kind, random).subarray(random(3));
      rows[random(rows.length)] = random(256);
      const before = random(2) === 0 ? [pngChunk("PLTE", new Uint8Array(random(40)))] : [];
      const bytes = makePng({ ...kind, data: rows, before });
      await decode(bytes, 1 + random(100)).catch((error: unknown) => {
        expect(error, `TEST_SEED=${seed}, round ${round}: ${error}`).toBeInstanceOf(TwinspoolError);
      });
    }
  });
});
