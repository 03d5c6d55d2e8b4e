import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { isBlank } from "./bits.ts";
import { barcode, barcodeWithNul, prepareReader, print, read } from "./test-barcodes.ts";

beforeAll(prepareReader);

/** All characters from `first` to `last`, in pieces that fit onto the paper. */
function pieces(first: number, last: number, length: number): string[] {
  const found: string[] = [];
  for (let from = first; from <= last; from += length) {
    const count = Math.min(length, last - from + 1);
    found.push(String.fromCharCode(...Array.from({ length: count }, (_, index) => from + index)));
  }
  return found;
}

type Row = readonly [data: string, decoded?: string];

interface System {
  readonly name: string;
  readonly m: number;
  readonly format: string;
  readonly rows: readonly Row[];
}

const DIGITS = "0123456789";
const DIGIT_LIST = Array.from(DIGITS);

/** The UPC-A that each of these UPC-E stands for, as the EAN13 that the reader writes. */
const UPC_E: readonly Row[] = [
  ["123450", "0012000003455"],
  ["123451", "0012100003454"],
  ["123452", "0012200003453"],
  ["123453", "0012300000451"],
  ["123454", "0012340000053"],
  ["123455", "0012345000058"],
  ["123459", "0012345000096"],
  // Seven digits have the number system, eight the check digit, too.
  ["0123456", "0012345000065"],
  ["01234565", "0012345000065"],
  // A UPC-A of either length.
  ["01234000005", "0012340000053"],
  ["012340000053", "0012340000053"],
  ["01200000345", "0012000003455"],
  ["012345000065", "0012345000065"],
];

const EAN13: readonly Row[] = [
  // The first digit is in the parity of the next six.
  ["000000000000", "0000000000000"],
  ["123456789012", "1234567890128"],
  ["234567890123", "2345678901234"],
  ["345678901234", "3456789012340"],
  ["456789012345", "4567890123456"],
  ["567890123456", "5678901234562"],
  ["678901234567", "6789012345678"],
  ["789012345678", "7890123456784"],
  ["890123456789", "8901234567890"],
  ["901234567890", "9012345678906"],
  ["9999999999994", "9999999999994"],
];

const CODE39 = `${DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%`;

const SYSTEMS: readonly System[] = [
  {
    name: "UPC-A",
    m: 65,
    // UPC-A is an EAN13 that begins with 0, and the reader says so.
    format: "EAN13",
    rows: [
      ["01234567890", "0012345678905"],
      ["012345678905", "0012345678905"],
      ["00000000000", "0000000000000"],
      ["99999999999", "0999999999993"],
    ],
  },
  { name: "UPC-E", m: 66, format: "UPCE", rows: UPC_E },
  { name: "EAN13", m: 67, format: "EAN13", rows: EAN13 },
  {
    name: "EAN8",
    m: 68,
    format: "EAN8",
    rows: [
      ["9638507", "96385074"],
      ["96385074", "96385074"],
      ["0000000", "00000000"],
    ],
  },
  {
    name: "CODE39",
    m: 69,
    format: "Code39",
    rows: [
      ["A"],
      [CODE39.slice(0, 15)],
      [CODE39.slice(15, 30)],
      [CODE39.slice(30)],
      ["*STAR*", "STAR"],
      ["*OPEN", "OPEN"],
      ["17CHARACTERS-WIDE"],
    ],
  },
  {
    name: "ITF",
    m: 70,
    format: "ITF",
    rows: [
      ["12345678"],
      [DIGITS],
      ["123456789", "12345678"],
      [DIGITS.repeat(3)],
      ["00000000"],
      ["0123456789012345678901234567890123"],
    ],
  },
  {
    name: "CODABAR",
    m: 71,
    format: "Codabar",
    rows: [
      ...["A", "B", "C", "D"].map((stop): Row => [`${stop}123456A`]),
      ...["a", "b", "c", "d"].map((stop): Row => [`A123456${stop}`, `A123456${stop.toUpperCase()}`]),
      ["A0123456789A"],
      ["B$+-./:12C"],
      ["D12D"],
    ],
  },
  {
    name: "CODE93",
    m: 72,
    format: "Code93",
    rows: [["1"], ...pieces(0, 127, 10).map((data): Row => [data]), [CODE39.slice(0, 26)]],
  },
  {
    name: "CODE128",
    m: 73,
    format: "Code128",
    rows: [
      ["{A1", "1"],
      ["{B1", "1"],
      ["{C\x63", "99"],
      ...pieces(0x00, 0x5f, 16).map((data): Row => [`{A${data}`, data]),
      ...pieces(0x20, 0x7f, 16).map((data): Row => [`{B${data.replace("{", "{{")}`, data]),
      ...pieces(0, 99, 20).map(
        (data): Row => [
          `{C${data.replace("{", "{{")}`,
          Array.from(data, (byte) => String(byte.charCodeAt(0)).padStart(2, "0")).join(""),
        ],
      ),
      // From every code set to every other, and one character shifted.
      ["{AA\x01{Bb{C\x0c{A\x02{C\x22{BzZ", "A\x01b12\x0234zZ"],
      ["{A\x01{Sb\x02", "\x01b\x02"],
      ["{Bb{S\x01c", "b\x01c"],
      ["{B{{{{", "{{"],
      // FNC1 behind the first character separates fields; FNC2 and FNC3 are messages to the reader.
      ["{Bab{1cd", "ab\x1dcd"],
      ["{Bab{2cd", "abcd"],
      ["{A{3AB", "AB"],
      // FNC4 adds 128 to the character after it.
      ["{B{4a", "\xe1"],
      ["{A{4A", "\xc1"],
    ],
  },
  {
    name: "GS1-128",
    m: 74,
    format: "Code128",
    rows: [
      ["(01)9501234567890*", "0195012345678903"],
      ["01 9501234567890*", "0195012345678903"],
      ["(01)9501234567890* {1(3102)000400", "0195012345678903\x1d3102000400"],
      ["10AB{1(21)C", "10AB\x1d21C"],
      ["(10){(x{){*{{", "10(x)*{"],
    ],
  },
  {
    name: "GS1 DataBar Omnidirectional",
    m: 75,
    format: "DataBarOmni",
    rows: [
      ["0000000000000", "0100000000000000"],
      ["9999999999999", "0199999999999997"],
    ],
  },
  {
    name: "GS1 DataBar Truncated",
    m: 76,
    format: "DataBarOmni",
    rows: [
      ["0000000000000", "0100000000000000"],
      ["9999999999999", "0199999999999997"],
    ],
  },
  {
    name: "GS1 DataBar Limited",
    m: 77,
    format: "DataBarLtd",
    rows: [
      ["0000000000000", "0100000000000000"],
      ["1999999999999", "0119999999999991"],
    ],
  },
  {
    name: "GS1 DataBar Expanded",
    m: 78,
    format: "DataBarExp",
    rows: [
      ["(10)A", "10A"],
      ["(01)95012345678903(3103)000123", "01950123456789033103000123"],
      ["(01)95012345678903*(10)AB", "019501234567890310AB"],
      ["(10)AB{1(21)Cd", "10AB\x1d21Cd"],
      ["(10){(a{)", "10(a)"],
    ],
  },
  {
    name: "CODE128 auto",
    m: 79,
    format: "Code128",
    rows: [["1"], ["1234567890123456789012345678901234567890"], ...pieces(0, 255, 16).map((data): Row => [data])],
  },
];

/** At the narrowest modules, and at the widest that the paper has room for. */
async function expectAtBothWidths(command: string, format: string, decoded: string): Promise<void> {
  const [narrow, ...wider] = [2, 3, 4, 5, 6].map((n) => print("tm-m30iii", "\x1dh\x28\x1dw", [n], command));
  const widest = wider.findLast(({ found }) => found.length === 0);
  for (const printed of [narrow, widest ?? narrow]) {
    expect(printed?.found).toEqual([]);
    const [result, ...more] = printed === undefined ? [] : await read(printed.page, { formats: [], tryHarder: true });
    expect([result?.format, result?.bytes, more]).toEqual([format, decoded, []]);
  }
}

const ALL_ROWS = SYSTEMS.flatMap(({ name, m, format, rows }) =>
  rows.map(([data, decoded]) => ({ name, m, format, data, decoded: decoded ?? data, shown: JSON.stringify(data) })),
);

describe("every system of GS k", () => {
  it.each(ALL_ROWS)("$name with a length: $shown", async ({ m, format, data, decoded }) => {
    await expectAtBothWidths(barcode(m, data), format, decoded);
  });

  it.each(ALL_ROWS.filter(({ m }) => m <= 71))(
    "$name that ends with NUL: $shown",
    async ({ m, format, data, decoded }) => {
      await expectAtBothWidths(barcodeWithNul(m, data), format, decoded);
    },
  );

  it("holds whatever data an encoder sends", async () => {
    const seed = Number(process.env["SEED"] ?? 4711);
    console.info(`seed ${seed}`);
    const text = (characters: string, maxLength: number): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...characters), { minLength: 2, maxLength }).map((list) => list.join(""));
    const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => index + 32));
    const any = fc.oneof(
      text(`${DIGITS}ABCXYZ-. `, 16).map((data) => ({ m: 69, format: "Code39", data, decoded: data })),
      text(printable, 20).map((data) => ({ m: 72, format: "Code93", data, decoded: data })),
      text(printable, 20).map((data) => ({
        m: 73,
        format: "Code128",
        data: `{B${data.replaceAll("{", "{{")}`,
        decoded: data,
      })),
      text(DIGITS, 12).map((data) => ({ m: 79, format: "Code128", data, decoded: data })),
    );
    await fc.assert(
      fc.asyncProperty(any, async ({ m, format, data, decoded }) => {
        const { page } = print("tm-m30iii", "\x1dw\x02", barcode(m, data));
        expect(await read(page)).toMatchObject([{ format, bytes: decoded }]);
      }),
      { seed, numRuns: 40 },
    );
  });
});

describe("data that are wrong", () => {
  it.each([
    ["UPC-A", 65, "012345678900", "check digit 0 printed as 5", "0012345678905"],
    ["UPC-E", 66, "01234560", "check digit 0 printed as 5", "0012345000065"],
    ["UPC-E of a UPC-A", 66, "012345000060", "check digit 0 printed as 5", "0012345000065"],
    ["EAN13", 67, "4006381333930", "check digit 0 printed as 1", "4006381333931"],
    ["EAN8", 68, "96385070", "check digit 0 printed as 4", "96385074"],
  ] as const)("a wrong check digit of %s is put right, and told", async (_name, m, data, detail, decoded) => {
    for (const command of [barcode(m, data), barcodeWithNul(m, data)]) {
      const { page, found } = print("tm-m30iii", command);
      expect(found).toMatchObject([{ kind: "out-of-range", name: "GS k", detail }]);
      expect(await read(page)).toMatchObject([{ bytes: decoded }]);
    }
  });

  it.each([
    ["a UPC-E of seven digits without number system 0", 66, "1123456"],
    ["a UPC-E of a UPC-A that has no zeros", 66, "01234567890"],
    ["CODABAR without start", 71, "123456A"],
    ["CODABAR with a letter within", 71, "A12B34A"],
    ["CODE128 that begins without a code set", 73, "Code128"],
    ["CODE128 with a function that does not exist", 73, "{B{9"],
    ["CODE128 with lower case in code set A", 73, "{Aabc"],
    ["CODE128 with 100 in code set C", 73, "{C\x64"],
    ["CODE128 of nothing but a code set", 73, "{B"],
    ["GS1-128 with an escape that does not exist", 74, "(10){9"],
    ["a GS1 DataBar Expanded with a wrong check digit", 78, "(01)95012345678900"],
    ["a GS1 DataBar Expanded with an escape that is GS1-128's", 78, "(10)A{*"],
    ["lower case in CODE39", 69, "abc"],
    ["a letter in ITF", 70, "12A4"],
    ["a byte above 127 in CODE93", 72, "A\xe9"],
  ])("%s prints no bars", async (_what, m, data) => {
    const { page, found } = print("tm-m30iii", barcode(m, data), "\n");
    expect(found).toMatchObject([{ kind: "out-of-range", name: "GS k" }]);
    expect(await read(page)).toEqual([]);
  });

  it.each(SYSTEMS)("no data at all for $name: the command ends, and normal data follow", ({ m }) => {
    const { page, found } = print("tm-m30iii", `\x1dk${String.fromCharCode(m)}\0after\n`);
    expect(found).toMatchObject([{ kind: "out-of-range", name: "GS k" }]);
    expect(page.text).toBe("after");
    if (m > 71) return;
    const other = print("tm-m30iii", `\x1dk${String.fromCharCode(m - 65)}\0after\n`);
    expect(other.found).toMatchObject([{ kind: "out-of-range", name: "GS k" }]);
    expect(other.page.text).toBe("after");
  });

  it.each([
    [69, "A".repeat(255)],
    [70, "1".repeat(255)],
    [71, `A${"1".repeat(253)}A`],
    [72, "A".repeat(255)],
    [73, `{B${"A".repeat(240)}`],
    [74, `(10)${"A".repeat(251)}`],
    [79, "A".repeat(240)],
  ])("up to 255 bytes of system %i are too wide: the paper is fed by the height, and nothing is printed", (m, data) => {
    const { page, found } = print("tm-m30iii", "\x1dh\x32\x1dH\x02\x1dw\x02", barcode(m, data), "after\n");
    expect(found).toMatchObject([{ kind: "ignored", name: "GS k" }]);
    expect(page.rows.slice(0, 50 + 24).every(isBlank)).toBe(true);
    expect(page.text).toBe("after");
    expect(page.heightDots).toBeGreaterThan(50 + 24);
  });

  it.each(DIGIT_LIST.slice(5, 9))(
    "255 bytes are more than system 6%s takes: what follows n is normal data",
    (digit) => {
      const m = 60 + Number(digit);
      const { page, found } = print("tm-m30iii", `\x1dk${String.fromCharCode(m, 255)}123\n`);
      expect(found).toMatchObject([{ kind: "out-of-range", name: "GS k" }]);
      expect(page.text).toBe("123");
    },
  );

  it("CODE39 ends at its stop character, and what follows is normal data", async () => {
    for (const command of ["\x1dk\x04*AB*after\n", `${barcode(69, "*AB*after")}\n`]) {
      const { page, found } = print("tm-m30iii", "\x1dH\x02", command);
      expect(found).toEqual([]);
      expect(page.text).toBe("*AB*\nafter");
      expect(await read(page)).toMatchObject([{ format: "Code39", bytes: "AB" }]);
    }
  });

  it("GS1 DataBar has a height of its own, where GS h asks for less", () => {
    for (const [m, modules] of [
      [75, 33],
      [76, 13],
      [77, 10],
    ] as const) {
      const heightOf = (h: number): number =>
        print("tm-m30iii", "\x1dw\x02\x1dh", [h], barcode(m, "0950110153000")).page.heightDots;
      expect([heightOf(1), heightOf(200)]).toEqual([modules * 2, 200]);
    }
  });
});
