import type { JobTicket, OutcomeRecord, PrinterAttributes } from "../protocol/job.ts";
import { type Message, type MessageOf, messageSchema, type Peer } from "../protocol/messages.ts";
import type { Machine, RowWrite } from "./machine.ts";

// What the tests of the machines share: one virtual clock, effects in a short form, and tickets to print.

export const clientId = "c11e47aa";
export const nonce = "life01";
export const incarnation = "ledger000001";
export const hostUrl = "http://127.0.0.1:6311";

export const kitchen: PrinterAttributes = {
  name: "kitchen",
  model: "sim",
  widthDots: 576,
  resolutionDpi: 203,
  hostIncarnation: incarnation,
  hostUrl,
};

/** The id of the client's n-th job. */
export function jobIdOf(sequence: number): string {
  return `${clientId}-${nonce}-${sequence}`;
}

export function digestOf(text: string): string {
  return [...text]
    .map((character) => character.charCodeAt(0).toString(16))
    .join("")
    .padStart(64, "0")
    .slice(-64);
}

export function ticketOf(sequence: number, more: Partial<JobTicket> = {}): JobTicket {
  const jobId = more.jobId ?? jobIdOf(sequence);
  return {
    jobId,
    printer: "kitchen",
    source: "client",
    spools: "both",
    title: `ticket ${sequence}`,
    clientName: "till",
    requestedAtMs: 1_700_000_000_000,
    sizeBytes: 5_000,
    sha256: digestOf(jobId),
    pages: 1,
    widthDots: 576,
    heightDots: 400,
    hostIncarnation: incarnation,
    ...more,
  };
}

/** The host's final word on a job. */
export function recordOf(ticket: JobTicket, more: Partial<OutcomeRecord> = {}): OutcomeRecord {
  return {
    jobId: ticket.jobId,
    sha256: ticket.sha256,
    outcome: "printed",
    evidence: "process-id",
    sentBy: "client",
    sequence: 1,
    hostIncarnation: incarnation,
    startedAtMs: 1_700_000_001_000,
    endedAtMs: 1_700_000_002_000,
    epoch: 1,
    title: ticket.title,
    clientName: ticket.clientName,
    pages: ticket.pages,
    heightDots: ticket.heightDots,
    ...more,
  };
}

type AnyEffect = { readonly kind: string };
type MachineInput =
  | { readonly kind: "linkOpened"; readonly peer: Peer }
  | { readonly kind: "linkClosed"; readonly peer: Peer }
  | { readonly kind: "messageReceived"; readonly from: Peer; readonly message: Message }
  | { readonly kind: "woke" };

const wakesAtMost = 10_000;

/** Drives one machine: hands inputs in at a virtual moment, keeps what it makes durable, wakes it when it wants. */
export abstract class MachineDriver<
  Input extends AnyEffect,
  Effect extends AnyEffect,
  M extends Machine<Input, Effect>,
> {
  nowMs = 50_000;
  /** Wall clock minus monotonic clock. */
  wallOffsetMs = 1_700_000_000_000;
  #machine: M | undefined;

  protected abstract boot(): M;
  /** Carries out the durable part of an effect. */
  protected abstract keep(effect: Effect): void;

  get machine(): M {
    this.#machine ??= this.boot();
    return this.#machine;
  }

  /** The process dies and starts again from what was durable. */
  restart(): void {
    this.#machine = undefined;
    this.nowMs += 1_000;
  }

  give(input: Input | MachineInput): readonly Effect[] {
    const now = { monotonicMs: this.nowMs, wallMs: this.nowMs + this.wallOffsetMs };
    const effects = [...this.machine.handle(input as Input, now)];
    for (const effect of effects) {
      if (isSend(effect)) messageSchema.parse(effect.message);
      this.keep(effect);
    }
    return effects;
  }

  open(peer: Peer): readonly Effect[] {
    return this.give({ kind: "linkOpened", peer });
  }

  close(peer: Peer): readonly Effect[] {
    return this.give({ kind: "linkClosed", peer });
  }

  says(from: Peer, message: Message): readonly Effect[] {
    return this.give({ kind: "messageReceived", from, message: messageSchema.parse(message) });
  }

  /** Lets time pass, and wakes the machine at each moment it has asked for. */
  after(passedMs: number): readonly Effect[] {
    const untilMs = this.nowMs + passedMs;
    const effects: Effect[] = [];
    for (let wakes = 0; ; wakes++) {
      const atMs = this.machine.nextWakeMs();
      if (atMs === undefined || atMs > untilMs) break;
      if (wakes > 0 && atMs <= this.nowMs) throw new Error(`asks at ${this.nowMs} ms to be woken at ${atMs} ms`);
      if (wakes > wakesAtMost) throw new Error("wakes without end");
      this.nowMs = Math.max(this.nowMs, atMs);
      effects.push(...this.give({ kind: "woke" }));
    }
    this.nowMs = untilMs;
    return effects;
  }
}

function isSend(
  effect: AnyEffect,
): effect is { readonly kind: "sendMessage"; readonly to: Peer; readonly message: Message } {
  return effect.kind === "sendMessage";
}

/** The messages of one type among the effects. */
export function sent<T extends Message["type"]>(effects: readonly AnyEffect[], type: T, to?: Peer): MessageOf<T>[] {
  return effects.flatMap((effect) => {
    if (!isSend(effect) || (to !== undefined && effect.to !== to)) return [];
    return effect.message.type === type ? [effect.message as MessageOf<T>] : [];
  });
}

/** The effects of one kind. */
export function only<E extends AnyEffect, K extends E["kind"]>(
  effects: readonly E[],
  kind: K,
): Extract<E, { readonly kind: K }>[] {
  return effects.filter((effect): effect is Extract<E, { readonly kind: K }> => effect.kind === kind);
}

/**
 * The effects in their order, in a short form: `persist put history, delete server_jobs`, `jobClosed to client`.
 * Leaves out what carries no duty (notes, `jobChanged`).
 */
export function brief(effects: readonly AnyEffect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.kind === "note" || effect.kind === "jobChanged") return [];
    return [isSend(effect) ? `${effect.message.type} to ${effect.to.split(":")[0]}` : describe(effect)];
  });
}

function describe(
  effect: AnyEffect & { readonly writes?: readonly RowWrite[]; readonly event?: string } & {
    readonly records?: readonly { readonly kind: string; readonly state?: string }[];
  },
): string {
  if (effect.writes !== undefined)
    return `persist ${effect.writes.map(({ op, table }) => `${op} ${table}`).join(", ")}`;
  if (effect.records !== undefined) return `persist ${effect.records.map((r) => r.state ?? r.kind).join(", ")}`;
  return effect.event === undefined ? effect.kind : `${effect.kind} ${effect.event}`;
}

/** Rows as a disk has them: JSON, by table and key. */
export class TestRows {
  readonly #tables = new Map<string, Map<string, string>>();

  commit(writes: readonly RowWrite[]): void {
    for (const write of writes) {
      const table = this.#tables.get(write.table) ?? new Map<string, string>();
      this.#tables.set(write.table, table);
      if (write.op === "put") table.set(write.key, JSON.stringify(write.value));
      else table.delete(write.key);
    }
  }

  all(table: string): unknown[] {
    return [...(this.#tables.get(table)?.values() ?? [])].map((json) => JSON.parse(json) as unknown);
  }

  get(table: string, key: string): unknown {
    const json = this.#tables.get(table)?.get(key);
    return json === undefined ? undefined : (JSON.parse(json) as unknown);
  }
}
