import type { ParameterShape } from "../parser.ts";
import { block, type Command, code, ESC, FS, fixed, GS, LENGTH_PREFIXED, untilNul } from "./command.ts";

/** Commands that are understood well enough to be consumed whole, and say that nothing came of them. */
const KNOWN: readonly (readonly [name: string, prefix: readonly number[], shape: ParameterShape])[] = [
  ["ESC K", [ESC, code("K")], fixed(1)],
  ["ESC e", [ESC, code("e")], fixed(1)],
  ["GS j", [GS, code("j")], fixed(1)],
  ["FS g 1", [FS, code("g"), code("1")], block(7, nvLength)],
  ["FS g 2", [FS, code("g"), code("2")], fixed(7)],
];

function nvLength(params: readonly number[]): number {
  return (params[5] ?? 0) | ((params[6] ?? 0) << 8);
}

const MORE: readonly (readonly [string, readonly number[], ParameterShape])[] = [
  ["GS C 0", [GS, code("C"), code("0")], fixed(2)],
  ["GS C 1", [GS, code("C"), code("1")], fixed(6)],
  ["GS C 2", [GS, code("C"), code("2")], fixed(2)],
  ["GS C ;", [GS, code("C"), code(";")], untilNul(32)],
  ["GS c", [GS, code("c")], fixed(0)],
];

function consume([name, prefix, shape]: (typeof KNOWN)[number]): Command {
  return {
    name,
    prefix,
    shape,
    execute: (engine) => engine.output.diagnose("unsupported", "consumed, without effect"),
  };
}

/** Every `ESC (`, `FS (` and `GS (` command carries its length, so a printer can skip those it does not know. */
function lengthPrefixed(known: readonly Command[]): Command[] {
  const taken = new Set(
    known.filter((row) => row.prefix[1] === code("(")).map((row) => `${row.prefix[0]} ${row.prefix[2]}`),
  );
  const rows: Command[] = [];
  for (const [leadName, lead] of [
    ["ESC", ESC],
    ["FS", FS],
    ["GS", GS],
  ] as const) {
    for (let letter = 0x41; letter <= 0x7a; letter += 1) {
      if (letter > 0x5a && letter < 0x61) continue;
      if (taken.has(`${lead} ${letter}`)) continue;
      const name = `${leadName} ( ${String.fromCharCode(letter)}`;
      rows.push(consume([name, [lead, code("("), letter], LENGTH_PREFIXED]));
    }
  }
  return rows;
}

export function unsupportedCommands(known: readonly Command[]): readonly Command[] {
  return [...KNOWN.map(consume), ...MORE.map(consume), ...lengthPrefixed(known)];
}
