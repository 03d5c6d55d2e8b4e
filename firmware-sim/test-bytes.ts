/** Joins bytes and Latin-1 text into one stream. */
export function stream(...parts: readonly (string | ArrayLike<number>)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string" ? Array.from(part, (character) => character.charCodeAt(0)) : Array.from(part),
    ),
  );
}

export const INITIALIZE = "\x1b@";
export const CUT = "\x1dVB\x00";

/** GS v 0 of rows of equal length. */
export function raster(rows: readonly (readonly number[])[], mode = 0): Uint8Array {
  const stride = rows[0]?.length ?? 0;
  return stream("\x1dv0", [mode, stride & 0xff, stride >> 8, rows.length & 0xff, rows.length >> 8], rows.flat());
}

/** GS ( H fn 48. */
export function processId(id: string): string {
  return `\x1d(H\x06\x0000${id}`;
}

/** `count` rows of one byte each, all different from blank and from their neighbours. */
export function stripes(count: number): number[][] {
  return Array.from({ length: count }, (_, row) => [(row % 255) + 1]);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
