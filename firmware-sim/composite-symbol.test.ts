import { beforeAll, describe, expect, it } from "vitest";
import { isBlank } from "./bits.ts";
import type { Page } from "./paper.ts";
import { inkSpan, prepareReader, print, read, symbol, symbolWith } from "./test-barcodes.ts";

beforeAll(prepareReader);

const FNC1 = "\x1d";

/**
 * What a 2D component holds, out of the bytes that the reader sees in it: the general-purpose compaction of GS1 (ISO/IEC
 * 24723 5.3), behind a first bit of 0. Written from the standard's tables, and only for what these tests print.
 */
function compacted(bytes: string): string {
  const bits = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(2).padStart(8, "0")).join("");
  let at = 1;
  const take = (count: number): number => {
    at += count;
    return Number.parseInt(bits.slice(at - count, at), 2);
  };
  const digit = (value: number): string => (value === 10 ? FNC1 : String(value));
  let content = "";
  let numeric = true;
  while (bits.length - at >= 7) {
    if (numeric) {
      if (bits.startsWith("0000", at)) {
        at += 4;
        numeric = false;
        continue;
      }
      const pair = take(7) - 8;
      content += digit(Math.floor(pair / 11)) + digit(pair % 11);
      continue;
    }
    if (bits.startsWith("000", at)) {
      at += 3;
      numeric = true;
    } else if (bits.startsWith("00100", at)) {
      // Padding, in data without lower case.
      break;
    } else if (bits[at] === "0") {
      const value = take(5);
      content += value === 15 ? FNC1 : String(value - 5);
      if (value === 15) numeric = true;
    } else {
      const value = take(6);
      content += value < 58 ? String.fromCharCode(value + 33) : ("*,-./"[value - 58] ?? "");
    }
  }
  // A single last digit has an FNC1 beside it that means nothing.
  return content.endsWith(FNC1) ? content.slice(0, -1) : content;
}

const LOT = "LOT0123456789ABCDEF";
const SERIAL = "SERIAL0123456789ABC";
/** Too much for a CC-A of any width, not for a CC-B of two columns. */
const MEDIUM = `21${LOT}{1240SERIAL012345678`;
const MEDIUM_CONTENT = `21${LOT}${FNC1}240SERIAL012345678`;
const LONG = `21${LOT}{1240${SERIAL}{1241${LOT}`;
const LONG_CONTENT = `21${LOT}${FNC1}240${SERIAL}${FNC1}241${LOT}`;

const LINEAR: readonly [name: string, b: number, data: string, format: string, decoded: string, readable?: string][] = [
  ["EAN8", 65, "9638507", "EAN8", "96385074", "96385074"],
  ["EAN13", 66, "400638133393", "EAN13", "4006381333931", "4006381333931"],
  ["UPC-A", 67, "01234567890", "EAN13", "0012345678905", "012345678905"],
  ["UPC-E of six digits", 68, "123456", "UPCE", "0012345000065", "0123456"],
  ["UPC-E of eleven digits", 69, "01234500006", "UPCE", "0012345000065", "0123456"],
  ["GS1 DataBar", 70, "0950110153000", "DataBarOmni", "0109501101530003", "(01)09501101530003"],
  ["GS1 DataBar Truncated", 71, "0950110153000", "DataBarOmni", "0109501101530003", "(01)09501101530003"],
  ["GS1 DataBar Stacked", 72, "0950110153000", "DataBarStk", "0109501101530003"],
  ["GS1 DataBar Stacked Omnidirectional", 73, "0950110153000", "DataBarStk", "0109501101530003"],
  ["GS1 DataBar Limited", 74, "0950110153000", "DataBarLtd", "0109501101530003", "(01)09501101530003"],
  [
    "GS1 DataBar Expanded",
    75,
    "(01)09501101530003(10)AB",
    "DataBarExp",
    "010950110153000310AB",
    "(01)09501101530003(10)AB",
  ],
  ["GS1 DataBar Expanded Stacked", 76, "(01)09501101530003(10)AB", "DataBarExp", "010950110153000310AB"],
  ["GS1-128", 77, "(01)0950110153000*", "Code128", "0109501101530003", "(01)09501101530003"],
];

function composite(b: number, linear: string, component: string, settings = ""): string {
  const stored = symbol(52, 80, `00${String.fromCharCode(b)}${linear}`);
  return stored + symbolWith(52, 3, `1${component}`, settings);
}

const TWO_D = ["MicroPDF417", "PDF417"];

/** What the 2D component holds. The reader looks at it alone, above `linearModules` of bars, where it finds too much else. */
async function readComponent(page: Page, linearModules: number): Promise<string[]> {
  const heightDots = page.heightDots - linearModules * 3;
  const above = { rows: page.rows.slice(0, heightDots), widthDots: page.widthDots, heightDots };
  const results = [...(await read(page)), ...(await read(above))].filter(({ format }) => TWO_D.includes(format));
  return [...new Set(results.map(({ bytes }) => compacted(bytes)))];
}

describe("composite symbols", () => {
  it.each(LINEAR)("%s below a CC-A: the linear element decodes", async (_name, b, data, format, decoded) => {
    const { page, found } = print("tm-m30iii", "\x1ba\x01", composite(b, data, "A21AB"));
    expect(found).toEqual([]);
    expect(await read(page)).toMatchObject([{ format, bytes: decoded }]);
    // Three rows of 2 modules at the very least stand above it.
    expect(page.rows.slice(0, 18).some(isBlank)).toBe(false);
  });

  it.each(LINEAR)("%s below a CC-B: both parts decode", async (_name, b, data, format, decoded) => {
    const { page, found } = print("tm-m30iii", "\x1ba\x01", composite(b, data, `A${MEDIUM}`));
    expect(found).toEqual([]);
    const results = (await read(page)).filter((result) => !TWO_D.includes(result.format));
    expect(results).toMatchObject([{ format, bytes: decoded }]);
    expect(await readComponent(page, 34)).toEqual([MEDIUM_CONTENT]);
  });

  it("GS1-128 below a CC-C: both parts decode, and nothing else carries one", async () => {
    const { page, found } = print("tm-m30iii", "\x1ba\x01", composite(77, "(01)0950110153000*", `B${LONG}`));
    expect(found).toEqual([]);
    const results = await read(page);
    expect(results.find(({ format }) => format === "Code128")?.bytes).toBe("0109501101530003");
    const [cc] = results.filter(({ format }) => format === "PDF417");
    expect(compacted(cc?.bytes ?? "")).toBe(LONG_CONTENT);
    expect(print("tm-m30iii", composite(66, "400638133393", `B${LONG}`)).found).toMatchObject([
      { kind: "out-of-range", detail: "only GS1-128 carries a CC-C" },
    ]);
  });

  it.each(LINEAR)(
    "%s has HRI characters when function 472 asks for them",
    (_name, b, data, _format, _decoded, text) => {
      const plain = print("tm-m30iii", composite(b, data, "A21AB"));
      expect(plain.page.text).toBe("");
      const { page } = print("tm-m30iii", composite(b, data, "A21AB", symbol(52, 72, "1")));
      expect(page.text).toBe(text ?? "");
      expect(page.heightDots - plain.page.heightDots).toBe(text === undefined ? 0 : 24);
    },
  );

  it("an expanded stacked one is as wide as function 471 allows", async () => {
    const one = (settings: string): Page =>
      print("tm-m30iii", composite(76, "(01)09501101530003(10)ABCDEFGHIJKL", "A21AB", settings)).page;
    expect(inkSpan(one(""))[1]).toBeGreaterThan(450);
    const narrow = one(symbol(52, 71, "\x4a\x01"));
    expect(inkSpan(narrow)[1]).toBeLessThan(330);
    expect(await read(narrow)).toMatchObject([{ format: "DataBarExpStk", bytes: "010950110153000310ABCDEFGHIJKL" }]);
  });

  it("its parts can be changed one by one, in any order", async () => {
    const linear = (digits: string): string => symbol(52, 80, `00B${digits}`);
    const component = symbol(52, 80, `01A${LONG}`);
    const { page, found } = print(
      "tm-m30iii",
      component,
      linear("400638133393"),
      linear("123456789012"),
      symbol(52, 81, "0"),
    );
    expect(found).toEqual([]);
    const results = await read(page);
    expect(results.find(({ format }) => format === "EAN13")?.bytes).toBe("1234567890128");
    expect(results.some(({ format }) => format === "MicroPDF417")).toBe(true);
    const gone = print("tm-m30iii", component, linear("400638133393"), symbol(49, 80, "0QR"), symbol(52, 81, "0"));
    expect(gone.found).toMatchObject([{ kind: "ignored" }]);
  });

  it.each([
    ["a letter too many", 66, "4006381333931"],
    ["a UPC-E without zeros", 69, "01234567890"],
    ["a linear element that does not exist", 78, "1"],
  ])("%s prints nothing", (_what, b, data) => {
    expect(print("tm-m30iii", composite(b, data, "A21AB")).found).toMatchObject([{ kind: "out-of-range" }]);
  });
});
