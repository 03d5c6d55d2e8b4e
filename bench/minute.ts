import { createHash } from "node:crypto";
import { type Reply, type SimClock, type Simulator, startSimulator } from "../firmware-sim/mod.ts";

/** What a program can see of a print: the paper, and the answers with their moments on the clock. */
export interface Witness {
  /** SHA-256 of the dots of every piece of paper, in order, and how each was cut. */
  readonly pieces: readonly string[];
  readonly text: string;
  readonly replies: readonly string[];
  readonly pulses: readonly string[];
  readonly diagnostics: number;
  /** How long the printer had to work, on its own clock. */
  readonly printedMs: number;
  readonly metres: number;
}

const ENCODER = new TextEncoder();
const STRIDE = 72;
/** When the host begins, so that both clocks begin at the same moment. */
const BEGIN_MS = 20;
/** How long the person takes who puts in a new roll. */
const RELOAD_MS = 700;
/** Rows that are left when the person sees the end of the roll coming. */
const ROWS_LEFT = 333;

/** Chapters that the model prints in a minute. */
export const MINUTE_CHAPTERS = 65;

/** Prints as many chapters of mixed content, with the paper ending in the middle, and tells what was seen. */
export async function playChapters(chapters: number, clock: SimClock, run: (ended: Promise<void>) => Promise<void>) {
  const simulator = await startSimulator({ clock });
  try {
    const connection = simulator.connect();
    let endedMs = 0;
    const ended = new Promise<void>((resolve) => {
      connection.onData((bytes) => {
        if (isPaperEnd(bytes)) clock.schedule(clock.nowMs() + RELOAD_MS, () => simulator.fail("paper-loaded"));
        const chapter = chapterOf(bytes);
        if (chapter === chapters >> 1) {
          simulator.fail({ kind: "paper-end", atRow: simulator.state.headRow + ROWS_LEFT });
        }
        if (chapter !== chapters) return;
        endedMs = clock.nowMs();
        resolve();
      });
    });
    clock.schedule(BEGIN_MS, () => void connection.write(mixedDocument(chapters)));
    await run(ended);
    return witness(simulator, endedMs);
  } finally {
    await simulator.close();
  }
}

function witness(simulator: Simulator, endedMs: number): Witness {
  const { paper, uncut, profile } = simulator;
  const pieces = uncut === undefined ? paper : [...paper, uncut];
  return {
    pieces: pieces.map((page) => {
      const hash = createHash("sha256");
      for (const row of page.rows) hash.update(row);
      return `${page.heightDots} ${page.cut} ${page.splices.join(",")} ${hash.digest("hex")}`;
    }),
    text: simulator.text,
    replies: simulator.replies.map((reply) => replyText(reply)),
    pulses: simulator.pulses.map((pulse) => `${pulse.pin} at ${pulse.atMs}`),
    diagnostics: simulator.diagnostics.length,
    printedMs: endedMs - BEGIN_MS,
    metres: (simulator.state.headRow / profile.dpi) * 0.0254,
  };
}

function replyText({ atMs, bytes }: Reply): string {
  return `${Buffer.from(bytes).toString("hex")} at ${atMs}`;
}

/** ASB: four bytes, 0xx1xx00 first; both bits of the end sensor in the third. */
function isPaperEnd(bytes: Uint8Array): boolean {
  return bytes.length === 4 && ((bytes[0] ?? 0) & 0x93) === 0x10 && ((bytes[2] ?? 0) & 0x0c) !== 0;
}

/** The process ID that ends a chapter (GS ( H): 37h 22h, four digits, NUL. */
function chapterOf(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 7 || bytes[0] !== 0x37 || bytes[1] !== 0x22) return undefined;
  return Number(Buffer.from(bytes.subarray(2, 6)).toString("latin1"));
}

/** Text, pictures of every density, bar codes, cuts, drawer, questions of every kind. */
export function mixedDocument(chapters: number): Uint8Array {
  const parts: Uint8Array[] = [bytes("\x1b@\x1da\xff")];
  for (let chapter = 1; chapter <= chapters; chapter += 1) parts.push(...chapterParts(chapter));
  return Buffer.concat(parts);
}

function chapterParts(chapter: number): Uint8Array[] {
  const number = String(chapter).padStart(4, "0");
  const body = Array.from({ length: 12 }, (_, line) => textLine(chapter, line)).join("");
  return [
    bytes(`\x1ba\x01\x1d!\x11ORDER ${number}\n\x1d!\x00\x1ba\x00${body}`),
    bytes("\x10\x04\x01\x1b-\x01underlined\x1b-\x00 \x1dB\x01reverse\x1dB\x00 \x1bM\x01small letters\x1bM\x00\n"),
    raster(200, (row, at) => ((row * 7 + at * 3 + chapter) % 8 === 0 ? 0xff : 0x00)),
    raster(120, (row) => (row % 2 === 0 ? 0xaa : 0x55)),
    bytes("\x10\x04\x02"),
    raster(48, () => 0xff),
    bytes(`\x1dI\x43\x1dh\x50\x1dk\x43\x0c${String(400_000_000_000 + chapter)}\n`),
    qrCode(`https://example.org/order/${number}`),
    bytes("\x1b*\x21\x60\x00"),
    new Uint8Array(96 * 3).map((_, at) => (at * 37 + chapter) & 0xff),
    bytes("\n\x1dr\x01\x10\x04\x04\x1bp\x00\x32\x64"),
    bytes(chapter % 3 === 0 ? "\x1dV\x41\x10" : "\x1dV\x42\x00"),
    bytes(`\x1d(H\x06\x00\x30\x30${number}`),
  ];
}

function textLine(chapter: number, line: number): string {
  const price = ((chapter * 37 + line * 113) % 9000) / 100;
  const name = `${(line % 4) + 1} x article ${chapter}-${line}`;
  const row = `${name.padEnd(38)}${price.toFixed(2).padStart(8)}\n`;
  return line % 5 === 0 ? `\x1bE\x01${row}\x1bE\x00` : row;
}

/** GS v 0. */
export function raster(height: number, byteOf: (row: number, at: number) => number): Uint8Array {
  const data = new Uint8Array(8 + STRIDE * height);
  data.set([0x1d, 0x76, 0x30, 0, STRIDE, 0, height & 0xff, height >> 8]);
  for (let index = 0; index < STRIDE * height; index += 1) {
    data[8 + index] = byteOf(Math.floor(index / STRIDE), index % STRIDE);
  }
  return data;
}

/** GS ( k: module size, data, print. */
function qrCode(text: string): Uint8Array {
  const data = ENCODER.encode(text);
  const size = data.length + 3;
  return Buffer.concat([
    bytes("\x1d(k\x03\x001C\x06"),
    Uint8Array.of(0x1d, 0x28, 0x6b, size & 0xff, size >> 8, 0x31, 0x50, 0x30),
    data,
    bytes("\x1d(k\x03\x001Q0\n"),
  ]);
}

function bytes(latin1: string): Uint8Array {
  return Buffer.from(latin1, "latin1");
}
