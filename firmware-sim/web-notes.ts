import type { Reply } from "./back-channel.ts";
import type { Diagnostic } from "./parser.ts";
import type { DrawerPulse, Sound } from "./printer-state.ts";
import type { Simulator } from "./simulator.ts";

/** Something that happened beside the paper. */
export interface WebNote {
  readonly number: number;
  readonly kind: "reply" | "drawer" | "sound" | "diagnostic" | "fault";
  readonly text: string;
}

const SHOWN_BYTES = 16;

function hex(bytes: readonly number[] | Uint8Array): string {
  const shown = Array.from(bytes.slice(0, SHOWN_BYTES), (byte) => byte.toString(16).toUpperCase().padStart(2, "0"));
  return `${shown.join(" ")}${bytes.length > SHOWN_BYTES ? ` … (${bytes.length} bytes)` : ""}`;
}

/** Headers of answers that are text up to a NUL. */
const TEXT_HEADERS: ReadonlySet<number> = new Set([0x35, 0x37, 0x39, 0x3b, 0x3d, 0x5f]);

function replyText({ connection, bytes }: Reply): string {
  const [first = 0] = bytes;
  const text =
    bytes.length > 2 && TEXT_HEADERS.has(first) && bytes.at(-1) === 0
      ? Buffer.from(bytes.slice(1, -1)).toString("latin1")
      : "";
  const shown = /^[ -~]+$/.test(text) ? ` “${text}”` : "";
  return `to connection ${connection}: ${hex(bytes)}${shown}`;
}

function pulseText({ pin, onMs }: DrawerPulse): string {
  return `pulse on pin ${pin === 0 ? 2 : 5}, ${onMs} ms`;
}

function soundText({ pattern, times }: Sound): string {
  if (pattern === 0) return "silence";
  return `pattern ${pattern}, ${times === 0 ? "until told otherwise" : times === 1 ? "once" : `${times} times`}`;
}

function diagnosticText({ kind, name, offset, bytes, detail }: Diagnostic): string {
  return [`${kind}${name === undefined ? "" : ` ${name}`} at byte ${offset}:`, hex(bytes), detail ?? ""]
    .join(" ")
    .trim();
}

/** Reads on in a list that grows at its end and is cut at its beginning. */
class Tail<T extends object> {
  private last: T | undefined;

  read(items: readonly T[]): readonly T[] {
    const seen = this.last === undefined ? -1 : items.lastIndexOf(this.last);
    this.last = items.at(-1) ?? this.last;
    return items.slice(seen + 1);
  }
}

const REMEMBERED_NOTES = 100;

/** What the printer said and met, in the order in which it was seen. */
export class NoteBook {
  private readonly replies = new Tail<Reply>();
  private readonly pulses = new Tail<DrawerPulse>();
  private readonly sounds = new Tail<Sound>();
  private readonly diagnostics = new Tail<Diagnostic>();
  private readonly remembered: WebNote[] = [];
  private count = 0;

  get notes(): readonly WebNote[] {
    return this.remembered;
  }

  /** What is new since the last look; of very much, the latest. */
  look(simulator: Simulator): readonly WebNote[] {
    const fresh: Omit<WebNote, "number">[] = [
      ...this.diagnostics
        .read(simulator.diagnostics)
        .map((found) => ({ kind: "diagnostic" as const, text: diagnosticText(found) })),
      ...this.pulses.read(simulator.pulses).map((pulse) => ({ kind: "drawer" as const, text: pulseText(pulse) })),
      ...this.sounds.read(simulator.sounds).map((sound) => ({ kind: "sound" as const, text: soundText(sound) })),
      ...this.replies.read(simulator.replies).map((reply) => ({ kind: "reply" as const, text: replyText(reply) })),
    ];
    return fresh.slice(-REMEMBERED_NOTES).map((note) => this.add(note.kind, note.text));
  }

  add(kind: WebNote["kind"], text: string): WebNote {
    this.count += 1;
    const note = { number: this.count, kind, text };
    this.remembered.push(note);
    if (this.remembered.length > REMEMBERED_NOTES) this.remembered.shift();
    return note;
  }
}
