import type { Engine } from "../engine.ts";
import type { CutKind } from "../step.ts";
import { type Command, code, ESC, fixed, GS } from "./command.ts";

function cutAtBeginningOfLine(engine: Engine, cut: CutKind, units?: number): void {
  if (engine.atBeginningOfLine) engine.cut(cut, units);
  else engine.output.diagnose("ignored", "not at the beginning of the line");
}

/** GS V: function A cuts where the blade is, B feeds to the blade, C reserves, D feeds, cuts and returns to the top. */
function paperCut(engine: Engine, m: number, n: number): void {
  const cut: CutKind = (m & 1) === (m < 64 ? 1 : 0) ? "partial" : "full";
  if (m === 0 || m === 1 || m === 48 || m === 49) {
    cutAtBeginningOfLine(engine, cut);
  } else if (m === 66 && engine.profile.quirks.ignoresPartialCutFeed) {
    engine.output.diagnose("ignored", "this printer ignores GS V 66");
  } else if (m === 65 || m === 66 || m === 103 || m === 104) {
    cutAtBeginningOfLine(engine, m > 100 ? (m === 104 ? "partial" : "full") : cut, n);
  } else if (m === 97 || m === 98) {
    engine.reserveCut(cut, n);
  } else {
    engine.output.diagnose("out-of-range", `GS V has no m = ${m}`);
  }
}

export const FEED_COMMANDS: readonly Command[] = [
  { name: "LF", prefix: [0x0a], shape: fixed(0), execute: (engine) => engine.lineFeed() },
  {
    name: "CR",
    prefix: [0x0d],
    shape: fixed(0),
    // Ignored while auto line feed is off (Msw 1-5), which is the default of serial, USB and network interfaces.
    execute: (engine) => {
      if (engine.memory.nv.isOn(1, 5)) engine.lineFeed();
    },
  },
  {
    name: "ESC J",
    prefix: [ESC, code("J")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      if (engine.profile.quirks.ignoresEscJ) engine.output.diagnose("ignored", "this printer ignores ESC J");
      else engine.feedUnits(n);
    },
  },
  { name: "ESC d", prefix: [ESC, code("d")], shape: fixed(1), execute: (engine, [n = 0]) => engine.feedLines(n) },
  {
    name: "ESC 2",
    prefix: [ESC, code("2")],
    shape: fixed(0),
    execute: (engine) => {
      engine.modes.spacingUnits = engine.profile.defaultSpacingUnits;
      engine.modes.spacingUnitsPerInch = engine.profile.verticalUnitsPerInch;
    },
  },
  {
    name: "ESC 3",
    prefix: [ESC, code("3")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      engine.modes.spacingUnits = n;
      engine.modes.spacingUnitsPerInch = engine.feedUnitsPerInch;
    },
  },
  {
    name: "GS V",
    prefix: [GS, code("V")],
    shape: { more: (params) => (params.length === 0 || (params.length === 1 && (params[0] ?? 0) >= 65) ? 1 : 0) },
    execute: (engine, [m = 0, n = 0]) => paperCut(engine, m, n),
  },
  {
    name: "ESC i",
    prefix: [ESC, code("i")],
    shape: fixed(0),
    execute: (engine) => cutAtBeginningOfLine(engine, "partial"),
  },
  {
    name: "ESC m",
    prefix: [ESC, code("m")],
    shape: fixed(0),
    execute: (engine) => cutAtBeginningOfLine(engine, "partial"),
  },
];
