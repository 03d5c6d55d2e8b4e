import type { Sound } from "./printer-state.ts";

export type RealTimeCommand =
  | { readonly kind: "transmit-status"; readonly n: number }
  | { readonly kind: "recover"; readonly clearing: boolean }
  | { readonly kind: "press-feed-button" }
  | { readonly kind: "sound"; readonly sound: Omit<Sound, "atMs"> }
  | { readonly kind: "pulse"; readonly pin: number; readonly onMs: number }
  | { readonly kind: "transmit-asb" }
  | { readonly kind: "transmit-extended-asb" }
  | { readonly kind: "transmit-offline-response" }
  | { readonly kind: "power-off" }
  | { readonly kind: "clear-buffers" }
  | { readonly kind: "no-operation" };

export interface RealTimeRow {
  readonly name: string;
  /** Bytes of the whole command; a pair is an inclusive range. */
  readonly pattern: readonly (number | readonly [number, number])[];
  readonly read: (bytes: readonly number[]) => RealTimeCommand;
}

/** DLE DC4 fn 7 m: what is sent even when it is not enabled. */
const TRANSMISSIONS: Readonly<Record<number, RealTimeCommand>> = {
  1: { kind: "transmit-asb" },
  2: { kind: "transmit-extended-asb" },
  4: { kind: "transmit-offline-response" },
};

export const REAL_TIME_ROWS: readonly RealTimeRow[] = [
  { name: "DLE EOT", pattern: [0x10, 0x04, [1, 4]], read: (bytes) => ({ kind: "transmit-status", n: bytes[2] ?? 1 }) },
  { name: "DLE EOT (ink, peeler, interface)", pattern: [0x10, 0x04, [7, 8], [1, 3]], read: noOperation },
  { name: "DLE EOT (display)", pattern: [0x10, 0x04, 18, [1, 2]], read: noOperation },
  {
    name: "DLE ENQ",
    pattern: [0x10, 0x05, [0, 2]],
    read: (bytes) => (bytes[2] === 0 ? { kind: "press-feed-button" } : { kind: "recover", clearing: bytes[2] === 2 }),
  },
  {
    name: "DLE DC4 (fn 1)",
    pattern: [0x10, 0x14, 1, [0, 1], [1, 8]],
    read: (bytes) => ({ kind: "pulse", pin: bytes[3] ?? 0, onMs: (bytes[4] ?? 1) * 100 }),
  },
  {
    name: "DLE DC4 (fn 3)",
    pattern: [0x10, 0x14, 3, [0, 255], [0, 255], [0, 255], [0, 255], [0, 255]],
    read: ([, , , pattern = 0, , times = 0, on = 0, off = 0]) => ({
      kind: "sound",
      sound: { pattern, times, onMs: on * 100, offMs: off * 100 },
    }),
  },
  { name: "DLE DC4 (fn 2)", pattern: [0x10, 0x14, 2, 1, 8], read: () => ({ kind: "power-off" }) },
  {
    name: "DLE DC4 (fn 7)",
    pattern: [0x10, 0x14, 7, [1, 5]],
    read: (bytes) => TRANSMISSIONS[bytes[3] ?? 0] ?? noOperation(),
  },
  {
    name: "DLE DC4 (fn 8)",
    pattern: [0x10, 0x14, 8, 1, 3, 20, 1, 6, 2, 8],
    read: () => ({ kind: "clear-buffers" }),
  },
];

function noOperation(): RealTimeCommand {
  return { kind: "no-operation" };
}

const DLE = 0x10;
/** Most of what waits finds no room yet: it is not worth looking through again and again. */
const LONGEST_RUN = 4096;

function matches(row: RealTimeRow, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => {
    const wanted = row.pattern[index];
    if (wanted === undefined) return false;
    return typeof wanted === "number" ? byte === wanted : byte >= wanted[0] && byte <= wanted[1];
  });
}

const SECOND_BYTES: ReadonlySet<unknown> = new Set(REAL_TIME_ROWS.map((row) => row.pattern[1]));

/** Where a real-time command may begin, or the length of the run: a DLE at its end may always. */
function nextBeginning(run: Uint8Array): number {
  let at = run.indexOf(DLE);
  while (at >= 0 && at + 1 < run.length && !SECOND_BYTES.has(run[at + 1])) at = run.indexOf(DLE, at + 1);
  return at < 0 ? run.length : at;
}

/** Where the scanner stands in the ordinary stream of its connection. */
export interface Framing {
  readonly context: "boundary" | "header" | "data";
  /** Follows the ordinary bytes [from, to). */
  follow(bytes: Uint8Array, from: number, to: number): void;
}

export interface ScannerEvents {
  realTime(command: RealTimeCommand): void;
  /** Bytes [from, to) for the receive buffer. Returns how many found room. */
  ordinary(bytes: Uint8Array, from: number, to: number): number;
  /** So many bytes found no room: true when they are lost, false when they wait. */
  overflow(count: number): boolean;
}

/**
 * Watches one connection's bytes on reception, ahead of the receive buffer. Between commands a real-time command is
 * carried out and goes no further. Inside the data of a command its bytes remain data and, where the model does so,
 * it is carried out as well. Inside the prefix or the parameters of a command DLE is simply the next parameter: the
 * manual's own warning about interrupting a command with DLE EOT.
 */
export class RealTimeScanner {
  private framing: Framing;
  private readonly events: ScannerEvents;
  private readonly actsInData: boolean;
  /** A possible real-time command between commands; not yet in the receive buffer. */
  private held: number[] = [];
  /** A possible real-time command within data; already in the receive buffer. */
  private seen: number[] = [];

  constructor(framing: Framing, events: ScannerEvents, actsInData: boolean) {
    this.framing = framing;
    this.events = events;
    this.actsInData = actsInData;
  }

  /** The buffers were cleared: whatever command was half received is forgotten. */
  restart(framing: Framing): void {
    this.framing = framing;
    this.held = [];
    this.seen = [];
  }

  /**
   * Takes bytes from `from` on and returns how many: some of them at a time, so that what a real-time command did can
   * be looked at; none when the receive buffer is full, and then they must be offered again.
   */
  scan(bytes: Uint8Array, from: number): number {
    if (this.held.length === 0 && this.seen.length === 0) {
      // Up to where the next real-time command may begin, bytes go the ordinary way together.
      const run = bytes.subarray(from, from + LONGEST_RUN);
      const ahead = nextBeginning(run);
      if (ahead > 0) return this.pass(bytes, from, from + ahead);
    }
    return this.scanByte(bytes[from] ?? 0) ? 1 : 0;
  }

  private scanByte(byte: number): boolean {
    if (this.held.length === 0 && !(byte === DLE && this.framing.context === "boundary")) {
      const inData = this.framing.context === "data";
      if (!this.passByte(byte)) return false;
      if (this.actsInData) this.watchData(byte, inData);
      return true;
    }
    const candidate = [...this.held, byte];
    const row = REAL_TIME_ROWS.find((known) => matches(known, candidate));
    if (row === undefined) return this.release(byte);
    if (row.pattern.length > candidate.length) {
      this.held = candidate;
      return true;
    }
    this.held = [];
    this.events.realTime(row.read(candidate));
    return true;
  }

  /** What was held is no real-time command: it goes the ordinary way, then `byte` is looked at afresh. */
  private release(byte: number): boolean {
    while (this.held.length > 0) {
      if (!this.passByte(this.held[0] ?? 0)) return false;
      this.held.shift();
    }
    return this.scanByte(byte);
  }

  private passByte(byte: number): boolean {
    return this.pass(Uint8Array.of(byte), 0, 1) > 0;
  }

  private pass(bytes: Uint8Array, from: number, to: number): number {
    const taken = this.events.ordinary(bytes, from, to);
    this.framing.follow(bytes, from, from + taken);
    const rest = to - from - taken;
    return rest > 0 && this.events.overflow(rest) ? to - from : taken;
  }

  private watchData(byte: number, inData: boolean): void {
    if (byte === DLE && inData) this.seen = [];
    else if (this.seen.length === 0) return;
    const candidate = [...this.seen, byte];
    const row = REAL_TIME_ROWS.find((known) => matches(known, candidate));
    this.seen = row === undefined || row.pattern.length === candidate.length ? [] : candidate;
    if (row !== undefined && row.pattern.length === candidate.length) this.events.realTime(row.read(candidate));
  }
}
