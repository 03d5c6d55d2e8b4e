import type { Engine } from "../engine.ts";
import type { Alignment } from "../line-buffer.ts";
import { type Command, code, FS, LENGTH_PREFIXED } from "./command.ts";

/** The place of the logo by the number of the command or of its parameter. */
const PLACES = { 48: "top", 49: "bottom", 62: "top", 63: "bottom" } as const;
const ALIGNMENTS: readonly Alignment[] = ["left", "center", "right"];

/** Fn 62 and 63: m = 2, the key of NV graphics, justification and, for the top, how many lines are taken off after it. */
function setLogo(engine: Engine, data: Uint8Array): void {
  const [fn = 0, , first = 0, second = 0, a = 0, lines = 0] = data;
  const alignment = ALIGNMENTS[a - 48];
  const isKey = [first, second].every((value) => value >= 0x20 && value <= 0x7e);
  const place = fn === 62 ? PLACES[62] : PLACES[63];
  if (data.length !== (fn === 62 ? 6 : 5) || !isKey || alignment === undefined) {
    engine.output.diagnose("out-of-range", "a logo is a key of 20h to 7Eh and a justification of 48 to 50");
    return;
  }
  if (fn === 62 && lines > 0) engine.output.diagnose("unsupported", "no lines are taken off after the logo");
  engine.memory.nv.logos.set(place, { key: String.fromCharCode(first, second), alignment });
  engine.memory.nv.changed();
}

/** Fn 60: c, then CLR. */
function cancelLogo(engine: Engine, data: Uint8Array): void {
  const c = data[2] ?? 0;
  const place = c === 48 || c === 49 ? PLACES[c] : undefined;
  if (place === undefined || String.fromCharCode(...data.subarray(3)) !== "CLR") {
    engine.output.diagnose("out-of-range", "a logo is cancelled with c = 48 or 49 and CLR");
  } else if (engine.memory.nv.logos.delete(place)) {
    engine.memory.nv.changed();
  }
}

/** Fn 65: until the power goes. */
function enableLogo(engine: Engine, [, , a = 0, n = 0]: Uint8Array): void {
  const place = a === 48 || a === 49 ? PLACES[a] : undefined;
  if (place === undefined || (n !== 48 && n !== 49)) engine.output.diagnose("out-of-range", "a and n are 48 or 49");
  else if (n === 49) engine.memory.logosOff.add(place);
  else engine.memory.logosOff.delete(place);
}

/** FS ( E: logos above and below each receipt. */
function enhanceReceipt(engine: Engine, data: Uint8Array): void {
  const [fn = 0, m = 0] = data;
  if (!engine.profile.supports.graphics) engine.output.diagnose("unsupported", "this printer has no logos");
  else if (m !== 2) engine.output.diagnose("out-of-range", "FS ( E takes m = 2");
  else if (!engine.atBeginningOfLine || engine.page !== undefined) {
    engine.output.diagnose("ignored", "not at the beginning of the line in standard mode");
  } else if (fn === 62 || fn === 63) setLogo(engine, data);
  else if (fn === 60) cancelLogo(engine, data);
  else if (fn === 65) enableLogo(engine, data);
  else engine.output.diagnose("unsupported", `FS ( E has no function ${fn}`);
}

export const LOGO_COMMANDS: readonly Command[] = [
  {
    name: "FS ( E",
    prefix: [FS, code("("), code("E")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => enhanceReceipt(engine, data),
  },
];
