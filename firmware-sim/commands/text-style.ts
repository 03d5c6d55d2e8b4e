import type { CharacterStyle } from "../character.ts";
import type { Engine } from "../engine.ts";
import { type Command, code, digit, ESC, fixed, GS, LENGTH_PREFIXED } from "./command.ts";

/** Commands whose lowest bit turns one property of the characters on or off. */
function toggle(engine: Engine, property: "bold" | "doubleStrike" | "reverse" | "smooth", n: number): void {
  const change: Partial<CharacterStyle> = { [property]: (n & 1) === 1 };
  engine.setStyle(change);
}

/** ESC !: font, emphasis, double height, double width and underline in one byte. */
function selectPrintModes(engine: Engine, n: number): void {
  engine.modes.font = (n & 0x01) === 0 ? "a" : "b";
  engine.setStyle({
    bold: (n & 0x08) !== 0,
    heightTimes: (n & 0x10) !== 0 ? 2 : 1,
    widthTimes: (n & 0x20) !== 0 ? 2 : 1,
    underline: (n & 0x80) !== 0 ? engine.text.modes.underlineDots : 0,
  });
}

function setUnderline(engine: Engine, n: number): void {
  const underline = digit(n);
  if (underline > 2) {
    engine.output.diagnose("out-of-range", "underline is 0, 1 or 2 dots");
    return;
  }
  if (underline > 0) engine.text.modes.underlineDots = underline;
  engine.setStyle({ underline });
}

/** GS !: for one-byte characters and kanji alike. */
function selectSize(engine: Engine, n: number): void {
  if ((n & 0x88) !== 0) {
    engine.output.diagnose("out-of-range", "sizes are 1 to 8");
    return;
  }
  const size = { widthTimes: (n >> 4) + 1, heightTimes: (n & 0x07) + 1 };
  engine.setStyle(size);
  engine.text.modes.kanjiStyle = { ...engine.text.modes.kanjiStyle, ...size };
}

/** ESC V: 1 and 2 differ in the space between characters, which is part of our glyphs. */
function turn(engine: Engine, n: number): void {
  if (digit(n) > 2) engine.output.diagnose("out-of-range", "rotation is 0, 1 or 2");
  else engine.setStyle({ rotated: digit(n) > 0 });
}

/** ESC r: paper of one colour prints the second one black. */
function selectColour(engine: Engine, n: number): void {
  if (digit(n) > 1) engine.output.diagnose("out-of-range", "colours are 0 and 1");
  else if (digit(n) === 1) engine.output.diagnose("ignored", "the paper has one colour");
}

/** GS ( N: colour of characters (48), of their background (49), and their shadow (50); black on white is all there is. */
function selectCharacterColour(engine: Engine, data: Uint8Array): void {
  const [fn = 0, m = 0] = data;
  const known = (fn === 48 || fn === 49) && data.length === 2 ? true : fn === 50 && data.length === 3;
  if (!known) engine.output.diagnose("out-of-range", "GS ( N takes functions 48 and 49 with m, and 50 with m and a");
  else if (digit(m) !== (fn === 48 ? 1 : 0)) engine.output.diagnose("unsupported", "the paper has one colour");
}

export const TEXT_STYLE_COMMANDS: readonly Command[] = [
  {
    name: "ESC !",
    prefix: [ESC, code("!")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => selectPrintModes(engine, n),
  },
  { name: "ESC -", prefix: [ESC, code("-")], shape: fixed(1), execute: (engine, [n = 0]) => setUnderline(engine, n) },
  { name: "ESC E", prefix: [ESC, code("E")], shape: fixed(1), execute: (engine, [n = 0]) => toggle(engine, "bold", n) },
  {
    name: "ESC G",
    prefix: [ESC, code("G")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => toggle(engine, "doubleStrike", n),
  },
  {
    name: "ESC SP",
    prefix: [ESC, 0x20],
    shape: fixed(1),
    execute: (engine, [n = 0]) => engine.setStyle({ spacingDots: engine.horizontalDots(n) }),
  },
  { name: "ESC V", prefix: [ESC, code("V")], shape: fixed(1), execute: (engine, [n = 0]) => turn(engine, n) },
  { name: "ESC r", prefix: [ESC, code("r")], shape: fixed(1), execute: (engine, [n = 0]) => selectColour(engine, n) },
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
    name: "GS ( N",
    prefix: [GS, code("("), code("N")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => selectCharacterColour(engine, data),
  },
  { name: "GS !", prefix: [GS, code("!")], shape: fixed(1), execute: (engine, [n = 0]) => selectSize(engine, n) },
  {
    name: "GS B",
    prefix: [GS, code("B")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => toggle(engine, "reverse", n),
  },
  {
    name: "GS b",
    prefix: [GS, code("b")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => toggle(engine, "smooth", n),
  },
];
