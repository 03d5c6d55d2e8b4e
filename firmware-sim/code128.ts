const SHIFT = 98;
const CODE_C = 99;
const CODE_B = 100;
const CODE_A = 101;
const FNC1 = 102;
const FNC2 = 97;
const FNC3 = 96;
const START = { A: 103, B: 104, C: 105 } as const;

type CodeSet = keyof typeof START;

export interface Code128 {
  readonly codewords: readonly number[];
  readonly readable: string;
}

/** The codeword of a byte in a code set; code set C takes the number itself. */
function codewordOf(set: CodeSet, byte: number): number | undefined {
  if (set === "C") return byte <= 99 ? byte : undefined;
  if (set === "A") return byte < 0x20 ? byte + 64 : byte < 0x60 ? byte - 32 : undefined;
  return byte >= 0x20 && byte <= 0x7f ? byte - 32 : undefined;
}

/** Codewords other than data that `{` and this letter stand for. */
function functionCodeword(set: CodeSet, letter: string): number | undefined {
  if (letter === "1") return FNC1;
  if (set === "C") return undefined;
  if (letter === "2") return FNC2;
  if (letter === "3") return FNC3;
  if (letter === "4") return set === "A" ? CODE_A : CODE_B;
  return undefined;
}

/**
 * GS k 73: the host chooses the code sets itself, beginning with `{A`, `{B` or `{C`. `{S` shifts one character, `{1` to
 * `{4` are the functions, `{{` is the brace; one byte is two digits in code set C. Undefined for anything else.
 */
export function readCode128(data: readonly number[]): Code128 | undefined {
  const codewords: number[] = [];
  let readable = "";
  let set: CodeSet | undefined;
  let shifted = false;
  for (let at = 0; at < data.length; at += 1) {
    let byte = data[at] ?? 0;
    if (byte === 0x7b) {
      at += 1;
      const letter = String.fromCharCode(data[at] ?? 0);
      if (letter === "A" || letter === "B" || letter === "C") {
        if (set === undefined) codewords.push(START[letter]);
        else if (set !== letter) codewords.push({ A: CODE_A, B: CODE_B, C: CODE_C }[letter]);
        set = letter;
        continue;
      }
      if (set === undefined) return undefined;
      if (letter === "S" && set !== "C") {
        codewords.push(SHIFT);
        shifted = true;
        continue;
      }
      const codeword = functionCodeword(set, letter);
      if (codeword !== undefined) {
        codewords.push(codeword);
        readable += " ";
        continue;
      }
      if (letter !== "{") return undefined;
      byte = 0x7b;
    }
    if (set === undefined) return undefined;
    const codeword: number | undefined = codewordOf(shifted ? (set === "A" ? "B" : "A") : set, byte);
    if (codeword === undefined) return undefined;
    codewords.push(codeword);
    readable += set === "C" ? String(byte).padStart(2, "0") : readableCharacter(byte);
    shifted = false;
  }
  return codewords.length > 1 ? { codewords, readable } : undefined;
}

/** The manual prints control characters as spaces. */
export function readableCharacter(byte: number): string {
  return byte < 0x20 || byte > 0x7e ? " " : String.fromCharCode(byte);
}
