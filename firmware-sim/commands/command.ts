import type { Engine } from "../engine.ts";
import type { CommandRow, ParameterShape } from "../parser.ts";

export type Command = CommandRow<Engine>;

export const ESC = 0x1b;
export const FS = 0x1c;
export const GS = 0x1d;

export function code(character: string): number {
  return character.charCodeAt(0);
}

/** Exactly `count` parameter bytes. */
export function fixed(count: number): ParameterShape {
  return { more: (params) => count - params.length };
}

/** `header` bytes, then as many data bytes as they say. */
export function block(header: number, length: (params: readonly number[]) => number): ParameterShape {
  return { more: (params) => header - params.length, data: length };
}

/** Bytes up to and including a NUL, at most `limit`. */
export function untilNul(limit: number): ParameterShape {
  return { more: (params) => (params.at(-1) === 0 || params.length >= limit ? 0 : 1) };
}

/** Little-endian 16 bits at `at`. */
export function word(params: ArrayLike<number>, at: number): number {
  return (params[at] ?? 0) | ((params[at + 1] ?? 0) << 8);
}

/** pL pH and that many bytes: the form of all `GS (`, `FS (` and `ESC (` commands. */
export const LENGTH_PREFIXED: ParameterShape = block(2, (params) => word(params, 0));

/** Numbers and their ASCII digits mean the same in many commands: 49 reads as 1. */
export function digit(value: number): number {
  return value >= 0x30 && value <= 0x39 ? value - 0x30 : value;
}
