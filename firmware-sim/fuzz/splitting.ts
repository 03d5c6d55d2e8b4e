import { createHash } from "node:crypto";
import { VirtualClock } from "../clock.ts";
import type { Page } from "../paper.ts";
import { Printer } from "../printer.ts";
import type { Profile } from "../profiles.ts";

/** What a stream comes to, in a form that compares fast. */
export interface Printout {
  readonly paper: string;
  /** Answers to DLE EOT, on reception; process IDs, when printed; all others, when interpreted. Each in its order. */
  readonly realTime: string;
  readonly processIds: string;
  readonly interpreted: string;
}

function fingerprint(pages: readonly Page[]): string {
  const hash = createHash("md5");
  for (const page of pages) {
    hash.update(`${page.heightDots} ${page.cut} ${JSON.stringify(page.lines)}\n`);
    for (const row of page.rows) hash.update(row);
  }
  return hash.digest("hex");
}

function isRealTime(bytes: Uint8Array): boolean {
  return bytes.length === 1 && ((bytes[0] ?? 0) & 0x93) === 0x12;
}

function isProcessId(bytes: Uint8Array): boolean {
  return bytes[0] === 0x37 && bytes[1] === 0x22;
}

/**
 * Prints a stream that arrives in pieces, cut at `offsets`. With `pause`, each piece is printed to its end before the
 * next one comes; without it, all arrive at the same moment.
 */
export function printInPieces(
  bytes: Uint8Array,
  offsets: readonly number[],
  profile: Profile,
  pause: boolean,
): Printout {
  const clock = new VirtualClock();
  const pages: Page[] = [];
  const printer = new Printer(profile, clock, { page: (page) => pages.push(page), reachable: () => {} });
  const host = printer.attach({ send: () => true, drop: () => {}, drained: () => {} });
  let from = 0;
  for (const to of [...offsets, bytes.length]) {
    host.receive(bytes.subarray(from, to));
    if (pause) clock.runAll();
    from = to;
  }
  clock.runAll();
  const uncut = printer.paper.uncut();
  const answers = printer.replies.map((reply) => reply.bytes);
  const text = (chosen: readonly Uint8Array[]): string => chosen.map((one) => Buffer.from(one).toString("hex")).join();
  return {
    paper: fingerprint(uncut === undefined ? pages : [...pages, uncut]),
    realTime: text(answers.filter(isRealTime)),
    processIds: text(answers.filter(isProcessId)),
    interpreted: text(answers.filter((one) => !isRealTime(one) && !isProcessId(one))),
  };
}

/** The first of the offsets at which a stream in two pieces comes to something else than the whole one. */
export function differingSplit(
  bytes: Uint8Array,
  offsets: Iterable<number>,
  profile: Profile,
  pause: boolean,
): number | undefined {
  const whole = JSON.stringify(printInPieces(bytes, [], profile, pause));
  for (const at of offsets) {
    if (JSON.stringify(printInPieces(bytes, [at], profile, pause)) !== whole) return at;
  }
  return undefined;
}

/** Cuts at `phase` and every `step` bytes from there on. */
export function everyNth(length: number, step: number, phase: number): number[] {
  const offsets: number[] = [];
  for (let at = phase; at < length; at += step) if (at > 0) offsets.push(at);
  return offsets;
}

/** GS a, DLE EOT, GS I, GS ( H, GS r, before a stream and after it. */
export const QUESTIONS: Uint8Array = Uint8Array.from(
  Buffer.from("\x1da\x04\x10\x04\x01\x1dIC\x10\x04\x02\x1d(H\x06\x0000Ab~1\x1dr\x01\x10\x04\x04\x1dI\x01", "latin1"),
);

/** A stream that asks before and after it prints. */
export function withQuestions(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([...QUESTIONS, ...bytes, ...QUESTIONS]);
}
