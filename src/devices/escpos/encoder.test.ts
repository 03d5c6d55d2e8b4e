import { describe, expect, it } from "vitest";
import { renderEscpos } from "../../../firmware-sim/mod.ts";
import type { MemoryPage } from "../../image/print-image.ts";
import { concatBytes } from "./commands.ts";
import type { OutputChunk } from "./encoder.ts";
import { encodeOutput, longestCommandBytes } from "./encoder.ts";
import type { PrinterModel } from "./models.ts";
import { findPrinterModel, printerModels } from "./models.ts";
import { encodeBand } from "./raster-band.ts";
import { findHarmfulCommand, findRealTimeCommand } from "./real-time-bytes.ts";
import { pageOf, randomPage, seededRandom, testSeed } from "./test-support.ts";

const ids = ["AAA1", "AAA2"] as const;
const seed = testSeed();

interface Decoded {
  readonly pages: Uint8Array[][];
  readonly events: string[];
  readonly commandLengths: number[];
}

/** Reads what the encoder writes, by the manual and by nothing of the encoder. */
function decode(bytes: Uint8Array, model: PrinterModel): Decoded {
  const widthBytes = (model.widthDots + 7) >> 3;
  const pages: Uint8Array[][] = [];
  const events: string[] = [];
  const commandLengths: number[] = [];
  let rows: Uint8Array[] = [];
  let margin = 0;
  let at = 0;
  const byte = (offset: number): number => {
    const value = bytes[at + offset];
    if (value === undefined) throw new Error(`command cut off at ${at}`);
    return value;
  };
  while (at < bytes.length) {
    const name = `${byte(0).toString(16)} ${byte(1).toString(16)}`;
    let length = 3;
    if (name === "1b 40") length = 2;
    else if (name === "1b 4a") {
      const dots = byte(2) / model.verticalMotionUnitsPerDot;
      expect(Number.isInteger(dots)).toBe(true);
      for (let i = 0; i < dots; i++) rows.push(new Uint8Array(widthBytes));
    } else if (name === "1d 4c") {
      margin = byte(2) + 256 * byte(3);
      length = 4;
    } else if (name === "1d 76") {
      expect([byte(2), byte(3)]).toEqual([0x30, 0]);
      const width = byte(4) + 256 * byte(5);
      const height = byte(6) + 256 * byte(7);
      for (let y = 0; y < height; y++) {
        const row = new Uint8Array(widthBytes);
        for (let x = 0; x < width * 8; x++) {
          const black = (byte(8 + y * width + (x >> 3)) >> (7 - (x & 7))) & 1;
          const dot = x + margin;
          if (black === 1 && dot < model.widthDots) row[dot >> 3] = (row[dot >> 3] ?? 0) | (0x80 >> (dot & 7));
        }
        rows.push(row);
      }
      length = 8 + width * height;
    } else if (name === "1d 56") {
      expect([byte(2), byte(3)]).toEqual([0x42, 0]);
      length = 4;
      pages.push(rows);
      rows = [];
      events.push("cut");
    } else if (name === "1d 28") {
      expect([byte(2), byte(3), byte(4), byte(5), byte(6)]).toEqual([0x48, 6, 0, 0x30, 0x30]);
      events.push(`id ${String.fromCharCode(byte(7), byte(8), byte(9), byte(10))} after ${rows.length}`);
      length = 11;
    } else if (name === "1d 72") events.push("gs-r");
    else if (name !== "1d 61") throw new Error(`unexpected ${name} at ${at}`);
    commandLengths.push(length);
    at += length;
  }
  if (rows.length > 0) pages.push(rows);
  return { pages, events, commandLengths };
}

/** Row at which two pages differ, or -1; quicker than comparing them as a whole. */
function firstDifference(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): number {
  const rows = Math.max(actual.length, expected.length);
  for (let y = 0; y < rows; y++) {
    const [left, right] = [actual[y], expected[y]];
    if (left === undefined || right === undefined || Buffer.compare(left, right) !== 0) return y;
  }
  return -1;
}

function encode(pages: readonly MemoryPage[], model: PrinterModel, evidence = model.evidence): OutputChunk[] {
  return [...encodeOutput(pages, { model, evidence, processIds: ids })];
}

function bytesOf(chunks: readonly OutputChunk[]): Uint8Array {
  return concatBytes(chunks.map((chunk) => chunk.bytes));
}

const row = (widthBytes: number, ...bytes: number[]): Uint8Array => {
  const dots = new Uint8Array(widthBytes);
  dots.set(bytes);
  return dots;
};

describe.each(printerModels.map((model) => [model.name, model] as const))("output for %s", (_name, model) => {
  it("gives the same dots to an independent decoder", () => {
    const random = seededRandom(seed);
    for (let round = 0; round < 30; round++) {
      const pages = Array.from({ length: 1 + Math.floor(random() * 3) }, () => randomPage(random, model, 400));
      const bytes = bytesOf(encode(pages, model));
      const decoded = decode(bytes, model);
      const context = `TEST_SEED=${seed} round ${round}`;
      const feed = model.feedBeforeCutRows;
      const blank = Array.from({ length: feed }, () => new Uint8Array((model.widthDots + 7) >> 3));
      const expected = pages.map((page) => [...page.rows, ...blank]);
      if (model.cut.length > 0) expect(decoded.pages.length, context).toBe(pages.length);
      for (const [i, rows] of (model.cut.length > 0 ? expected : [expected.flat()]).entries()) {
        expect(firstDifference(decoded.pages[i] ?? [], rows), `${context} page ${i}`).toBe(-1);
      }
      expect(findRealTimeCommand(bytes), context).toBe(-1);
      expect(Math.max(...decoded.commandLengths)).toBeLessThanOrEqual(longestCommandBytes(model));
    }
  });

  it("prints the same dots on the simulator", () => {
    const profile = { "generic-80": "xp-80", "generic-58": "nt-5890k" }[model.name] ?? model.name;
    const random = seededRandom(seed + 1);
    for (let round = 0; round < 10; round++) {
      const page = randomPage(random, model, 400);
      const [paper] = renderEscpos(bytesOf(encode([page], model)), { profile });
      const context = `TEST_SEED=${seed} round ${round}`;
      expect(firstDifference((paper?.rows ?? []).slice(0, page.heightDots), [...page.rows]), context).toBe(-1);
    }
  });

  it("counts rows over all pages and never goes back", () => {
    const random = seededRandom(seed + 2);
    const pages = [randomPage(random, model, 300), randomPage(random, model, 300)];
    const done = encode(pages, model).map((chunk) => chunk.rowsDone);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(pages.reduce((sum, page) => sum + page.heightDots, 0));
  });
});

describe("requests for the end of output", () => {
  const model = findPrinterModel("tm-m30iii");
  const blank = row(72);
  const black = row(72, 0xff);

  it("asks for ID 1 right after the last black row, ID 2 after the last cut, then GS r", () => {
    const pages = [pageOf(576, [black]), pageOf(576, [blank, black, blank, blank])];
    expect(decode(bytesOf(encode(pages, model)), model).events).toEqual([
      "cut",
      "id AAA1 after 2",
      "cut",
      "id AAA2 after 0",
      "gs-r",
    ]);
  });

  it("asks for ID 1 behind the last printed line even when blank pages follow", () => {
    const pages = [pageOf(576, [black]), pageOf(576, [blank])];
    const { events } = decode(bytesOf(encode(pages, model)), model);
    expect(events).toEqual(["id AAA1 after 1", "cut", "cut", "id AAA2 after 0", "gs-r"]);
  });

  it("asks at the end of a job without a black dot", () => {
    const { events } = decode(bytesOf(encode([pageOf(576, [blank])], model)), model);
    expect(events).toEqual(["cut", "id AAA1 after 0", "id AAA2 after 0", "gs-r"]);
  });

  it("asks only for GS r, or for nothing, when told so", () => {
    expect(decode(bytesOf(encode([pageOf(576, [black])], model, "status")), model).events).toEqual(["cut", "gs-r"]);
    expect(decode(bytesOf(encode([pageOf(576, [black])], model, "none")), model).events).toEqual(["cut"]);
  });

  it("refuses IDs a printer could not send back", () => {
    const options = { model, evidence: "process-id", processIds: ["abc", "abcd"] } as const;
    expect(() => [...encodeOutput([pageOf(576, [black])], options)]).toThrow(RangeError);
  });
});

describe("bytes", () => {
  it("skips blank rows by ESC J, 254 half-dot units at most", () => {
    const model = findPrinterModel("tm-t88vi");
    const rows = [row(64, 1), ...Array.from({ length: 200 }, () => row(64)), row(64, 1)];
    const bytes = [...bytesOf(encode([pageOf(512, rows)], model, "none"))];
    const text = bytes.join(" ");
    expect(text).toContain("27 74 254 27 74 146");
    expect(bytes.length).toBeLessThan(40);
  });

  it("trims the blank right side of each band", () => {
    const commands = encodeBand([row(72, 0, 0x80), row(72, 1)]);
    expect(commands.map((command) => [...command])).toEqual([[0x1d, 0x76, 0x30, 0, 2, 0, 2, 0, 0, 0x80, 1, 0]]);
  });

  it("slows the estimate down for black", () => {
    const model = findPrinterModel("tm-m30iii");
    const rows = (byte: number): Uint8Array[] => Array.from({ length: 240 }, () => new Uint8Array(72).fill(byte));
    const estimate = (byte: number): number =>
      encode([pageOf(576, rows(byte))], model).reduce((sum, chunk) => sum + chunk.mechanicalMs, 0) - model.cutMs;
    expect(estimate(0x88)).toBeCloseTo(100.1, 0);
    expect(estimate(0xff) / estimate(0x88)).toBeCloseTo(3.42, 1);
  });
});

describe("real-time commands inside image data", () => {
  const dangerous: readonly [string, number[]][] = [
    ["status", [0x10, 0x04, 0x01]],
    ["recovery", [0x10, 0x05, 0x02]],
    ["drawer pulse", [0x10, 0x14, 0x01, 0x00, 0x01]],
    ["power off", [0x10, 0x14, 0x02, 0x01, 0x08]],
    ["clear buffers", [0x10, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08]],
  ];

  it.each(dangerous)("breaks %s inside a row by another left margin", (_name, bytes) => {
    const dots = row(72, ...bytes);
    const output = concatBytes(encodeBand([row(72, 3), dots, row(72, 3)]));
    expect(findRealTimeCommand(output)).toBe(-1);
    expect(decode(output, findPrinterModel("tm-m30iii")).pages).toEqual([[row(72, 3), dots, row(72, 3)]]);
  });

  it.each(dangerous)("breaks %s across rows by ending the band", (_name, bytes) => {
    for (let split = 1; split < 3; split++) {
      const first = new Uint8Array(72);
      first.set(bytes.slice(0, split), 72 - split);
      const second = row(72, ...bytes.slice(split));
      const output = concatBytes(encodeBand([first, second]));
      expect(findRealTimeCommand(output)).toBe(-1);
      expect(decode(output, findPrinterModel("tm-m30iii")).pages).toEqual([[first, second]]);
    }
  });

  it("breaks it in one-byte rows, too", () => {
    const rows = [0x10, 0x14, 0x01, 0x00, 0x01].map((byte) => row(72, byte));
    const output = concatBytes(encodeBand(rows));
    expect(findRealTimeCommand(output)).toBe(-1);
    expect(decode(output, findPrinterModel("tm-m30iii")).pages).toEqual([rows]);
  });

  it("gives up one dot rather than open the drawer when the row cannot be moved", () => {
    const dots = row(72, 0x80, 0x10, 0x14, 0x01, 0x00, 0x01);
    const output = concatBytes(encodeBand([dots]));
    expect(findHarmfulCommand(output)).toBe(-1);
    expect(decode(output, findPrinterModel("tm-m30iii")).pages).toEqual([
      [row(72, 0x80, 0x11, 0x14, 0x01, 0x00, 0x01)],
    ]);
  });

  it("leaves what only asks for a status in a row that cannot be moved", () => {
    const dots = row(72, 0x80, 0x10, 0x04, 0x01);
    expect(decode(concatBytes(encodeBand([dots])), findPrinterModel("tm-m30iii")).pages).toEqual([[dots]]);
  });
});

describe("models", () => {
  it("are found by name, and an unknown one is answered with the names", () => {
    expect(findPrinterModel("TM-T88VI").widthDots).toBe(512);
    expect(() => findPrinterModel("lp-1")).toThrow(/config|tm-m30iii, tm-t88vi, xp-80/);
  });
});
