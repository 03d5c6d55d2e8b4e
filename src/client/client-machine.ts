import { type JobId, makeJobId, parseJobId } from "../protocol/ids.ts";
import type { PrinterAttributes } from "../protocol/job.ts";
import type { Message, Peer } from "../protocol/messages.ts";
import type { Instant, Machine } from "../runtime/machine.ts";
import { earliest } from "../runtime/retry.ts";
import { ClientCore } from "./client-core.ts";
import {
  type ClientConfig,
  type ClientEffect,
  type ClientInput,
  type ClientJob,
  type ClientSnapshot,
  clientTables,
} from "./client-state.ts";
import { wantLinks } from "./host-links.ts";
import { hostSaid } from "./host-messages.ts";
import {
  changeJob,
  expireAlone,
  expireAtMs,
  fetchCopy,
  imageFetched,
  networkChanged,
  releaseAtMs,
  standsBack,
  widenOwn,
} from "./job-changes.ts";
import { askOutcomes, cancelAtHost, hostReturned, sendOffer, startOffering } from "./offering.ts";
import { acceptJob, cancelJob, outputEnded } from "./outcomes.ts";
import { listOpenJobs, requestJob, serverReturned, tellServer } from "./requests.ts";
import { answerForgotten, printersListed, serverSaid } from "./server-messages.ts";

/**
 * The client's side of design §2: keeps its jobs until the server has their history, prints directly when told
 * (source `client`), and unasked when the server is silent.
 */
export class ClientMachine implements Machine<ClientInput, ClientEffect> {
  readonly #core: ClientCore;

  constructor(config: ClientConfig, snapshot: ClientSnapshot, startedMs: number) {
    this.#core = new ClientCore(config, snapshot, startedMs);
  }

  get printers(): readonly PrinterAttributes[] {
    return [...this.#core.printers.values()];
  }

  get jobs(): readonly ClientJob[] {
    return [...this.#core.jobs.values()];
  }

  job(jobId: JobId): ClientJob | undefined {
    return this.#core.jobs.get(jobId);
  }

  get serverLinked(): boolean {
    return this.#core.linked.has("server");
  }

  handle(input: ClientInput, now: Instant): readonly ClientEffect[] {
    this.#core.begin(now);
    take(this.#core, input);
    goOn(this.#core);
    return this.#core.effects;
  }

  nextWakeMs(): number | undefined {
    const core = this.#core;
    const first = earliest([...core.wantedLinks.values()].map(({ idleUntilMs }) => idleUntilMs));
    if (core.jobs.size === 0) return first;
    const moments = [first, core.statusAtMs, core.alone() ? undefined : core.aloneAtMs()];
    const alone = core.alone();
    const { monotonicMs, wallMs } = core.now;
    for (const job of core.jobs.values()) {
      for (const atMs of alone ? [releaseAtMs(job), expireAtMs(job)] : []) {
        if (atMs !== undefined && atMs > wallMs) moments.push(monotonicMs + (atMs - wallMs));
      }
      if (job.serverRetry !== undefined) moments.push(job.serverRetry.atMs);
      if (job.offerRetry !== undefined) moments.push(job.offerRetry.atMs);
      if (job.cancelRetry !== undefined) moments.push(job.cancelRetry.atMs);
    }
    return earliest(moments);
  }
}

function take(core: ClientCore, input: ClientInput): void {
  switch (input.kind) {
    case "linkOpened":
      return linkOpened(core, input.peer);
    case "linkClosed":
      return linkClosed(core, input.peer);
    case "messageReceived":
      if (input.from === "server") core.silentSinceMs = undefined;
      return messageReceived(core, input.from, input.message);
    case "jobIdRequested":
      return jobIdRequested(core, input.requestId);
    case "jobIdReturned":
      return core.ids.settle(parseJobId(input.jobId).sequence);
    case "jobSubmitted":
      return jobSubmitted(core, input);
    case "changeRequested":
      return changeJob(core, input.jobId, input.change);
    case "imageStored":
      return imageFetched(core, input.jobId);
    case "imageFetchFailed":
      return fetchFailed(core, input.jobId, input.reason);
    case "networkLevelChanged":
      return networkChanged(core, input.loaded);
    case "spoolLevelChanged":
      return input.level === "ok" ? widenOwn(core) : undefined;
    case "cancelRequested":
      return cancelJob(core, input.jobId);
    case "imageTransferEnded":
      return transferEnded(core, input);
    case "imageLost":
      return imageLost(core, input.jobId, input.reason);
    case "woke":
      return;
  }
}

// ---- making a job

function jobIdRequested(core: ClientCore, requestId: string): void {
  const { sequence, reserve } = core.ids.take();
  if (reserve !== undefined) {
    core.persist([{ op: "put", table: clientTables.meta, key: "meta", value: { reservedBelow: reserve } }]);
  }
  core.emit({ kind: "grantJobId", requestId, jobId: makeJobId(core.config, sequence) });
}

function jobSubmitted(core: ClientCore, input: Extract<ClientInput, { kind: "jobSubmitted" }>): void {
  const { ticket, imageKept, withoutServerCopy, withoutOwnCopy } = input;
  core.ids.settle(parseJobId(ticket.jobId).sequence);
  if (core.jobs.has(ticket.jobId)) return;
  const image = imageKept ? "stored" : "none";
  const job = core.addJob({
    ticket,
    image,
    serverHasImage: false,
    accepted: false,
    cancelRequested: false,
    ...(withoutServerCopy === undefined ? {} : { withoutServerCopy }),
    ...(withoutOwnCopy === undefined ? {} : { withoutOwnCopy }),
  });
  requestJob(core, job);
}

// ---- links

function linkOpened(core: ClientCore, peer: Peer): void {
  core.linked.add(peer);
  if (peer === "server") serverReturned(core);
  else hostReturned(core, peer);
}

function linkClosed(core: ClientCore, peer: Peer): void {
  core.linked.delete(peer);
  if (peer === "server") core.silentSinceMs ??= core.now.monotonicMs;
  else for (const job of core.jobs.values()) if (job.host === peer) job.sending = false;
}

function messageReceived(core: ClientCore, from: Peer, message: Message): void {
  if (from === "server" && message.type === "printersListed") return printersListed(core, message.printers);
  if (message.type === "outcomesUnknown") return;
  if (message.type === "outputEnded") return outputEnded(core, from, message.record);
  if (!("jobId" in message)) return core.note("message-unexpected", undefined, message.type);
  const job = core.jobs.get(message.jobId);
  if (job === undefined) return answerForgotten(core, message);
  if (from === "server") serverSaid(core, job, message);
  else hostSaid(core, job, message);
}

// ---- images

function transferEnded(core: ClientCore, input: Extract<ClientInput, { kind: "imageTransferEnded" }>): void {
  const job = core.jobs.get(input.jobId);
  if (job === undefined) return;
  if (input.to !== "server") job.sending = false;
  else job.uploading = false;
  if (input.to === "server" && !input.ok) {
    // The server says again that it wants the image when it hears of the job again.
    job.serverRetry ??= core.firstRetry();
  }
  if (!input.ok) core.note("image-transfer-failed", input.jobId, `${input.to}: ${input.reason ?? ""}`);
}

function fetchFailed(core: ClientCore, jobId: JobId, reason: string): void {
  const job = core.jobs.get(jobId);
  if (job === undefined) return;
  // Tried again when the open jobs are compared the next time.
  job.fetching = false;
  core.note("image-fetch-failed", jobId, reason);
}

function imageLost(core: ClientCore, jobId: JobId, reason: string): void {
  const job = core.jobs.get(jobId);
  if (job === undefined) return;
  core.note("image-lost", jobId, reason);
  job.imageAtHand = false;
  job.offering = false;
  job.offerRetry = undefined;
  if (job.row.image === "stored") core.save(job, { image: "none" });
  if (job.row.outcome !== undefined) return;
  core.sendToServer({ type: "senderHasNoImage", jobId, epoch: job.epoch, reason: "no-image" });
  requestJob(core, job);
}

// ---- time

/** After every input: what is due, who prints, which links are needed. */
function goOn(core: ClientCore): void {
  const alone = core.alone();
  for (const job of core.jobs.values()) {
    if (alone) {
      expireAlone(core, job);
      printAlone(core, job);
    }
    repeat(core, job);
  }
  if (core.jobs.size > 0) compareOpenJobs(core);
  wantLinks(core);
}

/** Every message again until it is answered. */
function repeat(core: ClientCore, job: ClientJob): void {
  const nowMs = core.now.monotonicMs;
  if (job.serverRetry !== undefined && job.serverRetry.atMs <= nowMs) {
    job.serverRetry = core.nextRetry(job.serverRetry);
    core.silentSinceMs ??= nowMs;
    tellServer(core, job);
  }
  if (job.offerRetry !== undefined && job.offerRetry.atMs <= nowMs) {
    job.offerRetry = core.nextRetry(job.offerRetry);
    sendOffer(core, job);
  }
  if (job.cancelRetry !== undefined && job.cancelRetry.atMs <= nowMs) {
    job.cancelRetry = core.nextRetry(job.cancelRetry);
    const { ticket, cancelReason } = job.row;
    if (cancelReason === undefined) core.sendToServer({ type: "jobCancelRequested", jobId: ticket.jobId });
    cancelAtHost(core, job);
  }
}

/** A silent server: the job is accepted on this client's own word, and offered without being asked. */
function printAlone(core: ClientCore, job: ClientJob): void {
  if (job.row.outcome !== undefined || job.row.cancelRequested || job.row.heldReason !== undefined) return;
  if (job.row.image !== "stored" || job.offering) return;
  acceptJob(core, job);
  if (standsBack(core, job)) return;
  startOffering(core, job, job.epoch);
}

function compareOpenJobs(core: ClientCore): void {
  const nowMs = core.now.monotonicMs;
  core.statusAtMs ??= nowMs + core.config.timers.statusIntervalMs;
  if (core.statusAtMs > nowMs) return;
  listOpenJobs(core);
  for (const job of core.jobs.values()) fetchCopy(core, job);
  for (const peer of core.linked) if (peer !== "server") askOutcomes(core, peer);
}
