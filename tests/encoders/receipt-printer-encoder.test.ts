import ReceiptPrinterEncoder, { type BarcodeSymbology } from "@point-of-sale/receipt-printer-encoder";
import { describe, expect, it } from "vitest";
import { findProfile, locateText, type Profile } from "../../firmware-sim/mod.ts";
import {
  darkness,
  decodeSymbols,
  describeDiagnostics,
  dotsOf,
  inkBox,
  onlyPage,
  pictureRgba,
  pictureRows,
  placeOf,
  printOn,
  testPicture,
} from "./paper.ts";

/*
 * Documents of @point-of-sale/receipt-printer-encoder: https://github.com/at-point-of-sale/ReceiptPrinterEncoder
 * This encoder aligns by itself, with spaces, and selects code tables as the text needs them.
 */

/** ESC 4 n is italics of other printers; these take `ESC 4`, and then the n that is left over says nothing to them. */
const ITALIC = ["unknown 1b34", "unknown 01", "unknown 1b34"];

const MODEL = "epson-tm-m30iii";

describe("a receipt for the TM-m30III", () => {
  const encoder = new ReceiptPrinterEncoder({ printerModel: MODEL });
  encoder.initialize().codepage("auto");
  encoder.align("center").size(2, 2).line("HHHH").size(1, 1).line("HHH").bold(true).line("HHH").bold(false);
  encoder.font("B").line("HH").font("A").align("right").line("on the right").align("left");
  encoder.underline(true).line("underlined").underline(false).italic(true).line("italic").italic(false);
  encoder.invert(true).line("inverted").invert(false);
  encoder.line("Crème brûlée 4,20 €").line("Привет, мир").line("Ελληνικά").line("Žluťoučký kůň").line("ﾚｼｰﾄ 円");
  encoder.rule().rule({ style: "double", width: 20 });
  encoder.table(
    [
      { width: 24, marginRight: 2 },
      { width: 10, align: "right" },
      { width: 10, align: "right" },
    ],
    [
      ["Espresso", "2", "4,40"],
      ["A long name that needs two lines", "1", (cell) => cell.bold().text("13,00").bold()],
    ],
  );
  const narrow = [{ width: 8 }, { width: 8, align: "right" as const }];
  encoder.table(
    narrow,
    [
      ["a", "1"],
      ["b", "2"],
    ],
    { border: "single", rules: "all" },
  );
  encoder.box({ width: 24, style: "double", align: "center" }, "in a box");
  encoder.pulse(0, 100, 500).pulse(1, 200, 200).cut("partial");
  const document = encoder.encode();

  it("reads as it was written", async () => {
    const printed = await printOn("tm-m30iii", document);
    expect(`\n${onlyPage(printed).text}\n`).toBe(`
                    HHHH
                      HHH
                      HHH
                           HH
                                    on the right
underlined
italic
inverted
Crème brûlée 4,20 €
Привет, мир
Ελληνικά
Žluťoučký kůň
ﾚｼｰﾄ 円
────────────────────────────────────────────────
════════════════════
Espresso                           2      4,40
A long name that needs             1     13,00
two lines
a       │       1
────────┼────────
b       │       2
╔══════════════════════╗
║       in a box       ║
╚══════════════════════╝
`);
    expect(describeDiagnostics(printed.diagnostics)).toEqual(ITALIC);
  });

  it("stands where it should, in the sizes and styles asked for", async () => {
    const page = onlyPage(await printOn("tm-m30iii", document));
    const big = placeOf(page, "HHHH");
    const [plain, bold] = locateText(page).filter(({ text }) => text.trim() === "HHH");
    const small = placeOf(page, "HH");
    if (plain === undefined || bold === undefined) throw new Error("no lines");
    for (const place of [big, plain, bold, small]) {
      expect(Math.abs(place.x + place.widthDots / 2 - 288)).toBeLessThan(10);
    }
    expect(big.heightDots).toBe(2 * plain.heightDots);
    // Cells of 24, 12 and 10 dots; the ink ends with the last stem, not with its cell.
    expect(Math.abs(big.widthDots - 4 * 24)).toBeLessThan(8);
    expect(Math.abs(plain.widthDots - 3 * 12)).toBeLessThan(4);
    expect(Math.abs(small.widthDots - 2 * 10)).toBeLessThan(4);
    expect(darkness(page, bold)).toBeGreaterThan(1.2 * darkness(page, plain));
    expect(page.widthDots - (placeOf(page, "on the right").x + placeOf(page, "on the right").widthDots)).toBeLessThan(
      6,
    );
    const underlined = placeOf(page, "underlined");
    expect(dotsOf(page, { ...underlined, x: 0, widthDots: 120 })).toContain("#".repeat(120));
    expect(darkness(page, placeOf(page, "inverted"))).toBeGreaterThan(0.5);
    expect(placeOf(page, "─".repeat(48))).toMatchObject({ x: 0, widthDots: 576 });
  });

  it("is cut partially, and opens both drawers", async () => {
    const printed = await printOn("tm-m30iii", document);
    expect(onlyPage(printed).cut).toBe("partial");
    expect(printed.pulses.map(({ pin, onMs, offMs }) => [pin, onMs, offMs])).toEqual([
      [0, 100, 500],
      [1, 200, 200],
    ]);
  });
});

const BARCODES: readonly [symbology: BarcodeSymbology, data: string, readable: string, decoded: string][] = [
  ["upca", "01234567890", "012345678905", "0012345678905"],
  ["upce", "01234500006", "01234565", "0012345000065"],
  ["ean13", "400638133393", "4006381333931", "4006381333931"],
  ["ean8", "9638507", "96385074", "96385074"],
  ["code39", "ABC-123", "*ABC-123*", "ABC-123"],
  ["itf", "01234567", "01234567", "01234567"],
  ["codabar", "A40156B", "A40156B", "A40156B"],
  ["code93", "CODE93", "□CODE93□", "CODE93"],
  ["code128", "Code 128", "Code 128", "Code 128"],
  ["code128-auto", "Auto 123456", "Auto 123456", "Auto 123456"],
  ["gs1-128", "(01)09501101530003", "0109501101530003", "(01)09501101530003"],
  ["gs1-databar-omni", "0950110153000", "(01)09501101530003", "(01)09501101530003"],
  ["gs1-databar-truncated", "0950110153000", "(01)09501101530003", "(01)09501101530003"],
  ["gs1-databar-limited", "0950110153000", "(01)09501101530003", "(01)09501101530003"],
  ["gs1-databar-expanded", "(01)09501101530003(10)A", "(01)09501101530003(10)A", "(01)09501101530003(10)A"],
];

describe("symbols", () => {
  it.each(BARCODES)("%s decodes from the paper", async (symbology, data, readable, decoded) => {
    const encoder = new ReceiptPrinterEncoder({ printerModel: MODEL }).initialize();
    encoder.barcode(data, symbology, { height: 80, width: 2, text: "below" }).cut();
    const printed = await printOn("tm-m30iii", encoder.encode());
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    expect(onlyPage(printed).text.trim()).toBe(readable);
    expect((await decodeSymbols(onlyPage(printed))).map(({ text }) => text)).toEqual([decoded]);
  });

  it("QR codes of every level and size, and PDF417, decode from the paper", async () => {
    for (const [errorlevel, size] of [
      ["l", 3],
      ["m", 4],
      ["q", 6],
      ["h", 8],
    ] as const) {
      const encoder = new ReceiptPrinterEncoder({ printerModel: MODEL }).initialize().align("center");
      encoder.qrcode("https://example.com/receipt/4711", { model: 2, size, errorlevel }).cut();
      const printed = await printOn("tm-m30iii", encoder.encode());
      expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
      expect(await decodeSymbols(onlyPage(printed))).toEqual([
        { format: "QRCode", text: "https://example.com/receipt/4711" },
      ]);
      const { x, widthDots } = inkBox(onlyPage(printed));
      expect(widthDots % size).toBe(0);
      expect(Math.abs(x + widthDots / 2 - 288)).toBeLessThan(2);
    }
    for (const truncated of [false, true]) {
      const encoder = new ReceiptPrinterEncoder({ printerModel: MODEL }).initialize();
      encoder.pdf417("PDF417 of a receipt", { width: 3, height: 3, columns: 4, errorlevel: 2, truncated }).cut();
      const printed = await printOn("tm-m30iii", encoder.encode());
      expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
      expect((await decodeSymbols(onlyPage(printed))).map(({ text }) => text)).toEqual(["PDF417 of a receipt"]);
    }
  });
});

describe("images", () => {
  // Taller than one raster command of this encoder, and no multiple of the 24 dots of a column strip.
  const picture = testPicture(160, 272);
  const image = { width: 160, height: 272, data: pictureRgba(picture) };

  it.each(["raster", "column"] as const)("%s mode prints the picture dot for dot", async (mode) => {
    for (const align of ["left", "center", "right"] as const) {
      const encoder = new ReceiptPrinterEncoder({ printerModel: MODEL }).initialize().align(align);
      encoder.image(image, { width: 160, height: 272, algorithm: "threshold", threshold: 128, mode }).cut();
      const printed = await printOn("tm-m30iii", encoder.encode());
      expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
      const box = inkBox(onlyPage(printed));
      expect(box.x).toBe({ left: 0, center: 208, right: 416 }[align]);
      expect(dotsOf(onlyPage(printed), box)).toEqual(pictureRows(picture));
    }
  });

  it.each(["bayer", "floydsteinberg", "atkinson"] as const)("%s keeps the grey of the picture", async (algorithm) => {
    const grey = { width: 160, height: 80, data: new Uint8ClampedArray(160 * 80 * 4).fill(128) };
    grey.data.forEach((_, index) => {
      if (index % 4 === 3) grey.data[index] = 255;
    });
    const encoder = new ReceiptPrinterEncoder({ printerModel: MODEL }).initialize();
    encoder.image(grey, { width: 160, height: 80, algorithm }).cut();
    const printed = await printOn("tm-m30iii", encoder.encode());
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    expect(Math.abs(darkness(onlyPage(printed), inkBox(onlyPage(printed))) - 0.5)).toBeLessThan(0.08);
  });
});

type CodeTables = NonNullable<Profile["codeTables"]>;

/** How makers number their code tables where they do not follow Epson's numbers, as far as this document goes. */
const NUMBERINGS: Readonly<Record<string, CodeTables>> = {
  citizen: { 0: "cp437", 2: "cp858", 6: "cp852", 7: "ibm866", 16: "windows-1252" },
  hp: { 0: "cp437", 1: "cp850", 2: "cp852", 6: "cp858", 7: "ibm866", 8: "windows-1252" },
  mpt: { 0: "cp437", 2: "cp850", 6: "windows-1251", 7: "ibm866" },
  youku: { 0: "cp437", 2: "cp850", 6: "windows-1251", 7: "ibm866", 16: "windows-1252", 18: "cp852", 19: "cp858" },
};

const CANDIDATES = ["cp437", "cp858", "cp852", "cp866", "windows1251", "windows1252"] as const;

interface Capabilities {
  readonly codepages: string;
  readonly fonts: Readonly<Record<string, { readonly size: string }>>;
  readonly barcodes: { readonly symbologies: readonly BarcodeSymbology[] };
  readonly qrcode: { readonly supported: boolean; readonly models: readonly string[] };
  readonly pdf417: { readonly supported: boolean };
  readonly cutter?: object;
}

function cellOf(size: string): Profile["fonts"]["a"] {
  const [widthDots = 12, heightDots = 24] = size.split("x").map(Number);
  return { widthDots, heightDots };
}

/** The model as a printer: width, cells and code tables of the encoder's description, all else of the TM-m30III. */
function profileOf(encoder: ReceiptPrinterEncoder): Profile {
  const { fonts, codepages, cutter } = encoder.printerCapabilities as Capabilities;
  const base = findProfile("tm-m30iii");
  const a = cellOf(fonts["A"]?.size ?? "12x24");
  const { codeTables: _, ...rest } = base;
  const codeTables = NUMBERINGS[codepages];
  return {
    ...rest,
    name: codepages,
    widthDots: encoder.printableWidth,
    fonts: { a, b: cellOf(fonts["B"]?.size ?? "9x17") },
    supports: { ...base.supports, cutter: cutter !== undefined },
    ...(codeTables === undefined ? {} : { codeTables }),
  };
}

const MODELS = ReceiptPrinterEncoder.printerModels
  .map(({ id }) => id as NonNullable<ConstructorParameters<typeof ReceiptPrinterEncoder>[0]>["printerModel"])
  .filter((printerModel) => new ReceiptPrinterEncoder({ printerModel }).language === "esc-pos");

describe("every model that speaks ESC/POS", () => {
  it("is known", () => {
    expect(MODELS).toHaveLength(32);
  });

  it.each(MODELS)("%s", async (printerModel) => {
    const has = (...pages: (typeof CANDIDATES)[number][]): boolean =>
      pages.some((page) => {
        try {
          new ReceiptPrinterEncoder({ printerModel, errors: "strict" }).codepage(page);
          return true;
        } catch {
          return false;
        }
      });
    const codepageCandidates = CANDIDATES.filter((page) => has(page));
    const encoder = new ReceiptPrinterEncoder({ printerModel, codepageCandidates });
    const capabilities = encoder.printerCapabilities as Capabilities;
    const symbols = BARCODES.filter(([symbology]) => capabilities.barcodes.symbologies.includes(symbology));
    encoder.initialize().codepage("auto").line("Café").line("4,20 €").line("Привет").line("Žluťoučký");
    encoder.align("right").line("right").align("left").rule({ style: "double" });
    encoder.table([{ width: 20 }, { width: 8, align: "right" }], [["Espresso", "2,20"]]);
    encoder.box({ width: 16, style: "single" }, "boxed");
    if ("B" in capabilities.fonts) encoder.font("B").line("small").font("A");
    for (const [symbology, data] of symbols) {
      // Width 1 of GS1 symbols is a module of one dot, which printers do not have.
      encoder.barcode(data, symbology, { height: 40, width: symbology.startsWith("gs1") ? 2 : 1, text: "below" });
    }
    if (capabilities.qrcode.models.length > 0) encoder.qrcode("https://example.com/1", { size: 4 });
    encoder.image({ width: 16, height: 8, data: pictureRgba(testPicture(16, 8)) }, { width: 16, height: 8 });
    encoder.newline(6).raw([0x1d, 0x56, 0x42, 0x00]);
    const profile = profileOf(encoder);
    const printed = await printOn({ ...profile, supports: { ...profile.supports, cutter: true } }, encoder.encode());
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    const page = onlyPage(printed);
    expect(
      page.text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    ).toEqual([
      "Café",
      has("cp858", "windows1251", "windows1252") ? "4,20 €" : "4,20 ?",
      has("cp866", "windows1251") ? "Привет" : "??????",
      has("cp852") ? "Žluťoučký" : has("cp858", "windows1252") ? "?lu?ou?ký" : "?lu?ou?k?",
      "right",
      "═".repeat(encoder.columns),
      `Espresso${" ".repeat(16)}2,20`,
      `┌${"─".repeat(14)}┐`,
      `│boxed${" ".repeat(9)}│`,
      `└${"─".repeat(14)}┘`,
      ...("B" in capabilities.fonts ? ["small"] : []),
      ...symbols.map(([, , readable]) => readable),
    ]);
    expect(placeOf(page, "═".repeat(encoder.columns))).toMatchObject({ x: 0, widthDots: encoder.printableWidth });
  });
});
