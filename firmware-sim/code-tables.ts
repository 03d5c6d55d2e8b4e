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

function katakanaHalf(): string {
  let half = "";
  for (let byte = 0x80; byte <= 0xff; byte += 1) {
    half += byte >= 0xa1 && byte <= 0xdf ? String.fromCharCode(0xff61 + byte - 0xa1) : " ";
  }
  return half;
}

/** ESC t n in Epson's numbering. */
const TABLES: Readonly<Record<number, () => string>> = {
  0: () => CP437,
  1: katakanaHalf,
  2: () => CP850,
  15: () => decoderHalf("iso-8859-7"),
  16: () => decoderHalf("windows-1252"),
  17: () => decoderHalf("ibm866"),
  19: () => CP858,
  39: () => decoderHalf("iso-8859-2"),
  40: () => decoderHalf("iso-8859-15"),
  45: () => decoderHalf("windows-1250"),
  46: () => decoderHalf("windows-1251"),
  47: () => decoderHalf("windows-1253"),
  48: () => decoderHalf("windows-1254"),
  49: () => decoderHalf("windows-1255"),
  50: () => decoderHalf("windows-1256"),
  51: () => decoderHalf("windows-1257"),
  52: () => decoderHalf("windows-1258"),
};

const halves = new Map<number, readonly number[]>();

export function hasCodeTable(number: number): boolean {
  return TABLES[number] !== undefined;
}

/** The code point of a printable byte in a code table; a table we do not have reads as table 0. */
export function decodeByte(table: number, byte: number): number {
  if (byte < 0x80) return byte;
  let half = halves.get(table);
  if (half === undefined) {
    half = Array.from((TABLES[table] ?? (() => CP437))(), (character) => character.codePointAt(0) ?? 0x3f);
    halves.set(table, half);
  }
  return half[byte - 0x80] ?? 0x3f;
}
