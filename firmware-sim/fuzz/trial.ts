import { VirtualClock } from "../clock.ts";
import type { Fault } from "../faults.ts";
import { Printer } from "../printer.ts";
import type { Profile } from "../profiles.ts";
import { Random } from "./random.ts";

/** What one stream came to. */
export interface Trial {
  readonly tookMs: number;
  readonly rows: number;
  readonly replies: number;
  readonly diagnostics: number;
  /** Undefined when all went well. */
  readonly failure: string | undefined;
}

/** Time on the printer's clock after which one that still prints is switched off. */
const LONGEST_PRINT_MS = 60_000;
const SLICE_MS = 1000;
/** What a stream may take of the processor, which other programs do not lengthen: for each of its bytes, for each row of paper, and in any case. */
const MS_PER_BYTE = 0.25;
const MS_PER_ROW = 0.02;
const MS_AT_LEAST = 6000;

const FAULTS: readonly (readonly [begins: Fault, ends: Fault])[] = [
  [{ kind: "paper-end" }, { kind: "paper-loaded" }],
  [{ kind: "cover-open" }, { kind: "cover-closed" }],
  [{ kind: "cutter-jam" }, { kind: "cutter-freed" }],
  [{ kind: "paper-jam" }, { kind: "jam-cleared" }],
  [{ kind: "hot-head" }, { kind: "head-cooled" }],
  [{ kind: "lost-bytes" }, { kind: "line-clean" }],
  [{ kind: "corrupted-bytes" }, { kind: "line-clean" }],
  [{ kind: "link-cut" }, { kind: "link-restored" }],
  [{ kind: "power-cut" }, { kind: "power-on" }],
  [{ kind: "feed-button" }, { kind: "drawer-opened" }],
];

const QUIET_LINK = { send: () => true, drop: () => {}, drained: () => {} };

/** Prints the bytes, in pieces and with faults of the seed's choice, on a printer that knows virtual time only. */
export function printHostile(bytes: Uint8Array, profile: Profile, seed: number): Trial {
  const started = process.cpuUsage();
  const clock = new VirtualClock();
  let printer: Printer | undefined;
  let failure: string | undefined;
  try {
    printer = new Printer(profile, clock, { page: () => {}, reachable: () => {} });
    send(printer, clock, bytes, new Random(seed));
    failure = complaint(printer, clock);
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const used = process.cpuUsage(started);
  const tookMs = (used.user + used.system) / 1000;
  const rows = printer?.paper.headRow ?? 0;
  if (failure === undefined && tookMs > MS_AT_LEAST + bytes.length * MS_PER_BYTE + rows * MS_PER_ROW) {
    failure = `took ${Math.round(tookMs)} ms for ${bytes.length} bytes and ${rows} rows`;
  }
  return {
    tookMs,
    rows,
    replies: printer?.replies.length ?? 0,
    diagnostics: printer?.diagnostics.length ?? 0,
    failure,
  };
}

function send(printer: Printer, clock: VirtualClock, bytes: Uint8Array, random: Random): void {
  let host = printer.attach(QUIET_LINK);
  const [begins, ends] = random.pick(FAULTS);
  const faultFrom = random.chance(3) ? random.below(bytes.length) : Number.POSITIVE_INFINITY;
  const faultTo = faultFrom + random.below(2000);
  let phase = 0;
  for (let at = 0; at < bytes.length && clock.nowMs() < LONGEST_PRINT_MS; ) {
    if (phase === 0 && at >= faultFrom) {
      printer.fail(begins);
      phase = 1;
    } else if (phase === 1 && at >= faultTo) {
      printer.fail(ends);
      phase = 2;
      host = printer.attach(QUIET_LINK);
    }
    const size = 1 + random.below(random.chance(2) ? 8 : 4096);
    clock.advance(host.receive(bytes.subarray(at, at + size)) ? 1 : SLICE_MS);
    at += size;
  }
  const idleBy = clock.nowMs() + LONGEST_PRINT_MS;
  while (!printer.state.idle && clock.nowMs() < idleBy) clock.advance(SLICE_MS);
  if (phase === 1) printer.fail(ends);
}

/** Whatever it went through: switched off and on again, it prints and answers. */
function complaint(printer: Printer, clock: VirtualClock): string | undefined {
  printer.fail({ kind: "power-cut" });
  printer.fail({ kind: "power-on" });
  printer.fail({ kind: "head-cooled" });
  let answers = 0;
  const host = printer.attach({
    ...QUIET_LINK,
    send: () => {
      answers += 1;
      return true;
    },
  });
  const before = printer.paper.headRow;
  host.receive(Uint8Array.from([0x1b, 0x40, 0x41, 0x0a, 0x1d, 0x49, 0x01]));
  clock.advance(SLICE_MS);
  if (printer.paper.headRow === before) return "does not print any more";
  return answers === 0 ? "does not answer any more" : undefined;
}
