import type { Engine } from "../engine.ts";
import { type Command, code, digit, ESC, fixed, GS, word } from "./command.ts";

function atBeginningOfLine(engine: Engine, run: () => void): void {
  if (engine.atBeginningOfLine) run();
  else engine.output.diagnose("ignored", "not at the beginning of the line");
}

/** HT: a stop beyond the area is its end. From there a tab prints the line and goes on in the next one. */
function horizontalTab(engine: Engine): void {
  if (engine.line.x > 0 && engine.line.x >= engine.areaWidthDots) engine.lineFeed();
  const stop = engine.modes.tabStops.find((x) => x > engine.line.x);
  // Beyond the last stop the manual ignores HT.
  if (stop !== undefined) engine.line.moveTo(Math.min(stop, engine.areaWidthDots));
}

function moveTo(engine: Engine, x: number): void {
  if (x < 0 || x > engine.areaWidthDots) engine.output.diagnose("out-of-range", "outside the printing area");
  else engine.line.moveTo(x);
}

/** GS P: 0 restores the default; units finer than the mechanism are rounded by it. */
function setMotionUnits(engine: Engine, x: number, y: number): void {
  engine.modes.horizontalUnitsPerInch = x === 0 ? engine.profile.horizontalUnitsPerInch : x;
  engine.modes.verticalUnitsPerInch = y === 0 ? engine.profile.verticalUnitsPerInch : y;
}

export const POSITION_COMMANDS: readonly Command[] = [
  { name: "HT", prefix: [0x09], shape: fixed(0), execute: horizontalTab },
  {
    name: "ESC a",
    prefix: [ESC, code("a")],
    shape: fixed(1),
    execute: (engine, [n = 0]) =>
      atBeginningOfLine(engine, () => {
        const alignment = (["left", "center", "right"] as const)[digit(n)];
        if (alignment === undefined) engine.output.diagnose("out-of-range", "justification is 0, 1 or 2");
        else engine.modes.alignment = alignment;
      }),
  },
  {
    name: "ESC $",
    prefix: [ESC, code("$")],
    shape: fixed(2),
    execute: (engine, params) => {
      if (engine.profile.quirks.ignoresEscDollarInLine && !engine.line.isEmpty) {
        engine.output.diagnose("ignored", "this printer ignores ESC $ within a line");
      } else {
        moveTo(engine, engine.horizontalDots(word(params, 0)));
      }
    },
  },
  {
    name: "ESC \\",
    prefix: [ESC, code("\\")],
    shape: fixed(2),
    execute: (engine, params) => {
      const signed = (word(params, 0) << 16) >> 16;
      if (engine.profile.quirks.ignoresNegativeEscBackslash && signed < 0) {
        engine.output.diagnose("ignored", "this printer ignores ESC \\ to the left");
      } else {
        moveTo(engine, engine.line.x + engine.horizontalDots(signed));
      }
    },
  },
  {
    name: "GS L",
    prefix: [GS, code("L")],
    shape: fixed(2),
    execute: (engine, params) =>
      atBeginningOfLine(engine, () => {
        engine.modes.leftMarginDots = Math.min(engine.horizontalDots(word(params, 0)), engine.profile.widthDots);
      }),
  },
  {
    name: "GS W",
    prefix: [GS, code("W")],
    shape: fixed(2),
    execute: (engine, params) =>
      atBeginningOfLine(engine, () => {
        engine.modes.areaWidthDots = engine.horizontalDots(word(params, 0));
      }),
  },
  {
    name: "GS P",
    prefix: [GS, code("P")],
    shape: fixed(2),
    execute: (engine, [x = 0, y = 0]) => setMotionUnits(engine, x, y),
  },
  {
    name: "GS T",
    prefix: [GS, code("T")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      // Function 0 erases the print buffer, function 1 prints it first.
      if (digit(n) === 1 && !engine.atBeginningOfLine) engine.lineFeed();
      else engine.line.clear();
    },
  },
];
