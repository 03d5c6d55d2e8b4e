import type { BarcodeModes } from "../barcode-modes.ts";
import type { Engine } from "../engine.ts";
import { DATA_MATRIX_RECTANGLES, SYMBOL_FAMILIES, type SymbolFamily } from "../matrix-symbols.ts";
import { SymbolDataError, type SymbolImage } from "../symbol-encoder.ts";
import { fitsIntoArea, heightOf, printSymbol, type ReadableText } from "../symbol-printing.ts";
import { type Command, code, digit, GS, LENGTH_PREFIXED, word } from "./command.ts";

const STORE = 80;
const PRINT = 81;
const TRANSMIT_SIZE = 82;

const COMPOSITE = 52;
/** a of function 480. */
const LINEAR = 48;
const COMPONENT = 49;

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

/** Fonts A and B are the ones with HRI characters; 0 prints none. */
function compositeFont(modes: BarcodeModes, [n = 255]: Uint8Array): boolean {
  const font = digit(n);
  if (font > 2) return false;
  modes.composite.hriFont = ([undefined, "a", "b"] as const)[font];
  return true;
}

function aztecMode(modes: BarcodeModes, [n1 = 0, n2 = 0]: Uint8Array): boolean {
  const compact = digit(n1);
  const inRange = n2 === 0 || (compact === 1 ? n2 >= 1 && n2 <= 4 : n2 >= 4 && n2 <= 32);
  if (compact > 1 || !inRange) return false;
  modes.aztec.compact = compact === 1;
  modes.aztec.layers = n2;
  return true;
}

const DATA_MATRIX_SQUARES: ReadonlySet<number> = new Set([
  0, 10, 12, 14, 16, 18, 20, 22, 24, 26, 32, 36, 40, 44, 48, 52, 64, 72, 80, 88, 96, 104, 120, 132, 144,
]);

function dataMatrixShape(modes: BarcodeModes, [m = 0, d1 = 0, d2 = 0]: Uint8Array): boolean {
  const shape = digit(m);
  const square = DATA_MATRIX_SQUARES.has(d1) && d1 === d2;
  const rectangle = DATA_MATRIX_RECTANGLES[d1]?.includes(d2) || (d1 in DATA_MATRIX_RECTANGLES && d2 === 0);
  if (shape > 1 || !(shape === 0 ? square : rectangle)) return false;
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
  ["52 72", compositeFont],
  ["53 66", aztecMode],
  ["53 67", ranged(2, 16, (modes, n) => Object.assign(modes.aztec, { moduleDots: n }))],
  ["53 69", ranged(5, 95, (modes, n) => Object.assign(modes.aztec, { percent: n }))],
  ["54 66", dataMatrixShape],
  ["54 67", ranged(2, 16, (modes, n) => Object.assign(modes.dataMatrix, { moduleDots: n }))],
]);

/**
 * Function 80: the data stay until the next ones, however often they are printed. There is one symbol storage area: what
 * any other family stores takes its place. A composite symbol comes in two parts that may be changed one by one.
 */
function store(engine: Engine, cn: number, family: SymbolFamily, args: Uint8Array): void {
  const [m = 0] = args;
  const data = args.slice(1);
  if (m !== 48 || data.length === 0 || data.length > family.mostBytes) {
    engine.output.diagnose("out-of-range", `${family.name} stores 1 to ${family.mostBytes} bytes with m = 48`);
    return;
  }
  const { stored, composite } = engine.modes.barcode;
  const [a = 0] = data;
  if (cn === COMPOSITE && a !== LINEAR && a !== COMPONENT) {
    engine.output.diagnose("out-of-range", "a is 48 or 49");
    return;
  }
  const component = stored.get(COMPOSITE);
  stored.clear();
  if (cn !== COMPOSITE) {
    composite.linear = undefined;
    stored.set(cn, data);
    return;
  }
  if (a === LINEAR) composite.linear = data.slice(1);
  if (a === COMPONENT) stored.set(COMPOSITE, data.slice(1));
  else if (component !== undefined) stored.set(COMPOSITE, component);
}

interface Drawn {
  readonly image: SymbolImage;
  readonly readable: ReadableText | undefined;
}

function draw(engine: Engine, cn: number, family: SymbolFamily): Drawn | undefined {
  const modes = engine.modes.barcode;
  const data = modes.stored.get(cn);
  if (data === undefined) {
    engine.output.diagnose("ignored", `no ${family.name} data are stored`);
    return undefined;
  }
  try {
    const image = family.draw(modes, data, { dpi: engine.profile.dpi, roomDots: engine.areaWidthDots });
    return { image, readable: family.readable?.(modes) };
  } catch (error) {
    if (!(error instanceof SymbolDataError)) throw error;
    engine.output.diagnose("out-of-range", error.message);
    return undefined;
  }
}

/**
 * Function 82: `37 identifier width 1F height 1F 31 1F 30|31 00`, 31 when it cannot be printed: too large, no data, or
 * data in the print buffer in standard mode.
 */
function transmitSize(engine: Engine, cn: number, family: SymbolFamily): void {
  const drawn = draw(engine, cn, family);
  const widthDots = drawn?.image.widthDots ?? 0;
  const heightDots = drawn === undefined ? 0 : heightOf(drawn.image, drawn.readable);
  const printable = drawn !== undefined && fitsIntoArea(engine, drawn.image) && engine.atBeginningOfLine;
  const text = `${widthDots}\x1f${heightDots}\x1f1\x1f${printable ? 0 : 1}${family.tellsErrors ? "0000" : ""}`;
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
  } else if (fn === TRANSMIT_SIZE && args[0] === 48) {
    transmitSize(engine, cn, family);
  } else if (fn === PRINT && args[0] === 48) {
    const drawn = engine.atBeginningOfLine ? draw(engine, cn, family) : undefined;
    if (drawn !== undefined) printSymbol(engine, drawn.image, drawn.readable);
    else if (!engine.atBeginningOfLine) engine.output.diagnose("ignored", "not at the beginning of the line");
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
