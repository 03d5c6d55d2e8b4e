import { type ErrorCode, errorTable } from "../protocol/errors.ts";
import { type JobId, makeJobId, parseJobId } from "../protocol/ids.ts";
import type { JobTicket, OutcomeRecord, PrinterAttributes } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import type { Message, MessageOf, Peer } from "../protocol/messages.ts";
import type { Instant, Machine, RowWrite } from "../runtime/machine.ts";
import { earliest, firstRetry, nextRetry, type Retry } from "../runtime/retry.ts";
import {
  type ClientConfig,
  type ClientEffect,
  type ClientInput,
  type ClientJob,
  type ClientJobEvent,
  type ClientJobRow,
  type ClientSnapshot,
  clientTables,
} from "./client-state.ts";

/** Sequence numbers reserved by one durable write, so that not each job pays an fsync for its id. */
const reserveAhead = 32;

/**
 * The client's side of design §2: keeps its jobs until the server has their history, prints directly when told
 * (source `client`), and unasked when the server is silent.
 */
export class ClientMachine implements Machine<ClientInput, ClientEffect> {
  readonly #config: ClientConfig;
  /** In the order of their sequence numbers, which is the order they are offered in. */
  readonly #jobs = new Map<JobId, ClientJob>();
  readonly #printers = new Map<string, PrinterAttributes>();
  /** Ids given out whose job has not come yet. */
  readonly #granted = new Set<number>();
  readonly #linked = new Set<Peer>();
  /** Links to printer hosts, with the moment an idle one is given up; undefined while a job needs it. */
  readonly #wanted = new Map<Peer, number | undefined>();
  #nextSequence: number;
  #reservedBelow: number;
  /** Since when the server owes an answer, or its link is down. */
  #silentSinceMs: number | undefined;
  #statusAtMs: number | undefined;
  #now: Instant = { monotonicMs: 0, wallMs: 0 };
  #effects: ClientEffect[] = [];

  constructor(config: ClientConfig, snapshot: ClientSnapshot, startedMs: number) {
    this.#config = config;
    this.#reservedBelow = snapshot.meta?.reservedBelow ?? 1;
    this.#nextSequence = this.#reservedBelow;
    this.#silentSinceMs = startedMs;
    for (const printer of snapshot.printers) this.#printers.set(printer.name, printer);
    const rows = [...snapshot.jobs].sort((a, b) => sequenceOf(a.ticket) - sequenceOf(b.ticket));
    for (const row of rows) {
      // Whether the user heard the yes is not worth an fsync: a job with a durable image counts as accepted.
      const accepted = row.image === "stored" || row.serverHasImage;
      this.#jobs.set(row.ticket.jobId, newJob({ ...row, accepted }, row.image === "stored"));
    }
  }

  get printers(): readonly PrinterAttributes[] {
    return [...this.#printers.values()];
  }

  get jobs(): readonly ClientJob[] {
    return [...this.#jobs.values()];
  }

  job(jobId: JobId): ClientJob | undefined {
    return this.#jobs.get(jobId);
  }

  get serverLinked(): boolean {
    return this.#linked.has("server");
  }

  handle(input: ClientInput, now: Instant): readonly ClientEffect[] {
    this.#now = now;
    this.#effects = [];
    this.#take(input);
    this.#goOn();
    return this.#effects;
  }

  nextWakeMs(): number | undefined {
    const due = [...this.#jobs.values()].flatMap((job) => [
      job.serverRetry?.atMs,
      job.offerRetry?.atMs,
      job.cancelRetry?.atMs,
    ]);
    const silentAtMs = this.#alone() || this.#jobs.size === 0 ? undefined : this.#silentAtMs();
    return earliest([
      ...due,
      ...this.#wanted.values(),
      silentAtMs,
      this.#jobs.size === 0 ? undefined : this.#statusAtMs,
    ]);
  }

  #take(input: ClientInput): void {
    switch (input.kind) {
      case "linkOpened":
        return this.#linkOpened(input.peer);
      case "linkClosed":
        return this.#linkClosed(input.peer);
      case "messageReceived":
        if (input.from === "server") this.#silentSinceMs = undefined;
        return this.#messageReceived(input.from, input.message);
      case "jobIdRequested":
        return this.#jobIdRequested(input.requestId);
      case "jobIdReturned":
        this.#granted.delete(parseJobId(input.jobId).sequence);
        return;
      case "jobSubmitted":
        return this.#jobSubmitted(input.ticket, input.imageKept);
      case "cancelRequested":
        return this.#cancelRequested(input.jobId);
      case "imageTransferEnded":
        return this.#transferEnded(input);
      case "imageLost":
        return this.#imageLost(input.jobId, input.reason);
      case "woke":
        return;
    }
  }

  // ---- making a job

  #jobIdRequested(requestId: string): void {
    const sequence = this.#nextSequence++;
    if (sequence >= this.#reservedBelow) {
      this.#reservedBelow = sequence + reserveAhead;
      const value = { reservedBelow: this.#reservedBelow };
      this.#persist({ op: "put", table: clientTables.meta, key: "meta", value });
    }
    this.#granted.add(sequence);
    this.#effects.push({ kind: "grantJobId", requestId, jobId: makeJobId(this.#config, sequence) });
  }

  #jobSubmitted(ticket: JobTicket, imageKept: boolean): void {
    this.#granted.delete(sequenceOf(ticket));
    if (this.#jobs.has(ticket.jobId)) return;
    const image = imageKept ? "stored" : "none";
    const row: ClientJobRow = { ticket, image, serverHasImage: false, accepted: false, cancelRequested: false };
    const job = newJob(row, true);
    this.#jobs.set(ticket.jobId, job);
    this.#save(job);
    this.#request(job);
  }

  #request(job: ClientJob): void {
    const { ticket, image } = job.row;
    this.#sendToServer({ type: "jobRequested", ticket, clientKeepsImage: image === "stored" });
    job.serverRetry ??= this.#firstRetry();
  }

  // ---- links

  #linkOpened(peer: Peer): void {
    this.#linked.add(peer);
    if (peer === "server") return this.#serverReturned();
    const mine = [...this.#jobs.values()].filter((job) => hostPeer(job) === peer && job.row.outcome === undefined);
    this.#askOutcomes(peer, mine);
    for (const job of mine) {
      const { jobId } = job.row.ticket;
      if (job.offering && job.epoch > 0) this.#sendToServer({ type: "senderReady", jobId, epoch: job.epoch });
      if (job.offering) this.#offer(job);
      if (job.row.cancelRequested) this.#cancelAtHost(job);
    }
  }

  #serverReturned(): void {
    this.#silentSinceMs = undefined;
    for (const job of this.#jobs.values()) {
      job.known = false;
      job.uploading = false;
      job.serverRetry = undefined;
    }
    this.#listOpenJobs();
    for (const job of this.#jobs.values()) this.#tellServer(job);
  }

  /** Says of one job what the server does not know for certain. */
  #tellServer(job: ClientJob): void {
    const { ticket, outcome, cancelRequested } = job.row;
    if (outcome !== undefined) this.#sendToServer({ type: "jobEnded", ticket, outcome });
    else this.#request(job);
    if (cancelRequested) this.#sendToServer({ type: "jobCancelRequested", jobId: ticket.jobId });
    job.serverRetry ??= this.#firstRetry();
  }

  #listOpenJobs(): void {
    const jobIds = [...this.#jobs.keys()];
    this.#statusAtMs = this.#now.monotonicMs + this.#config.timers.statusIntervalMs;
    if (jobIds.length > limits.openJobsPerMessage) return;
    const nextSequence = this.#nextSequence;
    const { nonce } = this.#config;
    this.#sendToServer({ type: "openJobsListed", jobIds, nonce, lowestOpen: this.#lowestOpen(), nextSequence });
  }

  #linkClosed(peer: Peer): void {
    this.#linked.delete(peer);
    if (peer === "server") {
      this.#silentSinceMs ??= this.#now.monotonicMs;
      return;
    }
    for (const job of this.#jobs.values()) if (hostPeer(job) === peer) job.sending = false;
  }

  #messageReceived(from: Peer, message: Message): void {
    if (from === "server" && message.type === "printersListed") return this.#printersListed(message.printers);
    if (message.type === "outcomesUnknown") return;
    if (message.type === "outputEnded") return this.#outputEnded(from, message.record);
    if (!("jobId" in message)) return this.#note("message-unexpected", undefined, message.type);
    const job = this.#jobs.get(message.jobId);
    if (job === undefined) return this.#answerForgotten(message);
    if (from === "server") this.#serverSaid(job, message);
    else this.#hostSaid(job, message);
  }

  #answerForgotten(message: Message): void {
    // The server waits for a job that this client no longer has: the list says so.
    if (message.type === "jobAccepted") return this.#listOpenJobs();
    if (message.type !== "jobStarted") return;
    const { jobId, epoch } = message;
    this.#sendToServer({ type: "senderHasNoImage", jobId, epoch, reason: "no-image" });
  }

  #printersListed(printers: readonly PrinterAttributes[]): void {
    const writes: RowWrite[] = [];
    for (const printer of printers) {
      if (JSON.stringify(this.#printers.get(printer.name)) === JSON.stringify(printer)) continue;
      this.#printers.set(printer.name, printer);
      writes.push({ op: "put", table: clientTables.printers, key: printer.name, value: printer });
    }
    if (writes.length > 0) this.#effects.push({ kind: "persist", writes });
  }

  // ---- the server's word

  #serverSaid(job: ClientJob, message: Message): void {
    switch (message.type) {
      case "jobAccepted":
        return this.#jobAccepted(job, message.wantImage);
      case "jobRefused":
        return this.#jobRefused(job, message.code, message.detail);
      case "imageStored":
        this.#serverHasImage(job);
        return this.#accept(job);
      case "jobStarted":
        return this.#jobStarted(job, message);
      case "jobHeld":
        job.serverRetry = undefined;
        job.recorded = job.row.outcome !== undefined;
        return this.#report(job, "held", { detail: message.reason });
      case "jobClosed":
        return this.#close(job, message.outcome);
      case "jobUnknown":
        return job.row.outcome === undefined ? this.#request(job) : this.#tellServer(job);
      default:
        return this.#note("message-unexpected", job.row.ticket.jobId, message.type);
    }
  }

  #jobAccepted(job: ClientJob, wantImage: boolean): void {
    job.known = true;
    if (job.row.outcome === undefined) job.serverRetry = undefined;
    if (wantImage && !job.imageAtHand && job.row.serverHasImage) return this.#hold(job, "the server lost its image");
    if (wantImage && !job.imageAtHand) {
      // The process died with the only copy, before the user heard a yes: take the job back.
      this.#note("image-lost", job.row.ticket.jobId, "not accepted before the restart");
      return this.#cancelRequested(job.row.ticket.jobId);
    }
    if (wantImage && job.imageAtHand && !job.uploading) {
      job.uploading = true;
      this.#effects.push({ kind: "uploadImage", jobId: job.row.ticket.jobId });
    }
    if (!wantImage && job.row.image === "none") this.#serverHasImage(job);
    if (job.row.image === "stored" || job.row.serverHasImage) this.#accept(job);
  }

  #serverHasImage(job: ClientJob): void {
    job.uploading = false;
    if (job.row.image === "stored" || job.row.serverHasImage) return;
    this.#save(job, { serverHasImage: true });
    if (!job.imageAtHand) return;
    job.imageAtHand = false;
    this.#effects.push({ kind: "eraseImage", jobId: job.row.ticket.jobId });
  }

  #jobRefused(job: ClientJob, code: ErrorCode, detail: string): void {
    const { jobId } = job.row.ticket;
    if (!errorTable[code].retryable || !job.row.accepted) job.serverRetry = undefined;
    if (job.row.outcome !== undefined) return this.#hold(job, `the server refused its history: ${code}`);
    if (!job.row.accepted) {
      // Never accepted, so never offered to a host either: nothing can be on paper.
      this.#report(job, "refused", { code, detail });
      return this.#erase(job);
    }
    this.#note("job-refused-late", jobId, code);
    // Accepted while the server was away: it may not be lost now, so this client prints it.
    if (job.imageAtHand) this.#startOffering(job, job.epoch);
    else this.#hold(job, `the server refused the job: ${code}`);
  }

  #accept(job: ClientJob): void {
    if (job.row.accepted) return;
    job.row = { ...job.row, accepted: true };
    this.#report(job, "accepted");
  }

  #jobStarted(job: ClientJob, message: MessageOf<"jobStarted">): void {
    const { jobId, epoch } = message;
    if (job.row.outcome !== undefined) return this.#tellServer(job);
    if (!job.imageAtHand || job.row.cancelRequested) {
      return this.#sendToServer({ type: "senderHasNoImage", jobId, epoch, reason: "no-image" });
    }
    if (epoch < job.epoch) return;
    // Without a link to the host the order is kept; it is answered and obeyed when the link opens.
    if (this.#linked.has(hostPeer(job))) this.#sendToServer({ type: "senderReady", jobId, epoch });
    this.#startOffering(job, epoch);
  }

  // ---- offering to the host

  #startOffering(job: ClientJob, epoch: number): void {
    const again = job.offering && job.epoch === epoch;
    job.epoch = epoch;
    job.offering = true;
    if (again) return;
    job.offerRetry = this.#firstRetry();
    this.#offer(job);
  }

  #offer(job: ClientJob): void {
    if (job.row.outcome !== undefined || job.row.cancelRequested || !job.imageAtHand) return;
    const { ticket } = job.row;
    const lowestOpen = this.#lowestOpen();
    this.#send(hostPeer(job), { type: "imageOffered", ticket, epoch: job.epoch, sentBy: "client", lowestOpen });
  }

  #hostSaid(job: ClientJob, message: Message): void {
    const { jobId } = job.row.ticket;
    switch (message.type) {
      case "imageWanted":
        if (!job.imageAtHand || job.sending || job.row.cancelRequested) return;
        job.sending = true;
        this.#effects.push({ kind: "sendImage", jobId, to: hostPeer(job), uploadId: message.uploadId });
        return;
      case "offerWaiting":
        return this.#report(job, "waiting", { detail: `${message.ahead} ahead at the printer` });
      case "offerRefused":
        return this.#offerRefused(job, message);
      case "outputStarted":
        return this.#report(job, "started", { detail: message.sentBy });
      case "outputProgressed":
        return this.#report(job, "progressed", { rowsDone: message.rowsDone });
      default:
        return this.#note("message-unexpected", jobId, message.type);
    }
  }

  #offerRefused(job: ClientJob, message: MessageOf<"offerRefused">): void {
    const { jobId } = job.row.ticket;
    const { code } = message;
    this.#note("offer-refused", jobId, code);
    if (errorTable[code].retryable || job.row.outcome !== undefined) return;
    // A newer order stands; alone, this client asks again later, in case its giver is gone.
    if (code === "epoch-stale" && this.#alone()) return;
    job.offering = false;
    job.offerRetry = undefined;
    if (code === "epoch-stale") return;
    this.#sendToServer({ type: "senderHasNoImage", jobId, epoch: job.epoch, reason: "offer-refused", code });
    this.#hold(job, errorTable[code].sentence);
  }

  #transferEnded(input: Extract<ClientInput, { kind: "imageTransferEnded" }>): void {
    const job = this.#jobs.get(input.jobId);
    if (job === undefined) return;
    if (input.to !== "server") job.sending = false;
    else job.uploading = false;
    if (input.to === "server" && !input.ok) {
      // The server says again that it wants the image when it hears of the job again.
      job.known = false;
      job.serverRetry ??= this.#firstRetry();
    }
    if (!input.ok) this.#note("image-transfer-failed", input.jobId, `${input.to}: ${input.reason ?? ""}`);
  }

  #imageLost(jobId: JobId, reason: string): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    this.#note("image-lost", jobId, reason);
    job.imageAtHand = false;
    job.offering = false;
    job.offerRetry = undefined;
    if (job.row.image === "stored") this.#save(job, { image: "none" });
    if (job.row.outcome !== undefined) return;
    const { epoch } = job;
    this.#sendToServer({ type: "senderHasNoImage", jobId, epoch, reason: "no-image" });
    this.#request(job);
  }

  // ---- the end (steps 311-313, 317, 318)

  #outputEnded(from: Peer, record: OutcomeRecord): void {
    const { jobId } = record;
    const job = this.#jobs.get(jobId);
    if (job === undefined) return this.#send(from, { type: "outputAcknowledged", jobId });
    if (record.sha256 !== job.row.ticket.sha256) return this.#hold(job, errorTable["job-conflict"].sentence);
    if (job.row.outcome === undefined) {
      this.#endOffering(job);
      job.cancelRetry = undefined;
      const { heldReason: _, ...row } = job.row;
      job.row = row;
      this.#save(job, { outcome: record, accepted: true });
      this.#report(job, "ended", { detail: record.outcome });
      job.serverRetry = this.#firstRetry();
      this.#sendToServer({ type: "jobEnded", ticket: job.row.ticket, outcome: record });
    }
    this.#send(from, { type: "outputAcknowledged", jobId });
  }

  #endOffering(job: ClientJob): void {
    job.offering = false;
    job.sending = false;
    job.offerRetry = undefined;
  }

  #close(job: ClientJob, outcome: OutcomeRecord | undefined): void {
    const seen = job.row.outcome ?? outcome;
    this.#report(job, "closed", { detail: seen?.outcome ?? "canceled" });
    this.#erase(job);
  }

  /** Row first, then the image: a crash between leaves a file without a row, which the next start sweeps away. */
  #erase(job: ClientJob): void {
    const { jobId } = job.row.ticket;
    this.#jobs.delete(jobId);
    this.#persist({ op: "delete", table: clientTables.jobs, key: jobId });
    this.#effects.push({ kind: "eraseImage", jobId });
    // Nothing is open: the last list for a while, so that the host may forget what it keeps for this client.
    if (this.#jobs.size === 0) this.#listOpenJobs();
  }

  #hold(job: ClientJob, reason: string): void {
    this.#save(job, { heldReason: reason });
    this.#report(job, "held", { detail: reason });
  }

  // ---- cancel

  #cancelRequested(jobId: JobId): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    if (!job.row.cancelRequested) this.#save(job, { cancelRequested: true });
    this.#report(job, "canceling");
    this.#endOffering(job);
    job.cancelRetry = this.#firstRetry();
    this.#sendToServer({ type: "jobCancelRequested", jobId });
    this.#cancelAtHost(job);
  }

  #cancelAtHost(job: ClientJob): void {
    if (job.row.outcome !== undefined) return;
    this.#send(hostPeer(job), { type: "outputCancelRequested", ticket: job.row.ticket, epoch: job.epoch });
  }

  // ---- time

  /** After every input: what is due, who prints, which links are needed. */
  #goOn(): void {
    const nowMs = this.#now.monotonicMs;
    const alone = this.#alone();
    for (const job of this.#jobs.values()) {
      if (alone) this.#printAlone(job);
      if (job.serverRetry !== undefined && job.serverRetry.atMs <= nowMs) {
        job.serverRetry = this.#nextRetry(job.serverRetry);
        this.#silentSinceMs ??= nowMs;
        this.#tellServer(job);
      }
      if (job.offerRetry !== undefined && job.offerRetry.atMs <= nowMs) {
        job.offerRetry = this.#nextRetry(job.offerRetry);
        this.#offer(job);
      }
      if (job.cancelRetry !== undefined && job.cancelRetry.atMs <= nowMs) {
        job.cancelRetry = this.#nextRetry(job.cancelRetry);
        this.#sendToServer({ type: "jobCancelRequested", jobId: job.row.ticket.jobId });
        this.#cancelAtHost(job);
      }
    }
    if (this.#jobs.size > 0) this.#compareOpenJobs(nowMs);
    this.#wantLinks();
  }

  /** A silent server: the job is accepted on this client's own word, and offered without being asked. */
  #printAlone(job: ClientJob): void {
    if (job.row.outcome !== undefined || job.row.cancelRequested || job.row.heldReason !== undefined) return;
    if (job.row.image !== "stored" || job.offering) return;
    this.#accept(job);
    this.#startOffering(job, job.epoch);
  }

  #compareOpenJobs(nowMs: number): void {
    this.#statusAtMs ??= nowMs + this.#config.timers.statusIntervalMs;
    if (this.#statusAtMs > nowMs) return;
    this.#listOpenJobs();
    for (const peer of this.#linked) {
      if (peer === "server") continue;
      this.#askOutcomes(
        peer,
        [...this.#jobs.values()].filter((job) => hostPeer(job) === peer && job.row.outcome === undefined),
      );
    }
  }

  #askOutcomes(peer: Peer, jobs: readonly ClientJob[]): void {
    const jobIds = jobs.slice(0, limits.openJobsPerMessage).map((job) => job.row.ticket.jobId);
    if (jobIds.length > 0) this.#send(peer, { type: "outcomesRequested", jobIds, lowestOpen: this.#lowestOpen() });
  }

  #silentAtMs(): number | undefined {
    return this.#silentSinceMs === undefined ? undefined : this.#silentSinceMs + this.#config.timers.serverSilentMs;
  }

  #alone(): boolean {
    const atMs = this.#silentAtMs();
    return atMs !== undefined && atMs <= this.#now.monotonicMs;
  }

  #wantLinks(): void {
    const wanted = new Map<Peer, string>();
    for (const job of this.#jobs.values()) {
      if (job.row.outcome !== undefined) continue;
      const url = this.#printers.get(job.row.ticket.printer)?.hostUrl;
      if (url !== undefined) wanted.set(hostPeer(job), url);
    }
    for (const [peer, url] of wanted) {
      if (!this.#wanted.has(peer)) this.#effects.push({ kind: "openLink", peer, url });
      this.#wanted.set(peer, undefined);
    }
    // The next job comes soon more often than not: a link stays a while after its last one.
    const nowMs = this.#now.monotonicMs;
    for (const [peer, idleUntilMs] of this.#wanted) {
      if (wanted.has(peer)) continue;
      if (idleUntilMs === undefined) this.#wanted.set(peer, nowMs + this.#config.timers.statusIntervalMs);
      else if (idleUntilMs <= nowMs) {
        this.#wanted.delete(peer);
        this.#effects.push({ kind: "closeLink", peer });
      }
    }
  }

  /** Everything of this origin below it is closed: history durable at the server, nothing will be asked again. */
  #lowestOpen(): number {
    let lowest = this.#nextSequence;
    for (const sequence of this.#granted) lowest = Math.min(lowest, sequence);
    for (const job of this.#jobs.values()) {
      const id = parseJobId(job.row.ticket.jobId);
      // Final here, in the history there, held only for a person: nobody will ask the ledger again, and a job that
      // is held for weeks must not keep the ledger from forgetting.
      if (job.recorded) continue;
      if (id.nonce === this.#config.nonce) lowest = Math.min(lowest, id.sequence);
    }
    return lowest;
  }

  // ---- small helpers

  #save(job: ClientJob, change: Partial<ClientJobRow> = {}): void {
    job.row = { ...job.row, ...change };
    this.#persist({ op: "put", table: clientTables.jobs, key: job.row.ticket.jobId, value: job.row });
  }

  #persist(write: RowWrite): void {
    this.#effects.push({ kind: "persist", writes: [write] });
  }

  #sendToServer(message: Message): void {
    this.#send("server", message);
  }

  #send(to: Peer, message: Message): void {
    if (this.#linked.has(to)) this.#effects.push({ kind: "sendMessage", to, message });
  }

  #firstRetry(): Retry {
    return firstRetry(this.#now.monotonicMs, this.#config.timers);
  }

  #nextRetry(retry: Retry): Retry {
    return nextRetry(retry, this.#now.monotonicMs, this.#config.timers);
  }

  #report(
    job: ClientJob,
    event: ClientJobEvent,
    more: { readonly code?: ErrorCode; readonly detail?: string; readonly rowsDone?: number } = {},
  ): void {
    job.reported = event;
    if (more.rowsDone !== undefined) job.rowsDone = more.rowsDone;
    this.#effects.push({ kind: "reportJob", jobId: job.row.ticket.jobId, event, ...more });
  }

  #note(event: string, jobId?: JobId, detail?: string): void {
    const more = { ...(jobId === undefined ? {} : { jobId }), ...(detail === undefined ? {} : { detail }) };
    this.#effects.push({ kind: "note", event, ...more });
  }
}

function newJob(row: ClientJobRow, imageAtHand: boolean): ClientJob {
  return {
    row,
    imageAtHand,
    known: false,
    uploading: false,
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

function sequenceOf(ticket: JobTicket): number {
  return parseJobId(ticket.jobId).sequence;
}

function hostPeer(job: ClientJob): Peer {
  return `host:${job.row.ticket.printer}`;
}
