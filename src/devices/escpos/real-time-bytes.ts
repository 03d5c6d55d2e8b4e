/**
 * Printers scan every inbound byte for real-time commands, image data included (Epson, DLE EOT/ENQ/DC4: "executed
 * even when it appears in the data of another command"). This file knows which byte runs to keep out of images.
 */
const dle = 0x10;
const eot = 0x04;
const enq = 0x05;
const dc4 = 0x14;

/**
 * First index at which three bytes look like a real-time command of any printer, or -1.
 * Wider than any one manual on purpose: clones check less.
 */
export function findRealTimeCommand(bytes: Uint8Array, from = 0): number {
  for (let i = bytes.indexOf(dle, from); i !== -1 && i + 2 < bytes.length; i = bytes.indexOf(dle, i + 1)) {
    const n = bytes[i + 2] ?? 0;
    switch (bytes[i + 1]) {
      case eot:
        if ((n >= 1 && n <= 8) || n === 18) return i;
        break;
      case enq:
        if (n <= 3) return i;
        break;
      case dc4:
        if (n >= 1 && n <= 8) return i;
        break;
      default:
    }
  }
  return -1;
}

const clearBuffer = [dle, dc4, 8, 1, 3, 0x14, 1, 6, 2, 8];

/**
 * Index of the first complete command that does harm (drawer pulse, power off, clear buffers, error recovery that
 * clears them), or -1. What is left of the wider set asks for a status or beeps, which the back channel bears.
 */
export function findHarmfulCommand(bytes: Uint8Array): number {
  for (let i = bytes.indexOf(dle); i !== -1; i = bytes.indexOf(dle, i + 1)) {
    const at = (offset: number): number => bytes[i + offset] ?? 0xff;
    if (at(1) === enq && (at(2) === 1 || at(2) === 2)) return i;
    if (at(1) !== dc4) continue;
    if (at(2) === 1 && at(3) <= 1 && at(4) >= 1 && at(4) <= 8) return i;
    if (at(2) === 2 && at(3) === 1 && at(4) === 8) return i;
    if (clearBuffer.every((byte, offset) => at(offset) === byte)) return i;
  }
  return -1;
}
