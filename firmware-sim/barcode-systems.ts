import { readableCharacter, readCode128, shortestCode128 } from "./code128.ts";
import { checkDigit, FNC1, readExpanded, readGs1 } from "./gs1.ts";
import { type Bars, binaryText, encodeBars } from "./symbol-encoder.ts";

export interface EncodedBarcode {
  readonly bars: Bars;
  readonly readable: string;
  /** A wrong check digit that was put right. */
  readonly note?: string;
}

/** One bar code system of GS k: which data it takes, and what it makes of them. */
export interface BarcodeSystem {
  readonly name: string;
  /** Bytes of data that GS k takes with a length (m = 65 and up). */
  readonly accepts: (count: number) => boolean;
  /** Where data without a length end even without NUL (m = 0 to 3). */
  readonly mostBytes: number;
  readonly takes: (byte: number) => boolean;
  /** True when these data end the command by themselves; what follows is normal data. */
  readonly endsWith?: (data: readonly number[]) => boolean;
  /** The bars are so many modules high at least, whatever GS h says. */
  readonly leastModules?: number;
  /** Two widths of elements, set apart by GS w, instead of multiples of a module. */
  readonly binary?: true;
  /** Undefined when the data cannot be encoded. */
  readonly encode: (data: readonly number[]) => EncodedBarcode | undefined;
}

const UNLIMITED = 255;

function between(least: number, most: number): (count: number) => boolean {
  return (count) => count >= least && count <= most;
}

function among(characters: string): (byte: number) => boolean {
  const bytes = new Set(Array.from(characters, (character) => character.charCodeAt(0)));
  return (byte) => bytes.has(byte);
}

const DIGITS = "0123456789";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const isDigit = among(DIGITS);
const isAscii = (byte: number): boolean => byte < 0x80;

/** EAN and UPC: the check digit is made when it is missing. The encoder prints no wrong one, so it is put right. */
function withCheckDigit(digits: string, length: number): { readonly digits: string; readonly note?: string } {
  const body = digits.slice(0, length - 1);
  const right = checkDigit(body);
  const given = digits.slice(length - 1);
  const note = given === "" || given === right ? {} : { note: `check digit ${given} printed as ${right}` };
  return { digits: body + right, ...note };
}

function retail(symbology: string, length: number): BarcodeSystem["encode"] {
  return (data) => {
    const text = binaryText(data);
    if (text.length !== length && text.length !== length - 1) return undefined;
    const { digits, ...note } = withCheckDigit(text, length);
    return { bars: encodeBars(symbology, digits), readable: digits, ...note };
  };
}

/** The six digits of a UPC-E for the eleven of a UPC-A, where the zeros of manufacturer or item allow it. */
export function suppressZeros(upcA: string): string | undefined {
  const maker = upcA.slice(1, 6);
  const item = upcA.slice(6, 11);
  if (/^..[012]00$/.test(maker) && item.startsWith("00")) return maker.slice(0, 2) + item.slice(2) + maker.slice(2, 3);
  if (maker.endsWith("00") && item.startsWith("000")) return `${maker.slice(0, 3)}${item.slice(3)}3`;
  if (maker.endsWith("0") && item.startsWith("0000")) return `${maker.slice(0, 4)}${item.slice(4)}4`;
  return /^0000[5-9]$/.test(item) ? maker + item.slice(4) : undefined;
}

function expandZeros(six: string): string {
  const last = six.slice(5);
  if (last <= "2") return `0${six.slice(0, 2)}${last}0000${six.slice(2, 5)}`;
  if (last === "3") return `0${six.slice(0, 3)}00000${six.slice(3, 5)}`;
  if (last === "4") return `0${six.slice(0, 4)}00000${six.slice(4, 5)}`;
  return `0${six.slice(0, 5)}0000${last}`;
}

/** UPC-E takes its own six digits, with number system 0 and check digit or without, or a UPC-A that can be shortened. */
function upcE(data: readonly number[]): EncodedBarcode | undefined {
  const text = binaryText(data);
  if (text.length !== 6 && !text.startsWith("0")) return undefined;
  const six = text.length >= 11 ? suppressZeros(text) : text.length === 6 ? text : text.slice(1, 7);
  if (six === undefined || six.length !== 6) return undefined;
  const given = text.length === 12 ? text.slice(11) : text.slice(7, text.length === 8 ? 8 : 7);
  const { digits, ...note } = withCheckDigit(expandZeros(six) + given, 12);
  const readable = `0${six}${digits.slice(11)}`;
  return { bars: encodeBars("upce", readable), readable, ...note };
}

/** "When * is processed during bar code data processing", it is the stop character. */
function endsCode39(data: readonly number[]): boolean {
  return data.length > 1 && data.at(-1) === 0x2a;
}

function code39(data: readonly number[]): EncodedBarcode | undefined {
  // The manual adds the asterisks of start and stop unless they are there.
  const text = binaryText(data).replace(/^\*/, "").replace(/\*$/, "");
  if (text === "" || text.includes("*")) return undefined;
  return { bars: encodeBars("code39", text), readable: `*${text}*` };
}

function interleaved(data: readonly number[]): EncodedBarcode | undefined {
  // An odd last digit is ignored.
  const text = binaryText(data.slice(0, data.length & ~1));
  return text === "" ? undefined : { bars: encodeBars("interleaved2of5", text), readable: text };
}

function codabar(data: readonly number[]): EncodedBarcode | undefined {
  const text = binaryText(data);
  if (!/^[A-Da-d][0-9$+\-./:]*[A-Da-d]$/.test(text)) return undefined;
  return { bars: encodeBars("rationalizedCodabar", text.toUpperCase()), readable: text };
}

/** CODE93 shows start and stop as hollow boxes, and a control character as a black box and a letter. */
function code93(data: readonly number[]): EncodedBarcode {
  const readable = data.map((byte) => {
    if (byte === 0x7f) return "■T";
    if (byte >= 0x20) return String.fromCharCode(byte);
    if (byte === 0) return "■U";
    return `■${String.fromCharCode(byte <= 26 ? 0x40 + byte : 0x40 + byte - 26)}`;
  });
  const bars = encodeBars("code93ext", binaryText(data), { includecheck: true });
  return { bars, readable: `□${readable.join("")}□` };
}

/** So many codewords are wider than any paper, and the encoder refuses them. */
const MOST_CODEWORDS = 200;
const CODEWORD_MODULES = 11;

function encodeCodewords(codewords: readonly number[]): Bars {
  if (codewords.length > MOST_CODEWORDS) return [codewords.length * CODEWORD_MODULES];
  return encodeBars("code128", codewords.map((codeword) => `^${String(codeword).padStart(3, "0")}`).join(""), {
    raw: true,
  });
}

function code128(data: readonly number[]): EncodedBarcode | undefined {
  const read = readCode128(data);
  return read && { bars: encodeCodewords(read.codewords), readable: read.readable };
}

function code128Auto(data: readonly number[]): EncodedBarcode {
  return { bars: encodeCodewords(shortestCode128(data)), readable: data.map(readableCharacter).join("") };
}

function gs1Code128(data: readonly number[]): EncodedBarcode | undefined {
  const read = readGs1(binaryText(data));
  if (read === undefined || read.content === "") return undefined;
  const content = read.content.replaceAll("^", "^^").replaceAll(FNC1, "^FNC1");
  return { bars: encodeBars("code128", `^FNC1${content}`, { parsefnc: true }), readable: read.readable };
}

function dataBar(symbology: string): BarcodeSystem["encode"] {
  return (data) => {
    const digits = binaryText(data);
    if (digits.length !== 13) return undefined;
    // GS1 DataBar Limited holds nothing above 1 999 999 999 999.
    if (symbology === "databarlimited" && digits > "1999999999999") return undefined;
    const readable = `(01)${digits}${checkDigit(digits)}`;
    return { bars: encodeBars(symbology, readable), readable };
  };
}

function dataBarExpanded(data: readonly number[]): EncodedBarcode | undefined {
  const read = readExpanded(binaryText(data));
  if (read === undefined || read.content === "") return undefined;
  return {
    bars: encodeBars("databarexpanded", read.elements, { parse: true, dontlint: true }),
    readable: read.readable,
  };
}

const PLAIN = { mostBytes: UNLIMITED, accepts: between(1, 255), takes: isAscii };
// TM-J2000, GS k: "when the height is smaller than [13 times the module width]"; ISO/IEC 24724 has the other heights.
const DATABAR = { ...PLAIN, accepts: between(13, 13), takes: isDigit };

/** By m of GS k; m = 0 to 6 are the first seven without a length. */
export const BARCODE_SYSTEMS: ReadonlyMap<number, BarcodeSystem> = new Map<number, BarcodeSystem>([
  [65, { name: "UPC-A", mostBytes: 12, accepts: between(11, 12), takes: isDigit, encode: retail("upca", 12) }],
  [
    66,
    {
      name: "UPC-E",
      mostBytes: 12,
      accepts: (count) => between(6, 8)(count) || between(11, 12)(count),
      takes: isDigit,
      encode: upcE,
    },
  ],
  [67, { name: "EAN13", mostBytes: 13, accepts: between(12, 13), takes: isDigit, encode: retail("ean13", 13) }],
  [68, { name: "EAN8", mostBytes: 8, accepts: between(7, 8), takes: isDigit, encode: retail("ean8", 8) }],
  [
    69,
    {
      ...PLAIN,
      name: "CODE39",
      takes: among(`${DIGITS}${UPPER} $%*+-./`),
      endsWith: endsCode39,
      binary: true,
      encode: code39,
    },
  ],
  [70, { ...PLAIN, name: "ITF", accepts: between(2, 255), takes: isDigit, binary: true, encode: interleaved }],
  [
    71,
    {
      ...PLAIN,
      name: "CODABAR",
      accepts: between(2, 255),
      takes: among(`${DIGITS}ABCDabcd$+-./:`),
      binary: true,
      encode: codabar,
    },
  ],
  [72, { ...PLAIN, name: "CODE93", encode: code93 }],
  [73, { ...PLAIN, name: "CODE128", accepts: between(2, 255), encode: code128 }],
  [74, { ...PLAIN, name: "GS1-128", accepts: between(2, 255), encode: gs1Code128 }],
  [75, { ...DATABAR, name: "GS1 DataBar Omnidirectional", leastModules: 33, encode: dataBar("databaromni") }],
  [76, { ...DATABAR, name: "GS1 DataBar Truncated", leastModules: 13, encode: dataBar("databartruncated") }],
  [77, { ...DATABAR, name: "GS1 DataBar Limited", leastModules: 10, encode: dataBar("databarlimited") }],
  [78, { ...PLAIN, name: "GS1 DataBar Expanded", leastModules: 34, accepts: between(2, 255), encode: dataBarExpanded }],
  [79, { ...PLAIN, name: "CODE128 auto", takes: () => true, encode: code128Auto }],
]);

export function barcodeSystem(m: number): BarcodeSystem | undefined {
  return BARCODE_SYSTEMS.get(m <= 6 ? m + 65 : m);
}
