import type { ParameterShape } from "../parser.ts";
import { type Command, code, ESC, fixed } from "./command.ts";

const MOST_TABS = 32;

/** NUL ends the list of ESC D, and so does a column that does not rise: "the following data is processed as normal data". */
function endsTabs(params: readonly number[], at: number): boolean {
  return params[at] === 0 || (at > 0 && (params[at] ?? 0) <= (params[at - 1] ?? 0));
}

const TAB_COLUMNS: ParameterShape = {
  more: (params) => (params.length > 0 && (endsTabs(params, params.length - 1) || params.length === MOST_TABS) ? 0 : 1),
};

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
    shape: TAB_COLUMNS,
    execute: (engine, params) => {
      const last = params.length - 1;
      const columns = endsTabs(params, last) ? params.slice(0, last) : params;
      // In dots: the stops stay where they are when characters change their width afterwards.
      engine.modes.tabStops = columns.map((column) => column * engine.characterDots());
    },
  },
];
