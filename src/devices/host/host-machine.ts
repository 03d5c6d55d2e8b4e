import type { ErrorCode } from "../../protocol/errors.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { JobTicket, PrinterState } from "../../protocol/job.ts";
import type { Message, MessageOf, Peer } from "../../protocol/messages.ts";
import type { Instant, Machine } from "../../runtime/machine.ts";
import { earliest, firstRetry, nextRetry, type Retry } from "../../runtime/retry.ts";
import { Announcements } from "./announcements.ts";
import { HostLedger } from "./host-ledger.ts";
import {
  attributesOf,
  type HostConfig,
  type HostEffect,
  type HostInput,
  imageReceivedMessage,
  imageRefusal,
  type LoadedImage,
  ledgerPage,
  makeRecord,
  type Offer,
  originOf,
  outcomeOf,
  type Reception,
  type RecordStart,
  ticketRefusal,
} from "./host-state.ts";
import { Interests } from "./interests.ts";
import type { JobRecord, LedgerRecord } from "./ledger-record.ts";
import { OfferQueue } from "./offer-queue.ts";
import { UnsettledJobs } from "./unsettled-jobs.ts";

/**
 * The printer host: the only arbiter of what is printed (design §3). Any number of senders may offer the same job;
 * the ledger lets it reach the paper at most once. INTENT is durable before the first byte goes to the device, the
 * final state before anyone hears of it.
 */
export class HostMachine implements Machine<HostInput, HostEffect> {
  readonly #config: HostConfig;
  readonly #ledger: HostLedger;
  readonly #linked = new Set<Peer>();
  readonly #offers = new OfferQueue();
  #receiving: Reception | undefined;
  #loaded: LoadedImage | undefined;
  #printing: LoadedImage | undefined;
  #canceling = false;
  readonly #unsettled: UnsettledJobs;
  readonly #interests = new Interests();
  readonly #announcements: Announcements;
  #deviceReady = false;
  #deviceState: PrinterState = { state: "stopped", reasons: ["connecting-to-device"] };
  #uploads = 0;
  /** Repeats `printerChanged` until the server answers by asking for the ledger. */
  #tellRetry: Retry | undefined;
  #now: Instant = { monotonicMs: 0, wallMs: 0 };
  #effects: HostEffect[] = [];

  constructor(config: HostConfig, restored: readonly LedgerRecord[]) {
    this.#config = config;
    this.#ledger = new HostLedger(config.ledgerRecords, restored);
    this.#announcements = new Announcements(config.timers);
    this.#unsettled = new UnsettledJobs(this.#ledger.intents());
  }

  get printing(): JobId | undefined {
    return this.#printing?.ticket.jobId;
  }

  handle(input: HostInput, now: Instant): readonly HostEffect[] {
    this.#now = now;
    this.#effects = [];
    this.#take(input);
    this.#seekEvidence();
    this.#expire();
    this.#pump();
    return this.#effects;
  }

  nextWakeMs(): number | undefined {
    const expiries = [this.#loaded, this.#receiving, ...this.#offers.all()].map((offer) => offer?.expiresAtMs);
    return earliest([
      this.#receiving?.deadlineMs,
      this.#tellRetry?.atMs,
      this.#announcements.nextWakeMs(),
      ...expiries,
    ]);
  }

  #take(input: HostInput): void {
    switch (input.kind) {
      case "linkOpened":
        return this.#linkOpened(input.peer);
      case "linkClosed":
        return this.#linkClosed(input.peer);
      case "messageReceived":
        return this.#messageReceived(input.from, input.message);
      case "imageProgressed":
        if (this.#receiving?.uploadId === input.uploadId) this.#receiving.deadlineMs = this.#receptionDeadline();
        return;
      case "imageReceived":
        return this.#imageReceived(input);
      case "imageFailed":
        if (this.#receiving?.uploadId === input.uploadId) this.#forgetReception(input.reason);
        return;
      case "deviceStateChanged":
        this.#deviceReady = input.ready;
        this.#deviceState = input.state;
        return this.#tellPrinter();
      case "outputProgressed":
        return this.#tellInterested(input.jobId, {
          type: "outputProgressed",
          jobId: input.jobId,
          rowsDone: input.rowsDone,
        });
      case "outputFinished":
        return this.#outputFinished(input);
      case "evidenceSettled":
        return this.#evidenceSettled(input);
      case "woke":
        return this.#woke();
    }
  }

  // ---- links

  #linkOpened(peer: Peer): void {
    this.#linked.add(peer);
    if (peer !== "server") return;
    this.#tellRetry = firstRetry(this.#now.monotonicMs, this.#config.timers);
    this.#tellPrinter();
  }

  #linkClosed(peer: Peer): void {
    this.#linked.delete(peer);
    if (peer === "server") this.#tellRetry = undefined;
    this.#announcements.forget(peer);
    this.#offers.forget(peer);
    if (this.#receiving?.from === peer) this.#forgetReception("the link to the sender closed");
  }

  #tellPrinter(): void {
    this.#send("server", { type: "printerChanged", attributes: attributesOf(this.#config), state: this.#deviceState });
  }

  #messageReceived(from: Peer, message: Message): void {
    switch (message.type) {
      case "imageOffered":
        return this.#imageOffered(from, message);
      case "outputCancelRequested":
        return this.#cancelRequested(from, message);
      case "outcomesRequested":
        return this.#outcomesRequested(from, message);
      case "outputAcknowledged":
        return this.#announcements.acknowledge(from, message.jobId);
      case "openJobsKnown":
        for (const { origin, lowestOpen } of message.origins) this.#ledger.learnLowestOpen(origin, lowestOpen);
        return;
      case "ledgerRequested":
        return this.#ledgerRequested(from, message.afterSequence);
      default:
        this.#note("message-unexpected", undefined, `${message.type} from ${from}`);
    }
  }

  // ---- offers (step 309)

  #imageOffered(from: Peer, message: MessageOf<"imageOffered">): void {
    const { ticket, epoch, sentBy } = message;
    const { jobId } = ticket;
    if (message.lowestOpen !== undefined) this.#ledger.learnLowestOpen(originOf(jobId), message.lowestOpen);
    if (this.#answerKnown(from, ticket, epoch)) return;
    const refusal = this.#refusal(ticket);
    if (refusal !== undefined) return this.#refuse(from, jobId, epoch, refusal);
    this.#interests.add(from, jobId);
    if (this.#loaded?.ticket.jobId === jobId) return this.#send(from, imageReceivedMessage(this.#loaded));
    const reception = this.#receiving?.ticket.jobId === jobId ? this.#receiving : undefined;
    const known = reception ?? this.#offers.get(jobId);
    if (known !== undefined && epoch < known.epoch) return this.#refuse(from, jobId, epoch, "epoch-stale");
    if (reception !== undefined) {
      if (reception.from === from && reception.epoch === epoch) return this.#want(reception);
      if (epoch === reception.epoch) return this.#tellWaiting(from, jobId, epoch);
      this.#forgetReception("a newer order came");
    } else if (known !== undefined && epoch === known.epoch && known.from !== from) {
      return this.#tellWaiting(from, jobId, epoch);
    }
    if (known === undefined && !this.#makeRoom()) return this.#refuse(from, jobId, epoch, "ledger-full");
    const { expiresInMs } = message;
    const expiry = expiresInMs === undefined ? {} : { expiresAtMs: this.#now.monotonicMs + expiresInMs };
    this.#offers.put({ ticket, from, sentBy, epoch, ...expiry });
    this.#tellWaiting(from, jobId, epoch);
  }

  /** Answers from the ledger when it knows the job: final states are repeated, never printed again. */
  #answerKnown(from: Peer, ticket: JobTicket, epoch: number): boolean {
    const { jobId } = ticket;
    if (this.#ledger.pruned(jobId)) {
      this.#refuse(from, jobId, epoch, "job-pruned");
      return true;
    }
    const record = this.#ledger.job(jobId);
    if (record === undefined) return false;
    if (record.sha256 !== ticket.sha256) this.#refuse(from, jobId, epoch, "job-conflict");
    else if (record.state === "intent") {
      this.#interests.add(from, jobId);
      this.#send(from, { type: "outputStarted", jobId, epoch: record.epoch, sentBy: record.sentBy ?? "client" });
    } else this.#announce(from, record);
    return true;
  }

  #refusal(ticket: JobTicket): ErrorCode | undefined {
    return ticketRefusal(ticket, this.#config) ?? (this.#hasOtherImage(ticket) ? "job-conflict" : undefined);
  }

  /** Another image came first under this id. */
  #hasOtherImage({ jobId, sha256 }: JobTicket): boolean {
    const held = [this.#receiving, this.#loaded, this.#printing, this.#offers.get(jobId)];
    return held.some((offer) => offer?.ticket.jobId === jobId && offer.ticket.sha256 !== sha256);
  }

  #makeRoom(): boolean {
    const { room, horizons } = this.#ledger.makeRoom();
    if (horizons.length > 0) this.#effects.push({ kind: "persist", records: horizons });
    return room;
  }

  // ---- one image at a time

  #want(reception: Reception): void {
    const { jobId } = reception.ticket;
    this.#effects.push({ kind: "expectImage", ticket: reception.ticket, uploadId: reception.uploadId });
    this.#send(reception.from, {
      type: "imageWanted",
      jobId,
      epoch: reception.epoch,
      uploadId: reception.uploadId,
    });
  }

  #forgetReception(reason: string): void {
    const reception = this.#receiving;
    if (reception === undefined) return;
    this.#receiving = undefined;
    this.#note("image-dropped", reception.ticket.jobId, reason);
    this.#effects.push({ kind: "dropImage", jobId: reception.ticket.jobId });
  }

  #receptionDeadline(): number {
    return this.#now.monotonicMs + this.#config.timers.imageTransferTimeoutMs;
  }

  #imageReceived(input: Extract<HostInput, { kind: "imageReceived" }>): void {
    const reception = this.#receiving;
    if (reception === undefined || reception.uploadId !== input.uploadId) return;
    const { ticket, epoch, from } = reception;
    const refusal = imageRefusal(ticket, input);
    this.#receiving = undefined;
    if (refusal !== undefined) {
      this.#effects.push({ kind: "dropImage", jobId: ticket.jobId });
      return this.#refuse(from, ticket.jobId, epoch, refusal);
    }
    const { uploadId: _, deadlineMs: __, ...offer } = reception;
    this.#loaded = { ...offer, intent: undefined };
    this.#tellInterested(ticket.jobId, imageReceivedMessage(this.#loaded));
  }

  /** Goes on wherever it can: next image in, next image out. */
  #pump(): void {
    if (!this.#unsettled.isEmpty) return;
    if (this.#loaded !== undefined && this.#printing === undefined && this.#deviceReady) this.#startOutput();
    if (this.#receiving !== undefined || this.#loaded !== undefined) return;
    for (let offer = this.#offers.takeFirst(); offer !== undefined; offer = this.#offers.takeFirst()) {
      // There was room when it was offered; what was printed since has taken it.
      if (this.#makeRoom()) return this.#receive(offer);
      this.#refuse(offer.from, offer.ticket.jobId, offer.epoch, "ledger-full");
    }
  }

  #receive(offer: Offer): void {
    this.#uploads += 1;
    const uploadId = `${this.#config.bootId}.${this.#uploads}`;
    this.#receiving = { ...offer, uploadId, deadlineMs: this.#receptionDeadline() };
    this.#want(this.#receiving);
  }

  // ---- output

  #startOutput(): void {
    const image = this.#loaded;
    if (image === undefined) return;
    this.#loaded = undefined;
    this.#printing = image;
    this.#canceling = false;
    const { jobId } = image.ticket;
    if (image.intent === undefined) {
      image.intent = this.#newRecord(image.ticket, { state: "intent", epoch: image.epoch, sentBy: image.sentBy });
      this.#persist(image.intent);
    }
    this.#effects.push({ kind: "startOutput", jobId, processIds: image.intent.processIds });
    this.#tellInterested(jobId, { type: "outputStarted", jobId, epoch: image.epoch, sentBy: image.sentBy });
  }

  #outputFinished(input: Extract<HostInput, { kind: "outputFinished" }>): void {
    const image = this.#printing;
    if (image?.intent === undefined || image.ticket.jobId !== input.jobId) return;
    this.#printing = undefined;
    const { result } = input;
    if (result.kind === "not-started") {
      this.#note("output-not-started", input.jobId, result.reason);
      if (this.#canceling) return this.#finish(image.intent, { state: "canceled", reason: "canceled before any byte" });
      this.#loadAgain(image);
      return;
    }
    if (result.kind === "printed") this.#finish(image.intent, { state: "printed", evidence: result.evidence });
    else this.#finish(image.intent, { state: "indeterminate", reason: result.reason });
  }

  /** Keeps its place at the front; the image that came in meanwhile, or is coming in, has to come again. */
  #loadAgain(image: LoadedImage): void {
    const displaced = this.#loaded ?? this.#receiving;
    this.#loaded = image;
    this.#receiving = undefined;
    if (displaced === undefined) return;
    this.#offers.putFirst(displaced);
    this.#effects.push({ kind: "dropImage", jobId: displaced.ticket.jobId });
  }

  /** Turns an INTENT into its final state, durable first, and tells everyone who asked. */
  #finish(intent: JobRecord, final: Pick<JobRecord, "state"> & Partial<JobRecord>): void {
    const record: JobRecord = {
      ...intent,
      ...final,
      sequence: this.#ledger.takeSequence(),
      endedAtMs: this.#now.wallMs,
    };
    this.#persist(record);
    this.#effects.push({ kind: "dropImage", jobId: record.jobId });
    this.#note(`output-${record.state}`, record.jobId, record.reason ?? record.evidence);
    this.#announceAll(record);
  }

  #newRecord(ticket: JobTicket, more: RecordStart): JobRecord {
    return makeRecord(ticket, { ...this.#config, sequence: this.#ledger.takeSequence() }, this.#now.wallMs, more);
  }

  #persist(record: JobRecord): void {
    this.#ledger.put(record);
    this.#effects.push({ kind: "persist", records: [record] });
  }

  // ---- cancel

  #cancelRequested(from: Peer, message: MessageOf<"outputCancelRequested">): void {
    const { ticket, epoch } = message;
    const { jobId } = ticket;
    // The other image goes on; once it has its record, the ledger refuses this one for ever.
    if (this.#hasOtherImage(ticket)) {
      if (!this.#answerKnown(from, ticket, epoch)) this.#tellWaiting(from, jobId, epoch);
      return;
    }
    this.#interests.add(from, jobId);
    const printing = this.#printing?.ticket.jobId === jobId;
    if (printing && !this.#canceling && message.unlessStarted !== true) {
      this.#canceling = true;
      this.#effects.push({ kind: "cancelOutput", jobId });
    }
    if (this.#loaded?.ticket.jobId !== jobId || this.#loaded.intent === undefined) {
      if (this.#answerKnown(from, ticket, epoch)) return;
      if (!this.#makeRoom()) return this.#refuse(from, jobId, epoch, "ledger-full");
    }
    this.#cancelUnstarted(ticket, epoch, message.reason ?? "canceled before output");
  }

  /** No byte of it has gone out, and none will. */
  #cancelUnstarted(ticket: JobTicket, epoch: number, reason: string): void {
    const { jobId } = ticket;
    const loaded = this.#dropUnstarted(jobId);
    // The device said that no byte went out, so this INTENT may still become CANCELED.
    if (loaded?.intent !== undefined) return this.#finish(loaded.intent, { state: "canceled", reason });
    // What an older ledger decided is not known here: it may be on paper, so it cannot be called canceled (I3).
    const older = ticket.hostIncarnation !== this.#config.hostIncarnation;
    const record = this.#newRecord(ticket, {
      state: older ? "indeterminate" : "canceled",
      epoch,
      reason: older ? "the job was made for an older ledger" : reason,
      endedAtMs: this.#now.wallMs,
    });
    this.#persist(record);
    this.#note(`output-${record.state}`, jobId, record.reason);
    this.#announceAll(record);
  }

  #dropUnstarted(jobId: JobId): LoadedImage | undefined {
    this.#offers.remove(jobId);
    if (this.#receiving?.ticket.jobId === jobId) this.#forgetReception("canceled");
    const loaded = this.#loaded?.ticket.jobId === jobId ? this.#loaded : undefined;
    if (loaded === undefined) return undefined;
    this.#loaded = undefined;
    if (loaded.intent === undefined) this.#effects.push({ kind: "dropImage", jobId });
    return loaded;
  }

  /** Stale tickets do not print, also when their senders are gone. */
  #expire(): void {
    for (const offer of [this.#loaded, this.#receiving, ...this.#offers.all()]) {
      if (offer?.expiresAtMs === undefined || offer.expiresAtMs > this.#now.monotonicMs) continue;
      const { ticket, epoch, from } = offer;
      this.#interests.add(from, ticket.jobId);
      // An INTENT has the room for its final record already.
      if (this.#ledger.job(ticket.jobId) === undefined && !this.#makeRoom()) {
        this.#dropUnstarted(ticket.jobId);
        this.#refuse(from, ticket.jobId, epoch, "ledger-full");
      } else this.#cancelUnstarted(ticket, epoch, "expired before its output began");
    }
  }

  // ---- outcomes (step 311)

  #outcomesRequested(from: Peer, message: MessageOf<"outcomesRequested">): void {
    const unknown: JobId[] = [];
    for (const jobId of message.jobIds) {
      if (message.lowestOpen !== undefined) this.#ledger.learnLowestOpen(originOf(jobId), message.lowestOpen);
      const record = this.#ledger.job(jobId);
      if (this.#ledger.pruned(jobId)) this.#refuse(from, jobId, 0, "job-pruned");
      else if (this.#loaded?.ticket.jobId === jobId && record === undefined)
        this.#send(from, imageReceivedMessage(this.#loaded));
      else if (record === undefined) unknown.push(jobId);
      else if (record.state === "intent") {
        this.#interests.add(from, jobId);
        this.#send(from, { type: "outputStarted", jobId, epoch: record.epoch, sentBy: record.sentBy ?? "client" });
      } else this.#announce(from, record);
    }
    if (unknown.length > 0) this.#send(from, { type: "outcomesUnknown", jobIds: unknown });
  }

  #ledgerRequested(from: Peer, afterSequence: number): void {
    if (from === "server") this.#tellRetry = undefined;
    this.#send(from, ledgerPage(this.#ledger, afterSequence, this.#config.hostIncarnation));
  }

  #announceAll(record: JobRecord): void {
    for (const peer of this.#interests.take(record.jobId)) this.#announce(peer, record);
  }

  #announce(to: Peer, record: JobRecord): void {
    const outcome = outcomeOf(record, this.#config.hostIncarnation);
    if (outcome === undefined || !this.#linked.has(to)) return;
    this.#announcements.add({ to, record: outcome }, this.#now.monotonicMs);
    this.#send(to, { type: "outputEnded", record: outcome });
  }

  // ---- evidence after a restart

  #seekEvidence(): void {
    const next = this.#unsettled.takeNext();
    if (next === undefined) return;
    this.#effects.push({ kind: "seekEvidence", jobId: next.jobId, processIds: next.processIds });
  }

  #evidenceSettled(input: Extract<HostInput, { kind: "evidenceSettled" }>): void {
    const intent = this.#unsettled.settle(input.jobId);
    if (intent === undefined) return;
    if (input.evidence !== undefined) return this.#finish(intent, { state: "printed", evidence: input.evidence });
    this.#finish(intent, { state: "indeterminate", reason: "the printer host stopped during the output" });
  }

  // ---- time

  #woke(): void {
    const nowMs = this.#now.monotonicMs;
    if (this.#receiving !== undefined && this.#receiving.deadlineMs <= nowMs)
      this.#forgetReception("the sender is silent");
    if (this.#tellRetry !== undefined && this.#tellRetry.atMs <= nowMs) {
      this.#tellRetry = nextRetry(this.#tellRetry, nowMs, this.#config.timers);
      this.#tellPrinter();
    }
    for (const { to, record } of this.#announcements.takeDue(nowMs)) this.#send(to, { type: "outputEnded", record });
  }

  // ---- answers

  #tellInterested(jobId: JobId, message: Message): void {
    for (const peer of this.#interests.of(jobId)) this.#send(peer, message);
  }

  #tellWaiting(to: Peer, jobId: JobId, epoch: number): void {
    this.#send(to, { type: "offerWaiting", jobId, epoch, ahead: this.#offers.ahead(jobId) });
  }

  #refuse(to: Peer, jobId: JobId, epoch: number, code: ErrorCode): void {
    this.#note("offer-refused", jobId, code);
    this.#send(to, { type: "offerRefused", jobId, epoch, code, detail: "" });
  }

  #send(to: Peer, message: Message): void {
    if (this.#linked.has(to)) this.#effects.push({ kind: "sendMessage", to, message });
  }

  #note(event: string, jobId?: JobId, detail?: string): void {
    const more = { ...(jobId === undefined ? {} : { jobId }), ...(detail === undefined ? {} : { detail }) };
    this.#effects.push({ kind: "note", event, ...more });
  }
}
