import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { prepareZXingModule, type ReaderOptions, readBarcodes } from "zxing-wasm/reader";
import { getDot, isBlank } from "./bits.ts";
import type { Page } from "./paper.ts";
import type { Diagnostic } from "./parser.ts";
import { renderEscpos } from "./render.ts";
import { CUT, INITIALIZE, stream } from "./test-bytes.ts";

/** The independent reader, from the file of its package instead of the network. */
export function prepareReader(): void {
  const wasm = createRequire(import.meta.url).resolve("zxing-wasm/reader/zxing_reader.wasm");
  prepareZXingModule({ overrides: { wasmBinary: Uint8Array.from(readFileSync(wasm)).buffer } });
}

export interface Found {
  readonly format: string;
  readonly text: string;
}

interface Read extends Found {
  /** What the symbol holds, byte by byte. */
  readonly bytes: string;
  /** Q0 is QR Code model 1, which has no format name of its own. */
  readonly identifier: string;
}

/** White paper around the page: the quiet zone that paper and table give. */
const BORDER = 80;

/** What is looked at: a page, or rows of one. */
type Sight = Pick<Page, "rows" | "widthDots" | "heightDots">;

export async function read(page: Sight, options: ReaderOptions = {}): Promise<Read[]> {
  const width = page.widthDots + 2 * BORDER;
  const height = page.heightDots + 2 * BORDER;
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  page.rows.forEach((row, y) => {
    for (let x = 0; x < page.widthDots; x += 1) {
      if (getDot(row, x)) {
        data.fill(0, ((y + BORDER) * width + x + BORDER) * 4, ((y + BORDER) * width + x + BORDER) * 4 + 3);
      }
    }
  });
  const image = { data, width, height, colorSpace: "srgb" } as Parameters<typeof readBarcodes>[0];
  return (await readBarcodes(image, options)).map(({ format, text, bytes, symbologyIdentifier }) => ({
    format,
    text,
    bytes: Buffer.from(bytes).toString("latin1"),
    identifier: symbologyIdentifier,
  }));
}

export async function decode(page: Sight, formats: NonNullable<ReaderOptions["formats"]> = []): Promise<Found[]> {
  return (await read(page, { formats })).map(({ format, text }) => ({ format, text }));
}

interface Printed {
  readonly page: Page;
  readonly found: readonly Diagnostic[];
}

export function print(profile: string, ...parts: (string | ArrayLike<number>)[]): Printed {
  const found: Diagnostic[] = [];
  const pages = renderEscpos(stream(INITIALIZE, ...parts, CUT), { profile, onDiagnostic: (d) => found.push(d) });
  const [page] = pages;
  if (page === undefined || pages.length !== 1) throw new Error(`${pages.length} pages`);
  return { page, found };
}

/** GS k with a length. */
export function barcode(m: number, data: string): string {
  return `\x1dk${String.fromCharCode(m, data.length)}${data}`;
}

/** GS k that ends with NUL; `m` as in the other form. */
export function barcodeWithNul(m: number, data: string): string {
  return `\x1dk${String.fromCharCode(m - 65)}${data}\0`;
}

/** GS ( k. */
export function symbol(cn: number, fn: number, args: string): string {
  const length = args.length + 2;
  return `\x1d(k${String.fromCharCode(length & 0xff, length >> 8, cn, fn)}${args}`;
}

export function symbolWith(cn: number, moduleDots: number | undefined, data: string, settings = ""): string {
  const size = moduleDots === undefined ? "" : symbol(cn, 67, String.fromCharCode(moduleDots));
  return `${settings}${size}${symbol(cn, 80, `0${data}`)}${symbol(cn, 81, "0")}`;
}

/** First and last dot column with ink. */
export function inkSpan(page: Page): [number, number] {
  let first = page.widthDots;
  let last = -1;
  for (const row of page.rows.filter((candidate) => !isBlank(candidate))) {
    for (let x = 0; x < page.widthDots; x += 1) {
      if (!getDot(row, x)) continue;
      first = Math.min(first, x);
      last = Math.max(last, x);
    }
  }
  return [first, last];
}
