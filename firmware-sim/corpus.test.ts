import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PNG } from "pngjs";
import { beforeAll, describe, expect, it } from "vitest";
import { getDot, isBlank } from "./bits.ts";
import type { Page } from "./paper.ts";
import type { Diagnostic } from "./parser.ts";
import { findProfile, PROFILES, type Profile } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { decode, prepareReader } from "./test-barcodes.ts";
import { scriptBytes } from "./test-thermal-script.ts";

const TESTDATA = join(fileURLToPath(import.meta.url), "..", "testdata");
const ESCPOST = join(TESTDATA, "escpost");
const CASES = [
  "ascii-fonts-and-styles",
  "esc-star-8dot-double-density",
  "line-spacing-and-feed",
  "reference-full-and-partial-cuts",
  "native-symbols-nt-5890k",
];
const PROBES = [75, 76, 77, 78].map((m) => `native-symbols-nt-5890k/databar-m${m}-unsupported-probe.hex`);

function hexFile(name: string): Uint8Array {
  const text = readFileSync(join(ESCPOST, name), "utf8").replace(/#.*$/gm, "");
  return Uint8Array.from(text.split(/\s+/).filter(Boolean), (pair) => Number.parseInt(pair, 16));
}

const CORPUS = new Map<string, Uint8Array>([
  ...readdirSync(join(TESTDATA, "streams")).map(
    (name) => [name, readFileSync(join(TESTDATA, "streams", name))] as const,
  ),
  ...["cafe-order-voucher.hex", ...CASES.map((name) => `${name}/input.hex`), ...PROBES].map(
    (name) => [name, hexFile(name)] as const,
  ),
  ["typography.bin", readFileSync(join(TESTDATA, "thermal", "typography.bin"))],
]);

/** A diagnostic that a person has looked at. */
interface LookedAt {
  readonly stream: string | RegExp;
  /** Kind, name of the command, detail. */
  readonly found: RegExp;
  readonly why: string;
  /** How often on each model that says it at all. */
  readonly times?: number;
}

const LOOKED_AT: readonly LookedAt[] = [
  { stream: /./, found: /no cutter$/, why: "the 58 mm models tear by hand; a cut with a feed still feeds" },
  { stream: /./, found: /^ignored GS V this printer ignores GS V 66/, why: "the NT-5890K does (escpost's probe)" },
  {
    stream: "barcode.bin",
    found: /^out-of-range GS w/,
    why: "tries the widths 1 to 8; the manual has 2 to 6 and keeps the one before",
    times: 3,
  },
  {
    stream: "barcode.bin",
    found: /^ignored GS k \d+ dots do not fit/,
    why: "CODE39 with modules of six dots is wider than 58 mm; a printer leaves it out",
    times: 3,
  },
  {
    stream: "barcode.bin",
    found: /^out-of-range GS k (UPC-E|check digit)/,
    why: "digits counted up from 0 or 1 without a care: wrong check digits, and UPC-A numbers that no UPC-E can shorten",
  },
  {
    stream: /^character-(tables|encodings)\.bin$/,
    found: /^unsupported ESC t code table \d+ prints as table 0/,
    why: "goes through all numbers of a list of many makers; every model has a part of them, and Indic needs shaping",
  },
  {
    stream: "crossescpos-sample.bin",
    found: /^unknown {2}(1b 34|1b 35|7)$/,
    why: "italics and BEL belong to dot matrix printers; no receipt printer has them",
    times: 3,
  },
  {
    stream: "crossescpos-sample.bin",
    found: /^out-of-range GS k CODE128/,
    why: "does not begin with a code set ({A, {B or {C), which the manual requires for m = 73",
    times: 1,
  },
  {
    stream: "crossescpos-sample.bin",
    found: /^unsupported GS \( k this printer has no symbol 55/,
    why: "asks for cn = 55, which the manual does not have",
    times: 3,
  },
  {
    stream: "crossescpos-sample.bin",
    found: /^unsupported GS \( k this printer has no (Data Matrix|PDF417)/,
    why: "clones have QR and, some of them, PDF417",
  },
  {
    stream: "demo.bin",
    found: /^unsupported ESC M this printer has no font 2/,
    why: "Font C exists on the TM-m30III only",
    times: 1,
  },
  {
    stream: "demo.bin",
    found: /^(unsupported|ignored|out-of-range) ESC e/,
    why: "a thermal printer with an auto cutter cannot feed back as far as asked, and most cannot at all",
    times: 1,
  },
  {
    stream: /^(demo|retail)\.bin$/,
    found: /^unsupported GS \( L this printer has no graphics commands/,
    why: "clones have GS v 0 only",
  },
  {
    stream: "retail.bin",
    found: /^ignored GS \( L no graphics under this key/,
    why: "prints a logo that only the shop's printer has in its NV memory",
    times: 1,
  },
  {
    stream: /^escpresso-/,
    found: /^unsupported GS a this printer has no ASB/,
    why: "58 mm clones have none",
    times: 1,
  },
  {
    stream: "escpresso-receipt.raw",
    found: /^unsupported FS C only Japanese models/,
    why: "the Chinese clones have one system of two-byte characters",
    times: 2,
  },
  {
    stream: "pdf417-code.bin",
    found: /^ignored GS \( k \d+ dots do not fit/,
    why: "columns and widths that give 824 and 1737 dots",
    times: 2,
  },
  {
    stream: "pdf417-code.bin",
    found: /^unsupported GS \( k this printer has no PDF417/,
    why: "58 mm clones have QR only",
  },
  {
    stream: /unsupported-probe/,
    found: /^unsupported GS k this printer has no GS1 DataBar/,
    why: "the probe's own finding; the NT-5890K then prints the payload as text, which the simulator drops",
    times: 1,
  },
  {
    stream: "typography.bin",
    found: /^unknown {2}(1b 34|1)$/,
    why: "italics of dot matrix printers, which no receipt printer has",
    times: 3,
  },
  {
    stream: "native-symbols-nt-5890k/databar-m78-unsupported-probe.hex",
    found: /^unknown {2}7$/,
    why: "the length of a bar code that the NT-5890K does not know is taken for BEL, and its data are printed as text",
    times: 1,
  },
  {
    stream: "typography.bin",
    found: /^ignored ESC \{ not at the beginning of the line/,
    why: "the manual turns whole lines only",
    times: 2,
  },
  {
    stream: "typography.bin",
    found: /^(unsupported|out-of-range) (GS \( N|ESC M|ESC R|ESC t)/,
    why: "colours, Font C, a set and a table for Vietnamese, UTF-8 as table 255: each model has a part of them",
  },
];

function describeDiagnostic({ kind, name = "", bytes, detail }: Diagnostic): string {
  if (kind !== "unknown") return `${kind} ${name} ${detail ?? ""}`;
  return `unknown  ${bytes.map((byte) => byte.toString(16)).join(" ")}`;
}

function rowOf(stream: string, text: string): LookedAt | undefined {
  return LOOKED_AT.find(
    (row) => (typeof row.stream === "string" ? row.stream === stream : row.stream.test(stream)) && row.found.test(text),
  );
}

describe("streams of others", () => {
  it.each([...CORPUS.keys()])("%s prints on every model, and says nothing that nobody has looked at", (name) => {
    for (const profile of PROFILES) {
      const times = new Map<LookedAt, number>();
      const unseen: string[] = [];
      const pages = renderEscpos(CORPUS.get(name) ?? new Uint8Array(), {
        profile,
        onDiagnostic: (diagnostic) => {
          const text = describeDiagnostic(diagnostic);
          const row = rowOf(name, text);
          if (row === undefined) unseen.push(text);
          else times.set(row, (times.get(row) ?? 0) + 1);
        },
      });
      expect(pages.some((page) => page.rows.some((row) => !isBlank(row)))).toBe(true);
      expect(unseen, profile.name).toEqual([]);
      for (const [row, count] of times) expect(row.times ?? count, `${profile.name}: ${row.why}`).toBe(count);
    }
  });

  it("include a script, the bytes of which stand beside it", () => {
    const script = readFileSync(join(TESTDATA, "thermal", "typography.thermal"), "utf8");
    expect(Buffer.from(scriptBytes(script)).equals(CORPUS.get("typography.bin") ?? Buffer.of())).toBe(true);
  });

  it("need every row of the table", () => {
    const used = new Set<LookedAt>();
    for (const [name, bytes] of CORPUS) {
      for (const profile of PROFILES) {
        renderEscpos(bytes, {
          profile,
          onDiagnostic: (diagnostic) => {
            const row = rowOf(name, describeDiagnostic(diagnostic));
            if (row !== undefined) used.add(row);
          },
        });
      }
    }
    expect(LOOKED_AT.filter((row) => !used.has(row))).toEqual([]);
  });
});

type Picture = readonly string[];

function expected(name: string, sheet = 1): Picture {
  const png = PNG.sync.read(readFileSync(join(ESCPOST, name, `expected-00${sheet}.png`)));
  return Array.from({ length: png.height }, (_, y) =>
    Array.from({ length: png.width }, (__, x) => ((png.data[(y * png.width + x) * 4] ?? 255) < 128 ? "#" : ".")).join(
      "",
    ),
  );
}

function pictureOf(page: Page | undefined): Picture {
  const width = page?.widthDots ?? 0;
  return (page?.rows ?? []).map((row) =>
    Array.from({ length: width }, (_, x) => (getDot(row, x) ? "#" : ".")).join(""),
  );
}

/** [first, end) of each run of rows with ink. */
function bands(picture: Picture): [number, number][] {
  const found: [number, number][] = [];
  picture.forEach((row, y) => {
    if (!row.includes("#")) return;
    const last = found.at(-1);
    if (last?.[1] === y) last[1] = y + 1;
    else found.push([y, y + 1]);
  });
  return found;
}

function inkOf(picture: Picture, from: number, to: number): [number, number] {
  const rows = picture.slice(from, to).filter((row) => row.includes("#"));
  return [Math.min(...rows.map((row) => row.indexOf("#"))), Math.max(...rows.map((row) => row.lastIndexOf("#") + 1))];
}

/** escpost's REFERENCE printer: profile.toml beside its cases. */
const REFERENCE: Profile = {
  ...findProfile("xp-80"),
  name: "REFERENCE",
  headToCutterDots: 80,
  columnPitch8: 3,
};

describe("the cases of escpost", () => {
  beforeAll(prepareReader);

  it.each(["esc-star-8dot-double-density", "line-spacing-and-feed"])(
    "equals dot for dot on the NT-5890K: %s",
    (name) => {
      const [page] = renderEscpos(hexFile(`${name}/input.hex`), { profile: "nt-5890k" });
      expect(pictureOf(page)).toEqual(expected(name));
    },
  );

  it("cuts where the REFERENCE printer cuts; its strip up to the blade is not part of our pages", () => {
    const name = "reference-full-and-partial-cuts";
    const pages = renderEscpos(hexFile(`${name}/input.hex`), { profile: REFERENCE });
    expect(pages.map((page) => page.cut)).toEqual(["full", "partial", "none"]);
    pages.forEach((page, index) => {
      const theirs = expected(name, index + 1);
      const ours = pictureOf(page);
      const strip = page.cut === "none" ? 0 : REFERENCE.headToCutterDots;
      expect(ours.length).toBe(theirs.length - strip);
      expect(theirs.slice(ours.length).join("")).not.toContain("#");
      // Letters have other shapes; lines stand in the same places, to a dot of side bearing.
      for (let line = 0; line * 30 < ours.length; line += 1) {
        const [left, right] = inkOf(ours, line * 30, line * 30 + 30);
        const [theirLeft, theirRight] = inkOf(theirs, line * 30, line * 30 + 30);
        expect(Math.abs(left - theirLeft)).toBeLessThanOrEqual(2);
        expect(Math.abs(right - theirRight)).toBeLessThanOrEqual(2);
      }
    });
  });

  it("lays text out alike on the NT-5890K; the letters are another font's", () => {
    const name = "ascii-fonts-and-styles";
    const [page] = renderEscpos(hexFile(`${name}/input.hex`), { profile: "nt-5890k" });
    const ours = pictureOf(page);
    const theirs = expected(name);
    expect(ours.length).toBe(theirs.length);
    for (const [from, to] of [
      [0, 30],
      [30, 60],
      [60, 108],
      [108, 138],
      [138, 168],
      [168, 198],
    ] as const) {
      const [left, right] = inkOf(ours, from, to);
      const [theirLeft, theirRight] = inkOf(theirs, from, to);
      expect(Math.abs(left - theirLeft)).toBeLessThanOrEqual(3);
      expect(Math.abs(right - theirRight)).toBeLessThanOrEqual(3);
    }
    // The underline and the reversed cells have no font: they are the same dots.
    expect(ours[161]).toBe(theirs[161]);
    expect(ours[191]).toBe(theirs[191]);
  });

  it("prints the symbols of the NT-5890K in the same places, and they read the same", async () => {
    const name = "native-symbols-nt-5890k";
    const nt = findProfile("nt-5890k");
    // The reference leaves out that this firmware forgets its bar code settings after GS k with NUL (its own notes).
    const { resetsBarcodeSettings: forgets, ...quirks } = nt.quirks;
    expect(forgets).toBe(true);
    const profile: Profile = { ...nt, quirks };
    const [page] = renderEscpos(hexFile(`${name}/input.hex`), { profile });
    if (page === undefined) throw new Error("no page");
    const ours = pictureOf(page);
    const theirs = expected(name);
    expect(ours.length).toBe(theirs.length);
    // Bars have no font and no choice: all 80 rows of both bar codes are the same dots.
    for (const top of [60, 224]) expect(ours.slice(top, top + 80)).toEqual(theirs.slice(top, top + 80));
    // The QR symbol has the same place and size; its mask is each encoder's own choice.
    expect(inkOf(ours, 388, 472)).toEqual(inkOf(theirs, 388, 472));
    expect(bands(ours)).toContainEqual([388, 472]);
    expect(bands(theirs)).toContainEqual([388, 472]);
    const read = (await decode(page)).map((result) => result.text);
    expect(new Set(read)).toEqual(new Set(["5901234123457", "NETUM-QR-TEST"]));
  });
});
