const LINE_BYTES = 64;
const BAND_ROWS = 128;
const TICKET_COLUMNS = 40;
const CUT = "\x1dVB\0";

function bytesOf(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
}

/** A band of dots without a pattern (GS v 0), the same for the same seed. */
function band(seed: number, rows = BAND_ROWS): Uint8Array {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  const dots = Uint8Array.from({ length: LINE_BYTES * rows }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  return bytesOf("\x1dv0", Uint8Array.of(0, LINE_BYTES, 0, rows & 0xff, rows >> 8), dots);
}

/** A short ticket of text and dots. */
export function receipt(title: string): Uint8Array {
  return bytesOf(
    "\x1b@\x1ba\x01\x1d!\x11",
    title,
    "\n\x1d!\0\x1ba\0Coffee 3.20\nCake   4.10\n",
    band(title.length),
    "\n",
    CUT,
  );
}

/** A line as wide as the narrowest paper of these tests. */
export function ticketLine(line: number): string {
  return `line ${line} of a long ticket `.padEnd(TICKET_COLUMNS, "=");
}

/** Text alone: wherever it is torn, the next command is understood. */
export function longText(lines: number): Uint8Array {
  return bytesOf("\x1b@", ...Array.from({ length: lines }, (_, line) => `${ticketLine(line)}\n`), CUT);
}

export const MEBIBYTE = 1024 * 1024;

/** At least so many bytes of dots in one ticket. */
export function dots(bytes: number): Uint8Array {
  const count = Math.ceil(bytes / (LINE_BYTES * BAND_ROWS));
  return bytesOf("\x1b@", ...Array.from({ length: count }, (_, seed) => band(seed)), CUT);
}

/** GS ( H: the printer answers with the four characters when all before it is on paper. */
export function processId(id: string): Uint8Array {
  return bytesOf("\x1d(H\x06\x0000", id);
}

/** What the printer answers to it. */
export function processIdAnswer(id: string): string {
  return Buffer.from(`\x37\x22${id}\0`, "latin1").toString("hex");
}

/** DLE EOT 1: the printer's state, at once. */
export const STATUS_REQUEST = Uint8Array.of(0x10, 0x04, 0x01);
