import type { BarcodeModes } from "../barcode-modes.ts";
import type { Engine } from "../engine.ts";
import { SYMBOL_FAMILIES, type SymbolFamily } from "../matrix-symbols.ts";
import { SymbolDataError, type SymbolImage } from "../symbol-encoder.ts";
import { fitsIntoArea, printSymbol } from "../symbol-printing.ts";
import { type Command, code, digit, GS, LENGTH_PREFIXED, word } from "./command.ts";

const STORE = 80;
const PRINT = 81;
const TRANSMIT_SIZE = 82;

/** A setting function: false when its parameters are out of range, and then nothing changes. */
type Setting = (modes: BarcodeModes, args: Uint8Array) => boolean;

/** One parameter byte within a range. */
function ranged(least: number, most: number, set: (modes: BarcodeModes, n: number) => void, orZero = false): Setting {
  return (modes, [n = -1]) => {
    if ((n < least || n > most) && !(orZero && n === 0)) return false;
    set(modes, n);
    return true;
  };
}

function pdf417Correction(modes: BarcodeModes, [m = 0, n = 0]: Uint8Array): boolean {
  if (m === 48 && n >= 48 && n <= 56) modes.pdf417.correction = { kind: "level", value: n - 48 };
  else if (m === 49 && n >= 1 && n <= 40) modes.pdf417.correction = { kind: "tenths", value: n };
  else return false;
  return true;
}

function qrModel(modes: BarcodeModes, [n1 = 0]: Uint8Array): boolean {
  const model = ([1, 2, "micro"] as const)[n1 - 49];
  if (model === undefined) return false;
  modes.qr.model = model;
  return true;
}

function widthLimit(set: (modes: BarcodeModes, dots: number) => void): Setting {
  return (modes, args) => {
    const dots = word(args, 0);
    if (dots !== 0 && (dots < 106 || dots > 3952)) return false;
    set(modes, dots);
    return true;
  };
}

function aztecMode(modes: BarcodeModes, [n1 = 0, n2 = 0]: Uint8Array): boolean {
  const compact = digit(n1);
  const inRange = n2 === 0 || (compact === 1 ? n2 >= 1 && n2 <= 4 : n2 >= 4 && n2 <= 32);
  if (compact > 1 || !inRange) return false;
  modes.aztec.compact = compact === 1;
  modes.aztec.layers = n2;
  return true;
}

function dataMatrixShape(modes: BarcodeModes, [m = 0, d1 = 0, d2 = 0]: Uint8Array): boolean {
  const shape = digit(m);
  if (shape > 1) return false;
  modes.dataMatrix.rectangular = shape === 1;
  modes.dataMatrix.rows = d1;
  modes.dataMatrix.columns = d2;
  return true;
}

/** The functions that prepare a symbol, by cn and fn. */
const SETTINGS: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  ["48 65", ranged(0, 30, (modes, n) => Object.assign(modes.pdf417, { columns: n }))],
  ["48 66", ranged(3, 90, (modes, n) => Object.assign(modes.pdf417, { rows: n }), true)],
  ["48 67", ranged(2, 8, (modes, n) => Object.assign(modes.pdf417, { moduleDots: n }))],
  ["48 68", ranged(2, 8, (modes, n) => Object.assign(modes.pdf417, { rowHeight: n }))],
  ["48 69", pdf417Correction],
  ["48 70", ranged(0, 1, (modes, n) => Object.assign(modes.pdf417, { truncated: n === 1 }))],
  ["49 65", qrModel],
  ["49 67", ranged(1, 16, (modes, n) => Object.assign(modes.qr, { moduleDots: n }))],
  ["49 69", ranged(48, 51, (modes, n) => Object.assign(modes.qr, { level: n }))],
  ["50 65", ranged(50, 54, (modes, n) => Object.assign(modes.maxiCode, { mode: n - 48 }))],
  ["51 67", ranged(2, 8, (modes, n) => Object.assign(modes.stacked, { moduleDots: n }))],
  ["51 71", widthLimit((modes, dots) => Object.assign(modes.stacked, { limitDots: dots }))],
  ["52 67", ranged(2, 8, (modes, n) => Object.assign(modes.composite, { moduleDots: n }))],
  ["52 71", widthLimit((modes, dots) => Object.assign(modes.composite, { limitDots: dots }))],
  ["53 66", aztecMode],
  ["53 67", ranged(2, 16, (modes, n) => Object.assign(modes.aztec, { moduleDots: n }))],
  ["53 69", ranged(5, 95, (modes, n) => Object.assign(modes.aztec, { percent: n }))],
  ["54 66", dataMatrixShape],
  ["54 67", ranged(2, 16, (modes, n) => Object.assign(modes.dataMatrix, { moduleDots: n }))],
]);

/** Function 80: the data of the symbol storage area stay until the next ones, however often they are printed. */
function store(engine: Engine, cn: number, family: SymbolFamily, args: Uint8Array): void {
  const [m = 0] = args;
  const data = args.slice(1);
  if (m !== 48 || data.length === 0 || data.length > family.mostBytes) {
    engine.output.diagnose("out-of-range", `${family.name} stores 1 to ${family.mostBytes} bytes with m = 48`);
    return;
  }
  const modes = engine.modes.barcode;
  // A composite symbol comes in two: a = 48 is the linear element, a = 49 the 2D component.
  if (cn !== 52) modes.stored.set(cn, data);
  else if (data[0] === 48) modes.composite.linear = data.slice(1);
  else if (data[0] === 49) modes.stored.set(cn, data.slice(1));
  else engine.output.diagnose("out-of-range", "a is 48 or 49");
}

function draw(engine: Engine, cn: number, family: SymbolFamily): SymbolImage | undefined {
  const modes = engine.modes.barcode;
  const data = modes.stored.get(cn);
  if (data === undefined) {
    engine.output.diagnose("ignored", `no ${family.name} data are stored`);
    return undefined;
  }
  // No free encoder knows the original QR Code: the successor holds the same data.
  if (cn === 49 && modes.qr.model === 1) engine.output.diagnose("unsupported", "QR Code model 1 prints as model 2");
  try {
    return family.draw(modes, data, { dpi: engine.profile.dpi, roomDots: engine.areaWidthDots });
  } catch (error) {
    if (!(error instanceof SymbolDataError)) throw error;
    engine.output.diagnose("out-of-range", error.message);
    return undefined;
  }
}

/** Function 82: `37 identifier width 1F height 1F 31 1F 30|31 00`, 31 when it cannot be printed. */
function transmitSize(engine: Engine, cn: number, family: SymbolFamily): void {
  if (family.sizeIdentifier === undefined) {
    engine.output.diagnose("unsupported", `the size of ${family.name} is not answered`);
    return;
  }
  const image = draw(engine, cn, family);
  const { widthDots, rows } = image ?? { widthDots: 0, rows: [] };
  const printable = image !== undefined && fitsIntoArea(engine, image);
  const text = `${widthDots}\x1f${rows.length}\x1f1\x1f${printable ? 0 : 1}`;
  engine.output.reply([0x37, family.sizeIdentifier, ...Array.from(text, (character) => character.charCodeAt(0)), 0]);
}

function executeSymbolFunction(engine: Engine, data: Uint8Array): void {
  const [cn = 0, fn = 0] = data;
  const family = SYMBOL_FAMILIES.get(cn);
  if (family === undefined || !engine.profile.supports.symbols.includes(cn)) {
    engine.output.diagnose("unsupported", `this printer has no ${family?.name ?? `symbol ${cn}`}`);
    return;
  }
  const args = data.slice(2);
  const setting = SETTINGS.get(`${cn} ${fn}`);
  if (setting !== undefined) {
    if (!setting(engine.modes.barcode, args)) engine.output.diagnose("out-of-range", `${family.name} function ${fn}`);
  } else if (fn === STORE) {
    store(engine, cn, family, args);
  } else if ((fn === PRINT || fn === TRANSMIT_SIZE) && args[0] === 48) {
    if (!engine.atBeginningOfLine) engine.output.diagnose("ignored", "not at the beginning of the line");
    else if (fn === TRANSMIT_SIZE) transmitSize(engine, cn, family);
    else {
      const image = draw(engine, cn, family);
      if (image !== undefined) printSymbol(engine, image);
    }
  } else {
    engine.output.diagnose("unsupported", `${family.name} has no function ${fn}`);
  }
}

export const SYMBOL_COMMANDS: readonly Command[] = [
  {
    name: "GS ( k",
    prefix: [GS, code("("), code("k")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => executeSymbolFunction(engine, data),
  },
];
