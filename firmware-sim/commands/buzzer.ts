import type { Engine } from "../engine.ts";
import { type Command, code, ESC, LENGTH_PREFIXED } from "./command.ts";

/** ESC ( A: fn 48 n c t and fn 97 n c sound a pattern, fn 97 n c t1 t2 a plain beep; t in 100 ms. */
function beep(engine: Engine, data: Uint8Array): void {
  const [fn = 0, pattern = 0, times = 0, on = 0, off = 0] = data;
  if (!engine.profile.supports.buzzer) {
    engine.output.diagnose("unsupported", "this printer has no buzzer");
  } else if (fn === 48 && data.length === 4) {
    engine.output.sound?.({ pattern, times, onMs: on * 100 });
  } else if (fn === 97 && data.length === 3) {
    engine.output.sound?.({ pattern, times });
  } else if (fn === 97 && data.length === 5) {
    engine.output.sound?.({ pattern, times, onMs: on * 100, offMs: off * 100 });
  } else if (fn === 98 || fn === 99) {
    engine.output.diagnose("unsupported", "the buzzer does not sound by itself when the printer goes offline");
  } else {
    engine.output.diagnose("out-of-range", "ESC ( A takes function 48 with n c t, and 97 with n c or n c t1 t2");
  }
}

export const BUZZER_COMMANDS: readonly Command[] = [
  {
    name: "ESC ( A",
    prefix: [ESC, code("("), code("A")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => beep(engine, data),
  },
];
