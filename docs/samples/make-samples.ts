/** Makes the pictures of this folder: `npx tsx docs/samples/make-samples.ts`. They are drawn, nothing is taken from elsewhere. */
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import type { BitmapFont } from "../../src/image/font.ts";
import { loadFont } from "../../src/image/font.ts";
import { TextPainter } from "../../src/image/formats/text.ts";
import { TextLayout } from "../../src/image/formats/text-layout.ts";
import { encodePng } from "../../src/image/png-writer.ts";

const folder = dirname(fileURLToPath(import.meta.url));
const widthDots = 576;
const rowBytes = widthDots / 8;

function drawText(font: BitmapFont, text: string, magnification: number, isCentered: boolean): Uint8Array[] {
  const painter = new TextPainter(font, { widthDots, resolutionDpi: 203 }, magnification);
  const codePoints = [...text].map((char) => char.codePointAt(0) ?? 0);
  const used = codePoints.reduce((sum, codePoint) => sum + painter.measure(codePoint), 0);
  const indent = isCentered ? Math.max(0, (painter.columns - used) >> 1) : 0;
  const layout = new TextLayout(painter.columns, painter.measure);
  const events = [...layout.add([...Array.from({ length: indent }, () => 0x20), ...codePoints]), ...layout.end()];
  return events.flatMap((event) => (event.kind === "line" ? [...painter.paint(event.cells)] : []));
}

/** Rows where `isBlack` says so. */
function draw(heightDots: number, isBlack: (x: number, y: number) => boolean): Uint8Array[] {
  return Array.from({ length: heightDots }, (_, y) => {
    const row = new Uint8Array(rowBytes);
    for (let x = 0; x < widthDots; x += 1) if (isBlack(x, y)) row[x >> 3] = (row[x >> 3] ?? 0) | (0x80 >> (x & 7));
    return row;
  });
}

/** Two spools side by side, thread going from both to one sheet. */
function drawLogo(): Uint8Array[] {
  return draw(132, (x, y) => {
    const isSpool = [216, 360].some((center) => {
      const [dx, dy] = [x - center, y - 62];
      const distance = Math.hypot(dx, dy);
      const isRing = (distance > 50 && distance < 56) || distance < 12;
      const isThread = distance > 18 && distance < 44 && Math.floor(distance) % 6 < 3;
      return isRing || isThread;
    });
    return isSpool || (y >= 112 && y < 118 && x >= 216 && x <= 360);
  });
}

async function makeReceipt(): Promise<void> {
  const font = await loadFont("efont-24");
  const line = (text: string): Uint8Array[] => drawText(font, text, 1, false);
  const priced = (name: string, price: string): Uint8Array[] => {
    const columns = (text: string): number =>
      [...text].reduce((sum, char) => sum + ((char.codePointAt(0) ?? 0) >= 0x2e80 ? 2 : 1), 0);
    return line(`${name}${" ".repeat(48 - columns(name) - columns(price))}${price}`);
  };
  const blank = (rows: number): Uint8Array[] => draw(rows, () => false);
  const rule = draw(14, (_, y) => y >= 6 && y < 8);
  const dashes = draw(14, (x, y) => y >= 6 && y < 8 && x % 12 < 7);
  const rows = [
    ...blank(12),
    ...drawLogo(),
    ...drawText(font, "Café Zwirn", 3, true),
    ...drawText(font, "喫茶 糸巻き", 2, true),
    ...drawText(font, "2-7-1 Itomaki, Kyoto  ☎ 075-000-0000", 1, true),
    ...rule,
    ...line("Receipt 000042              2026-11-23  12:34:56"),
    ...line("Table 3   Guests 4          Served by Sato"),
    ...dashes,
    ...priced("2 × 醤油ラーメン Soy ramen", "¥1,960"),
    ...priced("3 × 焼き餃子 Gyoza", "¥1,350"),
    ...priced("1 × 枝豆 Edamame", "¥380"),
    ...priced("1 × 唐揚げ定食 Karaage set", "¥1,080"),
    ...priced("3 × 生ビール Draught beer", "¥1,650"),
    ...priced("1 × Crème brûlée", "¥520"),
    ...dashes,
    ...priced("Subtotal", "¥6,940"),
    ...priced("(Tax 10% included)", "¥631"),
    ...drawText(font, "TOTAL 合計        ¥6,940", 2, false),
    ...rule,
    ...priced("Cash", "¥10,000"),
    ...priced("Change", "¥3,060"),
    ...blank(12),
    ...drawText(font, "ありがとうございました", 2, true),
    ...drawText(font, "Thank you, and come again.", 1, true),
    ...blank(48),
  ];
  await writeFile(
    join(folder, "receipt.png"),
    encodePng({ widthDots, heightDots: rows.length, resolutionDpi: 203 }, rows),
  );
}

/** A smooth pseudo-random line between 0 and 1, as ridges have it. */
function ridge(x: number, seed: number): number {
  let [height, scale] = [0, 0.5];
  for (let octave = 0; octave < 7; octave += 1) {
    const at = (x * 2 ** octave) / 300 + seed * 17.3 + octave * 5.1;
    const [left, share] = [Math.floor(at), at - Math.floor(at)];
    const noise = (n: number): number => Math.abs((Math.sin(n * 127.1 + seed * 311.7) * 43_758.5453) % 1);
    const blend = share * share * (3 - 2 * share);
    height += scale * (noise(left) * (1 - blend) + noise(left + 1) * blend);
    scale /= 2;
  }
  return height;
}

/** An evening at a lake: sky, sun, three ridges in the haze, and all of it in the water. */
async function makePhoto(): Promise<void> {
  const [width, height, shore] = [1200, 800, 520];
  const ridges = [
    { base: 300, relief: 260, color: [150, 140, 170] },
    { base: 380, relief: 220, color: [95, 90, 125] },
    { base: 450, relief: 160, color: [40, 45, 62] },
  ] as const;
  const heights = ridges.map(({ base, relief }, i) =>
    Float64Array.from({ length: width }, (_, x) => base + 120 - ridge(x + i * 900, i + 1) * relief),
  );
  const skyAt = (x: number, y: number): readonly number[] => {
    const down = Math.min(1, y / shore);
    const glow = Math.exp(-Math.hypot(x - 820, (y - 250) * 1.2) / 170);
    const disc = Math.hypot(x - 820, y - 250) < 46 ? 1 : 0;
    const cloud = 22 * Math.sin(x / 90 + 3 * Math.sin(y / 37)) * Math.exp(-(((y - 130) / 60) ** 2));
    return [
      70 + 150 * down + 120 * glow + 90 * disc + cloud,
      100 + 80 * down + 90 * glow + 90 * disc + cloud,
      165 + 10 * down + 30 * glow + 60 * disc + cloud,
    ];
  };
  const sceneAt = (x: number, y: number): readonly number[] => {
    let color = skyAt(x, y);
    for (const [i, { color: rock }] of ridges.entries()) {
      const top = heights[i]?.[x] ?? 0;
      if (y <= top) continue;
      const haze = Math.min(0.6, (y - top) / 300);
      color = rock.map((value, channel) => value * (1 - haze) + (skyAt(x, shore)[channel] ?? 0) * haze * (1 - i / 4));
    }
    return color;
  };
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const depth = y - shore;
      const ripple = Math.sin(depth * depth * 0.004 + x / 60) * (2 + depth / 18);
      const mirrorX = Math.min(width - 1, Math.max(0, Math.round(x + ripple)));
      const color =
        depth < 0
          ? sceneAt(x, y)
          : sceneAt(mirrorX, Math.max(0, shore - 1 - depth * 1.6)).map((value) => value * (0.8 - depth / 900));
      const grain = ((Math.sin(x * 12.9898 + y * 78.233) * 43_758.5453) % 1) * 5;
      for (let channel = 0; channel < 3; channel += 1) {
        pixels[3 * (y * width + x) + channel] =
          255 * Math.min(1, Math.max(0, (color[channel] ?? 0) + grain) / 255) ** 0.62;
      }
    }
  }
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 82, mozjpeg: true })
    .toFile(join(folder, "photo.jpg"));
}

await makeReceipt();
await makePhoto();
