import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { BARCODE_SYSTEMS } from "./barcode-systems.ts";
import { getDot, isBlank } from "./bits.ts";
import type { Page } from "./paper.ts";
import { renderEscpos } from "./render.ts";
import { startSimulator } from "./simulator.ts";
import { barcode, decode, inkSpan, prepareReader, print, symbol, symbolWith } from "./test-barcodes.ts";
import { CUT, INITIALIZE, stream } from "./test-bytes.ts";

beforeAll(prepareReader);

const LINEAR: readonly [name: string, m: number, data: string, readable: string, decoded: string][] = [
  ["UPC-A", 65, "01234567890", "012345678905", "0012345678905"],
  ["UPC-A with its check digit", 65, "012345678905", "012345678905", "0012345678905"],
  ["UPC-E", 66, "123456", "01234565", "0012345000065"],
  ["UPC-E of a UPC-A", 66, "01234000005", "01234543", "0012340000053"],
  ["EAN13", 67, "400638133393", "4006381333931", "4006381333931"],
  ["EAN8", 68, "9638507", "96385074", "96385074"],
  ["CODE39", 69, "AB-1 $%", "*AB-1 $%*", "AB-1 $%"],
  ["CODE39 with its asterisks", 69, "*TEXT*", "*TEXT*", "TEXT"],
  ["ITF", 70, "01234567", "01234567", "01234567"],
  ["ITF without its odd last digit", 70, "012345678", "01234567", "01234567"],
  ["CODABAR", 71, "A012$+-./:B", "A012$+-./:B", "A012$+-./:B"],
  ["CODE93", 72, "Ab1", "□Ab1□", "Ab1"],
  ["CODE128 B", 73, "{BNo. 7{{", "No. 7{", "No. 7{"],
  ["CODE128 A, shift and C", 73, "{AA\x01{Sb{C\x0c\x22", "A b1234", "A<SOH>b1234"],
  ["GS1-128", 74, "(01)0950110153000*(10)AB", "(01)09501101530003(10)AB", "(01)09501101530003(10)AB"],
  ["GS1 DataBar", 75, "0950110153000", "(01)09501101530003", "(01)09501101530003"],
  ["GS1 DataBar Truncated", 76, "0950110153000", "(01)09501101530003", "(01)09501101530003"],
  ["GS1 DataBar Limited", 77, "0950110153000", "(01)09501101530003", "(01)09501101530003"],
  ["GS1 DataBar Expanded", 78, "(01)95011015300038*(10)A", "(01)95011015300038(10)A", "(01)95011015300038(10)A"],
  ["CODE128 auto", 79, "Twin 123456", "Twin 123456", "Twin 123456"],
];

describe("GS k", () => {
  it.each(LINEAR)("%s decodes from the paper at two widths", async (_name, m, data, readable, decoded) => {
    for (const width of [2, 3]) {
      const { page, found } = print("tm-m30iii", "\x1dH\x02\x1dw", [width], barcode(m, data));
      expect(found).toEqual([]);
      expect(page.text).toBe(readable.trim());
      // The decoder writes every UPC as the EAN13 that it is, and control characters by name.
      const results = await decode(page);
      expect(results.map((result) => result.text)).toEqual([decoded]);
    }
  });

  it.each(["012345678905", "01234567890"])(
    "ends UPC-A without a length at NUL or at its last digit: %s",
    async (data) => {
      const { page, found } = print("tm-m30iii", `\x1dH\x02\x1dk\x00${data}\x00after\n`);
      expect(found).toEqual([]);
      expect(page.text).toBe("012345678905\nafter");
      expect(await decode(page, ["UPCA"])).toEqual([{ format: "UPCA", text: "0012345678905" }]);
    },
  );

  it("has the widths and the height that the manual gives", () => {
    // Two thin and a wide: the first three elements of the asterisk of CODE39 are thin bar, wide space, thin bar.
    for (const [n, thin, thick] of [
      [2, 2, 5],
      [3, 3, 8],
      [4, 4, 10],
      [5, 5, 13],
      [6, 6, 16],
    ] as const) {
      const { page } = print("tm-m30iii", "\x1dh\x07\x1dw", [n], barcode(69, "A"));
      expect(page.heightDots).toBe(7);
      const row = page.rows[0] ?? new Uint8Array(0);
      const dots = Array.from({ length: 40 }, (_, x) => (getDot(row, x) ? 1 : 0)).join("");
      expect(dots.startsWith(["1".repeat(thin), "0".repeat(thick), "1".repeat(thin), "0"].join(""))).toBe(true);
    }
    const { page } = print("tm-m30iii", "\x1dw\x03", barcode(67, "400638133393"));
    expect([page.heightDots, ...inkSpan(page)]).toEqual([162, 0, 95 * 3 - 1]);
  });

  it("prints HRI characters above, below and both, in Font A or B", () => {
    const at = (position: number, font = 0): Page =>
      print("tm-t88vi", "\x1dH", [position], "\x1df", [font], "\x1dh\x32", barcode(67, "400638133393")).page;
    expect([0, 1, 2, 3].map((position) => at(position).heightDots - 50)).toEqual([0, 24, 24, 48]);
    expect(at(2, 1).heightDots).toBe(50 + 17);
    expect([0, 1, 2, 3].map((position) => at(position).text)).toEqual([
      "",
      "4006381333931",
      "4006381333931",
      "4006381333931\n4006381333931",
    ]);
  });

  it("obeys alignment, left margin and printing area", () => {
    const code = `\x1dw\x02${barcode(67, "400638133393")}`;
    expect(inkSpan(print("tm-m30iii", "\x1ba\x01", code).page)).toEqual([193, 382]);
    expect(inkSpan(print("tm-m30iii", "\x1ba\x02", code).page)).toEqual([386, 575]);
    expect(inkSpan(print("tm-m30iii", "\x1dL\x14\x00", code).page)).toEqual([20, 209]);
    const narrow = print("tm-m30iii", "\x1dW\x64\x00", code);
    expect(narrow.found).toMatchObject([{ kind: "ignored", name: "GS k" }]);
    expect(inkSpan(narrow.page)[1]).toBe(-1);
  });

  it("obeys upside-down, the one print mode that it knows", async () => {
    const { page } = print("tm-m30iii", "\x1b{\x01\x1bE\x01\x1dH\x02\x1dw\x02", barcode(67, "400638133393"));
    expect(inkSpan(page)).toEqual([386, 575]);
    expect(page.rows.slice(0, 24).some((row) => !isBlank(row))).toBe(true);
    expect(await decode(page)).toEqual([{ format: "EAN13", text: "4006381333931" }]);
  });

  it.each([
    ["a letter in EAN13", `\x1dk${String.fromCharCode(67, 12)}40063X133393\n`, "133393"],
    ["a letter in EAN8 that ends with NUL", "\x1dk\x0312a4567\x00\n", "4567"],
    ["a length that UPC-A does not have", `\x1dk${String.fromCharCode(65, 5)}12345\n`, "12345"],
    ["a system that does not exist", "\x1dk\x20ABC\n", "ABC"],
    ["CODE128 without a code set", `${barcode(73, "1234")}after\n`, "after"],
    ["a UPC-A that is no UPC-E", `${barcode(66, "01234567890")}after\n`, "after"],
    ["CODABAR without start and stop", `${barcode(71, "1234")}after\n`, "after"],
    ["a fourteenth digit beyond GS1 DataBar Limited", `${barcode(77, "2950110153000")}after\n`, "after"],
  ])("prints no bars for %s, and goes on with what follows", async (_what, bytes, text) => {
    const { page, found } = print("tm-m30iii", bytes);
    expect(found).toMatchObject([{ kind: "out-of-range", name: "GS k" }]);
    expect(page.text).toBe(text);
    expect(await decode(page)).toEqual([]);
  });

  it("needs the beginning of a line, and tells of widths and heights that do not exist", () => {
    expect(print("tm-m30iii", "A", barcode(68, "9638507"), "B\n").found).toMatchObject([{ kind: "ignored" }]);
    const { found } = print("tm-m30iii", "\x1dw\x01\x1dw\x07\x1dh\x00\x1dH\x04\x1df\x02");
    expect(found.map((diagnostic) => diagnostic.name)).toEqual(["GS w", "GS w", "GS h", "GS H", "GS f"]);
  });

  it("is consumed whole by a clone that lacks a system", async () => {
    const { page, found } = print("xp-80", barcode(75, "0950110153000"), symbolWith(53, 4, "Aztec"), "after\n");
    expect(page.text).toBe("after");
    expect(found).toMatchObject([{ kind: "unsupported", name: "GS k" }, ...Array(3).fill({ name: "GS ( k" })]);
    const small = print("nt-5890k", symbolWith(48, 2, "PDF"), symbolWith(49, 4, "QR"), "after\n");
    expect(small.found.filter(({ name }) => name === "GS ( k")).toHaveLength(3);
    expect(await decode(small.page)).toEqual([{ format: "QRCode", text: "QR" }]);
  });
});

const GTIN = "0950110153000";
const QR_MICRO = symbol(49, 65, "3\0");
const SYMBOLS: readonly [name: string, symbol: (moduleDots: number) => string, format: string, text: string][] = [
  ["PDF417", (n) => symbolWith(48, n, "Twinspool"), "PDF417", "Twinspool"],
  ["PDF417 of 4 columns", (n) => symbolWith(48, n, "Columns", symbol(48, 65, "\x04")), "PDF417", "Columns"],
  ["PDF417 at level 4", (n) => symbolWith(48, n, "Level", symbol(48, 69, "04")), "PDF417", "Level"],
  ["PDF417 truncated", (n) => symbolWith(48, n, "Short", symbol(48, 70, "\x01")), "PDF417", "Short"],
  ["QR", (n) => symbolWith(49, n, "https://example.org/?a=1"), "QRCode", "https://example.org/?a=1"],
  ["QR at level H", (n) => symbolWith(49, n, "Level H", symbol(49, 69, "3")), "QRCode", "Level H"],
  ["Micro QR", (n) => symbolWith(49, n, "12345", QR_MICRO), "MicroQRCode", "12345"],
  ["GS1 DataBar Stacked", (n) => symbolWith(51, n, `H${GTIN}`), "DataBarStk", `(01)${GTIN}3`],
  ["GS1 DataBar Stacked Omni", (n) => symbolWith(51, n, `I${GTIN}`), "DataBarStk", `(01)${GTIN}3`],
  [
    "GS1 DataBar Expanded Stacked",
    (n) => symbolWith(51, n, "L010950110153000310ABCDEFGH", symbol(51, 71, "\x90\x01")),
    "DataBarExpStk",
    "(01)09501101530003(10)ABCDEFGH",
  ],
  ["Aztec", (n) => symbolWith(53, n, "Aztec data"), "Aztec", "Aztec data"],
  ["Aztec compact", (n) => symbolWith(53, n, "Aztec", symbol(53, 66, "\x01\x02")), "Aztec", "Aztec"],
  ["Data Matrix", (n) => symbolWith(54, n, "Matrix data"), "DataMatrix", "Matrix data"],
  ["Data Matrix 8x32", (n) => symbolWith(54, n, "Wide", symbol(54, 66, "\x01\x08\x20")), "DataMatrix", "Wide"],
];

describe("GS ( k", () => {
  it.each(SYMBOLS)("%s decodes from the paper at two sizes", async (_name, bytes, format, text) => {
    for (const moduleDots of [2, 4]) {
      const { page, found } = print("tm-m30iii", "\x1ba\x01", bytes(moduleDots));
      expect(found).toEqual([]);
      expect(await decode(page)).toEqual([{ format, text }]);
    }
  });

  it.each(["tm-m30iii", "tm-t88vi"])("MaxiCode decodes from the paper of %s", async (profile) => {
    const { page, found } = print(profile, symbolWith(50, undefined, "MaxiCode data", symbol(50, 65, "4")));
    expect(found).toEqual([]);
    expect(await decode(page, ["MaxiCode"])).toEqual([{ format: "MaxiCode", text: "MaxiCode data" }]);
    // ISO/IEC 16023: 28.14 mm by 26.91 mm, give or take half a millimetre.
    const [first, last] = inkSpan(page);
    expect(Math.abs(((last - first + 1) * 25.4) / page.dpi - 26.9)).toBeLessThan(1);
  });

  it("prints a composite symbol: its linear element decodes below the 2D component", async () => {
    const linear = symbol(52, 80, "00B400638133393");
    const { page, found } = print("tm-m30iii", linear, symbolWith(52, 2, "1A10AB"));
    expect(found).toEqual([]);
    expect(await decode(page, ["EAN13"])).toEqual([{ format: "EAN13", text: "4006381333931" }]);
  });

  it("keeps what is stored until ESC @, and prints it as often as it is asked to", async () => {
    const again = `${symbol(49, 81, "0")}\x1bJ\x60`;
    const { page } = print("tm-m30iii", symbol(49, 80, "0twice"), again, again);
    expect(await decode(page)).toEqual(Array(2).fill({ format: "QRCode", text: "twice" }));
    const { found } = print("tm-m30iii", symbol(49, 80, "0gone"), INITIALIZE, symbol(49, 81, "0"));
    expect(found).toMatchObject([{ kind: "ignored" }]);
  });

  it("answers the size in dots, and whether the symbol fits", async () => {
    const simulator = await startSimulator();
    const connection = simulator.connect();
    void connection.write(stream(symbol(49, 67, "\x05"), symbol(49, 80, "0hello"), symbol(49, 82, "0")));
    void connection.write(stream("\x1dW\x32\x00", symbol(49, 82, "0"), CUT));
    await simulator.printed();
    expect(simulator.replies.map((reply) => Buffer.from(reply.bytes).toString("latin1"))).toEqual([
      "76105\x1f105\x1f1\x1f0\0",
      "76105\x1f105\x1f1\x1f1\0",
    ]);
    await simulator.close();
  });

  it("takes bytes as they are", async () => {
    const { page } = print("tm-m30iii", symbolWith(49, 4, "gr\u00fc\u00df"));
    expect(await decode(page)).toEqual([{ format: "QRCode", text: "grüß" }]);
  });
});

describe("page mode", () => {
  it("develops symbols in the direction of the page, at the print position", async () => {
    const code = `\x1dH\x02\x1dh\x40\x1dw\x02${barcode(67, "400638133393")}`;
    const qr = `\x1d$\x90\x01\x1b$\x64\x00${symbolWith(49, 4, "page")}`;
    for (const direction of [0, 2]) {
      const area = "\x1bW\x00\x00\x00\x00\x00\x02\x58\x02";
      const { page, found } = print(
        "tm-m30iii",
        "\x1bL",
        area,
        "\x1bT",
        [direction],
        "\x1d$\xb4\x00",
        code,
        qr,
        "\x0c",
      );
      expect(found).toEqual([]);
      expect(page.text).toBe("4006381333931");
      const results = await decode(page);
      expect(results.toSorted((a, b) => a.format.localeCompare(b.format))).toEqual([
        { format: "EAN13", text: "4006381333931" },
        { format: "QRCode", text: "page" },
      ]);
    }
  });
});

describe("any data", () => {
  it("give paper or a diagnostic, and never an exception", () => {
    const seed = Number(process.env["SEED"] ?? 4711);
    console.info(`seed ${seed}`);
    const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => String.fromCharCode(...data));
    const linear = fc.tuple(fc.constantFrom(...BARCODE_SYSTEMS.keys()), bytes).map(([m, data]) => barcode(m, data));
    const setting = fc.tuple(fc.integer({ min: 48, max: 54 }), fc.integer({ min: 65, max: 71 }), bytes);
    const matrix = fc
      .tuple(setting, fc.integer({ min: 48, max: 54 }), bytes)
      .map(([[family, fn, args], cn, data]) => symbol(family, fn, args.slice(0, 3)) + symbolWith(cn, undefined, data));
    fc.assert(
      fc.property(fc.array(fc.oneof(linear, matrix), { minLength: 1, maxLength: 4 }), (commands) => {
        renderEscpos(stream(...commands, CUT));
      }),
      { seed, numRuns: 150 },
    );
  });

  it("may be long", () => {
    for (const [cn, count] of [
      [48, 600],
      [49, 3000],
      [53, 1200],
      [54, 1200],
    ] as const) {
      const { found } = print("tm-m30iii", symbolWith(cn, 2, "7".repeat(count)), "after\n");
      expect(found.every(({ kind }) => kind === "ignored")).toBe(true);
    }
  });
});
