import { hasCodeTable } from "../code-tables.ts";
import type { Engine } from "../engine.ts";
import { type Command, code, digit, ESC, FS, fixed, GS, LENGTH_PREFIXED } from "./command.ts";

function selectFont(engine: Engine, n: number): void {
  const font = digit(n);
  if (font === 0 || font === 1) engine.modes.font = font === 0 ? "a" : "b";
  else engine.output.diagnose("unsupported", `this printer has no font ${font}`);
}

/** ESC !: font, emphasis, double height, double width and underline in one byte. */
function selectPrintModes(engine: Engine, n: number): void {
  engine.modes.font = (n & 0x01) === 0 ? "a" : "b";
  engine.setStyle({
    bold: (n & 0x08) !== 0,
    heightTimes: (n & 0x10) !== 0 ? 2 : 1,
    widthTimes: (n & 0x20) !== 0 ? 2 : 1,
    underline: (n & 0x80) !== 0 ? Math.max(1, engine.modes.style.underline) : 0,
  });
}

function setUnderline(engine: Engine, n: number): void {
  const underline = digit(n);
  if (underline > 2) engine.output.diagnose("out-of-range", "underline is 0, 1 or 2 dots");
  else engine.setStyle({ underline });
}

/** FS ( C fn 48: 1 = one-byte code tables, 2 = UTF-8. */
function selectEncoding(engine: Engine, data: Uint8Array): void {
  const [fn = 0, n = 0] = data;
  if (!engine.profile.supports.utf8) engine.output.diagnose("unsupported", "this printer has no UTF-8");
  else if (fn === 0x30) engine.modes.utf8 = digit(n) === 2;
  else if (fn !== 0x3c) engine.output.diagnose("unsupported", `FS ( C has no function ${fn}`);
}

function selectCodeTable(engine: Engine, n: number): void {
  if (!hasCodeTable(n)) engine.output.diagnose("unsupported", `code table ${n} prints as table 0`);
  engine.modes.codeTable = n;
}

export const TEXT_COMMANDS: readonly Command[] = [
  { name: "ESC M", prefix: [ESC, code("M")], shape: fixed(1), execute: (engine, [n = 0]) => selectFont(engine, n) },
  {
    name: "ESC !",
    prefix: [ESC, code("!")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => selectPrintModes(engine, n),
  },
  {
    name: "ESC E",
    prefix: [ESC, code("E")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => engine.setStyle({ bold: (n & 1) === 1 }),
  },
  // A thermal head cannot strike twice: the manual gives double-strike the look of emphasis.
  {
    name: "ESC G",
    prefix: [ESC, code("G")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => engine.setStyle({ bold: (n & 1) === 1 }),
  },
  { name: "ESC -", prefix: [ESC, code("-")], shape: fixed(1), execute: (engine, [n = 0]) => setUnderline(engine, n) },
  {
    name: "ESC SP",
    prefix: [ESC, 0x20],
    shape: fixed(1),
    execute: (engine, [n = 0]) => engine.setStyle({ spacingDots: engine.horizontalDots(n) }),
  },
  {
    name: "ESC {",
    prefix: [ESC, code("{")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      if (engine.atBeginningOfLine) engine.modes.upsideDown = (n & 1) === 1;
      else engine.output.diagnose("ignored", "not at the beginning of the line");
    },
  },
  {
    name: "ESC t",
    prefix: [ESC, code("t")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => selectCodeTable(engine, n),
  },
  {
    name: "GS !",
    prefix: [GS, code("!")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      if ((n & 0x88) !== 0) engine.output.diagnose("out-of-range", "sizes are 1 to 8");
      else engine.setStyle({ widthTimes: (n >> 4) + 1, heightTimes: (n & 0x07) + 1 });
    },
  },
  {
    name: "GS B",
    prefix: [GS, code("B")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => engine.setStyle({ reverse: (n & 1) === 1 }),
  },
  // Smoothing of enlarged characters is not visible in our fonts.
  { name: "GS b", prefix: [GS, code("b")], shape: fixed(1) },
  {
    name: "FS ( C",
    prefix: [FS, code("("), code("C")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => selectEncoding(engine, data),
  },
];
