import { type ErrorCode, errorTable } from "../protocol/errors.ts";
import { type JobId, makeJobId, originKey, parseJobId } from "../protocol/ids.ts";
import type { HistoryRow, JobTicket, OutcomeRecord, PrinterAttributes } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import type { Message, MessageOf, Peer } from "../protocol/messages.ts";
import type { Instant, Machine, RowWrite } from "../runtime/machine.ts";
import { earliest, firstRetry, nextRetry, type Retry } from "../runtime/retry.ts";
import { chooseSender, isActive, isPending, queueOf } from "./scheduler.ts";
import {
  type KeptImageRow,
  type ServerConfig,
  type ServerEffect,
  type ServerInput,
  type ServerJob,
  type ServerJobRow,
  type ServerMeta,
  type ServerPrinter,
  type ServerPrinterRow,
  type ServerSnapshot,
  type SpoolLevel,
  serverTables,
  type WaitingReason,
} from "./server-state.ts";

/** History rows of commits that may still be under way; older ones are read from the store. */
const recentHistoryRows = 500;

/**
 * The server's side of design §2: the queue, the second spool, takeover, history. It orders; what is printed is
 * decided by the printer host alone, so a wrong or late order costs time and never a second copy.
 */
export class ServerMachine implements Machine<ServerInput, ServerEffect> {
  readonly #config: ServerConfig;
  readonly #jobs = new Map<JobId, ServerJob>();
  readonly #printers = new Map<string, ServerPrinter>();
  readonly #linked = new Set<Peer>();
  readonly #lowestOpen = new Map<string, number>();
  readonly #recent = new Map<JobId, HistoryRow>();
  readonly #kept = new Map<JobId, KeptImageRow>();
  #meta: ServerMeta;
  #queueNumber = 0;
  #spoolLevel: SpoolLevel = "ok";
  #now: Instant = { monotonicMs: 0, wallMs: 0 };
  #effects: ServerEffect[] = [];

  constructor(config: ServerConfig, snapshot: ServerSnapshot) {
    this.#config = config;
    this.#meta = snapshot.meta;
    for (const row of snapshot.printers) {
      const state = { state: "stopped" as const, reasons: ["waits-for-printer-host"] };
      const printer = { row, state, linked: false, reconciled: false, ledgerRetry: undefined };
      this.#printers.set(row.attributes.name, printer);
    }
    for (const row of snapshot.jobs) {
      this.#jobs.set(row.ticket.jobId, newJob(row));
      this.#queueNumber = Math.max(this.#queueNumber, row.queueNumber + 1);
    }
    for (const row of snapshot.kept) this.#kept.set(row.jobId, row);
  }

  get jobs(): readonly ServerJob[] {
    return [...this.#jobs.values()].sort((a, b) => a.row.queueNumber - b.row.queueNumber);
  }

  get printers(): readonly ServerPrinter[] {
    return [...this.#printers.values()];
  }

  job(jobId: JobId): ServerJob | undefined {
    return this.#jobs.get(jobId);
  }

  handle(input: ServerInput, now: Instant): readonly ServerEffect[] {
    this.#now = now;
    this.#effects = [];
    this.#take(input);
    this.#goOn();
    return this.#effects;
  }

  nextWakeMs(): number | undefined {
    const { monotonicMs, wallMs } = this.#now;
    const moments: (number | undefined)[] = [...this.#printers.values()].map((printer) => printer.ledgerRetry?.atMs);
    for (const job of this.#jobs.values()) {
      moments.push(job.cancelRetry?.atMs, isPending(job) ? phaseWakeMs(job, monotonicMs) : undefined);
      // A moment that has passed is not waited for again: whoever was to be asked is not there.
      if (job.askAtMs !== undefined && job.askAtMs > monotonicMs && !job.row.imageStored) moments.push(job.askAtMs);
    }
    for (const kept of this.#kept.values()) moments.push(monotonicMs + Math.max(0, kept.eraseAtMs - wallMs));
    return earliest(moments);
  }

  #take(input: ServerInput): void {
    switch (input.kind) {
      case "linkOpened":
        return this.#linkOpened(input.peer);
      case "linkClosed":
        return this.#linkClosed(input.peer);
      case "messageReceived":
        return this.#messageReceived(input.from, input.message);
      case "imageStored":
        return this.#imageStored(input.jobId);
      case "imageTransferEnded":
        return this.#transferEnded(input);
      case "imageLost":
        return this.#imageLost(input.jobId, input.reason);
      case "cancelRequested":
        return this.#cancel(input.jobId);
      case "retryRequested":
        return this.#retryRequested(input.jobId);
      case "reprintComposed":
        return this.#reprintComposed(input.jobId, input.ticket);
      case "reprintFailed":
        return this.#reprintFailed(input.jobId, input.reason);
      case "spoolLevelChanged":
        this.#spoolLevel = input.level;
        return;
      case "woke":
        return this.#eraseKept();
    }
  }

  // ---- links

  #linkOpened(peer: Peer): void {
    this.#linked.add(peer);
    if (peer.startsWith("client:")) this.#send(peer, { type: "printersListed", printers: this.#attributes() });
  }

  #linkClosed(peer: Peer): void {
    this.#linked.delete(peer);
    const printer = this.#printers.get(peer.slice("host:".length));
    if (peer.startsWith("host:") && printer !== undefined) {
      printer.linked = false;
      printer.reconciled = false;
      printer.ledgerRetry = undefined;
      printer.state = { state: "stopped", reasons: ["waits-for-printer-host"] };
    }
    for (const job of this.#jobs.values()) {
      const { kind } = job.phase;
      // Silence of the started client: taken over at once; a late client is answered by the ledger.
      if (clientPeer(job) === peer && (kind === "starting" || kind === "client-sending")) this.#wait(job, 0);
      if (hostPeer(job) === peer && kind === "offering") this.#wait(job, 0);
    }
  }

  #messageReceived(from: Peer, message: Message): void {
    if (from.startsWith("host:")) this.#hostSaid(from, message);
    else if (from.startsWith("client:")) this.#clientSaid(from, message);
  }

  // ---- the client's word

  #clientSaid(from: Peer, message: Message): void {
    switch (message.type) {
      case "jobRequested":
        return this.#jobRequested(from, message);
      case "senderReady":
        return this.#senderReady(message);
      case "senderHasNoImage":
        return this.#senderHasNoImage(message);
      case "jobEnded":
        return this.#ended(message.outcome, message.ticket, from);
      case "openJobsListed":
        return this.#openJobsListed(from, message);
      case "jobCancelRequested":
        if (this.#jobs.has(message.jobId)) return this.#cancel(message.jobId);
        return this.#answerUnlisted(from, message.jobId);
      default:
        return this.#note("message-unexpected", undefined, `${message.type} from ${from}`);
    }
  }

  #jobRequested(from: Peer, message: MessageOf<"jobRequested">): void {
    const { ticket, clientKeepsImage } = message;
    const { jobId } = ticket;
    const history = this.#findHistory(jobId);
    const known = this.#jobs.get(jobId);
    if ((known?.row.ticket.sha256 ?? history?.outcome.sha256 ?? ticket.sha256) !== ticket.sha256) {
      return this.#refuse(from, jobId, "job-conflict", "");
    }
    if (known === undefined && history !== undefined) return this.#requestedAgain(from, ticket, history);
    if (known !== undefined) {
      if (known.row.clientKeepsImage !== clientKeepsImage) this.#save(known, { clientKeepsImage });
      return this.#answerKnown(from, known);
    }
    const refusal = this.#refusal(ticket, clientKeepsImage);
    if (refusal !== undefined) return this.#refuse(from, jobId, refusal.code, refusal.detail);
    const serverCopy = !clientKeepsImage || (ticket.spools !== "client" && this.#spoolLevel === "ok");
    const job = this.#add(ticket, { clientKeepsImage, serverCopy, imageStored: false });
    this.#answerKnown(from, job);
  }

  /** Its client was away when the job ended: now it tells what only the ticket knows. */
  #requestedAgain(from: Peer, ticket: JobTicket, history: HistoryRow): void {
    if (history.source === undefined) this.#recordUnlisted(history.outcome, ticket, history.printer, history);
    else if (this.#undecided(history)) this.#holdUnlisted(ticket, history.outcome);
    const held = this.#jobs.get(ticket.jobId);
    if (held === undefined) this.#answerUnlisted(from, ticket.jobId);
    else this.#send(from, { type: "jobHeld", jobId: ticket.jobId, reason: held.row.heldReason ?? "" });
  }

  #refusal(ticket: JobTicket, clientKeepsImage: boolean): { code: ErrorCode; detail: string } | undefined {
    const printer = this.#printers.get(ticket.printer)?.row.attributes;
    if (printer === undefined) return { code: "printer-unknown", detail: ticket.printer };
    if (printer.hostIncarnation !== ticket.hostIncarnation) return { code: "ledger-other", detail: "" };
    if (printer.widthDots !== ticket.widthDots) {
      return { code: "image-wrong-width", detail: `${ticket.widthDots} dots, the printer has ${printer.widthDots}` };
    }
    const needsRoom = !clientKeepsImage || ticket.spools !== "client";
    if (needsRoom && this.#spoolLevel === "full") return { code: "spool-full", detail: "" };
    const { clientId } = parseJobId(ticket.jobId);
    const open = [...this.#jobs.keys()].filter((jobId) => jobId.startsWith(`${clientId}-`)).length;
    const limit = this.#config.maxOpenJobsPerClient;
    return open < limit ? undefined : { code: "too-many-jobs", detail: `${open} open, ${limit} allowed` };
  }

  #add(ticket: JobTicket, images: Pick<ServerJobRow, "clientKeepsImage" | "serverCopy" | "imageStored">): ServerJob {
    const queueNumber = this.#queueNumber++;
    const row = { ticket, ...images, epoch: 0, queueNumber, cancelRequested: false, retryRequested: false };
    const job = newJob(row);
    this.#jobs.set(ticket.jobId, job);
    this.#save(job);
    this.#note("job-added", ticket.jobId, ticket.printer);
    return job;
  }

  /** Where the job stands, as an answer to whatever its client asked. */
  #answerKnown(to: Peer, job: ServerJob): void {
    const { ticket, serverCopy, imageStored, clientKeepsImage, heldReason } = job.row;
    const { jobId } = ticket;
    // A client that cannot keep the image, or lost it, needs the copy here whatever was narrowed before.
    if (!serverCopy && !clientKeepsImage) this.#save(job, { serverCopy: true });
    this.#send(to, { type: "jobAccepted", jobId, wantImage: job.row.serverCopy && !imageStored });
    if (heldReason !== undefined) this.#send(to, { type: "jobHeld", jobId, reason: heldReason });
  }

  #answerUnlisted(to: Peer, jobId: JobId): void {
    const history = this.#findHistory(jobId);
    if (history === undefined) this.#send(to, { type: "jobUnknown", jobId });
    // An indeterminate job without a decision is open: its client tells, and the job is held again.
    else if (this.#undecided(history) || history.source === undefined) this.#send(to, { type: "jobUnknown", jobId });
    else this.#send(to, { type: "jobClosed", jobId, outcome: history.outcome });
  }

  #openJobsListed(from: Peer, message: MessageOf<"openJobsListed">): void {
    const clientId = from.slice("client:".length);
    const listed = new Set(message.jobIds);
    for (const jobId of message.jobIds) {
      const job = this.#jobs.get(jobId);
      if (job === undefined) this.#answerUnlisted(from, jobId);
      else this.#answerKnown(from, job);
    }
    for (const job of this.#jobs.values()) {
      const id = parseJobId(job.row.ticket.jobId);
      if (id.clientId !== clientId || listed.has(job.row.ticket.jobId)) continue;
      if (id.sequence >= message.nextSequence || job.row.imageStored || job.row.outcome !== undefined) continue;
      // Its client has no such job any more and there is no image here: nobody can ever print it.
      this.#note("job-abandoned", job.row.ticket.jobId, "the client does not know it any more");
      this.#cancel(job.row.ticket.jobId);
    }
    const origin = originKey({ clientId, nonce: message.nonce });
    if (message.lowestOpen <= (this.#lowestOpen.get(origin) ?? 0)) return;
    this.#lowestOpen.set(origin, message.lowestOpen);
    for (const name of this.#printers.keys()) this.#tellOpenJobs(name, [[origin, message.lowestOpen]]);
  }

  /** What clients have closed for good: the host may forget it when it needs the room. */
  #tellOpenJobs(printer: string, known: Iterable<readonly [string, number]>): void {
    const origins = [...known]
      .slice(0, limits.openJobsPerMessage)
      .map(([origin, lowestOpen]) => ({ origin, lowestOpen }));
    if (origins.length > 0) this.#send(`host:${printer}`, { type: "openJobsKnown", origins });
  }

  #senderReady(message: MessageOf<"senderReady">): void {
    const job = this.#jobs.get(message.jobId);
    if (job?.phase.kind !== "starting" || job.row.epoch !== message.epoch) return;
    job.phase = { kind: "client-sending", deadlineMs: this.#now.monotonicMs + this.#config.timers.startTimeoutMs };
    this.#changed(job);
  }

  #senderHasNoImage(message: MessageOf<"senderHasNoImage">): void {
    const job = this.#jobs.get(message.jobId);
    if (job === undefined) return;
    this.#note("sender-has-no-image", message.jobId, message.code ?? message.reason);
    if (message.reason === "no-image" && job.row.clientKeepsImage) this.#save(job, { clientKeepsImage: false });
    if (message.code !== undefined && !errorTable[message.code].retryable) {
      if (message.code !== "epoch-stale" && job.row.outcome === undefined) this.#hold(job, message.code);
      return;
    }
    const { kind } = job.phase;
    if (message.epoch !== job.row.epoch || (kind !== "starting" && kind !== "client-sending")) return;
    this.#takeOver(job);
  }

  // ---- images in this spool

  #imageStored(jobId: JobId): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) {
      this.#effects.push({ kind: "eraseImage", jobId });
      return;
    }
    if (!job.row.imageStored) this.#save(job, { imageStored: true, serverCopy: true });
    this.#send(clientPeer(job), { type: "imageStored", jobId });
  }

  #imageLost(jobId: JobId, reason: string): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    this.#note("image-lost", jobId, reason);
    this.#save(job, { imageStored: false, serverCopy: true });
    if (job.phase.kind === "offering") this.#wait(job, 0);
    this.#answerKnown(clientPeer(job), job);
  }

  #transferEnded(input: Extract<ServerInput, { kind: "imageTransferEnded" }>): void {
    const job = this.#jobs.get(input.jobId);
    if (job?.phase.kind === "offering") job.phase.sending = false;
    if (!input.ok) this.#note("image-transfer-failed", input.jobId, input.reason);
  }

  // ---- the host's word

  #hostSaid(from: Peer, message: Message): void {
    const name = from.slice("host:".length);
    switch (message.type) {
      case "printerChanged":
        return this.#printerChanged(name, message);
      case "ledgerListed":
        return this.#ledgerListed(name, message);
      case "outputEnded":
        this.#ended(message.record, undefined, from);
        return this.#send(from, { type: "outputAcknowledged", jobId: message.record.jobId });
      case "outcomesUnknown":
        for (const jobId of message.jobIds) {
          const job = this.#jobs.get(jobId);
          if (job?.phase.kind === "outputting") this.#wait(job, 0);
        }
        return;
      case "imageWanted":
      case "offerWaiting":
      case "offerRefused":
      case "outputStarted":
      case "outputProgressed": {
        const job = this.#jobs.get(message.jobId);
        return job === undefined ? undefined : this.#offerAnswered(job, message);
      }
      default:
        return this.#note("message-unexpected", undefined, `${message.type} from ${from}`);
    }
  }

  #offerAnswered(job: ServerJob, message: Message): void {
    const { jobId } = job.row.ticket;
    if (job.row.outcome !== undefined) return;
    switch (message.type) {
      case "imageWanted":
        if (job.phase.kind !== "offering" || job.phase.sending || message.epoch !== job.row.epoch) return;
        job.phase.sending = true;
        this.#effects.push({ kind: "sendImage", jobId, to: hostPeer(job), uploadId: message.uploadId });
        return;
      case "outputStarted":
        if (job.phase.kind === "outputting") return;
        job.phase = { kind: "outputting", retry: this.#firstRetry(), sentBy: message.sentBy };
        job.attempt = undefined;
        job.lastRefusal = undefined;
        return this.#changed(job);
      case "outputProgressed":
        job.rowsDone = message.rowsDone;
        return this.#changed(job);
      case "offerRefused":
        if (message.code === "epoch-stale" || errorTable[message.code].retryable) {
          if (message.epoch !== job.row.epoch || job.phase.kind !== "offering") return;
          this.#wait(job, this.#pause(job));
          job.lastRefusal = message.code;
          return;
        }
        return this.#hold(job, message.code);
      default:
        return;
    }
  }

  #printerChanged(name: string, message: MessageOf<"printerChanged">): void {
    const { attributes, state } = message;
    if (attributes.name !== name) return;
    const known = this.#printers.get(name);
    const same = JSON.stringify(known?.row.attributes) === JSON.stringify(attributes);
    const { hostIncarnation } = attributes;
    const cursor =
      known?.row.cursor.hostIncarnation === hostIncarnation ? known.row.cursor : { hostIncarnation, sequence: -1 };
    const row: ServerPrinterRow = { attributes, cursor };
    const reconciled = known?.linked === true && known.reconciled && same;
    this.#printers.set(name, { row, state, linked: true, reconciled, ledgerRetry: known?.ledgerRetry });
    if (!same) {
      this.#persist([{ op: "put", table: serverTables.printers, key: name, value: row }]);
      const printers = this.#attributes();
      for (const peer of this.#linked) {
        if (peer.startsWith("client:")) this.#send(peer, { type: "printersListed", printers });
      }
    }
    if (!reconciled) this.#askLedger(name);
    for (const job of this.#jobs.values()) {
      if (job.row.ticket.printer !== name || !job.row.cancelRequested || job.row.outcome !== undefined) continue;
      this.#cancelAtHost(job);
    }
  }

  #askLedger(name: string): void {
    const printer = this.#printers.get(name);
    if (printer === undefined) return;
    printer.ledgerRetry ??= this.#firstRetry();
    this.#send(`host:${name}`, { type: "ledgerRequested", afterSequence: printer.row.cursor.sequence });
  }

  /** Brings the history level with the ledger before anything is scheduled. */
  #ledgerListed(name: string, message: MessageOf<"ledgerListed">): void {
    const printer = this.#printers.get(name);
    if (printer === undefined || printer.row.cursor.hostIncarnation !== message.hostIncarnation) return;
    for (const record of message.records) this.#ended(record, undefined, `host:${name}`);
    const { hostIncarnation } = message;
    // The cursor follows the rows in the same queue of durable writes, never ahead of them.
    if (message.upTo > printer.row.cursor.sequence) {
      printer.row = { ...printer.row, cursor: { hostIncarnation, sequence: message.upTo } };
      this.#persist([{ op: "put", table: serverTables.printers, key: name, value: printer.row }]);
    }
    printer.ledgerRetry = undefined;
    if (!message.complete) return this.#askLedger(name);
    printer.reconciled = true;
    this.#tellOpenJobs(name, this.#lowestOpen);
    const jobIds = [...this.#jobs.values()].filter((job) => hostPeer(job) === `host:${name}` && isActive(job));
    if (jobIds.length > 0) {
      const ids = jobIds.map((job) => job.row.ticket.jobId);
      this.#send(`host:${name}`, { type: "outcomesRequested", jobIds: ids });
    }
  }

  // ---- the end (steps 311-317)

  /** A final record came: from the host, or from the client that heard it (step 313). */
  #ended(record: OutcomeRecord, ticket: JobTicket | undefined, from: Peer): void {
    const { jobId } = record;
    const job = this.#jobs.get(jobId);
    const history = this.#findHistory(jobId);
    const sha256 = job?.row.ticket.sha256 ?? history?.outcome.sha256 ?? record.sha256;
    if (sha256 !== record.sha256) return this.#note("outcome-conflict", jobId, `${record.outcome} from ${from}`);
    const known = job?.row.ticket ?? ticket;
    const printer = known?.printer ?? (from.startsWith("host:") ? from.slice("host:".length) : undefined);
    if (printer === undefined) return;
    if (job !== undefined) {
      if (job.row.outcome === undefined) this.#settle(job, record, printer);
    } else if (history === undefined || (ticket !== undefined && history.source === undefined)) {
      this.#recordUnlisted(record, ticket, printer, history);
    } else if (ticket !== undefined && this.#undecided(history)) this.#holdUnlisted(ticket, record);
    if (from.startsWith("client:")) this.#answerEnded(from, jobId);
  }

  #answerEnded(to: Peer, jobId: JobId): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return this.#answerUnlisted(to, jobId);
    this.#send(to, { type: "jobHeld", jobId, reason: job.row.heldReason ?? "" });
  }

  /** The history is written at once, whatever becomes of the row in the queue: it says what the ledger says (I5). */
  #settle(job: ServerJob, record: OutcomeRecord, printer: string): void {
    const { ticket, cancelRequested, retryRequested } = job.row;
    const history = this.#historyRow(record, ticket, printer);
    this.#note("job-ended", record.jobId, `${record.outcome} by ${record.sentBy ?? "nobody"}: ${record.evidence}`);
    if (record.outcome !== "indeterminate") return this.#close(job, history);
    const policy = this.#config.indeterminatePolicy(printer);
    if (!retryRequested && cancelRequested) return this.#close(job, { ...history, resolution: "dismissed" });
    if (policy === "assume-printed" && !retryRequested) {
      return this.#close(job, { ...history, resolution: "assumed-printed" });
    }
    const heldReason = `indeterminate: ${record.reason ?? "nobody knows whether it is on paper"}`;
    job.row = { ...job.row, outcome: record, heldReason };
    job.phase = waitingPhase("waits-for-turn");
    job.cancelRetry = undefined;
    this.#remember(history);
    this.#persist([
      { op: "put", table: serverTables.history, key: record.jobId, value: history },
      { op: "put", table: serverTables.jobs, key: record.jobId, value: job.row },
    ]);
    this.#changed(job);
    this.#send(clientPeer(job), { type: "jobHeld", jobId: record.jobId, reason: heldReason });
  }

  /** A job that never was, or no longer is, in this queue: a client printed it while the server was away. */
  #recordUnlisted(
    record: OutcomeRecord,
    ticket: JobTicket | undefined,
    printer: string,
    history: HistoryRow | undefined,
  ): void {
    const row = this.#historyRow(record, ticket, printer);
    const kept = history?.resolution === undefined ? {} : { resolution: history.resolution };
    const assumed =
      record.outcome === "indeterminate" && this.#config.indeterminatePolicy(printer) === "assume-printed"
        ? ({ resolution: "assumed-printed" } as const)
        : {};
    const value: HistoryRow = { ...row, ...assumed, ...kept };
    this.#remember(value);
    this.#persist([{ op: "put", table: serverTables.history, key: record.jobId, value }]);
    this.#note("job-recorded", record.jobId, record.outcome);
    if (ticket !== undefined && this.#undecided(value)) this.#holdUnlisted(ticket, record);
  }

  #holdUnlisted(ticket: JobTicket, record: OutcomeRecord): void {
    const job = this.#add(ticket, { clientKeepsImage: true, serverCopy: false, imageStored: false });
    const heldReason = `indeterminate: ${record.reason ?? "nobody knows whether it is on paper"}`;
    this.#save(job, { outcome: record, heldReason });
  }

  /** History row in, job row out, in one transaction; then the image goes, then the client hears (314-317). */
  #close(job: ServerJob, history: HistoryRow, more: readonly RowWrite[] = []): void {
    const { jobId } = history;
    this.#jobs.delete(jobId);
    this.#remember(history);
    const writes: RowWrite[] = [
      { op: "put", table: serverTables.history, key: jobId, value: history },
      { op: "delete", table: serverTables.jobs, key: jobId },
      ...more,
    ];
    const keep = this.#config.keepEndedMs > 0 && job.row.imageStored;
    if (keep) {
      const kept: KeptImageRow = { jobId, eraseAtMs: this.#now.wallMs + this.#config.keepEndedMs };
      this.#kept.set(jobId, kept);
      writes.push({ op: "put", table: serverTables.kept, key: jobId, value: kept });
    }
    this.#persist(writes);
    if (!keep && job.row.serverCopy) this.#effects.push({ kind: "eraseImage", jobId });
    this.#send(clientPeer(job), { type: "jobClosed", jobId, outcome: history.outcome });
    this.#changed(job);
  }

  #historyRow(outcome: OutcomeRecord, ticket: JobTicket | undefined, printer: string): HistoryRow {
    const { jobId, title, clientName, pages, heightDots } = outcome;
    const common = { jobId, printer, outcome, recordedAtMs: this.#now.wallMs };
    if (ticket === undefined) return { ...common, title, clientName, pages, heightDots };
    const { source, spools, requestedAtMs, documentDateMs, sizeBytes, reprintOf } = ticket;
    return {
      ...common,
      title: ticket.title,
      clientName: ticket.clientName,
      pages: ticket.pages,
      heightDots: ticket.heightDots,
      source,
      spools,
      requestedAtMs,
      sizeBytes,
      ...(documentDateMs === undefined ? {} : { documentDateMs }),
      ...(reprintOf === undefined ? {} : { reprintOf }),
    };
  }

  #undecided(history: HistoryRow): boolean {
    return history.outcome.outcome === "indeterminate" && history.resolution === undefined;
  }

  // ---- cancel, retry, reprint

  #cancel(jobId: JobId): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined || job.composing) return;
    const { outcome, ticket } = job.row;
    if (outcome !== undefined) {
      // Nobody knows whether it is on paper, and a person says: let it be.
      const history = this.#findHistory(jobId) ?? this.#historyRow(outcome, ticket, ticket.printer);
      return this.#close(job, { ...history, resolution: "dismissed" });
    }
    if (!job.row.cancelRequested) this.#save(job, { cancelRequested: true, epoch: job.row.epoch + 1 });
    this.#wait(job, 0);
    this.#cancelAtHost(job);
  }

  #cancelAtHost(job: ServerJob): void {
    const { ticket, epoch } = job.row;
    job.cancelRetry ??= this.#firstRetry();
    this.#send(hostPeer(job), { type: "outputCancelRequested", ticket, epoch });
  }

  #retryRequested(jobId: JobId): void {
    const job = this.#jobs.get(jobId);
    if (job?.row.heldReason === undefined || !job.row.imageStored || job.composing) return;
    job.composeFailed = false;
    if (job.row.outcome !== undefined) return this.#save(job, { retryRequested: true });
    // Held without a final record (an older ledger's job): the present ledger first refuses it for ever.
    this.#save(job, { retryRequested: true });
    this.#cancel(jobId);
  }

  #wantsReprint(job: ServerJob): boolean {
    const { outcome, imageStored, retryRequested, ticket } = job.row;
    if (outcome?.outcome !== "indeterminate" || !imageStored || job.composing || job.composeFailed) return false;
    return retryRequested || this.#config.indeterminatePolicy(ticket.printer) === "reprint-marked";
  }

  #compose(job: ServerJob): void {
    const { jobId } = job.row.ticket;
    const { clientId, nonce, nextSequence } = this.#meta;
    this.#meta = { clientId, nonce, nextSequence: nextSequence + 1 };
    this.#persist([{ op: "put", table: serverTables.meta, key: "meta", value: this.#meta }]);
    job.composing = true;
    this.#effects.push({ kind: "composeReprint", jobId, newJobId: makeJobId({ clientId, nonce }, nextSequence) });
  }

  #reprintComposed(jobId: JobId, ticket: JobTicket): void {
    const job = this.#jobs.get(jobId);
    if (job?.row.outcome === undefined || !job.composing) {
      this.#effects.push({ kind: "eraseImage", jobId: ticket.jobId });
      return;
    }
    const reprint = newJob({
      ticket,
      clientKeepsImage: false,
      serverCopy: true,
      imageStored: true,
      epoch: 0,
      queueNumber: this.#queueNumber++,
      cancelRequested: false,
      retryRequested: false,
    });
    this.#jobs.set(ticket.jobId, reprint);
    const history = this.#findHistory(jobId) ?? this.#historyRow(job.row.outcome, job.row.ticket, ticket.printer);
    const added: RowWrite = { op: "put", table: serverTables.jobs, key: ticket.jobId, value: reprint.row };
    this.#note("job-reprinted", jobId, ticket.jobId);
    this.#close(job, { ...history, resolution: "reprinted" }, [added]);
    this.#changed(reprint);
  }

  #reprintFailed(jobId: JobId, reason: string): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    job.composing = false;
    job.composeFailed = true;
    this.#note("reprint-failed", jobId, reason);
    this.#send(clientPeer(job), { type: "jobHeld", jobId, reason: job.row.heldReason ?? reason });
  }

  #hold(job: ServerJob, code: ErrorCode): void {
    const { jobId } = job.row.ticket;
    const heldReason = `${code}: ${errorTable[code].sentence}`;
    job.phase = waitingPhase("waits-for-turn");
    if (job.row.heldReason !== heldReason) this.#save(job, { heldReason });
    this.#send(clientPeer(job), { type: "jobHeld", jobId, reason: heldReason });
  }

  // ---- scheduling and takeover

  /** After every input: deadlines first, then the next job of each printer that is free. */
  #goOn(): void {
    const nowMs = this.#now.monotonicMs;
    for (const [name, printer] of this.#printers) {
      if (printer.ledgerRetry === undefined || printer.ledgerRetry.atMs > nowMs) continue;
      printer.ledgerRetry = this.#nextRetry(printer.ledgerRetry);
      if (printer.linked) this.#askLedger(name);
    }
    for (const job of this.#jobs.values()) {
      if (job.cancelRetry !== undefined && job.cancelRetry.atMs <= nowMs) {
        job.cancelRetry = this.#nextRetry(job.cancelRetry);
        this.#cancelAtHost(job);
      }
      if (isPending(job)) this.#checkDeadline(job, nowMs);
      else if (this.#wantsReprint(job)) this.#compose(job);
    }
    for (const name of this.#printers.keys()) this.#schedule(name);
  }

  #checkDeadline(job: ServerJob, nowMs: number): void {
    const { phase } = job;
    const { jobId } = job.row.ticket;
    switch (phase.kind) {
      case "starting":
        if (phase.deadlineMs <= nowMs) return this.#takeOver(job);
        if (phase.retry.atMs > nowMs) return;
        phase.retry = this.#nextRetry(phase.retry);
        return this.#send(clientPeer(job), { type: "jobStarted", jobId, epoch: job.row.epoch });
      case "client-sending":
        if (phase.deadlineMs <= nowMs) this.#takeOver(job);
        return;
      case "offering":
        if (phase.retry.atMs > nowMs) return;
        phase.retry = this.#nextRetry(phase.retry);
        return this.#sendOffer(job);
      case "outputting":
        if (phase.retry.atMs > nowMs) return;
        phase.retry = this.#nextRetry(phase.retry);
        return this.#send(hostPeer(job), { type: "outcomesRequested", jobIds: [jobId] });
      case "waiting":
        return;
    }
  }

  #schedule(name: string): void {
    const printer = this.#printers.get(name);
    if (printer === undefined || (printer.linked && !printer.reconciled)) return;
    for (const job of this.#jobs.values()) if (job.row.ticket.printer === name && isActive(job)) return;
    for (const job of queueOf(this.#jobs.values(), name)) {
      if (job.phase.kind !== "waiting" || job.phase.notBeforeMs > this.#now.monotonicMs) continue;
      const choice = chooseSender(job, this.#surroundings(job));
      if (choice.kind === "wait") {
        this.#setWaiting(job, choice.reason, 0);
        if (choice.reason === "waits-for-image") this.#askImage(job);
        continue;
      }
      return choice.kind === "start-client" ? this.#startClient(job) : this.#offerOwn(job);
    }
  }

  /** The client is there and its upload is not: says now and then that the image is wanted. */
  #askImage(job: ServerJob): void {
    const nowMs = this.#now.monotonicMs;
    const { statusIntervalMs } = this.#config.timers;
    job.askAtMs ??= nowMs + statusIntervalMs;
    if (job.askAtMs > nowMs) return;
    job.askAtMs = nowMs + statusIntervalMs;
    this.#answerKnown(clientPeer(job), job);
  }

  #surroundings(job: ServerJob): { clientLinked: boolean; hostLinked: boolean } {
    const hostLinked = this.#printers.get(job.row.ticket.printer)?.linked === true;
    return { clientLinked: this.#linked.has(clientPeer(job)), hostLinked };
  }

  /** Step 307. The epoch is durable before the order leaves. */
  #startClient(job: ServerJob): void {
    this.#save(job, { epoch: job.row.epoch + 1 });
    const deadlineMs = this.#now.monotonicMs + this.#config.timers.startTimeoutMs;
    job.phase = { kind: "starting", deadlineMs, retry: this.#firstRetry() };
    this.#send(clientPeer(job), { type: "jobStarted", jobId: job.row.ticket.jobId, epoch: job.row.epoch });
  }

  #offerOwn(job: ServerJob): void {
    this.#save(job, { epoch: job.row.epoch + 1 });
    job.phase = { kind: "offering", retry: this.#firstRetry(), sending: false };
    this.#sendOffer(job);
  }

  #sendOffer(job: ServerJob): void {
    const { ticket, epoch } = job.row;
    const lowestOpen = this.#lowestOpenOf(ticket.jobId);
    const more = lowestOpen === undefined ? {} : { lowestOpen };
    this.#send(hostPeer(job), { type: "imageOffered", ticket, epoch, sentBy: "server", ...more });
  }

  /** For its own reprints the server knows it, for a client's job it was told. */
  #lowestOpenOf(jobId: JobId): number | undefined {
    const origin = originOf(jobId);
    const { clientId, nonce, nextSequence } = this.#meta;
    if (origin !== `${clientId}-${nonce}`) return this.#lowestOpen.get(origin);
    const mine = [...this.#jobs.values()].filter(({ row }) => originOf(row.ticket.jobId) === origin);
    const open = mine
      .filter(({ row }) => row.outcome === undefined)
      .map(({ row }) => parseJobId(row.ticket.jobId).sequence);
    return Math.min(nextSequence, ...open);
  }

  /** S410: the started client does not do it. */
  #takeOver(job: ServerJob): void {
    const { hostLinked } = this.#surroundings(job);
    this.#note("client-silent", job.row.ticket.jobId, job.phase.kind);
    if (job.row.imageStored && hostLinked) return this.#offerOwn(job);
    this.#wait(job, this.#pause(job));
  }

  /** Growing pause between attempts that failed. */
  #pause(job: ServerJob): number {
    job.attempt = job.attempt === undefined ? this.#firstRetry() : this.#nextRetry(job.attempt);
    return job.attempt.delayMs;
  }

  #wait(job: ServerJob, pauseMs: number): void {
    this.#setWaiting(job, pauseMs > 0 ? "waits-for-sender" : "waits-for-turn", pauseMs);
  }

  #setWaiting(job: ServerJob, reason: WaitingReason, pauseMs: number): void {
    const { phase } = job;
    if (phase.kind === "waiting" && phase.reason === reason && pauseMs === 0) return;
    const notBeforeMs = pauseMs === 0 ? 0 : this.#now.monotonicMs + pauseMs;
    job.phase = { kind: "waiting", reason, notBeforeMs };
    this.#changed(job);
  }

  // ---- kept images

  #eraseKept(): void {
    for (const [jobId, kept] of this.#kept) {
      if (kept.eraseAtMs > this.#now.wallMs) continue;
      this.#kept.delete(jobId);
      this.#persist([{ op: "delete", table: serverTables.kept, key: jobId }]);
      this.#effects.push({ kind: "eraseImage", jobId });
    }
  }

  // ---- small helpers

  #attributes(): PrinterAttributes[] {
    return [...this.#printers.values()].map((printer) => printer.row.attributes);
  }

  #findHistory(jobId: JobId): HistoryRow | undefined {
    return this.#recent.get(jobId) ?? this.#config.findHistory(jobId);
  }

  #remember(row: HistoryRow): void {
    this.#recent.delete(row.jobId);
    this.#recent.set(row.jobId, row);
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= recentHistoryRows) return;
      this.#recent.delete(oldest);
    }
  }

  #save(job: ServerJob, change: Partial<ServerJobRow> = {}): void {
    job.row = { ...job.row, ...change };
    this.#persist([{ op: "put", table: serverTables.jobs, key: job.row.ticket.jobId, value: job.row }]);
    this.#changed(job);
  }

  #persist(writes: readonly RowWrite[]): void {
    this.#effects.push({ kind: "persist", writes });
  }

  #changed(job: ServerJob): void {
    this.#effects.push({ kind: "jobChanged", jobId: job.row.ticket.jobId });
  }

  #refuse(to: Peer, jobId: JobId, code: ErrorCode, detail: string): void {
    this.#note("job-refused", jobId, code);
    this.#send(to, { type: "jobRefused", jobId, code, detail });
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

  #note(event: string, jobId?: JobId, detail?: string): void {
    const more = { ...(jobId === undefined ? {} : { jobId }), ...(detail === undefined ? {} : { detail }) };
    this.#effects.push({ kind: "note", event, ...more });
  }
}

function newJob(row: ServerJobRow): ServerJob {
  const phase = waitingPhase("waits-for-turn");
  return {
    row,
    phase,
    attempt: undefined,
    cancelRetry: undefined,
    composing: false,
    composeFailed: false,
    askAtMs: undefined,
    lastRefusal: undefined,
    rowsDone: 0,
  };
}

function waitingPhase(reason: WaitingReason): ServerJob["phase"] {
  return { kind: "waiting", reason, notBeforeMs: 0 };
}

function phaseWakeMs({ phase }: ServerJob, nowMs: number): number | undefined {
  switch (phase.kind) {
    case "waiting":
      return phase.notBeforeMs > nowMs ? phase.notBeforeMs : undefined;
    case "starting":
      return Math.min(phase.deadlineMs, phase.retry.atMs);
    case "client-sending":
      return phase.deadlineMs;
    case "offering":
    case "outputting":
      return phase.retry.atMs;
  }
}

function clientPeer(job: ServerJob): Peer {
  return `client:${parseJobId(job.row.ticket.jobId).clientId}`;
}

function hostPeer(job: ServerJob): Peer {
  return `host:${job.row.ticket.printer}`;
}

function originOf(jobId: JobId): string {
  return jobId.slice(0, jobId.lastIndexOf("-"));
}
