import { beforeAll, describe, expect, it } from "vitest";
import { isBlank } from "./bits.ts";
import { startSimulator } from "./simulator.ts";
import { decode, inkSpan, prepareReader, print, read, symbol, symbolWith } from "./test-barcodes.ts";
import { CUT, stream } from "./test-bytes.ts";

beforeAll(prepareReader);

const GTIN = "0950110153000";
const ONE = String.fromCharCode(1);
const QR_MODEL_1 = symbol(49, 65, "1\0");

describe("QR Code model 1", () => {
  it.each([
    ["digits at level L", "0", "12345678901"],
    ["text at level M", "1", "HELLO WORLD $1"],
    ["bytes at level Q", "2", "gr\xfc\xdfe"],
    ["bytes at level H in two blocks", "3", "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklm"],
    ["a single byte", "0", "a"],
  ])("holds %s", async (_what, level, data) => {
    const settings = QR_MODEL_1 + symbol(49, 69, level);
    for (const moduleDots of [2, 8]) {
      const { page, found } = print("tm-m30iii", "\x1ba\x01", symbolWith(49, moduleDots, data, settings));
      expect(found).toEqual([]);
      expect(await read(page)).toMatchObject([{ format: "QRCode", bytes: data, identifier: "]Q0" }]);
    }
  });

  // The reader finds versions from 7 on where nothing else is on the paper; of 13 and 14 it miscounts the codewords.
  it.each([
    ["version 7", "0", 160, 45],
    ["version 10 in four blocks", "3", 120, 57],
    ["version 12 in five blocks", "3", 160, 65],
  ])("holds %s", async (_what, level, count, modules) => {
    const data = "The quick brown fox. ".repeat(10).slice(0, count);
    const { page } = print("tm-m30iii", symbolWith(49, 3, data, QR_MODEL_1 + symbol(49, 69, level)));
    expect(inkSpan(page)).toEqual([0, modules * 3 - 1]);
    expect(await read(page, { isPure: true, formats: ["QRCode"] })).toMatchObject([{ bytes: data, identifier: "]Q0" }]);
  });

  it("holds 1167 digits and no more", () => {
    const most = print("tm-m30iii", symbolWith(49, 3, "7".repeat(1167), QR_MODEL_1));
    expect([most.found, inkSpan(most.page)]).toEqual([[], [0, 73 * 3 - 1]]);
    const { found } = print("tm-m30iii", symbolWith(49, 3, "7".repeat(1168), QR_MODEL_1));
    expect(found).toMatchObject([{ kind: "out-of-range", detail: "QR Code model 1 cannot hold these data" }]);
  });
});

describe("settings of GS ( k", () => {
  const EXPANDED = "L(01)09501101530003(10)ABCDEFGHIJKL";

  it("print what decodes at the limits of their ranges", async () => {
    for (const [bytes, text] of [
      [symbolWith(48, 2, "90 rows", symbol(48, 65, ONE) + symbol(48, 66, "\x00")), "90 rows"],
      [symbolWith(48, 2, "row height", symbol(48, 68, "\x08")), "row height"],
      [symbolWith(48, 2, "level 0", symbol(48, 69, "00")), "level 0"],
      [symbolWith(48, 2, "level 5", symbol(48, 69, "05")), "level 5"],
      [symbolWith(48, 2, "tenths", symbol(48, 69, "1\x28")), "tenths"],
      [symbolWith(48, 2, "thirteen columns", symbol(48, 65, "\x0c")), "thirteen columns"],
      [symbolWith(49, 16, "wide"), "wide"],
      [symbolWith(53, 16, "a"), "a"],
      [symbolWith(53, 3, "full range", symbol(53, 66, "0\x08")), "full range"],
      [symbolWith(53, 3, "95 percent", symbol(53, 69, "\x5f")), "95 percent"],
      [symbolWith(54, 16, "a"), "a"],
      [symbolWith(54, 3, "square", symbol(54, 66, "0\x20\x20")), "square"],
      [symbolWith(54, 3, "rows of 8", symbol(54, 66, `${ONE}\x08\x00`)), "rows of 8"],
      [symbolWith(54, 3, "16 by 48", symbol(54, 66, `${ONE}\x10\x30`)), "16 by 48"],
      [symbolWith(51, 8, `H${GTIN}`), `(01)${GTIN}3`],
    ] as const) {
      const { page, found } = print("tm-m30iii", "\x1ba\x01", bytes);
      expect(found).toEqual([]);
      expect((await decode(page)).map((result) => result.text)).toEqual([text]);
    }
  });

  it("have no effect outside of their ranges", () => {
    const wrong = [
      symbol(48, 65, "\x1f"),
      symbol(48, 66, "\x02"),
      symbol(48, 66, "\x5b"),
      symbol(48, 67, ONE),
      symbol(48, 68, "\x09"),
      symbol(48, 69, "09"),
      symbol(48, 69, "1\x29"),
      symbol(48, 70, "\x02"),
      symbol(49, 65, "4\0"),
      symbol(49, 67, "\x11"),
      symbol(49, 69, "4"),
      symbol(50, 65, "1"),
      symbol(51, 67, "\x09"),
      symbol(51, 71, "\x69\x00"),
      symbol(52, 72, "\x09"),
      symbol(53, 66, "0\x03"),
      symbol(53, 66, "1\x05"),
      symbol(53, 69, "\x04"),
      symbol(54, 66, "0\x08\x12"),
      symbol(54, 66, "1\x0a\x0a"),
      symbol(54, 67, ONE),
    ];
    const { found } = print("tm-m30iii", ...wrong);
    expect(found.map(({ kind }) => kind)).toEqual(wrong.map(() => "out-of-range"));
    const { page } = print("tm-m30iii", ...wrong, symbolWith(49, undefined, "QR"));
    expect(page.rows).toEqual(print("tm-m30iii", symbolWith(49, undefined, "QR")).page.rows);
  });

  it("a stacked symbol is as wide as function 371 allows, and never wider than the printing area", async () => {
    const width = (settings: string, ...before: string[]): number =>
      inkSpan(print("tm-m30iii", ...before, symbolWith(51, 2, EXPANDED, settings)).page)[1] + 1;
    expect(width("")).toBeGreaterThan(300);
    expect(width(symbol(51, 71, "\xc8\x00"))).toBeLessThanOrEqual(200);
    expect(width(symbol(51, 71, "\xff\x0e"), "\x1dW\x2c\x01")).toBeLessThanOrEqual(300);
    const { page } = print("tm-m30iii", symbolWith(51, 2, EXPANDED, symbol(51, 71, "\xc8\x00")));
    expect(await decode(page)).toEqual([{ format: "DataBarExpStk", text: "(01)09501101530003(10)ABCDEFGHIJKL" }]);
  });

  it("stacked symbols have rows of the heights of ISO/IEC 24724", () => {
    const heightOf = (kind: string): number => print("tm-m30iii", symbolWith(51, 2, `${kind}${GTIN}`)).page.heightDots;
    // 5 + 1 + 7 modules; 33 + 3 separators + 33.
    expect([heightOf("H"), heightOf("I")]).toEqual([13 * 2, 69 * 2]);
    const { page } = print("tm-m30iii", symbolWith(51, 2, `I${GTIN}`));
    expect(page.rows.slice(0, 66).every((row) => Buffer.compare(row, page.rows[0] ?? row) === 0)).toBe(true);
    expect(page.rows.some(isBlank)).toBe(false);
  });

  it("a symbol that another family stored is gone", () => {
    const { found } = print("tm-m30iii", symbol(49, 80, "0first"), symbol(54, 80, "0second"), symbol(49, 81, "0"));
    expect(found).toMatchObject([{ kind: "ignored", detail: "no QR Code data are stored" }]);
  });

  it("a symbol that is too wide feeds the paper by its height, and prints nothing", () => {
    const { page, found } = print("tm-m30iii", "\x1dW\x32\x00", symbolWith(49, 5, "hello"), "\x1dW\xff\x01after\n");
    expect(found).toMatchObject([{ kind: "ignored", detail: "105 dots do not fit into the printing area" }]);
    expect(page.rows.slice(0, 105).every(isBlank)).toBe(true);
    expect(page.heightDots).toBeGreaterThan(105 + 20);
    expect(page.text).toBe("after");
  });

  it("consumes a family that no manual of these printers has", () => {
    const { page, found } = print("tm-m30iii", symbolWith(55, 5, "Aztec sample"), "after\n");
    expect(found).toMatchObject(Array(3).fill({ kind: "unsupported", detail: "this printer has no symbol 55" }));
    expect(page.text).toBe("after");
  });
});

describe("function 82", () => {
  async function replies(...parts: string[]): Promise<string[]> {
    const simulator = await startSimulator({ profile: "tm-m30iii" });
    const connection = simulator.connect();
    void connection.write(stream(...parts, CUT));
    await simulator.printed();
    const found = simulator.replies.map((reply) => Buffer.from(reply.bytes).toString("latin1"));
    await simulator.close();
    return found;
  }

  const size = (cn: number): string => symbol(cn, 82, "0");

  it.each([
    ["PDF417", symbol(48, 65, "\x02") + symbol(48, 80, "0PDF"), 48, "7/309\x1f45\x1f1\x1f0\0"],
    ["QR Code", symbol(49, 80, "0QR"), 49, "7663\x1f63\x1f1\x1f0\0"],
    ["QR Code model 1", QR_MODEL_1 + symbol(49, 80, "0QR"), 49, "7663\x1f63\x1f1\x1f0\0"],
    ["MaxiCode", symbol(50, 65, "4") + symbol(50, 80, "0Maxi"), 50, "77215\x1f203\x1f1\x1f0\0"],
    ["GS1 DataBar Stacked", symbol(51, 80, `0H${GTIN}`), 51, "7O100\x1f26\x1f1\x1f0\0"],
    [
      "a composite symbol with HRI characters",
      symbol(52, 72, "2") + symbol(52, 80, "00B400638133393") + symbol(52, 80, "01A10AB"),
      52,
      "7P198\x1f185\x1f1\x1f0\0",
    ],
    ["Aztec Code", symbol(53, 80, "0Aztec"), 53, "7X57\x1f57\x1f1\x1f00000\0"],
    ["Data Matrix", symbol(54, 80, "0Matrix"), 54, "7Y42\x1f42\x1f1\x1f00000\0"],
  ])("answers the size of %s", async (_name, stored, cn, expected) => {
    expect(await replies(stored, size(cn))).toEqual([expected]);
  });

  it("says that nothing can be printed: without data, too wide, or behind text", async () => {
    const stored = symbol(49, 80, "0QR");
    expect(await replies(size(49), stored, "A", size(49), "\n", "\x1dW\x20\x00", size(49))).toEqual([
      "760\x1f0\x1f1\x1f1\0",
      "7663\x1f63\x1f1\x1f1\0",
      "7663\x1f63\x1f1\x1f1\0",
    ]);
  });
});

describe("the most data", () => {
  it.each([
    ["PDF417", 48, "7".repeat(2600), symbol(48, 65, "\x0a") + symbol(48, 69, "00")],
    ["QR Code", 49, "7".repeat(7089), symbol(49, 67, "\x03")],
    ["QR Code of bytes at level H", 49, "\xfe".repeat(1273), symbol(49, 67, "\x03") + symbol(49, 69, "3")],
    ["QR Code model 1", 49, "7".repeat(1167), QR_MODEL_1],
    ["MaxiCode", 50, "A".repeat(93), symbol(50, 65, "4")],
    ["GS1 DataBar Expanded Stacked", 51, `L(01)95012345678903(10)${"1".repeat(50)}`, ""],
    ["Aztec Code", 53, "A".repeat(3067), symbol(53, 67, "\x03")],
    ["Data Matrix", 54, "7".repeat(3116), symbol(54, 67, "\x03")],
  ])("of %s are drawn within a second, and the second time at once", (_name, cn, data, settings) => {
    const draw = (): number => {
      // By time of the processor: other programs are no fault of the encoder.
      const from = process.cpuUsage();
      print("tm-m30iii", symbolWith(cn, undefined, data, settings), symbol(cn, 81, "0"));
      const { user, system } = process.cpuUsage(from);
      return (user + system) / 1000;
    };
    const first = draw();
    const second = draw();
    console.info(`${Math.round(first)} ms, then ${Math.round(second)} ms`);
    // Generous for a slow machine; measured well below.
    expect(first).toBeLessThan(5000);
  });
});
