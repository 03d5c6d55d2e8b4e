import { CODE_PAGES } from "./code-page-data.ts";

const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
  "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";
const CP850 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐" +
  "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0";
const CP858 = CP850.replace("ı", "€");

/** The upper half (80h-FFh) of a table that the platform's decoder knows. */
function decoderHalf(label: string): string {
  const bytes = Uint8Array.from({ length: 128 }, (_, index) => 0x80 + index);
  return new TextDecoder(label).decode(bytes);
}

/** Table 1 has rules and signs of the trade around the half-width katakana. */
function katakanaHalf(): string {
  let kana = "";
  for (let codePoint = 0xff61; codePoint <= 0xff9f; codePoint += 1) kana += String.fromCharCode(codePoint);
  return `▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯ ${kana}═╞╪╡◢◣◥◤♠♥♦♣●○╱╲╳円年月日時分秒〒市区町村人▒ `;
}

/**
 * ESC t n in Epson's numbering. 20, 21 and 26 are three Thai layouts that agree where TIS-620 has letters. 30 and 31
 * are TCVN-3, which keeps capitals in a font of its own.
 */
const TABLES: Readonly<Record<number, () => string>> = {
  0: () => CP437,
  1: katakanaHalf,
  2: () => CP850,
  3: () => CODE_PAGES.cp860,
  4: () => CODE_PAGES.cp863,
  5: () => CODE_PAGES.cp865,
  11: () => CODE_PAGES.cp851,
  13: () => CODE_PAGES.cp857,
  14: () => CODE_PAGES.cp737,
  15: () => decoderHalf("iso-8859-7"),
  16: () => decoderHalf("windows-1252"),
  17: () => decoderHalf("ibm866"),
  18: () => CODE_PAGES.cp852,
  19: () => CP858,
  20: () => decoderHalf("windows-874"),
  21: () => decoderHalf("windows-874"),
  26: () => decoderHalf("windows-874"),
  30: () => CODE_PAGES.tcvn3,
  31: () => CODE_PAGES.tcvn3.toUpperCase(),
  32: () => CODE_PAGES.cp720,
  33: () => CODE_PAGES.cp775,
  34: () => CODE_PAGES.cp855,
  35: () => CODE_PAGES.cp861,
  36: () => CODE_PAGES.cp862,
  37: () => CODE_PAGES.cp864,
  38: () => CODE_PAGES.cp869,
  39: () => decoderHalf("iso-8859-2"),
  40: () => decoderHalf("iso-8859-15"),
  42: () => CODE_PAGES.cp774,
  43: () => CODE_PAGES.cp772,
  44: () => CODE_PAGES.cp1125,
  45: () => decoderHalf("windows-1250"),
  46: () => decoderHalf("windows-1251"),
  47: () => decoderHalf("windows-1253"),
  48: () => decoderHalf("windows-1254"),
  49: () => decoderHalf("windows-1255"),
  50: () => decoderHalf("windows-1256"),
  51: () => decoderHalf("windows-1257"),
  52: () => decoderHalf("windows-1258"),
  53: () => CODE_PAGES.rk1048,
  // The user's pages hold nothing until they are written, which is done with the maker's tool.
  254: () => "",
  255: () => "",
};

const SPACE = 0x20;
const halves = new Map<number, readonly number[]>();

export function hasCodeTable(number: number): boolean {
  return TABLES[number] !== undefined;
}

/** Numbers of the tables that ESC t selects. */
export function codeTableNumbers(): readonly number[] {
  return Object.keys(TABLES).map(Number);
}

/** The code point of a printable byte in a code table; undefined codes are spaces, an unknown table reads as table 0. */
export function decodeByte(table: number, byte: number): number {
  if (byte < 0x80) return byte;
  let half = halves.get(table);
  if (half === undefined) {
    half = Array.from((TABLES[table] ?? (() => CP437))(), (character) => printable(character.codePointAt(0) ?? SPACE));
    halves.set(table, half);
  }
  return half[byte - 0x80] ?? SPACE;
}

function printable(codePoint: number): number {
  return codePoint === 0xfffd || (codePoint >= 0x80 && codePoint < 0xa0) ? SPACE : codePoint;
}

/** ESC R n: what stands at these twelve codes in each international set, in the order of the manual. */
const INTERNATIONAL_CODES = "#$@[\\]^`{|}~";
const INTERNATIONAL_SETS: readonly string[] = [
  "#$@[\\]^`{|}~", // U.S.A.
  "#$à°ç§^`éùè¨", // France
  "#$§ÄÖÜ^`äöüß", // Germany
  "£$@[\\]^`{|}~", // U.K.
  "#$@ÆØÅ^`æøå~", // Denmark I
  "#¤ÉÄÖÅÜéäöåü", // Sweden
  "#$@°\\é^ùàòèì", // Italy
  "₧$@¡Ñ¿^`¨ñ}~", // Spain I
  "#$@[¥]^`{|}~", // Japan
  "#¤ÉÆØÅÜéæøåü", // Norway
  "#$ÉÆØÅÜéæøåü", // Denmark II
  "#$á¡Ñ¿é`íñóú", // Spain II
  "#$á¡Ñ¿éüíñóú", // Latin America
  "#$@[₩]^`{|}~", // Korea
  "#$ŽŠĐĆČžšđćč", // Slovenia, Croatia
  "#¥@[\\]^`{|}~", // China
  "#đ@[\\]^`{|}~", // Vietnam
  "#$@[\\]^`{|}~", // Arabia
];

export function hasInternationalSet(number: number): boolean {
  return INTERNATIONAL_SETS[number] !== undefined;
}

/** The code point of an ASCII byte in an international set. */
export function internationalCodePoint(set: number, byte: number): number {
  const at = set === 0 ? -1 : INTERNATIONAL_CODES.indexOf(String.fromCharCode(byte));
  return at < 0 ? byte : (INTERNATIONAL_SETS[set]?.codePointAt(at) ?? byte);
}
