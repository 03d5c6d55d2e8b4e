import CodepageEncoder, { type Codepage } from "@point-of-sale/codepage-encoder";
import { expect, it } from "vitest";
import { renderEscpos } from "../../firmware-sim/mod.ts";

/** Epson's numbers (ESC t), and what @point-of-sale/codepage-encoder calls the tables. */
const TABLES: readonly [number: number, page: Codepage][] = [
  ...(["cp437", "epson/katakana", "cp850", "cp860", "cp863", "cp865"] as const).map(numberedFrom(0)),
  ...(["cp851", "cp853", "cp857", "cp737", "iso8859-7", "windows1252"] as const).map(numberedFrom(11)),
  ...(["cp866", "cp852", "cp858", "thai42", "thai11"] as const).map(numberedFrom(17)),
  [26, "thai13"],
  ...(["tcvn3", "tcvn3capitals", "cp720", "cp775", "cp855", "cp861", "cp862"] as const).map(numberedFrom(30)),
  ...(["cp864", "cp869", "epson/iso8859-2", "iso8859-15", "cp1098", "cp774"] as const).map(numberedFrom(37)),
  ...(["cp772", "cp1125", "windows1250", "windows1251", "windows1253"] as const).map(numberedFrom(43)),
  ...(["windows1254", "windows1255", "windows1256", "windows1257", "windows1258"] as const).map(numberedFrom(48)),
  [53, "rk1048"],
];

/**
 * Where the two disagree: three codes that ISO 8859-7 leaves free, characters that look alike, and two signs in which
 * tables of the name CP1125 differ (Python has the simulator's).
 */
const DISAGREE: Readonly<Partial<Record<Codepage, string>>> = {
  "iso8859-7": "®Òÿ",
  tcvn3capitals: "Ð",
  cp774: "˙β⋂",
  cp1125: "±÷",
};

function numberedFrom(first: number): (page: Codepage, index: number) => [number, Codepage] {
  return (page, index) => [first + index, page];
}

const CANDIDATES = [
  ...Array.from({ length: 0x3000 - 0xa1 }, (_, index) => String.fromCharCode(0xa1 + index)),
  ...Array.from({ length: 0xffe0 - 0xfb00 }, (_, index) => String.fromCharCode(0xfb00 + index)),
  ..."円年月日時分秒〒市区町村人",
];

it.each(TABLES)("table %i prints every character that the encoder finds in %s", (number, page) => {
  const bytes = CodepageEncoder.encode(CANDIDATES.join(""), page);
  expect(bytes).toHaveLength(CANDIDATES.length);
  const found = CANDIDATES.flatMap((character, index) => {
    const byte = bytes[index] ?? 0;
    return byte >= 0x80 && !DISAGREE[page]?.includes(character) ? [{ character, byte }] : [];
  });
  expect(found.length).toBeGreaterThan(60);
  const stream = Uint8Array.from([0x1b, 0x74, number, ...found.flatMap(({ byte }) => [byte, 0x0a])]);
  const diagnostics: unknown[] = [];
  const [paper] = renderEscpos(stream, { onDiagnostic: (diagnostic) => diagnostics.push(diagnostic) });
  expect(diagnostics).toEqual([]);
  expect(paper?.lines.map(({ text }) => text)).toEqual(found.map(({ character }) => character));
});
