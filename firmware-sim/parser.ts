/** Whatever was strange about the bytes; `offset` counts from the first byte the parser ever saw. */
export interface Diagnostic {
  readonly kind: "unknown" | "unsupported" | "ignored" | "out-of-range";
  readonly offset: number;
  readonly bytes: readonly number[];
  readonly name?: string;
  readonly detail?: string;
}

/** Takes the data of a command as it arrives. Returns how many bytes it took: fewer than offered means "not now". */
export interface DataSink {
  write(bytes: Uint8Array, from: number, to: number): number;
  end(): void;
}

/**
 * How many parameter bytes follow the prefix. `more` is asked with what has arrived so far and says how many are
 * wanted next (0 = complete); `data` then says how many data bytes follow the parameters.
 */
export interface ParameterShape {
  readonly more: (params: readonly number[]) => number;
  readonly data?: (params: readonly number[]) => number;
}

/** One row of the command table: name as in the manual, prefix bytes, parameter shape, effect on `Target`. */
export interface CommandRow<Target> {
  readonly name: string;
  readonly prefix: readonly number[];
  readonly shape: ParameterShape;
  /** Commands without streamed data: called once, with the data collected (at most `COLLECT_LIMIT` bytes of it). */
  readonly execute?: (target: Target, params: readonly number[], data: Uint8Array) => void;
  /** Commands whose data are printed while they arrive. */
  readonly open?: (target: Target, params: readonly number[]) => DataSink;
}

export interface ParserHandler<Target> {
  text(byte: number): void;
  /** A complete command is about to take effect. */
  command(row: CommandRow<Target>, params: readonly number[], data: Uint8Array): void;
  /** Streamed data begin. */
  open(row: CommandRow<Target>, params: readonly number[]): DataSink;
  unknown(bytes: readonly number[], offset: number): void;
  /** Nobody looks at the data: those of every command go to the sink of `open`. */
  readonly streamsAll?: true;
}

/** Data of one command that are kept for its execution; the rest is consumed and dropped. */
const COLLECT_LIMIT = 256 * 1024;

interface PrefixNode<Target> {
  readonly next: Map<number, PrefixNode<Target>>;
  row?: CommandRow<Target>;
}

export class CommandTable<Target> {
  readonly root: PrefixNode<Target> = { next: new Map() };
  readonly rows: readonly CommandRow<Target>[];

  constructor(rows: readonly CommandRow<Target>[]) {
    this.rows = rows;
    for (const row of rows) {
      let node = this.root;
      for (const byte of row.prefix) {
        let child = node.next.get(byte);
        if (child === undefined) {
          child = { next: new Map() };
          node.next.set(byte, child);
        }
        node = child;
      }
      if (node.row !== undefined) throw new Error(`two commands have the prefix of ${row.name}`);
      node.row = row;
    }
  }
}

type State<Target> =
  | { readonly kind: "boundary" }
  | { readonly kind: "prefix"; readonly node: PrefixNode<Target>; readonly bytes: number[] }
  | { readonly kind: "params"; readonly row: CommandRow<Target>; readonly params: number[]; wanted: number }
  | {
      readonly kind: "collect";
      readonly row: CommandRow<Target>;
      readonly params: readonly number[];
      /** Grows with what arrives. */
      data: Uint8Array;
      collected: number;
      left: number;
    }
  | { readonly kind: "stream"; readonly sink: DataSink; left: number };

const NO_BYTES = new Uint8Array(0);

/** Adds to the data of a command as much as is kept of it. */
function collect<Target>(state: Extract<State<Target>, { kind: "collect" }>, bytes: Uint8Array): void {
  const kept = bytes.subarray(0, COLLECT_LIMIT - state.collected);
  const wanted = state.collected + kept.length;
  if (wanted > state.data.length) {
    // What is announced need not come: room is made for twice what has come.
    const grown = new Uint8Array(Math.min(COLLECT_LIMIT, state.collected + state.left, Math.max(64, 2 * wanted)));
    grown.set(state.data.subarray(0, state.collected));
    state.data = grown;
  }
  state.data.set(kept, state.collected);
  state.collected = wanted;
}

/**
 * Resumable, byte at a time: a command may arrive in any number of pieces. `feed` stops early when the handler is
 * `blocked` or a data sink takes no more.
 */
export class Parser<Target> {
  private readonly table: CommandTable<Target>;
  private readonly handler: ParserHandler<Target>;
  private readonly blocked: () => boolean;
  private state: State<Target> = { kind: "boundary" };
  private offset = 0;
  private startOffset = 0;

  constructor(table: CommandTable<Target>, handler: ParserHandler<Target>, blocked: () => boolean = () => false) {
    this.table = table;
    this.handler = handler;
    this.blocked = blocked;
  }

  /** Where the next byte will fall: between commands, in a command's prefix or parameters, or in its data. */
  get context(): "boundary" | "header" | "data" {
    if (this.state.kind === "boundary") return "boundary";
    return this.state.kind === "prefix" || this.state.kind === "params" ? "header" : "data";
  }

  /** Offset of the first byte of the command being handled. */
  get commandOffset(): number {
    return this.startOffset;
  }

  /** Forgets a half-received command. */
  reset(): void {
    this.state = { kind: "boundary" };
  }

  /** Takes bytes [from, to) and returns how many it consumed. */
  feed(bytes: Uint8Array, from = 0, to = bytes.length): number {
    let at = from;
    while (at < to && !this.blocked()) {
      const state = this.state;
      if (state.kind === "stream") {
        const taken = state.sink.write(bytes, at, Math.min(to, at + state.left));
        if (taken === 0) break;
        at += taken;
        this.offset += taken;
        state.left -= taken;
        if (state.left === 0) this.endStream(state.sink);
      } else if (state.kind === "collect") {
        const end = Math.min(to, at + state.left);
        collect(state, bytes.subarray(at, end));
        this.offset += end - at;
        state.left -= end - at;
        at = end;
        if (state.left === 0) this.run(state.row, state.params, state.data.slice(0, state.collected));
      } else {
        this.step(state, bytes[at] ?? 0);
        at += 1;
      }
    }
    return at - from;
  }

  private endStream(sink: DataSink): void {
    this.state = { kind: "boundary" };
    sink.end();
  }

  private step(state: Exclude<State<Target>, { kind: "stream" | "collect" }>, byte: number): void {
    const at = this.offset;
    this.offset += 1;
    if (state.kind === "params") {
      state.params.push(byte);
      state.wanted -= 1;
      if (state.wanted === 0) this.continueParams(state.row, state.params);
      return;
    }
    const node: PrefixNode<Target> | undefined = (state.kind === "prefix" ? state.node : this.table.root).next.get(
      byte,
    );
    if (state.kind === "boundary") {
      this.startOffset = at;
      if (node === undefined) {
        if (byte >= 0x20) this.handler.text(byte);
        else this.handler.unknown([byte], at);
        return;
      }
    }
    const bytes = state.kind === "prefix" ? [...state.bytes, byte] : [byte];
    if (node === undefined) {
      // A printer drops a function code it does not know together with its prefix and goes on with what follows.
      this.state = { kind: "boundary" };
      this.handler.unknown(bytes, this.startOffset);
    } else if (node.row !== undefined) {
      this.continueParams(node.row, []);
    } else {
      this.state = { kind: "prefix", node, bytes };
    }
  }

  private continueParams(row: CommandRow<Target>, params: number[]): void {
    const wanted = row.shape.more(params);
    if (wanted > 0) {
      this.state = { kind: "params", row, params, wanted };
      return;
    }
    const left = row.shape.data?.(params) ?? 0;
    if (row.open !== undefined || (left > 0 && this.handler.streamsAll === true)) {
      const sink = this.handler.open(row, params);
      this.state = { kind: "stream", sink, left };
      if (left === 0) this.endStream(sink);
    } else if (left > 0) {
      this.state = { kind: "collect", row, params, data: NO_BYTES, collected: 0, left };
    } else {
      this.run(row, params, NO_BYTES);
    }
  }

  private run(row: CommandRow<Target>, params: readonly number[], data: Uint8Array): void {
    this.state = { kind: "boundary" };
    this.handler.command(row, params, data);
  }
}
