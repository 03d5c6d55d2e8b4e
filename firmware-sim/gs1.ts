/** The check digit that makes a GTIN, an EAN or a UPC of its digits. */
export function checkDigit(digits: string): string {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const weight = (digits.length - index) % 2 === 1 ? 3 : 1;
    sum += weight * (digits.charCodeAt(index) - 0x30);
  }
  return String((10 - (sum % 10)) % 10);
}

/** Figure of GS1 General Specifications 7.8.4: element strings of predefined length, by their first two digits. */
const PREDEFINED_LENGTHS: ReadonlyMap<string, number> = new Map([
  ["00", 20],
  ["01", 16],
  ["02", 16],
  ["03", 16],
  ["04", 18],
  ...["11", "12", "13", "14", "15", "16", "17", "18", "19"].map((start) => [start, 8] as const),
  ["20", 4],
  ...["31", "32", "33", "34", "35", "36"].map((start) => [start, 10] as const),
  ["41", 16],
]);

function identifierLength(data: string): number {
  const start = data.slice(0, 2);
  if (["23", "24", "25", "40", "41", "42", "71"].includes(start)) return 3;
  return /^(3[1-69]|43|7[02-9]|8[0-2])/.test(start) ? 4 : 2;
}

export interface Gs1Data {
  /** What the symbol holds, FNC1 as group separator (1Dh). */
  readonly content: string;
  /** What stands under the bars. */
  readonly readable: string;
  /** Every application identifier in parentheses; in the data `^` and three digits stand for what has a meaning there. */
  readonly elements: string;
}

/** FNC1 within a symbol. */
export const FNC1 = "\x1d";

/**
 * Data of GS k 74 and of GS ( k 52: parentheses and spaces are for the reader only, the first space or closing
 * parenthesis ends the application identifier, `*` is the check digit of the data after it, `{1` is FNC1, `{(`, `{)`, `{*` and `{{` are the characters themselves.
 */
export function readGs1(data: string): Gs1Data | undefined {
  let content = "";
  let readable = "";
  let dataAt = 0;
  let inData = false;
  for (let at = 0; at < data.length; at += 1) {
    let character = data[at] ?? "";
    const escaped = character === "{";
    if (escaped) {
      at += 1;
      character = data[at] ?? "";
      if (character === "" || !"1{()*".includes(character)) return undefined;
    }
    if (escaped && character === "1") {
      content += FNC1;
      readable += " ";
      inData = false;
    } else if (!escaped && "() ".includes(character)) {
      readable += character;
      if (!inData) dataAt = content.length;
      inData = character !== "(";
    } else {
      const added = !escaped && character === "*" ? checkDigit(content.slice(dataAt)) : character;
      content += added;
      readable += added;
    }
  }
  return { content, readable, elements: elementsOf(content) };
}

/**
 * GS1 DataBar Expanded (GS k 78, GS ( k 51 with n = 76): unlike GS1-128 it computes no check digit. `*` is skipped, only
 * FNC1 and the parentheses have an escape, and a GTIN in front must have its right check digit.
 */
export function readExpanded(data: string): Gs1Data | undefined {
  if (/\{[*{]/.test(data)) return undefined;
  const read = readGs1(data.replaceAll("*", ""));
  if (read?.content.startsWith("01") && read.content.length >= 16) {
    const gtin = read.content.slice(2, 16);
    if (checkDigit(gtin.slice(0, 13)) !== gtin.slice(13)) return undefined;
  }
  return read;
}

function elementsOf(content: string): string {
  let rest = content;
  let elements = "";
  while (rest !== "") {
    const identifier = rest.slice(0, identifierLength(rest));
    const separator = rest.indexOf(FNC1);
    const whole = PREDEFINED_LENGTHS.get(rest.slice(0, 2)) ?? (separator < 0 ? rest.length : separator);
    const data = rest.slice(identifier.length, whole);
    elements += `(${identifier})${data.replace(/[()^|]/g, (character) => `^${String(character.charCodeAt(0)).padStart(3, "0")}`)}`;
    rest = rest.slice(rest[whole] === FNC1 ? whole + 1 : whole);
  }
  return elements;
}
