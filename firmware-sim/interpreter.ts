import { commandTable } from "./commands/table.ts";
import { Engine, type EngineOutput } from "./engine.ts";
import { type CommandRow, type DataSink, type Diagnostic, Parser, type ParserHandler } from "./parser.ts";
import type { Profile } from "./profiles.ts";
import type { Framing } from "./realtime-scanner.ts";

/** The interpreter may not be asked for what a diagnostic already says. */
export type InterpreterOutput = Omit<EngineOutput, "diagnose"> & { diagnosed(diagnostic: Diagnostic): void };

/** Bytes of a command quoted in a diagnostic. */
const QUOTED_BYTES = 16;

const DISCARD: DataSink = { write: (_bytes, from, to) => to - from, end: () => {} };

/** Parser and engine joined: bytes in, steps and answers out. */
export class Interpreter {
  readonly engine: Engine;
  private readonly parser: Parser<Engine>;
  private readonly macroParser: Parser<Engine>;
  /** How far the present round of the macro is. */
  private macroAt = 0;
  /** Of the present round of the macro; counted, so that what a cleared one waited for is no news. */
  private round: "due" | "waits" | "runs" = "due";
  private rounds = 0;
  private readonly output: InterpreterOutput;
  private running: { readonly row: CommandRow<Engine>; readonly params: readonly number[] } | undefined;

  constructor(profile: Profile, output: InterpreterOutput, blocked: () => boolean = () => false) {
    this.output = output;
    const diagnose: EngineOutput["diagnose"] = (kind, detail) => this.diagnose(kind, detail);
    this.engine = new Engine(profile, Object.assign(Object.create(output) as InterpreterOutput, { diagnose }));
    const handler = this.handler();
    const table = commandTable(profile);
    this.parser = new Parser(table, handler, () => blocked() || this.replaying || this.engine.overrun !== undefined);
    this.macroParser = new Parser(table, handler, blocked);
  }

  /** Interprets bytes [from, to) and returns how many it took; fewer when the print queue is full. */
  feed(bytes: Uint8Array, from = 0, to = bytes.length): number {
    let at = from;
    do {
      if (!this.replay()) break;
      at += this.overrun(bytes, at, to);
      at += this.parser.feed(bytes, at, to);
    } while (this.replaying || (this.engine.overrun !== undefined && at < to));
    return at - from;
  }

  /** What a printer takes for dots though they have ended is no command any more. */
  private overrun(bytes: Uint8Array, from: number, to: number): number {
    const { overrun } = this.engine;
    if (overrun === undefined) return 0;
    const end = Math.min(to, from + overrun.left);
    for (let at = from; at < end; ) at += overrun.sink.write(bytes, at, end);
    overrun.left -= end - from;
    if (overrun.left === 0) {
      this.engine.overrun = undefined;
      overrun.sink.end();
    }
    return end - from;
  }

  /** A macro (GS ^) has not come to its end: what was received after it waits. */
  get replaying(): boolean {
    return this.engine.memory.macros.repeat > 0;
  }

  /** The next round of the macro waits for time or for the feed button. */
  get waiting(): boolean {
    return this.replaying && this.round === "waits";
  }

  /** Goes on with the macro; false when the print queue is full before its end, or when the next round has to wait. */
  private replay(): boolean {
    const { macros } = this.engine.memory;
    while (macros.repeat > 0) {
      if (this.round === "due") this.beginRound();
      if (this.round === "waits") return false;
      this.macroAt += this.macroParser.feed(macros.defined, this.macroAt);
      if (this.macroAt < macros.defined.length) return false;
      this.macroAt = 0;
      this.macroParser.reset();
      this.round = "due";
      macros.repeat -= 1;
    }
    return true;
  }

  /** GS ^: the interval passes when everything before it is on paper; only then is the button asked for. */
  private beginRound(): void {
    const { intervalMs, byButton } = this.engine.memory.macros.pace;
    this.rounds += 1;
    const present = this.rounds;
    const run = (): void => {
      if (this.rounds !== present || this.round !== "waits") return;
      this.round = "runs";
      this.output.goOn?.();
    };
    const { waitForButton } = this.output;
    const go = (): void => {
      if (!byButton || waitForButton === undefined) run();
      else if (this.rounds === present && this.round === "waits") waitForButton(run);
    };
    this.round = "waits";
    if (intervalMs > 0) this.output.push({ kind: "pause", ms: () => intervalMs });
    if (intervalMs > 0 || byButton) this.output.push({ kind: "marker", fire: go });
    else run();
  }

  /** Forgets everything received and every mode. */
  reset(): void {
    this.clear();
    this.engine.reset();
  }

  /** Forgets everything received and returns to standard mode; what commands set stays (DLE ENQ 2, DLE DC4 fn 8). */
  clear(): void {
    this.parser.reset();
    this.macroParser.reset();
    this.macroAt = 0;
    this.round = "due";
    this.engine.memory.macros.stop();
    this.engine.clearPrintBuffer();
  }

  private handler(): ParserHandler<Engine> {
    return {
      text: (byte) => {
        const { macros } = this.engine.memory;
        if (macros.recording !== undefined) macros.record([byte]);
        this.running = undefined;
        if (this.engine.selected) this.engine.printByte(byte);
      },
      command: (row, params, data) => this.run(row, params, data),
      open: (row, params) => {
        if (!this.engine.selected || row.open === undefined) return DISCARD;
        this.engine.memory.macros.record([...row.prefix, ...params]);
        this.running = { row, params };
        return this.bound(row.open(this.engine, params));
      },
      // A macro is made of what can be replayed: bytes that mean nothing are left out.
      unknown: (bytes, offset) => this.output.diagnosed({ kind: "unknown", offset, bytes: [...bytes] }),
    };
  }

  private run(row: CommandRow<Engine>, params: readonly number[], data: Uint8Array): void {
    if (row.name !== "GS :") this.engine.memory.macros.record([...row.prefix, ...params, ...data]);
    // ESC = is the only command a deselected printer obeys.
    if (!this.engine.selected && row.name !== "ESC =") return;
    this.engine.text.dropPartial();
    if (row.execute === undefined) return;
    this.running = { row, params };
    if (row.name !== "LF") this.engine.keepNextLineFeed();
    // A process ID belongs to the data before it, not to an earlier request (GS ( H).
    if (row.name === "GS ( H") row.execute(this.engine, params, data);
    else this.engine.bind(() => row.execute?.(this.engine, params, data));
    if (row.name === "GS k" && (params[0] ?? 0) <= 6) this.engine.oldBarcodePrinted();
  }

  /** Streamed data are printing data as soon as a part of them reached the mechanism. */
  private bound(sink: DataSink): DataSink {
    let printed = false;
    this.engine.bind(() => {});
    const note = (): void => {
      printed ||= this.engine.isBoundToPrinting;
      if (printed) this.engine.markPrintingData();
    };
    return {
      write: (bytes, from, to) => {
        let taken = 0;
        this.engine.bind(() => {
          taken = sink.write(bytes, from, to);
        });
        this.engine.memory.macros.record(bytes.subarray(from, from + taken));
        note();
        return taken;
      },
      end: () => {
        this.engine.bind(() => sink.end());
        note();
      },
    };
  }

  private diagnose(kind: Diagnostic["kind"], detail: string): void {
    const { row, params } = this.running ?? { row: undefined, params: [] };
    this.output.diagnosed({
      kind,
      offset: this.parser.commandOffset,
      bytes: [...(row?.prefix ?? []), ...params].slice(0, QUOTED_BYTES),
      ...(row === undefined ? {} : { name: row.name }),
      detail,
    });
  }
}

const IGNORE_ALL: ParserHandler<Engine> = {
  text: () => {},
  command: () => {},
  open: () => DISCARD,
  unknown: () => {},
  streamsAll: true,
};

/** Follows the commands of one connection without carrying them out, for the real-time scanner. */
export function createFraming(profile: Profile): Framing {
  const parser = new Parser<Engine>(commandTable(profile), IGNORE_ALL);
  return {
    get context() {
      return parser.context;
    },
    follow(bytes, from, to) {
      parser.feed(bytes, from, to);
    },
  };
}
