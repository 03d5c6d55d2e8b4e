import { PNG } from "pngjs";
import receiptline, { type Printer } from "receiptline";
import { describe, expect, it } from "vitest";
import { findProfile, locateText, type Page, type Profile } from "../../firmware-sim/mod.ts";
import {
  darkness,
  decodeSymbols,
  describeDiagnostics,
  dotsOf,
  inkBox,
  onlyPage,
  type Printed,
  pictureRgba,
  pictureRows,
  placeOf,
  printOn,
  testPicture,
} from "./paper.ts";

/* Documents of receiptline: https://github.com/receiptline/receiptline */

/** The command sets that are ESC/POS for thermal paper. SII begins with DC2, which is a command of its own printers. */
const COMMANDS = ["escpos", "epson", "generic", "citizen", "fit", "sii"] as const;
const LOOKED_AT: Readonly<Partial<Record<string, readonly string[]>>> = { sii: ["unknown 12"] };

const DOCUMENT = `^^^Café Zwirn

Hauptstraße 1 | 10115 Berlin
"Bold" _underlined_ \`inverted\`
-
{width:20,8,10; border:line}
Espresso|2|4,40
Crème brûlée|1|6,50 €
-
{width:auto; border:space}
|^^Total|^^10,90|
"Привет, мир" | Žluťoučký kůň
left |
| right
`;

function compile(document: string, printer: Printer): Uint8Array {
  return Buffer.from(receiptline.transform(document, { cpl: 48, encoding: "multilingual", ...printer }), "binary");
}

async function print(document: string, printer: Printer, profile: string | Profile = "tm-m30iii"): Promise<Printed> {
  const printed = await printOn(profile, compile(document, printer));
  expect(describeDiagnostics(printed.diagnostics)).toEqual(LOOKED_AT[String(printer.command)] ?? []);
  return printed;
}

interface SvgLine {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly cellDots: number;
}

const ENTITIES: Readonly<Record<string, string>> = { "&#xa0;": " ", "&amp;": "&", "&lt;": "<", "&gt;": ">" };

/** The lines of text that receiptline draws itself, where it draws them. A unit of its picture is a dot. */
function readSvg(svg: string): SvgLine[] {
  return [...svg.matchAll(/<g transform="translate\(([\d.]+),[\d.]+\)">(.*?)<\/g>/g)].flatMap((group) => {
    const marks = [...(group[2] ?? "").matchAll(/<text([^>]*)>(.*?)<\/text>/g)].flatMap((text) => {
      const scale = Number(/scale\(([\d.]+),/.exec(text[1] ?? "")?.[1] ?? 1);
      return [...(text[2] ?? "").matchAll(/<tspan x="([\d.]+)">(.*?)<\/tspan>/g)].map((mark) => ({
        character: ENTITIES[mark[2] ?? ""] ?? mark[2] ?? "",
        center: Number(group[1]) + scale * Number(mark[1]),
        cellDots: 12 * scale,
      }));
    });
    const inked = marks.filter(({ character }) => character.trim() !== "").sort((a, b) => a.center - b.center);
    const [first, last] = [inked[0], inked.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [
      {
        text: inked.map(({ character }) => character).join(""),
        left: first.center - first.cellDots / 2,
        right: last.center + last.cellDots / 2,
        cellDots: Math.max(first.cellDots, last.cellDots),
      },
    ];
  });
}

/** Letters alone: no spaces, no rules. */
function letters(text: string): string {
  return text.replace(/[\s─│╭╮╰╯┬┴├┤┼]/g, "");
}

function expectSameLines(page: Page, svg: string): void {
  const drawn = readSvg(svg);
  const printed = locateText(page).filter(({ text }) => letters(text) !== "");
  expect(printed.map(({ text }) => letters(text))).toEqual(drawn.map(({ text }) => text));
  drawn.forEach((line, index) => {
    const place = printed[index];
    // The ink of a ruled line begins and ends with its rules.
    if (place === undefined || place.text.includes("│")) return;
    expect(Math.abs(place.x - line.left)).toBeLessThan(line.cellDots);
    expect(Math.abs(place.x + place.widthDots - line.right)).toBeLessThan(line.cellDots);
  });
}

describe("a receipt", () => {
  const svg = receiptline.transform(DOCUMENT, { cpl: 48, encoding: "multilingual", command: "svg" });

  it.each(COMMANDS)("says with %s what its SVG says, at the same places", async (command) => {
    const page = onlyPage(await print(DOCUMENT, { command }));
    expectSameLines(page, svg);
    expect(page.text).toContain("╭────────────────────┬────────┬──────────╮");
    expect(page.text).toContain("│        Crème brûlée│    1   │6,50 €    │");
    expect(page.cut).toBe("partial");
  });

  it("has the styles and sizes asked for", async () => {
    const page = onlyPage(await print('H\n^H\n^^H\n^^^H\n^^^^H\n"H"\n_under_\n`inverse`\n', { command: "epson" }));
    const sizes = locateText(page).map(({ widthDots, heightDots }) => [widthDots, heightDots]);
    const [w, h] = sizes[0] ?? [0, 0];
    expect(sizes.slice(0, 5)).toEqual([
      [w, h],
      [2 * (w ?? 0), h],
      [w, 2 * (h ?? 0)],
      [2 * (w ?? 0), 2 * (h ?? 0)],
      [3 * (w ?? 0), 3 * (h ?? 0)],
    ]);
    const [plain, bold] = [locateText(page)[0], locateText(page)[5]];
    if (plain === undefined || bold === undefined) throw new Error("no lines");
    expect(bold.widthDots).toBe(plain.widthDots + 1);
    const under = placeOf(page, "under");
    expect(dotsOf(page, { ...under, x: under.x - 12, widthDots: under.widthDots + 24 }).join("\n")).toMatch(/#{60}/);
    expect(darkness(page, placeOf(page, "inverse"))).toBeGreaterThan(0.5);
  });

  it("comes upside down when asked to: the last line first, turned as a whole", async () => {
    const lines = ["first | 1", "second | 2", "third | 3"];
    const upright = onlyPage(await print(`${lines.join("\n")}\n`, { command: "epson" }));
    const turned = onlyPage(await print(`${lines.join("\n")}\n`, { command: "epson", upsideDown: true }));
    const dots = dotsOf(upright, inkBox(upright));
    expect(dotsOf(turned, inkBox(turned))).toEqual(dots.toReversed().map((row) => [...row].reverse().join("")));
  });

  it("is cut where the document says, and opens the drawer", async () => {
    const printed = await print("one\n=\ntwo\n=\nthree\n{command:\\x1bp\\x00\\x32\\xfa}\n", { command: "epson" });
    const texts = printed.pages.map(({ text }) => text.trim()).filter((text) => text !== "");
    expect(texts).toEqual(["one", "two", "three"]);
    expect(printed.pulses.map(({ pin, onMs, offMs }) => [pin, onMs, offMs])).toEqual([[0, 100, 500]]);
  });
});

describe("scripts", () => {
  const printer = (system: NonNullable<Profile["kanji"]>["system"]): Profile => ({
    ...findProfile("tm-m30iii"),
    kanji: { system, onAtPowerOn: false },
  });

  it.each([
    ["shiftjis", "領収書 合計 ｺｰﾋｰ ¥1,000", printer("japanese")],
    ["cp932", "ご利用ありがとうございます", printer("japanese")],
    ["gb18030", "收据 合计 88.00", printer("gb18030")],
    ["cp936", "谢谢光临", printer("gb18030")],
    ["big5", "收據 合計 $88", printer("big5")],
    ["ksc5601", "영수증 합계 5,000", printer("ks-c-5601")],
    ["cp866", "Итого: 10,90", printer("japanese")],
    ["cp852", "Žluťoučký kůň", printer("japanese")],
    ["cp1252", "Crème brûlée „4,20 €“ – merci…", printer("japanese")],
    ["cp858", "4,20 €", printer("japanese")],
  ] as const)("%s: %s", async (encoding, text, profile) => {
    for (const command of ["epson", "generic"] as const) {
      const page = onlyPage(await print(`${text}\n`, { command, encoding }, profile));
      expect(page.text.trim()).toBe(text);
      expectSameLines(page, receiptline.transform(`${text}\n`, { cpl: 48, encoding, command: "svg" }));
    }
  });

  it("Thai, in a font that this printer has under another name", async () => {
    const printed = await printOn("tm-m30iii", compile("ใบเสร็จ 100\n", { command: "epson", encoding: "tis620" }));
    expect(onlyPage(printed).text.trim()).toBe("ใบเสร็จ 100");
    // ESC M 97: a special font.
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
  });
});

describe("symbols and images", () => {
  it.each([
    ["upc", "012345678905", "0012345678905"],
    ["ean", "4006381333931", "4006381333931"],
    ["jan", "96385074", "96385074"],
    ["code39", "ABC123", "ABC123"],
    ["itf", "01234567", "01234567"],
    ["codabar", "A123B", "A123B"],
    ["nw7", "A123B", "A123B"],
    ["code93", "CODE93", "CODE93"],
    ["code128", "Code128 12", "Code128 12"],
  ])("%s decodes from the paper", async (type, data, decoded) => {
    for (const command of ["epson", "generic"] as const) {
      const page = onlyPage(await print(`{code:${data};option:${type},2,60,hri}\n`, { command }));
      expect((await decodeSymbols(page)).map(({ text }) => text)).toEqual([decoded]);
      expect(page.text).toContain(data);
    }
  });

  it.each(COMMANDS)("QR codes of %s decode from the paper", async (command) => {
    for (const option of ["3,l", "5,h"]) {
      const page = onlyPage(await print(`{code:https://example.com/r/4711;option:qrcode,${option}}\n`, { command }));
      expect(await decodeSymbols(page)).toEqual([{ format: "QRCode", text: "https://example.com/r/4711" }]);
    }
  });

  it.each(COMMANDS)("images of %s print dot for dot, upright and upside down", async (command) => {
    const picture = testPicture(80, 56);
    const png = new PNG({ width: 80, height: 56 });
    png.data = Buffer.from(pictureRgba(picture));
    const document = `{image:${PNG.sync.write(png).toString("base64")}}\n`;
    const upright = onlyPage(await print(document, { command, gradient: false }));
    expect(dotsOf(upright, inkBox(upright))).toEqual(pictureRows(picture));
    expect(inkBox(upright).x).toBe((576 - 80) / 2);
    // Printers of "fit" turn graphics themselves; those that this printer is one of leave it to the host.
    if (command === "fit") return;
    const turned = onlyPage(await print(document, { command, gradient: false, upsideDown: true }));
    expect(dotsOf(turned, inkBox(turned))).toEqual(
      pictureRows(picture)
        .toReversed()
        .map((row) => [...row].reverse().join("")),
    );
  });
});

describe("impact printers", () => {
  it.each(["impact", "impactb"] as const)("%s reads the same on a thermal printer", async (command) => {
    const document = "Hauptstraße 1 | 10115 Berlin\n-\nEspresso | 4,40\n{width:10,8;border:line}\n-\na|b\n-\n";
    const page = onlyPage(await print(document, { command, cpl: 42 }));
    const svg = receiptline.transform(document, { cpl: 42, encoding: "multilingual", command: "svg" });
    expect(
      page.text
        .split("\n")
        .map(letters)
        .filter((text) => text !== ""),
    ).toEqual(readSvg(svg).map(({ text }) => text));
  });
});
