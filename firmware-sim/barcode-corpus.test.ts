import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { DotRow } from "./bits.ts";
import type { Diagnostic } from "./parser.ts";
import { renderEscpos } from "./render.ts";
import { decode, prepareReader } from "./test-barcodes.ts";

beforeAll(prepareReader);

function textOf(path: string): string {
  const text = readFileSync(new URL(`testdata/${path}`, import.meta.url), "latin1");
  if (!path.endsWith(".hex")) return text;
  return Buffer.from(text.replace(/#.*$/gm, "").replace(/\s/g, ""), "hex").toString("latin1");
}

interface Place {
  readonly from: number;
  readonly to: number;
}

/** Where each command stands that prints a bar code or a symbol. */
function printingCommands(text: string): Place[] {
  const found: Place[] = [];
  for (let from = 0; from < text.length; from += 1) {
    if (text.startsWith("\x1dk", from)) {
      const m = text.charCodeAt(from + 2);
      const to = m < 65 ? text.indexOf("\0", from + 3) + 1 : from + 4 + text.charCodeAt(from + 3);
      found.push({ from, to });
    } else if (text.startsWith("\x1d(k\x03\0", from) && text[from + 6] === "Q") {
      found.push({ from, to: from + 8 });
    }
  }
  return found;
}

interface Paper {
  readonly rows: readonly DotRow[];
  readonly widthDots: number;
  readonly told: readonly string[];
}

function paperOf(text: string, profile: string): Paper {
  const told: string[] = [];
  const onDiagnostic = ({ name, detail }: Diagnostic): number => told.push(`${name}: ${detail}`);
  const pages = renderEscpos(Buffer.from(text, "latin1"), { profile, onDiagnostic });
  return { rows: pages.flatMap((page) => page.rows), widthDots: pages[0]?.widthDots ?? 0, told };
}

/** Rows of which a reader needs several, as of a bar code of a single dot row. */
const LEAST_ROWS = 40;

/** What an independent reader sees of each bar code by itself, or what the simulator tells of it. */
async function see(path: string, profile: string): Promise<string[]> {
  const text = textOf(path);
  const seen: string[] = [];
  for (const { from, to } of printingCommands(text)) {
    const before = paperOf(text.slice(0, from), profile);
    const after = paperOf(text.slice(0, to), profile);
    const own = after.rows.slice(before.rows.length);
    const times = Math.ceil(LEAST_ROWS / Math.max(1, own.length));
    const rows = own.flatMap((row) => new Array<DotRow>(times).fill(row));
    const page = { rows, widthDots: after.widthDots, heightDots: rows.length };
    const found = (await decode(page)).map(({ format, text: content }) => `${format} ${content}`);
    seen.push([...found, ...after.told.slice(before.told.length)].join(", "));
  }
  return seen;
}

describe("every bar code in streams of others", () => {
  it("CrossEscPosEmulator's sample", async () => {
    expect(await see("streams/crossescpos-sample.bin", "tm-m30iii")).toMatchInlineSnapshot(`
      [
        "EAN13 0123456789012",
        "EAN13 1234567890128",
        "EAN8 12345670",
        "Code39 CODE39",
        "Code93 CODE93",
        "GS k: CODE128 cannot hold these data",
        "ITF 12345678",
        "Codabar A123456A",
        "QRCode https://example.com/qr",
        "PDF417 PDF417 sample data",
        "DataMatrix DataMatrix sample",
        "GS ( k: this printer has no symbol 55",
      ]
    `);
  });

  it("escpost's voucher", async () => {
    const seen = await see("escpost/cafe-order-voucher.hex", "nt-5890k");
    expect(seen).toEqual(["QRCode https://northstreet.cafe/v/CAFE-1847"]);
  });

  it("escpost's native symbols", async () => {
    const seen = await see("escpost/native-symbols-nt-5890k/input.hex", "nt-5890k");
    expect(seen).toEqual(["EAN13 5901234123457", "EAN13 5901234123457", "QRCode NETUM-QR-TEST"]);
  });

  it("escpos-php's demonstration", async () => {
    expect(await see("streams/demo.bin", "tm-m30iii")).toMatchInlineSnapshot(`
      [
        "Code39 9876",
        "QRCode Testing 123",
        "QRCode Testing 123",
        "MicroQRCode Testing 123",
      ]
    `);
  });

  it("escpos-php's bar codes", async () => {
    expect(await see("streams/barcode.bin", "tm-m30iii")).toMatchInlineSnapshot(`
      [
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "Code39 ABC",
        "EAN13 0123456789012",
        "EAN13 0123456789012",
        "EAN13 0123456789012",
        "EAN13 0123456789012",
        "EAN13 0012345678905, GS k: check digit 1 printed as 5",
        "EAN13 0012345678905",
        "UPCE 0012345000065",
        "UPCE 0012345000065",
        "UPCE 0012345000065, GS k: check digit 7 printed as 5",
        "GS k: UPC-E cannot hold these data",
        "GS k: UPC-E cannot hold these data",
        "EAN13 0123456789012",
        "EAN13 0123456789012",
        "EAN8 01234565",
        "EAN8 01234565, GS k: check digit 7 printed as 5",
        "Code39 ABC 012",
        "Code39 $%+-./",
        "Code39 TEXT",
        "ITF 0123456789",
        "Codabar A012345A",
        "Codabar A012$+-./:A",
        "Code93 012abcd",
        "Code128 012ABCD",
        "Code128 012ABCDabcd",
        "Code128 213243",
      ]
    `);
  });

  it("escpos-php's PDF417", async () => {
    expect(await see("streams/pdf417-code.bin", "tm-m30iii")).toMatchInlineSnapshot(`
      [
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "GS ( k: 824 dots do not fit into the printing area",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
        "GS ( k: 1737 dots do not fit into the printing area",
        "PDF417 Testing 123",
        "PDF417 Testing 123",
      ]
    `);
  });
});
