/** Commands of Epson's ESC/POS reference as bytes; the names are the reference's. */

/** ESC @: modes to their defaults; the receive buffer and NV memory stay. */
export const initialize = Uint8Array.of(0x1b, 0x40);

/** GS a: automatic status back for online, error and paper; the drawer pin would only make noise. */
export const enableAsb = Uint8Array.of(0x1d, 0x61, 0x0e);

/** GS r 1: paper sensors, answered when it is interpreted. */
export const transmitPaperStatus = Uint8Array.of(0x1d, 0x72, 0x01);

/** DLE EOT 1 to 4: printer, offline cause, error cause, paper. */
export const realTimeStatus = Uint8Array.of(0x10, 4, 1, 0x10, 4, 2, 0x10, 4, 3, 0x10, 4, 4);

/** DLE DC4 fn 8: clears the receive and the print buffer; answered by 37h 25h 00h. */
export const clearBuffers = Uint8Array.of(0x10, 0x14, 8, 1, 3, 0x14, 1, 6, 2, 8);

/** ESC J: prints the buffer and feeds `units` (1 to 255) vertical motion units. */
export function feedUnits(units: number): Uint8Array {
  return Uint8Array.of(0x1b, 0x4a, units);
}

/** GS ( H fn 48: asks for a process-ID response when what came before is done. */
export function requestProcessId(id: string): Uint8Array {
  return Uint8Array.of(0x1d, 0x28, 0x48, 6, 0, 0x30, 0x30, ...characterCodes(id));
}

function characterCodes(id: string): number[] {
  const codes = [...id].map((character) => character.charCodeAt(0));
  if (codes.length !== 4 || codes.some((code) => code < 0x20 || code > 0x7e)) {
    throw new RangeError("a process ID is 4 characters of 20h-7Eh");
  }
  return codes;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
