import { type Command, code, ESC, fixed, untilNul } from "./command.ts";

export const CONTROL_COMMANDS: readonly Command[] = [
  { name: "ESC @", prefix: [ESC, code("@")], shape: fixed(0), execute: (engine) => engine.initialize() },
  {
    name: "ESC =",
    prefix: [ESC, code("=")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      engine.selected = (n & 1) === 1;
    },
  },
  {
    name: "ESC p",
    prefix: [ESC, code("p")],
    shape: fixed(3),
    execute: (engine, [m = 0, onUnits = 0, offUnits = 0]) => {
      if (m !== 0 && m !== 1 && m !== 48 && m !== 49) engine.output.diagnose("out-of-range", "m is 0, 1, 48 or 49");
      // The manual makes the off time as long as the on time where it is given shorter.
      else engine.output.pulse(m & 1, onUnits * 2, Math.max(onUnits, offUnits) * 2);
    },
  },
  // Padding: printers take NUL between commands without a word.
  { name: "NUL", prefix: [0x00], shape: fixed(0) },
  {
    name: "ESC D",
    prefix: [ESC, code("D")],
    shape: untilNul(33),
    execute: (engine, params) => {
      const columns = params.filter((column) => column > 0);
      // The manual ends the list at the first column that does not rise.
      const end = columns.findIndex((column, index) => index > 0 && column <= (columns[index - 1] ?? 0));
      engine.modes.tabColumns = end < 0 ? columns : columns.slice(0, end);
    },
  },
];
