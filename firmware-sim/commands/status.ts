import type { Engine } from "../engine.ts";
import { paperSensorStatus } from "../status.ts";
import { type Command, code, digit, ESC, fixed, GS, LENGTH_PREFIXED } from "./command.ts";

function text(header: number, value: string): number[] {
  return [header, ...Array.from(value, (character) => character.charCodeAt(0) & 0x7f), 0x00];
}

/** GS r n: answered when interpreted, not when printed; the interpreter stands still while the printer is offline. */
function transmitStatus(engine: Engine, n: number): void {
  const conditions = engine.output.conditions();
  if (digit(n) === 1) engine.output.reply([paperSensorStatus(conditions)]);
  else if (digit(n) === 2) engine.output.reply([conditions.drawerPinHigh ? 0x01 : 0x00]);
  else engine.output.diagnose("unsupported", `GS r ${n}`);
}

/** GS I n. */
function transmitIdentity(engine: Engine, n: number): void {
  const { identity, supports } = engine.profile;
  const bytes = [identity.modelId, identity.typeId, identity.romVersion];
  const names = [identity.firmware, identity.maker, identity.model, identity.serial, identity.font];
  const byte = n < 65 ? bytes[digit(n) - 1] : undefined;
  const name = names[n - 65];
  const typeInfo = identity.typeInfo[n];
  if (byte !== undefined) engine.output.reply([byte]);
  else if (!supports.identityText) engine.output.diagnose("unsupported", `GS I ${n}`);
  else if (name !== undefined) engine.output.reply(text(0x5f, name));
  else if (typeInfo !== undefined) engine.output.reply([0x3d, n, ...text(0, typeInfo).slice(1)]);
  else engine.output.diagnose("unsupported", `GS I ${n}`);
}

/** GS ( H: 48 asks for a process ID response, 49 turns the offline response on. */
function requestResponse(engine: Engine, data: Uint8Array): void {
  const [fn = 0, m = 0, ...rest] = data;
  if (!engine.profile.supports.processId) {
    engine.output.diagnose("unsupported", "this printer has no GS ( H");
  } else if (fn === 48 && m === 48 && rest.length === 4 && rest.every((byte) => byte >= 0x20 && byte <= 0x7e)) {
    engine.requestProcessId(rest);
  } else if (fn === 49 && m === 48 && rest.length === 1 && digit(rest[0] ?? 0) <= 2) {
    engine.output.setOfflineResponse(digit(rest[0] ?? 0));
  } else {
    engine.output.diagnose("out-of-range", "GS ( H takes functions 48 and 49 with m = 48");
  }
}

export const STATUS_COMMANDS: readonly Command[] = [
  // The obsolete twins of GS r 2 and GS r 1.
  {
    name: "ESC u",
    prefix: [ESC, code("u")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      if (digit(n) === 0) transmitStatus(engine, 2);
      else engine.output.diagnose("out-of-range", "ESC u takes n = 0");
    },
  },
  { name: "ESC v", prefix: [ESC, code("v")], shape: fixed(0), execute: (engine) => transmitStatus(engine, 1) },
  { name: "GS r", prefix: [GS, code("r")], shape: fixed(1), execute: (engine, [n = 0]) => transmitStatus(engine, n) },
  { name: "GS I", prefix: [GS, code("I")], shape: fixed(1), execute: (engine, [n = 0]) => transmitIdentity(engine, n) },
  {
    name: "GS a",
    prefix: [GS, code("a")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      if (engine.profile.supports.asb) engine.output.setAutomaticStatus(n);
      else engine.output.diagnose("unsupported", "this printer has no ASB");
    },
  },
  {
    name: "GS ( H",
    prefix: [GS, code("("), code("H")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => requestResponse(engine, data),
  },
];
