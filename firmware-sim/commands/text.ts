import { hasCodeTable, hasInternationalSet } from "../code-tables.ts";
import type { Engine } from "../engine.ts";
import { type Command, code, digit, ESC, FS, fixed, LENGTH_PREFIXED } from "./command.ts";

function selectFont(engine: Engine, n: number): void {
  const { special } = engine.profile.fonts;
  const font = (["a", "b", "c"] as const)[special && (n === 97 || n === 98) ? n - 97 : digit(n)];
  if (font !== undefined && engine.profile.fonts[font] !== undefined) engine.modes.font = font;
  else engine.output.diagnose("unsupported", `this printer has no font ${digit(n)}`);
}

/** FS ( C fn 60: fonts that may come first or second for a code point that several have. */
const FONTS_OF_UNICODE = [0, 11, 20, 30, 41];

/** FS ( C: fn 48 chooses one-byte code tables (1) or UTF-8 (2), fn 60 the priority of fonts. */
function selectEncoding(engine: Engine, data: Uint8Array): void {
  const [fn = 0, n = 0, font = 0] = data;
  if (!engine.profile.supports.utf8) {
    engine.output.diagnose("unsupported", "this printer has no UTF-8");
  } else if (fn === 48) {
    if (digit(n) === 1 || digit(n) === 2) engine.text.modes.utf8 = digit(n) === 2;
    else engine.output.diagnose("out-of-range", "the encoding is 1 or 2");
  } else if (fn === 60) {
    // Every script has one font here, so the order of the fonts changes nothing.
    const isKnown = digit(n) <= 1 && FONTS_OF_UNICODE.includes(font);
    if (!isKnown) engine.output.diagnose("out-of-range", "priority is 0 or 1, fonts are 0, 11, 20, 30 and 41");
  } else {
    engine.output.diagnose("unsupported", `FS ( C has no function ${fn}`);
  }
}

function selectCodeTable(engine: Engine, n: number): void {
  // Once: a document may go through all of them for every character.
  if (!hasCodeTable(n, engine.profile.codeTables) && !engine.text.missedTables.has(n)) {
    engine.text.missedTables.add(n);
    engine.output.diagnose("unsupported", `code table ${n} prints as table 0`);
  }
  engine.text.modes.codeTable = n;
}

function selectInternationalSet(engine: Engine, n: number): void {
  if (hasInternationalSet(n)) engine.text.modes.internationalSet = n;
  else engine.output.diagnose("unsupported", `this printer has no international set ${n}`);
}

export const TEXT_COMMANDS: readonly Command[] = [
  { name: "ESC M", prefix: [ESC, code("M")], shape: fixed(1), execute: (engine, [n = 0]) => selectFont(engine, n) },
  {
    name: "ESC R",
    prefix: [ESC, code("R")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => selectInternationalSet(engine, n),
  },
  {
    name: "ESC t",
    prefix: [ESC, code("t")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => selectCodeTable(engine, n),
  },
  {
    name: "FS ( C",
    prefix: [FS, code("("), code("C")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => selectEncoding(engine, data),
  },
];
