import type { Engine } from "../engine.ts";
import { type Command, code, digit, FS, GS, LENGTH_PREFIXED } from "./command.ts";

/** GS ( D: m = 20, then pairs of a function of DLE DC4 (1 pulse, 2 power off, 3 buzzer) and 0 or 1. */
function armRealTime(engine: Engine, data: Uint8Array): void {
  const [m = 0, ...pairs] = data;
  if (m !== 20 || pairs.length === 0 || pairs.length % 2 !== 0) {
    engine.output.diagnose("out-of-range", "GS ( D takes m = 20 and pairs of a and b");
    return;
  }
  for (let at = 0; at < pairs.length; at += 2) {
    const fn = pairs[at] ?? 0;
    const state = digit(pairs[at + 1] ?? 0);
    if (fn >= 1 && fn <= 3 && state <= 1) engine.output.armRealTime?.(fn, state === 1);
    else engine.output.diagnose("out-of-range", "GS ( D knows a = 1 to 3, b = 0 and 1");
  }
}

/** FS ( e: m = 51 turns the extended ASB on or off. */
function setExtendedStatus(engine: Engine, data: Uint8Array): void {
  const [m = 0, n = 0] = data;
  if (!engine.profile.supports.asb) engine.output.diagnose("unsupported", "this printer has no ASB");
  else if (m !== 51 || data.length !== 2) engine.output.diagnose("out-of-range", "FS ( e takes m = 51 and n");
  else engine.output.setExtendedStatus?.(n !== 0);
}

export const REAL_TIME_COMMANDS: readonly Command[] = [
  {
    name: "GS ( D",
    prefix: [GS, code("("), code("D")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => armRealTime(engine, data),
  },
  {
    name: "FS ( e",
    prefix: [FS, code("("), code("e")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => setExtendedStatus(engine, data),
  },
];
