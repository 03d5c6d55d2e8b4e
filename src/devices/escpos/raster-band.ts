import { findHarmfulCommand, findRealTimeCommand } from "./real-time-bytes.ts";

/** Index after the last byte that has a black dot. */
export function usedBytes(row: Uint8Array): number {
  let end = row.length;
  while (end > 0 && row[end - 1] === 0) end--;
  return end;
}

function leadingBlankDots(row: Uint8Array): number {
  const first = row.findIndex((byte) => byte !== 0);
  return first === -1 ? row.length * 8 : first * 8 + Math.clz32(row[first] ?? 0) - 24;
}

/** The row moved left by 1 to 7 dots; what leaves at the left is blank. */
function shiftLeft(row: Uint8Array, dots: number): Uint8Array {
  return row.map((byte, i) => ((byte << dots) | ((row[i + 1] ?? 0) >> (8 - dots))) & 0xff);
}

/** GS v 0, m = 0: a raster of whole bytes. */
export function rasterCommand(widthBytes: number, data: Uint8Array): Uint8Array {
  const heightRows = data.length / widthBytes;
  const bytes = new Uint8Array(8 + data.length);
  bytes.set([0x1d, 0x76, 0x30, 0, widthBytes & 0xff, widthBytes >> 8, heightRows & 0xff, heightRows >> 8]);
  bytes.set(data, 8);
  return bytes;
}

function leftMargin(dots: number): Uint8Array {
  return Uint8Array.of(0x1d, 0x4c, dots, 0);
}

function joinRows(rows: readonly Uint8Array[], widthBytes: number): Uint8Array {
  const data = new Uint8Array(rows.length * widthBytes);
  for (const [i, row] of rows.entries()) data.set(row.subarray(0, widthBytes), i * widthBytes);
  return data;
}

/**
 * A row whose own bytes hold a real-time command. GS L moves the raster by some dots, so that the same dots fall into
 * other bytes; that needs a blank dot at the left. Where there is none, only a command that would do harm is broken,
 * by one dot: a wrong dot is a smaller evil than an opened drawer or a cleared buffer.
 */
function encodeUnlikelyRow(row: Uint8Array): Uint8Array[] {
  const blank = Math.min(7, leadingBlankDots(row));
  for (let dots = 1; dots <= blank; dots++) {
    const shifted = shiftLeft(row, dots);
    const data = shifted.subarray(0, Math.max(1, usedBytes(shifted)));
    if (findRealTimeCommand(data) === -1) return [leftMargin(dots), rasterCommand(data.length, data), leftMargin(0)];
  }
  const data = row.slice(0, Math.max(1, usedBytes(row)));
  for (let at = findHarmfulCommand(data); at !== -1; at = findHarmfulCommand(data)) {
    // DLE becomes 11h: the dot in its last place is set.
    data[at] = 0x11;
  }
  return [rasterCommand(data.length, data)];
}

/** Rows of the band in one go, or undefined with the row at which a real-time command starts and the one it ends in. */
function firstObstacle(data: Uint8Array, widthBytes: number): { startRow: number; endRow: number } | undefined {
  const at = findRealTimeCommand(data);
  if (at === -1) return undefined;
  return { startRow: Math.floor(at / widthBytes), endRow: Math.floor((at + 2) / widthBytes) };
}

/**
 * A band of rows as GS v 0 commands, trailing blank bytes trimmed, with no real-time command in the bytes: a run that
 * arises across two rows is broken by ending the band between them, one inside a row by another left margin.
 */
export function encodeBand(rows: readonly Uint8Array[]): Uint8Array[] {
  const commands: Uint8Array[] = [];
  let rest = rows;
  while (rest.length > 0) {
    const widthBytes = Math.max(1, ...rest.map(usedBytes));
    const data = joinRows(rest, widthBytes);
    const obstacle = firstObstacle(data, widthBytes);
    if (obstacle === undefined) {
      commands.push(rasterCommand(widthBytes, data));
      break;
    }
    const { startRow, endRow } = obstacle;
    const cleanRows = startRow === endRow ? startRow : startRow + 1;
    if (cleanRows > 0) commands.push(rasterCommand(widthBytes, data.slice(0, cleanRows * widthBytes)));
    if (startRow === endRow) commands.push(...encodeUnlikelyRow(rest[startRow] ?? new Uint8Array(1)));
    rest = rest.slice(startRow + 1);
  }
  return commands;
}
