import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import {
  type Diagnostic,
  type DrawerPulse,
  locateText,
  type Page,
  type Profile,
  type Sound,
  startSimulator,
  type TextPlace,
} from "../../firmware-sim/mod.ts";

/** What one document gave: its pieces of paper, what the printer thought of the bytes, and the drawer. */
export interface Printed {
  readonly pages: readonly Page[];
  readonly diagnostics: readonly Diagnostic[];
  readonly pulses: readonly DrawerPulse[];
  readonly sounds: readonly Sound[];
}

/** Sends a document that ends with a cut to a simulated printer, as a program in the same process. */
export async function printOn(profile: string | Profile, document: Uint8Array): Promise<Printed> {
  const printer = await startSimulator({ profile });
  try {
    const connection = printer.connect();
    const cut = printer.printed();
    await connection.write(document);
    await cut;
    connection.close();
    const { uncut } = printer;
    return {
      pages: uncut === undefined ? [...printer.paper] : [...printer.paper, uncut],
      diagnostics: [...printer.diagnostics],
      pulses: [...printer.pulses],
      sounds: [...printer.sounds],
    };
  } finally {
    await printer.close();
  }
}

/** One line for each diagnostic: kind, command, first bytes. */
export function describeDiagnostics(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ kind, name, bytes }) =>
    [kind, name ?? Buffer.from(bytes.slice(0, 4)).toString("hex")].join(" "),
  );
}

export function onlyPage(printed: Printed): Page {
  const [page] = printed.pages;
  if (page === undefined) throw new Error("no page");
  return page;
}

export function dotAt(page: Page, x: number, y: number): boolean {
  return (((page.rows[y]?.[x >> 3] ?? 0) >> (7 - (x & 7))) & 1) === 1;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly widthDots: number;
  readonly heightDots: number;
}

/** The smallest rectangle that holds all ink. */
export function inkBox(page: Page): Box {
  let [left, right, top, bottom] = [page.widthDots, -1, -1, -1];
  for (let y = 0; y < page.heightDots; y += 1) {
    if (page.rows[y]?.every((byte) => byte === 0)) continue;
    for (let x = 0; x < page.widthDots; x += 1) {
      if (!dotAt(page, x, y)) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      if (top < 0) top = y;
      bottom = y;
    }
  }
  return { x: left, y: top, widthDots: right - left + 1, heightDots: bottom - top + 1 };
}

/** The dots within a rectangle as text, `#` for ink. */
export function dotsOf(page: Page, { x, y, widthDots, heightDots }: Box): string[] {
  return Array.from({ length: heightDots }, (_, row) =>
    Array.from({ length: widthDots }, (_unused, column) => (dotAt(page, x + column, y + row) ? "#" : ".")).join(""),
  );
}

/** The share of black dots within a rectangle. */
export function darkness(page: Page, box: Box): number {
  const dots = dotsOf(page, box).join("");
  return [...dots].filter((dot) => dot === "#").length / Math.max(1, dots.length);
}

/** Where the first line stands that reads so, spaces around it aside. */
export function placeOf(page: Page, text: string): TextPlace {
  const place = locateText(page).find((candidate) => candidate.text.trim() === text);
  if (place === undefined) throw new Error(`no line "${text}" in\n${page.text}`);
  return place;
}

let prepared = false;

function prepareReader(): void {
  if (prepared) return;
  const wasm = createRequire(import.meta.url).resolve("zxing-wasm/reader/zxing_reader.wasm");
  prepareZXingModule({ overrides: { wasmBinary: Uint8Array.from(readFileSync(wasm)).buffer } });
  prepared = true;
}

/** White paper around the page: the quiet zone that paper and table give. */
const BORDER = 40;

/** Symbols that an independent reader finds on the paper. */
export async function decodeSymbols(page: Page): Promise<{ readonly format: string; readonly text: string }[]> {
  prepareReader();
  const box = inkBox(page);
  const width = box.widthDots + 2 * BORDER;
  const height = box.heightDots + 2 * BORDER;
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < box.heightDots; y += 1) {
    for (let x = 0; x < box.widthDots; x += 1) {
      const at = ((y + BORDER) * width + x + BORDER) * 4;
      if (dotAt(page, box.x + x, box.y + y)) data.fill(0, at, at + 3);
    }
  }
  const image = { data, width, height, colorSpace: "srgb" } as Parameters<typeof readBarcodes>[0];
  const results = await readBarcodes(image, { formats: [] });
  return results.map(({ format, text }) => ({ format, text }));
}

/** A picture that no turn and no shift leaves alike: a frame, a wedge, and a single dot. True is black. */
export function testPicture(width: number, height: number): boolean[][] {
  return Array.from({ length: height }, (_, y) =>
    Array.from(
      { length: width },
      (_unused, x) =>
        x === 0 ||
        y === 0 ||
        x === width - 1 ||
        y === height - 1 ||
        x * height < y * width ||
        (x === width - 5 && y === 4),
    ),
  );
}

export function pictureRows(picture: readonly (readonly boolean[])[]): string[] {
  return picture.map((row) => row.map((black) => (black ? "#" : ".")).join(""));
}

/** The picture as RGBA bytes. */
export function pictureRgba(picture: readonly (readonly boolean[])[]): Uint8ClampedArray {
  return Uint8ClampedArray.from(picture.flat().flatMap((black) => (black ? [0, 0, 0, 255] : [255, 255, 255, 255])));
}
