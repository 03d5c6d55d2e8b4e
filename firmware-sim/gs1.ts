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
  /** Every application identifier in parentheses. */
  readonly elements: string;
}

/** FNC1 within a symbol. */
export const FNC1 = "\x1d";

/**
 * Data of GS k 74 and 78 and of GS ( k 51 and 52: parentheses and spaces are for the reader only, `*` is the check
 * digit of the digits since the last parenthesis, `{1` is FNC1, `{(`, `{)`, `{*` and `{{` are the characters themselves.
 */
export function readGs1(data: string): Gs1Data | undefined {
  let content = "";
  let readable = "";
  let fieldAt = 0;
  for (let at = 0; at < data.length; at += 1) {
    const character = data[at] ?? "";
    if (character === "{") {
      at += 1;
      const escaped = data[at] ?? "";
      if (escaped === "1") {
        content += FNC1;
        readable += " ";
        fieldAt = content.length;
      } else if ("{()*".includes(escaped) && escaped !== "") {
        content += escaped;
        readable += escaped;
      } else {
        return undefined;
      }
    } else if (character === "(" || character === ")" || character === " ") {
      readable += character;
      if (character !== " ") fieldAt = content.length;
    } else if (character === "*") {
      const digit = checkDigit(content.slice(fieldAt));
      content += digit;
      readable += digit;
    } else {
      content += character;
      readable += character;
    }
  }
  return { content, readable, elements: elementsOf(content) };
}

function elementsOf(content: string): string {
  let rest = content;
  let elements = "";
  while (rest !== "") {
    const identifier = rest.slice(0, identifierLength(rest));
    const separator = rest.indexOf(FNC1);
    const whole = PREDEFINED_LENGTHS.get(rest.slice(0, 2)) ?? (separator < 0 ? rest.length : separator);
    elements += `(${identifier})${rest.slice(identifier.length, whole)}`;
    rest = rest.slice(rest[whole] === FNC1 ? whole + 1 : whole);
  }
  return elements;
}
