import { describe, expect, test } from "vitest";
import { ToneMeter } from "./classify.ts";
import { ErrorDiffuser, rowsToDots } from "./dither.ts";
import type { LinearImage } from "./linear-image.ts";
import { linearFromSrgb, linearWhite, luminance, makeLinearTable } from "./linear-image.ts";
import { bytesPerRow } from "./print-image.ts";
import { fitToWidth, shrinkToWidth } from "./scale.ts";
import { makeRandom, pickSeed } from "./test-support.ts";

function fromFunction(widthDots: number, heightDots: number, light: (x: number, y: number) => number): LinearImage {
  async function* rows(): AsyncGenerator<Uint16Array, void, undefined> {
    const row = new Uint16Array(widthDots);
    for (let y = 0; y < heightDots; y += 1) {
      for (let x = 0; x < widthDots; x += 1) row[x] = light(x, y);
      yield row;
    }
  }
  return { widthDots, heightDots, rows: rows() };
}

async function toRows(image: LinearImage): Promise<Uint16Array[]> {
  const rows: Uint16Array[] = [];
  for await (const row of image.rows) rows.push(Uint16Array.from(row));
  return rows;
}

async function blackShare(image: LinearImage, mode: "photo" | "line-art"): Promise<number> {
  let black = 0;
  for await (const dots of rowsToDots(image, image.widthDots, mode, false)) {
    for (const byte of dots) for (let bit = 0; bit < 8; bit += 1) black += (byte >> bit) & 1;
  }
  return black / (image.widthDots * image.heightDots);
}

const srgb = (value: number): number => Math.round(linearFromSrgb(value / 255) * linearWhite);

describe("linear light", () => {
  test("sRGB 188 is half the light of white, 0 and 255 are the ends", () => {
    const table = makeLinearTable(256);
    expect((table[188] ?? 0) / linearWhite).toBeCloseTo(0.503, 2);
    expect([table[0], table[255]]).toEqual([0, linearWhite]);
    expect(makeLinearTable(3, 2)).toEqual(Uint16Array.of(0, 16_384, linearWhite));
    expect(luminance(linearWhite, linearWhite, linearWhite)).toBeCloseTo(linearWhite, 6);
  });
});

describe("error diffusion", () => {
  test.each([40, 64, 100, 128, 188, 220, 240])("sRGB %i prints as much paper as it has light", async (value) => {
    const share = await blackShare(
      fromFunction(256, 256, () => srgb(value)),
      "photo",
    );
    expect(share).toBeCloseTo(1 - linearFromSrgb(value / 255), 2);
  });

  test("sRGB 188 gives half the dots", async () => {
    expect(
      await blackShare(
        fromFunction(256, 256, () => srgb(188)),
        "photo",
      ),
    ).toBeCloseTo(0.5, 2);
  });

  test("any flat tone keeps its light", async () => {
    const seed = pickSeed();
    const random = makeRandom(seed);
    for (let round = 0; round < 20; round += 1) {
      const light = 1 + random(linearWhite - 1);
      const share = await blackShare(
        fromFunction(128, 128, () => light),
        "photo",
      );
      expect(Math.abs(share - (1 - light / linearWhite)), `TEST_SEED=${seed}: ${light}`).toBeLessThan(0.02);
    }
  });

  test("white beside a tone stays white, black stays black", () => {
    const diffuser = new ErrorDiffuser(48);
    const row = Uint16Array.from({ length: 48 }, (_, x) => [0, 30_000, linearWhite][x >> 4] ?? 0);
    for (let y = 0; y < 50; y += 1) {
      const dots = new Uint8Array(6);
      diffuser.diffuse(row, dots);
      expect([dots[0], dots[1], dots[4], dots[5]]).toEqual([255, 255, 0, 0]);
    }
  });

  test("neighbouring rows do not line up: the pattern has no lean to one side", async () => {
    const rows: Uint8Array[] = [];
    const image = fromFunction(64, 64, () => linearWhite * 0.75);
    for await (const dots of rowsToDots(image, 64, "photo", false)) rows.push(dots);
    const columns = Array.from({ length: 64 }, (_, x) =>
      rows.reduce((sum, row) => sum + (((row[x >> 3] ?? 0) >> (7 - (x & 7))) & 1), 0),
    );
    const left = columns.slice(0, 32).reduce((sum, count) => sum + count, 0);
    const right = columns.slice(32).reduce((sum, count) => sum + count, 0);
    expect(Math.abs(left - right)).toBeLessThan(24);
  });
});

describe("threshold", () => {
  test("cuts at half the light", async () => {
    const share = (value: number): Promise<number> =>
      blackShare(
        fromFunction(16, 16, () => srgb(value)),
        "line-art",
      );
    expect([await share(0), await share(187), await share(189), await share(255)]).toEqual([1, 1, 0, 0]);
  });

  test("a narrow picture stands at the left of white paper", async () => {
    const rows: Uint8Array[] = [];
    for await (const dots of rowsToDots(
      fromFunction(5, 1, () => 0),
      20,
      "line-art",
      false,
    ))
      rows.push(dots);
    expect(rows).toEqual([Uint8Array.of(0xf8, 0, 0)]);
    expect(rows[0]?.length).toBe(bytesPerRow(20));
  });

  test("a stroke of one pixel survives shrinking by three", async () => {
    const image = shrinkToWidth(
      fromFunction(90, 90, (x) => (x === 45 ? 0 : linearWhite)),
      30,
    );
    let black = 0;
    for await (const dots of rowsToDots(image, 30, "line-art", true)) black += dots.some((byte) => byte !== 0) ? 1 : 0;
    expect(black).toBe(30);
  });
});

describe("scaling", () => {
  test("never enlarges, keeps the proportions, leaves one row at least", () => {
    expect(fitToWidth(100, 50, 576)).toEqual({ widthDots: 100, heightDots: 50 });
    expect(fitToWidth(1152, 100, 576)).toEqual({ widthDots: 576, heightDots: 50 });
    expect(fitToWidth(60_000, 1, 576)).toEqual({ widthDots: 576, heightDots: 1 });
    const image = fromFunction(5, 5, () => 0);
    expect(shrinkToWidth(image, 5)).toBe(image);
  });

  test("halving averages each two by two", async () => {
    const image = fromFunction(4, 4, (x, y) => x * 1000 + y * 100);
    expect(await toRows(shrinkToWidth(image, 2))).toEqual([Uint16Array.of(550, 2550), Uint16Array.of(750, 2750)]);
  });

  test("any size: as many rows as announced, and the mean light stays", async () => {
    const seed = pickSeed();
    const random = makeRandom(seed);
    for (let round = 0; round < 60; round += 1) {
      const [width, height] = [2 + random(90), 1 + random(90)];
      const pixels = Array.from({ length: width * height }, () => random(linearWhite + 1));
      const image = fromFunction(width, height, (x, y) => pixels[y * width + x] ?? 0);
      const small = shrinkToWidth(image, 1 + random(width));
      const rows = await toRows(small);
      expect(rows.length, `TEST_SEED=${seed}`).toBe(small.heightDots);
      const mean =
        rows.flatMap((row) => [...row]).reduce((sum, value) => sum + value, 0) / (rows.length * small.widthDots);
      const expected = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
      expect(Math.abs(mean - expected), `TEST_SEED=${seed} ${width}x${height}`).toBeLessThan(1);
    }
  });
});

describe("photograph or line art", () => {
  async function modeOf(image: LinearImage): Promise<string> {
    const meter = new ToneMeter(image.widthDots);
    for await (const row of image.rows) meter.add(row);
    return meter.mode;
  }

  test("black on white, and small smoothed print, are line art", async () => {
    expect(await modeOf(fromFunction(100, 100, (x) => (x % 7 < 3 ? 0 : linearWhite)))).toBe("line-art");
    expect(await modeOf(fromFunction(100, 100, (x, y) => (x % 3 === 0 || y % 9 === 0 ? srgb(128) : linearWhite)))).toBe(
      "line-art",
    );
  });

  test("gradients, and a photograph on a tenth of a receipt, are photographs", async () => {
    expect(await modeOf(fromFunction(100, 100, (x, y) => srgb(x + y)))).toBe("photo");
    const onReceipt = fromFunction(100, 300, (x, y) => (x < 60 && y < 40 ? srgb(60 + x + y) : linearWhite));
    expect(await modeOf(onReceipt)).toBe("photo");
  });
});
