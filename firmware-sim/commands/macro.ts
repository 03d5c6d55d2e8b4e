import type { Engine } from "../engine.ts";
import { type Command, code, fixed, GS } from "./command.ts";

/** GS : begins a definition and ends it; nothing in between takes the macro away. */
function defineMacro(engine: Engine): void {
  const { macros } = engine.memory;
  if (macros.recording === undefined) {
    macros.recording = [];
  } else {
    macros.defined = Uint8Array.from(macros.recording);
    macros.recording = undefined;
  }
}

/** GS ^ r t m: r times, each after t x 100 ms and, with m = 1, after the feed button. Within a definition it ends and deletes that. */
function executeMacro(engine: Engine, [times = 0, wait = 0, mode = 0]: readonly number[]): void {
  const { macros } = engine.memory;
  if (macros.recording !== undefined) {
    macros.recording = undefined;
    macros.defined = new Uint8Array(0);
    engine.output.diagnose("ignored", "within a macro definition, which is deleted");
    return;
  }
  if (macros.defined.length === 0) return;
  macros.pace = { intervalMs: wait * 100, byButton: (mode & 1) === 1 };
  macros.repeat = times;
}

export const MACRO_COMMANDS: readonly Command[] = [
  { name: "GS :", prefix: [GS, code(":")], shape: fixed(0), execute: defineMacro },
  { name: "GS ^", prefix: [GS, code("^")], shape: fixed(3), execute: executeMacro },
];
