import type { BarcodeModes } from "../barcode-modes.ts";
import type { Engine } from "../engine.ts";
import { SYMBOL_FAMILIES } from "../matrix-symbols.ts";
import type { Profile } from "../profiles.ts";
import { SymbolDataError, type SymbolImage } from "../symbol-encoder.ts";
import { printSymbol } from "../symbol-printing.ts";
import { block, type Command, code, ESC, fixed, GS, word } from "./command.ts";

/** One kind of symbol of ESC Z. */
interface TypedSymbol {
  /** Of GS ( k, whose symbols these are. */
  readonly cn: number;
  /** The modes for v, r and k; undefined when one of them is out of its range. */
  readonly modes: (modes: BarcodeModes, v: number, r: number, k: number) => BarcodeModes | undefined;
}

const QR_LEVELS = "LMQH";

/** By the n of GS Z. */
const TYPED_SYMBOLS: readonly TypedSymbol[] = [
  {
    cn: 48,
    // v columns, r the level, k the height of a row; a module is as wide as GS w says.
    modes: (modes, v, r, k) => {
      if (v < 1 || v > 30 || r > 8) return undefined;
      const correction = { kind: "level", value: r } as const;
      const { moduleDots } = modes;
      return { ...modes, pdf417: { columns: v, rows: 0, moduleDots, rowHeight: k, correction, truncated: false } };
    },
  },
  {
    cn: 54,
    // v rows and r columns, v = 0 for those that the data need.
    modes: (modes, v, r, k) => {
      if (v > 144 || (v > 0 && (r < 8 || r > 144))) return undefined;
      const dataMatrix = { rectangular: v !== r && v > 0, rows: v, columns: v === 0 ? 0 : r, moduleDots: k };
      return { ...modes, dataMatrix };
    },
  },
  {
    cn: 49,
    // v the version, 0 for the one that the data need, r the letter of the level.
    modes: (modes, v, r, k) => {
      const level = QR_LEVELS.indexOf(String.fromCharCode(r));
      if (v > 40 || level < 0) return undefined;
      return { ...modes, qr: { model: 2, moduleDots: k, level: 48 + level, version: v } };
    },
  },
];

const MOST_MAGNIFICATION = 8;

/** ESC Z v r k nL nH d1 ... dn: what v, r and k mean is up to the kind that GS Z chose. */
function printTypedSymbol(engine: Engine, params: readonly number[], data: Uint8Array): void {
  const [v = 0, r = 0, k = 0] = params;
  const symbol = TYPED_SYMBOLS[engine.modes.barcode.typedSymbol];
  const family = SYMBOL_FAMILIES.get(symbol?.cn ?? -1);
  if (symbol === undefined || family === undefined) return;
  if (!engine.profile.typedSymbols?.includes(engine.modes.barcode.typedSymbol)) {
    engine.output.diagnose("unsupported", `this printer has no ${family.name}`);
    return;
  }
  const modes = k >= 1 && k <= MOST_MAGNIFICATION ? symbol.modes(engine.modes.barcode, v, r, k) : undefined;
  if (modes === undefined || data.length === 0) {
    engine.output.diagnose("out-of-range", `${family.name} with v = ${v}, r = ${r}, k = ${k}, ${data.length} bytes`);
    return;
  }
  if (!engine.atBeginningOfLine) {
    engine.output.diagnose("ignored", "not at the beginning of the line");
    return;
  }
  try {
    const place = { dpi: engine.profile.dpi, roomDots: engine.areaWidthDots };
    const image: SymbolImage = family.draw(modes, data, place);
    printSymbol(engine, image);
  } catch (error) {
    if (!(error instanceof SymbolDataError)) throw error;
    engine.output.diagnose("out-of-range", error.message);
  }
}

/** ESC B n t: so many beeps, one every t x 100 ms. */
function beep(engine: Engine, n: number, t: number): void {
  if (n < 1 || n > 9 || t < 1 || t > 9) engine.output.diagnose("out-of-range", "ESC B takes 1 to 9 twice");
  else if (!engine.profile.supports.buzzer) engine.output.diagnose("unsupported", "this printer has no buzzer");
  else engine.output.sound?.({ pattern: 1, times: n, onMs: t * 100 });
}

/** A command that only some models have; others take its bytes for what they look like. */
export interface ModelCommand {
  readonly row: Command;
  readonly isIn: (profile: Profile) => boolean;
}

/** Commands of Zijiang, Gprinter and those who build after them (HCC POS80B Technical Manual, p. 56). */
export const CLONE_COMMANDS: readonly ModelCommand[] = [
  {
    isIn: (profile) => profile.readsBeepCommand === true,
    row: {
      name: "ESC B",
      prefix: [ESC, code("B")],
      shape: fixed(2),
      execute: (engine, [n = 0, t = 0]) => beep(engine, n, t),
    },
  },
  {
    isIn: (profile) => profile.typedSymbols !== undefined,
    row: {
      name: "GS Z",
      prefix: [GS, code("Z")],
      shape: fixed(1),
      execute: (engine, [n = 0]) => {
        if (TYPED_SYMBOLS[n] === undefined) engine.output.diagnose("out-of-range", "2-D symbols are 0, 1 and 2");
        else engine.modes.barcode.typedSymbol = n;
      },
    },
  },
  {
    isIn: (profile) => profile.typedSymbols !== undefined,
    row: {
      name: "ESC Z",
      prefix: [ESC, code("Z")],
      shape: block(5, (params) => word(params, 3)),
      execute: printTypedSymbol,
    },
  },
];
