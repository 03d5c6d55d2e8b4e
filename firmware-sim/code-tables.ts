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

/**
 * 80h-9Fh of windows-1252. Many a version of Node decodes this page as ISO 8859-1, which has no characters there.
 */
const WINDOWS_1252_LOWER = "€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ";

/** Table 1 has rules and signs of the trade around the half-width katakana. */
function katakanaHalf(): string {
  let kana = "";
  for (let codePoint = 0xff61; codePoint <= 0xff9f; codePoint += 1) kana += String.fromCharCode(codePoint);
  return `▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯ ${kana}═╞╪╡◢◣◥◤♠♥♦♣●○╱╲╳円年月日時分秒〒市区町村人▒ `;
}

/** Thai letters stand as in TIS-620; printers fill what it leaves free in ways of their own. */
function thaiHalf(own: Readonly<Record<number, string>>): string {
  return Array.from(decoderHalf("windows-874"), (character, index) => own[0x80 + index] ?? character).join("");
}

const THAI_11_RULES = {
  ...Object.fromEntries(Array.from("┌┐└┘│├┤", (rule, index) => [0x99 + index, rule])),
  ...Object.fromEntries(Array.from("─┴┬┼", (rule, index) => [0xdb + index, rule])),
};
const THAI_18_ARROWS = { 222: "\u0e40", 252: "←", 253: "↑", 254: "→", 255: "↓" };

/** Epson fills 80h-9Fh of ISO 8859-2 with rules and signs. */
const LATIN_2_RULES = "░▒▓│┤┘┌█©╣║╗╝¢¥┐└┴┬├─┼▄▀╚╔╩╦╠═╬®";

/** Every page the simulated printers have, by name. */
const PAGES = {
  cp437: () => CP437,
  katakana: katakanaHalf,
  cp850: () => CP850,
  cp860: () => CODE_PAGES.cp860,
  cp863: () => CODE_PAGES.cp863,
  cp865: () => CODE_PAGES.cp865,
  cp851: () => CODE_PAGES.cp851,
  cp853: () => CODE_PAGES.cp853,
  cp857: () => CODE_PAGES.cp857,
  cp737: () => CODE_PAGES.cp737,
  "iso-8859-7": () => decoderHalf("iso-8859-7"),
  "windows-1252": () => WINDOWS_1252_LOWER + decoderHalf("windows-1252").slice(WINDOWS_1252_LOWER.length),
  ibm866: () => decoderHalf("ibm866"),
  cp852: () => CODE_PAGES.cp852,
  cp858: () => CP858,
  "windows-874": () => decoderHalf("windows-874"),
  "thai-42": () => CODE_PAGES.thai42,
  "thai-11": () => thaiHalf(THAI_11_RULES),
  "thai-18": () => thaiHalf(THAI_18_ARROWS),
  tcvn3: () => CODE_PAGES.tcvn3,
  "tcvn3-capitals": () => CODE_PAGES.tcvn3.toUpperCase(),
  cp720: () => CODE_PAGES.cp720,
  cp775: () => CODE_PAGES.cp775,
  cp855: () => CODE_PAGES.cp855,
  cp861: () => CODE_PAGES.cp861,
  cp862: () => CODE_PAGES.cp862,
  cp864: () => CODE_PAGES.cp864,
  cp869: () => CODE_PAGES.cp869,
  "iso-8859-2": () => decoderHalf("iso-8859-2"),
  "epson-iso-8859-2": () => LATIN_2_RULES + decoderHalf("iso-8859-2").slice(LATIN_2_RULES.length),
  "iso-8859-15": () => decoderHalf("iso-8859-15"),
  cp774: () => CODE_PAGES.cp774,
  cp772: () => CODE_PAGES.cp772,
  cp1098: () => CODE_PAGES.cp1098,
  cp1125: () => CODE_PAGES.cp1125,
  "windows-1250": () => decoderHalf("windows-1250"),
  "windows-1251": () => decoderHalf("windows-1251"),
  "windows-1253": () => decoderHalf("windows-1253"),
  "windows-1254": () => decoderHalf("windows-1254"),
  "windows-1255": () => decoderHalf("windows-1255"),
  "windows-1256": () => decoderHalf("windows-1256"),
  "windows-1257": () => decoderHalf("windows-1257"),
  "windows-1258": () => decoderHalf("windows-1258"),
  rk1048: () => CODE_PAGES.rk1048,
  blank: () => "",
} satisfies Readonly<Record<string, () => string>>;

/** ESC t: which page a number selects. */
export type CodeTableNumbering = Readonly<Record<number, keyof typeof PAGES>>;

/**
 * Epson's numbering. 20, 21 and 26 are three Thai layouts; the first is not TIS-620. 30 and 31 are TCVN-3,
 * which keeps capitals in a font of its own. 254 and 255 hold nothing until the maker's tool has written them.
 */
const EPSON_CODE_TABLES: CodeTableNumbering = {
  0: "cp437",
  1: "katakana",
  2: "cp850",
  3: "cp860",
  4: "cp863",
  5: "cp865",
  11: "cp851",
  12: "cp853",
  13: "cp857",
  14: "cp737",
  15: "iso-8859-7",
  16: "windows-1252",
  17: "ibm866",
  18: "cp852",
  19: "cp858",
  20: "thai-42",
  21: "thai-11",
  26: "thai-18",
  30: "tcvn3",
  31: "tcvn3-capitals",
  32: "cp720",
  33: "cp775",
  34: "cp855",
  35: "cp861",
  36: "cp862",
  37: "cp864",
  38: "cp869",
  39: "epson-iso-8859-2",
  40: "iso-8859-15",
  41: "cp1098",
  42: "cp774",
  43: "cp772",
  44: "cp1125",
  45: "windows-1250",
  46: "windows-1251",
  47: "windows-1253",
  48: "windows-1254",
  49: "windows-1255",
  50: "windows-1256",
  51: "windows-1257",
  52: "windows-1258",
  53: "rk1048",
  254: "blank",
  255: "blank",
};

/** The numbering that 58 and 80 mm clones print on their self-test: Epson's up to 5 and from 16 to 19, and its own beyond. */
export const CLONE_CODE_TABLES: CodeTableNumbering = {
  0: "cp437",
  1: "katakana",
  2: "cp850",
  3: "cp860",
  4: "cp863",
  5: "cp865",
  16: "windows-1252",
  17: "ibm866",
  18: "cp852",
  19: "cp858",
  25: "windows-1257",
  27: "windows-1258",
  28: "cp864",
  32: "windows-1255",
  50: "cp437",
  52: "cp437",
  53: "cp858",
  54: "cp852",
  55: "cp860",
  56: "cp861",
  57: "cp863",
  58: "cp865",
  59: "ibm866",
  60: "cp855",
  61: "cp857",
  62: "cp862",
  63: "cp864",
  64: "cp737",
  65: "cp851",
  66: "cp869",
  68: "cp772",
  69: "cp774",
  71: "windows-1252",
  72: "windows-1250",
  73: "windows-1251",
  90: "windows-1253",
  91: "windows-1254",
  92: "windows-1256",
  93: "cp720",
  94: "windows-1258",
  95: "cp775",
  255: "windows-874",
};

const SPACE = 0x20;
const halves = new Map<keyof typeof PAGES, readonly number[]>();

export function hasCodeTable(number: number, numbering = EPSON_CODE_TABLES): boolean {
  return numbering[number] !== undefined;
}

/** Numbers of the tables that ESC t selects. */
export function codeTableNumbers(numbering = EPSON_CODE_TABLES): readonly number[] {
  return Object.keys(numbering).map(Number);
}

/** The code point of a printable byte in a code table; undefined codes are spaces, an unknown table reads as table 0. */
export function decodeByte(table: number, byte: number, numbering = EPSON_CODE_TABLES): number {
  if (byte < 0x80) return byte;
  const page = numbering[table] ?? "cp437";
  let half = halves.get(page);
  if (half === undefined) {
    half = Array.from(PAGES[page](), (character) => printable(character.codePointAt(0) ?? SPACE));
    halves.set(page, half);
  }
  return half[byte - 0x80] ?? SPACE;
}

function printable(codePoint: number): number {
  // Decoders give codes without a character as U+FFFD, as controls, or as private characters.
  const isNone =
    codePoint === 0xfffd || (codePoint >= 0x80 && codePoint < 0xa0) || (codePoint >= 0xe000 && codePoint < 0xf900);
  return isNone ? SPACE : codePoint;
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
