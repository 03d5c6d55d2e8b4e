import { type BarcodeType, type BitmapDensity, Image, Printer, type RasterMode } from "@node-escpos/core";
import { describe, expect, it } from "vitest";
import { locateText, startSimulator } from "../../firmware-sim/mod.ts";
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

/*
 * Documents of @node-escpos/core: https://github.com/node-escpos/driver
 * Not tried, because of what it sends: bar codes of CODE93 and CODE128 shorter than 16 characters lose their length,
 * NW7 cannot have its start character.
 */

type Adapter = ConstructorParameters<typeof Printer>[0];
type Done = (error: Error | null) => void;

/** What the encoder writes to; `read` hears the answers. */
function adapterOf(write: (data: Uint8Array) => void, read: (listener: (data: Buffer) => void) => void): Adapter {
  const adapter = {
    open: (done?: Done) => done?.(null),
    write: (data: Buffer | string, done?: Done) => {
      write(Buffer.from(data));
      done?.(null);
    },
    close: (done?: Done) => done?.(null),
    read,
  };
  return adapter as unknown as Adapter;
}

async function print(
  compose: (printer: Printer<[]>) => unknown,
  options: { readonly encoding?: string; readonly width?: number } = {},
): Promise<Printed> {
  const sent: Uint8Array[] = [];
  const adapter = adapterOf(
    (data) => sent.push(data),
    () => {},
  );
  const printer = new Printer<[]>(adapter, { encoding: "cp858", width: 48, ...options });
  await compose(printer);
  await printer.cut(true, 6).flush();
  return await printOn("xp-80", Buffer.concat(sent));
}

function imageOf(picture: readonly (readonly boolean[])[]): Image {
  const pixels = { data: pictureRgba(picture), shape: [picture[0]?.length ?? 0, picture.length, 4] };
  return new Image(pixels as unknown as ConstructorParameters<typeof Image>[0]);
}

describe("a receipt", () => {
  it("reads as it was written", async () => {
    const printed = await print((printer) => {
      printer.hardware("init").setCharacterCodeTable(19).align("ct").size(2, 2).text("Café").size(1, 1);
      printer.text("4,20 €").align("lt").drawLine().table(["One", "Two", "Three"]);
      printer.tableCustom([
        { text: "Espresso", align: "LEFT", cols: 24 },
        { text: "2", align: "RIGHT", cols: 12 },
        { text: "4,40", align: "RIGHT", cols: 12 },
      ]);
      printer.tableCustom([
        { text: "A very long name that has to wrap", align: "LEFT", cols: 20 },
        { text: "1,00", align: "RIGHT", cols: 10 },
      ]);
      const wide = { encoding: "cp858", size: [2, 1] as [number, number] };
      printer.tableCustom(
        [
          { text: "Total", width: 0.5 },
          { text: "5,40", align: "RIGHT", width: 0.5 },
        ],
        wide,
      );
      printer.control("ht").text("after a tab").feed(2).cashdraw(2).cashdraw(5);
    });
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    expect(onlyPage(printed).text).toBe(`Café
4,20 €
${"-".repeat(48)}
One             Two             Three
Espresso                           2        4,40
A very long name tha      1,00
t has to wrap
Total               5,40
        after a tab`);
    expect(onlyPage(printed).cut).toBe("partial");
    expect(printed.pulses.map(({ pin, onMs }) => [pin, onMs])).toEqual([
      [0, 50],
      [1, 50],
    ]);
  });

  it("has the places, styles and sizes asked for", async () => {
    const printed = await print((printer) => {
      printer.align("ct").text("HHH").style("b").text("BBB").style("u2").text("UUU").style("normal");
      printer.align("rt").text("RRR").align("lt").setReverseColors(true).text("XXX").setReverseColors(false);
      printer.size(3, 2).text("SSS").size(1, 1).setMarginLeft(96).text("MMM").setMarginLeft(0);
      printer.spacing(12).text("WWW").spacing().font("b").text("NNN").font("a").lineSpace(90).text("L").lineSpace();
    });
    const page = onlyPage(printed);
    // ESC 4, italics, comes with every change of style.
    expect(describeDiagnostics(printed.diagnostics)).toEqual(["unknown 1b34", "unknown 1b34", "unknown 1b34"]);
    const place = (text: string): ReturnType<typeof placeOf> => placeOf(page, text);
    expect(Math.abs(place("HHH").x + place("HHH").widthDots / 2 - 288)).toBeLessThan(3);
    expect(place("RRR").x + place("RRR").widthDots).toBeGreaterThan(570);
    expect(darkness(page, place("XXX"))).toBeGreaterThan(0.5);
    expect(dotsOf(page, place("UUU")).slice(-2)).toEqual(["#".repeat(36), "#".repeat(36)]);
    expect(place("SSS").widthDots).toBeGreaterThan(90);
    expect(place("MMM").x).toBeGreaterThanOrEqual(96);
    expect(place("WWW").widthDots).toBeGreaterThan(2 * 24);
    expect(place("NNN").widthDots).toBeLessThanOrEqual(27);
    const rows = locateText(page).map(({ text }) => text.trim());
    expect(rows).toEqual(["HHH", "BBB", "UUU", "RRR", "XXX", "SSS", "MMM", "WWW", "NNN", "L"]);
  });

  it.each([
    ["GB18030", "收据 合计 88.00", "\x1c&", 0],
    ["cp866", "Привет, мир", "", 17],
    ["cp852", "Žluťoučký kůň", "", 18],
    ["win1252", "“4,20 €”", "", 16],
  ])("%s: %s", async (encoding, text, before, table) => {
    const printed = await print(
      (printer) => printer.raw(Buffer.from(before, "latin1")).setCharacterCodeTable(table).text(text),
      { encoding },
    );
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    expect(onlyPage(printed).text).toBe(text);
  });
});

describe("symbols and images", () => {
  it.each([
    ["UPC_A", "01234567890", "012345678905", "0012345678905"],
    ["UPC_E", "123456", "01234565", "0012345000065"],
    ["EAN13", "400638133393", "4006381333931", "4006381333931"],
    ["EAN8", "9638507", "96385074", "96385074"],
    ["CODE39", "ABC123", "*ABC123*", "ABC123"],
    ["ITF", "01234567", "01234567", "01234567"],
    ["CODE93", "SIXTEEN-LETTERS-", "□SIXTEEN-LETTERS-□", "SIXTEEN-LETTERS-"],
    ["CODE128", "{BSixteen or more", "Sixteen or more", "Sixteen or more"],
  ] as const)("%s decodes from the paper", async (type: BarcodeType, data, readable, decoded) => {
    const printed = await print((printer) => printer.align("ct").barcode(data, type, { width: 1, height: 80 }));
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    expect(onlyPage(printed).text.trim()).toBe(readable);
    expect((await decodeSymbols(onlyPage(printed))).map(({ text }) => text)).toEqual([decoded]);
  });

  it("qrcode() decodes from the paper of a clone that has its command", async () => {
    const printed = await print((printer) => printer.align("ct").qrcode("https://example.com/r/4711").text("after"));
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    expect(onlyPage(printed).text.trim()).toBe("after");
    expect(await decodeSymbols(onlyPage(printed))).toEqual([{ format: "QRCode", text: "https://example.com/r/4711" }]);
  });

  it("beep() sounds", async () => {
    const printed = await print((printer) => printer.beep(3, 2).text("after"));
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    expect(printed.sounds).toMatchObject([{ times: 3, onMs: 200 }]);
  });

  it("CODE128 of the model xprinter mixes its code sets", async () => {
    const printed = await print((printer) =>
      printer.model("xprinter").barcode("No-123456", "CODE128", { width: 1, height: 60 }),
    );
    expect((await decodeSymbols(onlyPage(printed))).map(({ text }) => text)).toEqual(["No-123456"]);
  });

  it.each([
    ["normal", 1, 1],
    ["dw", 2, 1],
    ["dh", 1, 2],
    ["dwdh", 2, 2],
  ] as const)("rasters print dot for dot: %s", async (mode: RasterMode, across, down) => {
    const picture = testPicture(72, 40);
    const printed = await print((printer) => printer.align("rt").raster(imageOf(picture), mode));
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    const page = onlyPage(printed);
    const expected = picture.flatMap((row) => Array(down).fill(row.flatMap((black) => Array(across).fill(black))));
    expect(dotsOf(page, inkBox(page))).toEqual(pictureRows(expected));
    expect(inkBox(page).x).toBe(576 - 72 * across);
  });

  it.each([
    ["s8", 2],
    ["d8", 1],
    ["s24", 2],
    ["d24", 1],
  ] as const)("bit images print dot for dot: %s", async (density: BitmapDensity, across) => {
    // One strip: this encoder parts strips by lines without height.
    const strip = density.endsWith("8") ? 8 : 24;
    const picture = testPicture(60, strip);
    const printed = await print((printer) => printer.image(imageOf(picture), density));
    expect(describeDiagnostics(printed.diagnostics)).toEqual([]);
    const page = onlyPage(printed);
    const down = strip === 8 ? 3 : 1;
    const expected = picture.flatMap((row) => Array(down).fill(row.flatMap((black) => Array(across).fill(black))));
    expect(dotsOf(page, inkBox(page))).toEqual(pictureRows(expected));
  });
});

it("hears what is wrong with the printer", async () => {
  const simulator = await startSimulator({ profile: "tm-m30iii" });
  const connection = simulator.connect();
  const ask = async (): Promise<string[]> => {
    const heard: number[] = [];
    const adapter = adapterOf(
      (data) => void connection.write(data),
      (listener) =>
        connection.onData((data) => {
          heard.push(...data);
          if (heard.length === 4) listener(Buffer.from(heard));
        }),
    );
    const statuses = await new Printer<[]>(adapter, {}).getStatuses();
    return statuses
      .flatMap((status) => status.toJSON().statuses)
      .flatMap(({ status, label }) => (status === "ok" ? [] : [label]));
  };
  expect(await ask()).toEqual([]);
  simulator.fail("cover-open");
  expect(await ask()).toContain("Cover is open");
  simulator.fail("cover-closed");
  simulator.fail("paper-end");
  expect(await ask()).toContain("Roll paper end sensor: paper not present");
  simulator.fail("paper-loaded");
  expect(await ask()).toEqual([]);
  await simulator.close();
});
