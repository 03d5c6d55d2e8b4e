import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Random } from "./fuzz/random.ts";
import { differingSplit, everyNth, printInPieces, withQuestions } from "./fuzz/splitting.ts";
import { findProfile, type Profile } from "./profiles.ts";
import { raster, stream } from "./test-bytes.ts";

const STREAMS = join(fileURLToPath(import.meta.url), "..", "testdata", "streams");
const NAMES = readdirSync(STREAMS);
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1_000_000));
/** Cuts of each stream that are tried one by one; `npm run fuzz -- --splits` tries all. */
const SAMPLES = 4;
/** Streams that print so little that all of their cuts are tried one by one here, too. */
const SHORT = ["escpresso-cp437.raw", "escpresso-format.raw"];

const EPSON = findProfile();
/** Real-time commands count between commands only. */
const STRICT: Profile = { ...EPSON, supports: { ...EPSON.supports, realTimeInData: false } };
const CLONE = findProfile("nt-5890k");

/** Status is asked for between commands, within an image, within the data of a symbol, and within parameters. */
const REAL_TIME = stream(
  "A\x10\x04\x01B\n",
  raster([
    [1, 0x10, 0x04, 0x02, 5],
    [0x10, 0x04, 0x03, 0x10, 0x04],
    [0x04, 0x10, 0x10, 0x04, 0x01],
  ]),
  "\x1d(k\x08\x001P0\x10\x04\x04ab\x1d(k\x03\x001Q0",
  // DLE EOT 3 is the height of the next bar code here, and the last of it a text: the manual's own warning.
  "\x1dh\x10\x04\x03C\n\x10\x14\x07\x01\x10\x10\x04\x01\x10\x05\x01\x10\x04\x09D\n",
  "\x1d(H\x06\x0000done",
);

describe("a stream in pieces", () => {
  const read = (name: string): Uint8Array => withQuestions(readFileSync(join(STREAMS, name)));
  const models: readonly (readonly [string, Profile])[] = [
    ["Epson", EPSON],
    ["strict", STRICT],
    ["clone", CLONE],
  ];

  it.each(models)(
    "prints and answers the same when every byte comes alone, printed before the next: %s",
    (_, model) => {
      for (const name of NAMES) {
        const bytes = read(name);
        const whole = printInPieces(bytes, [], model, true);
        expect(printInPieces(bytes, everyNth(bytes.length, 1, 1), model, true), name).toEqual(whole);
      }
    },
    120_000,
  );

  it("prints and answers the same when every byte comes alone, all at the same moment", () => {
    for (const name of NAMES) {
      const bytes = read(name);
      const whole = printInPieces(bytes, [], EPSON, false);
      expect(printInPieces(bytes, everyNth(bytes.length, 1, 1), EPSON, false), name).toEqual(whole);
    }
  }, 120_000);

  it.each(SHORT)(
    "prints and answers the same, cut in two at any byte: %s",
    (name) => {
      const bytes = read(name);
      for (const [, model] of models) {
        expect(differingSplit(bytes, everyNth(bytes.length, 1, 1), model, true)).toBeUndefined();
      }
    },
    60_000,
  );

  it("prints and answers the same, cut in two somewhere", () => {
    const random = new Random(SEED);
    for (const name of NAMES) {
      const bytes = read(name);
      const some = Array.from({ length: SAMPLES }, () => 1 + random.below(bytes.length - 1));
      expect(differingSplit(bytes, some, EPSON, true), `${name}, SEED=${SEED}`).toBeUndefined();
    }
  }, 120_000);

  it.each(models)("keeps real-time commands whole, wherever they are cut: %s", (_, model) => {
    for (const pause of [true, false]) {
      expect(differingSplit(REAL_TIME, everyNth(REAL_TIME.length, 1, 1), model, pause)).toBeUndefined();
    }
  });

  it("answers within data in Epson's way, and not in the strict one", () => {
    const answers = (model: Profile): number => printInPieces(REAL_TIME, [], model, true).realTime.split(",").length;
    // Between commands: two. Within data: 2, 3, 4 over the edge of a row, and 1 of the image, 4 of the symbol.
    expect([answers(EPSON), answers(STRICT)]).toEqual([7, 2]);
    const same = printInPieces(REAL_TIME, [], EPSON, true).paper;
    expect(printInPieces(REAL_TIME, [], STRICT, true).paper).toBe(same);
  });
});
