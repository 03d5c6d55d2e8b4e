const SHIFT = 98;
const CODE_C = 99;
const CODE_B = 100;
const CODE_A = 101;
const FNC1 = 102;
const FNC2 = 97;
const FNC3 = 96;
const START = { A: 103, B: 104, C: 105 } as const;
/** In its own code set A or B this is FNC4. */
const LATCH = { A: CODE_A, B: CODE_B, C: CODE_C } as const;

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
  if (letter === "4") return LATCH[set];
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
        else if (set !== letter) codewords.push(LATCH[letter]);
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

/** A code set, and whether 128 is added to every character (after FNC4 twice). */
interface Setting {
  readonly set: CodeSet;
  readonly high: boolean;
}

const SETTINGS: readonly Setting[] = (["A", "B", "C"] as const).flatMap((set) => [
  { set, high: false },
  { set, high: true },
]);

/** Codewords from one setting to another without a character between, where one step leads there. */
function change(from: Setting, to: Setting): readonly number[] | undefined {
  if (from.high === to.high) return from.set === to.set ? undefined : [LATCH[to.set]];
  if (from.set !== to.set || from.set === "C") return undefined;
  return [LATCH[from.set], LATCH[from.set]];
}

/** The codewords of the next one or two characters in this setting. */
function nextCharacters({ set, high }: Setting, data: readonly number[], at: number): readonly number[] | undefined {
  const byte = data[at] ?? 0;
  if (set === "C") {
    const digits = [byte, data[at + 1] ?? 0].map((value) => value - 0x30);
    const [tens = 0, units = 0] = digits;
    return digits.every((value) => value >= 0 && value <= 9) ? [tens * 10 + units] : undefined;
  }
  // FNC4, once: 128 more or less for one character.
  const fnc4 = byte >= 0x80 === high ? [] : [LATCH[set]];
  const own = codewordOf(set, byte & 0x7f);
  if (own !== undefined) return [...fnc4, own];
  const other = codewordOf(set === "A" ? "B" : "A", byte & 0x7f);
  return other === undefined ? undefined : [...fnc4, SHIFT, other];
}

type Paths = Map<Setting, readonly number[]>;

function offer(paths: Paths, setting: Setting, path: readonly number[]): void {
  const known = paths.get(setting);
  if (known === undefined || path.length < known.length) paths.set(setting, path);
}

/** GS k 79: the printer chooses the code sets. Any bytes, as few codewords as possible. */
export function shortestCode128(data: readonly number[]): readonly number[] {
  const reached: Paths[] = data.map(() => new Map());
  const end: Paths = new Map();
  for (const setting of SETTINGS) if (!setting.high) reached[0]?.set(setting, [START[setting.set]]);
  data.forEach((_, at) => {
    const here: Paths = reached[at] ?? new Map();
    // No change takes more than three steps: out of C, high, to another set.
    for (let step = 0; step < 3; step += 1) {
      for (const [from, path] of [...here]) {
        for (const to of SETTINGS) {
          const codewords = change(from, to);
          if (codewords !== undefined) offer(here, to, [...path, ...codewords]);
        }
      }
    }
    for (const [setting, path] of here) {
      const codewords = nextCharacters(setting, data, at);
      if (codewords === undefined) continue;
      const next = at + (setting.set === "C" ? 2 : 1);
      offer(reached[next] ?? end, setting, [...path, ...codewords]);
    }
    reached[at] = new Map();
  });
  return [...end.values()].reduce((shortest, path) => (path.length < shortest.length ? path : shortest));
}
