import type { ParameterShape } from "../parser.ts";
import { block, type Command, code, ESC, FS, fixed, GS, LENGTH_PREFIXED, untilNul } from "./command.ts";

/** Commands that are understood well enough to be consumed whole, and say that nothing came of them. */
const KNOWN: readonly (readonly [name: string, prefix: readonly number[], shape: ParameterShape])[] = [
  ["ESC K", [ESC, code("K")], fixed(1)],
  ["ESC e", [ESC, code("e")], fixed(1)],
  ["ESC u", [ESC, code("u")], fixed(1)],
  ["ESC v", [ESC, code("v")], fixed(0)],
  ["GS j", [GS, code("j")], fixed(1)],
  ["GS :", [GS, code(":")], fixed(0)],
  ["GS ^", [GS, code("^")], fixed(3)],
  ["GS g 0", [GS, code("g"), code("0")], fixed(3)],
  ["GS g 2", [GS, code("g"), code("2")], fixed(3)],
  ["GS z 0", [GS, code("z"), code("0")], fixed(2)],
  ["FS g 1", [FS, code("g"), code("1")], block(7, nvLength)],
  ["FS g 2", [FS, code("g"), code("2")], fixed(7)],
];

function nvLength(params: readonly number[]): number {
  return (params[5] ?? 0) | ((params[6] ?? 0) << 8);
}

/** FS q: n images of xL xH yL yH and x*y*8 bytes. */
const NV_IMAGES: ParameterShape = {
  more: (params) => {
    const count = params[0];
    if (count === undefined) return 1;
    let at = 1;
    for (let image = 0; image < count; image += 1) {
      if (params.length < at + 4) return at + 4 - params.length;
      const x = (params[at] ?? 0) | ((params[at + 1] ?? 0) << 8);
      const y = (params[at + 2] ?? 0) | ((params[at + 3] ?? 0) << 8);
      at += 4 + x * y * 8;
    }
    return Math.max(0, at - params.length);
  },
};

const MORE: readonly (readonly [string, readonly number[], ParameterShape])[] = [
  ["FS q", [FS, code("q")], NV_IMAGES],
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
