import { type BarcodeSystem, barcodeSystem, type EncodedBarcode } from "../barcode-systems.ts";
import type { Engine } from "../engine.ts";
import type { ParameterShape } from "../parser.ts";
import { drawBars, SymbolDataError } from "../symbol-encoder.ts";
import { printSymbol } from "../symbol-printing.ts";
import { type Command, code, digit, fixed, GS } from "./command.ts";

const NUL_TERMINATED_LAST = 6;

/**
 * GS k: the data end with NUL (m = 0 to 6) or after n bytes (m = 65 and up). At an m, an n or a byte outside of its
 * range the command ends, and "the following data is processed as normal data".
 */
const BARCODE: ParameterShape = {
  more: (params) => {
    const [m, n] = params;
    if (m === undefined) return 1;
    const system = barcodeSystem(m);
    if (system === undefined) return 0;
    if (m <= NUL_TERMINATED_LAST) return moreUntilNul(system, params);
    if (n === undefined) return 1;
    if (!system.accepts(n)) return 0;
    if (params.length > 2 && (!system.takes(params.at(-1) ?? 0) || system.endsWith?.(params.slice(2)))) return 0;
    return params.length - 2 < n ? 1 : 0;
  },
};

function moreUntilNul(system: BarcodeSystem, params: readonly number[]): number {
  if (params.length === 1) return 1;
  const byte = params.at(-1) ?? 0;
  const ends = byte === 0 || !system.takes(byte) || params.length > system.mostBytes;
  return ends || system.endsWith?.(params.slice(1)) ? 0 : 1;
}

/** The data of a complete command, or why there are none. */
function readData(system: BarcodeSystem, params: readonly number[]): readonly number[] | string {
  const [m = 0, n = 0] = params;
  if (m > NUL_TERMINATED_LAST && !system.accepts(n)) return `${system.name} does not take ${n} bytes`;
  const counted = params.slice(m <= NUL_TERMINATED_LAST ? 1 : 2);
  const data = m <= NUL_TERMINATED_LAST && counted.at(-1) === 0 ? counted.slice(0, -1) : counted;
  const wrong = data.find((byte) => !system.takes(byte));
  return wrong === undefined ? data : `${system.name} does not take the byte ${wrong}`;
}

function encode(system: BarcodeSystem, data: readonly number[]): EncodedBarcode | string {
  try {
    return system.encode(data) ?? `${system.name} cannot hold these data`;
  } catch (error) {
    if (error instanceof SymbolDataError) return error.message;
    throw error;
  }
}

/** The thick elements of the systems with two widths, by the n of GS w; the thin ones have n dots. */
const THICK_DOTS: Readonly<Record<number, number>> = { 2: 5, 3: 8, 4: 10, 5: 13, 6: 16 };

function printBarcode(engine: Engine, params: readonly number[]): void {
  const m = params[0] ?? 0;
  const system = barcodeSystem(m);
  if (system === undefined) {
    engine.output.diagnose("out-of-range", `there is no bar code system ${m}`);
    return;
  }
  if (!isAmong(engine.profile.supports.barcodeSystems, m)) {
    engine.output.diagnose("unsupported", `this printer has no ${system.name}`);
    return;
  }
  const data = readData(system, params);
  const encoded = typeof data === "string" ? data : encode(system, data);
  if (typeof encoded === "string") {
    engine.output.diagnose("out-of-range", encoded);
    return;
  }
  if (!engine.atBeginningOfLine) {
    engine.output.diagnose("ignored", "not at the beginning of the line");
    return;
  }
  if (encoded.note !== undefined) engine.output.diagnose("out-of-range", encoded.note);
  const { heightDots, moduleDots, hriPosition, hriFont } = engine.modes.barcode;
  const thick = THICK_DOTS[moduleDots] ?? moduleDots * 3;
  const dotsOf = system.binary
    ? (modules: number) => (modules === 1 ? moduleDots : thick)
    : (modules: number) => modules * moduleDots;
  const barDots = Math.max(heightDots, (system.leastModules ?? 0) * moduleDots);
  printSymbol(engine, drawBars(encoded.bars, barDots, dotsOf), {
    text: encoded.readable,
    font: hriFont,
    above: (hriPosition & 1) !== 0,
    below: (hriPosition & 2) !== 0,
  });
}

/** GS k of a model that ends the command at every system it does not have. */
export function barcodesAmong(systems: readonly number[], row: Command): Command {
  return { ...row, shape: { more: (params) => (isAmong(systems, params[0]) ? BARCODE.more(params) : 0) } };
}

function isAmong(systems: readonly number[], m: number | undefined): boolean {
  return m === undefined || systems.includes(m <= NUL_TERMINATED_LAST ? m + 65 : m);
}

export const BARCODE_COMMANDS: readonly Command[] = [
  {
    name: "GS H",
    prefix: [GS, code("H")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      if (digit(n) > 3) engine.output.diagnose("out-of-range", "HRI characters are placed by 0 to 3");
      else engine.modes.barcode.hriPosition = digit(n);
    },
  },
  {
    name: "GS f",
    prefix: [GS, code("f")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      if (digit(n) > 1) engine.output.diagnose("unsupported", `this printer has no font ${digit(n)}`);
      else engine.modes.barcode.hriFont = digit(n) === 0 ? "a" : "b";
    },
  },
  {
    name: "GS h",
    prefix: [GS, code("h")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      if (n === 0) engine.output.diagnose("out-of-range", "a bar code has a height of at least one dot");
      else engine.modes.barcode.heightDots = n;
    },
  },
  {
    name: "GS w",
    prefix: [GS, code("w")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      if (THICK_DOTS[n] === undefined) engine.output.diagnose("out-of-range", "modules are 2 to 6 dots wide");
      else engine.modes.barcode.moduleDots = n;
    },
  },
  { name: "GS k", prefix: [GS, code("k")], shape: BARCODE, execute: printBarcode },
];
