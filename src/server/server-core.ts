import type { JobId } from "../protocol/ids.ts";
import { parseJobId } from "../protocol/ids.ts";
import type { ErrorPolicy, HistoryRow, IndeterminatePolicy, JobTicket, PrinterAttributes } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import type { Message, Peer } from "../protocol/messages.ts";
import type { Instant, RowWrite } from "../runtime/machine.ts";
import { firstRetry, nextRetry, type Retry } from "../runtime/retry.ts";
import type { Recording } from "./history-row.ts";
import { JobQueue } from "./job-queue.ts";
import { KeptImages } from "./kept-images.ts";
import {
  type Phase,
  type ServerConfig,
  type ServerEffect,
  type ServerJob,
  type ServerJobRow,
  type ServerMeta,
  type ServerPrinter,
  type ServerSnapshot,
  type SpoolLevel,
  serverTables,
  type WaitingReason,
} from "./server-state.ts";

/** Of a job with more events than are kept. */
const keptFirstEvents = 8;

type RowStart = Pick<ServerJobRow, "clientKeepsImage" | "serverCopy" | "imageStored"> &
  Partial<Pick<ServerJobRow, "settings" | "requestedHereMs" | "clientRevision" | "narrowed">>;

/** History rows of commits that may still be under way; older ones are read from the store. */
const recentHistoryRows = 500;

/**
 * What the server's machine knows, and the effects of the input at hand. The rules of design §2 are functions over it,
 * one file a concern; none of them keeps anything of its own.
 */
export class ServerCore {
  readonly config: ServerConfig;
  readonly queue = new JobQueue();
  readonly printers = new Map<string, ServerPrinter>();
  readonly linked = new Set<Peer>();
  /** Per origin (`client id-nonce`), what `openJobsListed` said last. */
  readonly lowestOpen = new Map<string, number>();
  readonly kept = new KeptImages();
  /** Copies that are being made, by their new ids; `kept`: of a job that is not in the queue any more. */
  readonly copying = new Map<JobId, { readonly from: JobId; readonly kept: boolean }>();
  readonly #recent = new Map<JobId, HistoryRow>();
  meta: ServerMeta;
  spool: { readonly level: SpoolLevel; readonly reason: string } = { level: "ok", reason: "" };
  network: { readonly loaded: boolean; readonly reason: string } = { loaded: false, reason: "" };
  now: Instant = { monotonicMs: 0, wallMs: 0 };
  #queueNumber = 0;
  #effects: ServerEffect[] = [];

  constructor(config: ServerConfig, snapshot: ServerSnapshot) {
    this.config = config;
    this.meta = snapshot.meta;
    for (const row of snapshot.printers) {
      const state = { state: "stopped" as const, reasons: ["waits-for-printer-host"] };
      const printer = { row, state, linked: false, reconciled: false, ledgerRetry: undefined };
      this.printers.set(row.attributes.name, printer);
    }
    for (const row of [...snapshot.jobs].sort((a, b) => a.queueNumber - b.queueNumber)) {
      this.queue.add(newJob(row));
      this.#queueNumber = row.queueNumber + 1;
    }
    for (const row of snapshot.kept) this.kept.add(row);
  }

  /** Begins an input: its moment, and no effects yet. */
  begin(now: Instant): void {
    this.now = now;
    this.#effects = [];
  }

  get effects(): readonly ServerEffect[] {
    return this.#effects;
  }

  emit(effect: ServerEffect): void {
    this.#effects.push(effect);
  }

  // ---- jobs

  /** A new job at the end of the queue, not yet durable. */
  enqueue(ticket: JobTicket, start: RowStart): ServerJob {
    const job = newJob({
      ticket,
      requestedHereMs: Math.floor(this.now.wallMs),
      clientRevision: 0,
      ...start,
      epoch: 0,
      queueNumber: this.#queueNumber++,
      cancelRequested: false,
      retryRequested: false,
      events: [],
    });
    job.placeUntilMs = this.now.monotonicMs + this.config.timers.startTimeoutMs;
    this.queue.add(job);
    return job;
  }

  /** For people to read; durable with the next change of the row. */
  event(job: ServerJob, event: string, detail?: string): void {
    const atMs = Math.max(0, Math.floor(this.now.wallMs));
    const entry = { atMs, event, ...(detail === undefined || detail === "" ? {} : { detail }) };
    const events = [...job.row.events, entry];
    // How it began and how it ends say more than the middle.
    if (events.length > limits.eventsPerJob) events.splice(keptFirstEvents, 1);
    job.row = { ...job.row, events };
  }

  save(job: ServerJob, change: Partial<ServerJobRow> = {}): void {
    job.row = { ...job.row, ...change };
    this.persist([{ op: "put", table: serverTables.jobs, key: job.row.ticket.jobId, value: job.row }]);
    this.changed(job);
  }

  /** All writes are one transaction. */
  persist(writes: readonly RowWrite[]): void {
    this.emit({ kind: "persist", writes });
  }

  changed(job: ServerJob): void {
    this.emit({ kind: "jobChanged", jobId: job.row.ticket.jobId });
  }

  /** Puts the job back into the queue, to be looked at again after a pause, ms. */
  wait(job: ServerJob, pauseMs: number): void {
    this.setWaiting(job, pauseMs > 0 ? "waits-for-sender" : "waits-for-turn", pauseMs);
  }

  setWaiting(job: ServerJob, reason: WaitingReason, pauseMs: number): void {
    const { phase } = job;
    if (phase.kind === "waiting" && phase.reason === reason && pauseMs === 0) return;
    const notBeforeMs = pauseMs === 0 ? 0 : this.now.monotonicMs + pauseMs;
    job.phase = { kind: "waiting", reason, notBeforeMs };
    this.changed(job);
  }

  /** Growing pause between attempts that failed, ms. */
  pause(job: ServerJob): number {
    job.attempt = job.attempt === undefined ? this.firstRetry() : this.nextRetry(job.attempt);
    return job.attempt.delayMs;
  }

  // ---- history

  findHistory(jobId: JobId): HistoryRow | undefined {
    return this.#recent.get(jobId) ?? this.config.findHistory(jobId);
  }

  /** What a history row that is written now says of its printer. */
  recording(printer: string): Recording {
    const { resolutionDpi } = this.printers.get(printer)?.row.attributes ?? {};
    return { printer, resolutionDpi, nowMs: this.now.wallMs };
  }

  /** The row is on its way to the store, where `findHistory` cannot see it yet. */
  remember(row: HistoryRow): void {
    this.#recent.delete(row.jobId);
    this.#recent.set(row.jobId, row);
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= recentHistoryRows) return;
      this.#recent.delete(oldest);
    }
  }

  // ---- peers and time

  /** As configured where the printer stands; a host of the same process may leave it to the configuration here. */
  indeterminatePolicy(printer: string): IndeterminatePolicy {
    return this.printers.get(printer)?.row.attributes.indeterminate ?? this.config.indeterminatePolicy(printer);
  }

  errorPolicy(printer: string): ErrorPolicy {
    return this.printers.get(printer)?.row.attributes.errorPolicy ?? "retry-job";
  }

  attributes(): PrinterAttributes[] {
    return [...this.printers.values()].map((printer) => printer.row.attributes);
  }

  send(to: Peer, message: Message): void {
    if (this.linked.has(to)) this.emit({ kind: "sendMessage", to, message });
  }

  firstRetry(): Retry {
    return firstRetry(this.now.monotonicMs, this.config.timers);
  }

  nextRetry(retry: Retry): Retry {
    return nextRetry(retry, this.now.monotonicMs, this.config.timers);
  }

  note(event: string, jobId?: JobId, detail?: string): void {
    const more = { ...(jobId === undefined ? {} : { jobId }), ...(detail === undefined ? {} : { detail }) };
    this.emit({ kind: "note", event, ...more });
  }
}

function newJob(row: ServerJobRow): ServerJob {
  return {
    row,
    client: `client:${parseJobId(row.ticket.jobId).clientId}`,
    host: `host:${row.ticket.printer}`,
    phase: inQueue,
    attempt: undefined,
    cancelRetry: undefined,
    composing: false,
    composeFailed: false,
    refusedForEver: false,
    askAtMs: undefined,
    lastFailure: undefined,
    blocking: false,
    placeUntilMs: 0,
    rowsDone: 0,
    clientWay: undefined,
  };
}

/** The phase of a job that stands in the queue, and of one that a person has to decide about. */
export const inQueue: Phase = { kind: "waiting", reason: "waits-for-turn", notBeforeMs: 0 };
