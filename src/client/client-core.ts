import type { ErrorCode } from "../protocol/errors.ts";
import { type JobId, parseJobId } from "../protocol/ids.ts";
import type { PrinterAttributes } from "../protocol/job.ts";
import type { Message, Peer } from "../protocol/messages.ts";
import type { Instant, RowWrite } from "../runtime/machine.ts";
import { firstRetry, nextRetry, type Retry } from "../runtime/retry.ts";
import {
  type ClientConfig,
  type ClientEffect,
  type ClientJob,
  type ClientJobEvent,
  type ClientJobRow,
  type ClientSnapshot,
  clientTables,
} from "./client-state.ts";
import { JobIds } from "./job-ids.ts";

/**
 * What the client's machine knows, and the effects of the input at hand. The rules of design §2 are functions over it,
 * one file a concern; none of them keeps anything of its own.
 */
export class ClientCore {
  readonly config: ClientConfig;
  /** In the order of their sequence numbers, which is the order they are offered in. */
  readonly jobs = new Map<JobId, ClientJob>();
  readonly printers = new Map<string, PrinterAttributes>();
  readonly ids: JobIds;
  readonly linked = new Set<Peer>();
  /** Links to printer hosts, with the moment an idle one is given up; undefined while a job needs it. */
  readonly wantedLinks = new Map<Peer, { readonly url: string; idleUntilMs: number | undefined }>();
  /** Since when the server owes an answer, or its link is down. */
  silentSinceMs: number | undefined;
  /** When the open jobs are compared with the peers next. */
  statusAtMs: number | undefined;
  networkLoaded = false;
  now: Instant = { monotonicMs: 0, wallMs: 0 };
  #effects: ClientEffect[] = [];

  constructor(config: ClientConfig, snapshot: ClientSnapshot, startedMs: number) {
    this.config = config;
    this.ids = new JobIds(snapshot.meta?.reservedBelow ?? 1);
    this.silentSinceMs = startedMs;
    for (const printer of snapshot.printers) this.printers.set(printer.name, printer);
    const jobs = snapshot.jobs.map((row) => {
      // Whether the user heard the yes is not worth an fsync: a job with a durable image counts as accepted.
      const accepted = row.accepted || row.image === "stored" || row.serverHasImage;
      return newJob({ ...row, accepted }, row.image === "stored");
    });
    for (const job of jobs.sort((a, b) => a.id.sequence - b.id.sequence)) this.jobs.set(job.row.ticket.jobId, job);
  }

  /** Begins an input: its moment, and no effects yet. */
  begin(now: Instant): void {
    this.now = now;
    this.#effects = [];
  }

  get effects(): readonly ClientEffect[] {
    return this.#effects;
  }

  emit(effect: ClientEffect): void {
    this.#effects.push(effect);
  }

  // ---- jobs

  addJob(row: ClientJobRow): ClientJob {
    const job = newJob(row, true);
    this.jobs.set(row.ticket.jobId, job);
    this.save(job);
    return job;
  }

  save(job: ClientJob, change: Partial<ClientJobRow> = {}): void {
    job.row = { ...job.row, ...change };
    this.persist([{ op: "put", table: clientTables.jobs, key: job.row.ticket.jobId, value: job.row }]);
  }

  /** All writes are one transaction. */
  persist(writes: readonly RowWrite[]): void {
    this.emit({ kind: "persist", writes });
  }

  /** Everything of this origin below it is closed: history durable at the server, nothing will be asked again. */
  lowestOpen(): number {
    let lowest = this.ids.lowestUnused;
    for (const { id, recorded } of this.jobs.values()) {
      // Final here, in the history there, held only for a person: nobody will ask the ledger again, and a job that
      // is held for weeks must not keep the ledger from forgetting.
      if (!recorded && id.nonce === this.config.nonce) lowest = Math.min(lowest, id.sequence);
    }
    return lowest;
  }

  report(
    job: ClientJob,
    event: ClientJobEvent,
    more: { readonly code?: ErrorCode; readonly detail?: string; readonly rowsDone?: number } = {},
  ): void {
    job.reported = event;
    if (more.rowsDone !== undefined) job.rowsDone = more.rowsDone;
    this.emit({ kind: "reportJob", jobId: job.row.ticket.jobId, event, ...more });
  }

  // ---- peers and time

  sendToServer(message: Message): void {
    this.send("server", message);
  }

  send(to: Peer, message: Message): void {
    if (this.linked.has(to)) this.emit({ kind: "sendMessage", to, message });
  }

  /** When the server has been silent for so long that the client prints by itself. */
  aloneAtMs(): number | undefined {
    return this.silentSinceMs === undefined ? undefined : this.silentSinceMs + this.config.timers.serverSilentMs;
  }

  alone(): boolean {
    const atMs = this.aloneAtMs();
    return atMs !== undefined && atMs <= this.now.monotonicMs;
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

function newJob(row: ClientJobRow, imageAtHand: boolean): ClientJob {
  return {
    row,
    id: parseJobId(row.ticket.jobId),
    host: `host:${row.ticket.printer}`,
    imageAtHand,
    uploading: false,
    fetching: false,
    epoch: 0,
    serverRetry: undefined,
    offerRetry: undefined,
    offering: false,
    sending: false,
    cancelRetry: undefined,
    recorded: false,
    reported: undefined,
    rowsDone: 0,
  };
}
