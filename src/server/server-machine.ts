import type { JobId } from "../protocol/ids.ts";
import { settingsOf } from "../protocol/job-settings.ts";
import type { Message, Peer } from "../protocol/messages.ts";
import type { Instant, Machine } from "../runtime/machine.ts";
import { promisedBytes } from "./admission.ts";
import { answerKnown } from "./answers.ts";
import { clientSaid } from "./client-messages.ts";
import { composeCopy, copyComposed, copyFailed, reprintKept, wantsCopy } from "./copies.ts";
import { hostSaid } from "./host-messages.ts";
import { balanceCopies, changeJob, expireAtMs, releaseAtMs, widen } from "./job-changes.ts";
import { goOnMoving, moveJob } from "./moves.ts";
import { checkDeadline, phaseWakeMs, schedule } from "./orders.ts";
import { checkLedgerRetry, printerUnlinked } from "./printer-hosts.ts";
import { pausePrinter, resumePrinter } from "./printer-pauses.ts";
import { cancelAtHost, cancelJob, expireJob, isOverdue, retryJob } from "./resolutions.ts";
import { isPending } from "./scheduler.ts";
import { ServerCore } from "./server-core.ts";
import {
  type ServerConfig,
  type ServerEffect,
  type ServerInput,
  type ServerJob,
  type ServerPrinter,
  type ServerSnapshot,
  type SpoolLevel,
  serverTables,
} from "./server-state.ts";

/**
 * The server's side of design §2: the queue, the second spool, takeover, history. It orders; what is printed is
 * decided by the printer host alone, so a wrong or late order costs time and never a second copy.
 */
export class ServerMachine implements Machine<ServerInput, ServerEffect> {
  readonly #core: ServerCore;

  constructor(config: ServerConfig, snapshot: ServerSnapshot) {
    this.#core = new ServerCore(config, snapshot);
  }

  /** In the order of the queue. */
  get jobs(): readonly ServerJob[] {
    return [...this.#core.queue.all()];
  }

  get printers(): readonly ServerPrinter[] {
    return [...this.#core.printers.values()];
  }

  printer(name: string): ServerPrinter | undefined {
    return this.#core.printers.get(name);
  }

  /** The id of the job that is being made of this one, or of its kept image. */
  copyOf(jobId: JobId): JobId | undefined {
    return [...this.#core.copying].findLast(([, { from }]) => from === jobId)?.[0];
  }

  isKept(jobId: JobId): boolean {
    return this.#core.kept.has(jobId);
  }

  get spoolLevel(): SpoolLevel {
    return this.#core.spool.level;
  }

  /** Of images that are to come. */
  get promisedBytes(): number {
    return promisedBytes(this.#core);
  }

  job(jobId: JobId): ServerJob | undefined {
    return this.#core.queue.get(jobId);
  }

  handle(input: ServerInput, now: Instant): readonly ServerEffect[] {
    this.#core.begin(now);
    take(this.#core, input);
    goOn(this.#core);
    return this.#core.effects;
  }

  nextWakeMs(): number | undefined {
    return firstWakeMs(this.#core);
  }
}

function take(core: ServerCore, input: ServerInput): void {
  switch (input.kind) {
    case "linkOpened":
      return linkOpened(core, input.peer);
    case "linkClosed":
      return linkClosed(core, input.peer);
    case "messageReceived":
      return messageReceived(core, input.from, input.message);
    case "imageStored":
      return imageStored(core, input.jobId);
    case "imageTransferEnded":
      return transferEnded(core, input);
    case "imageLost":
      return imageLost(core, input.jobId, input.reason);
    case "cancelRequested":
      return cancelJob(core, input.jobId);
    case "retryRequested":
      return retryJob(core, input.jobId);
    case "reprintRequested":
      return reprintKept(core, input.jobId, input.unmarked);
    case "moveRequested":
      return moveJob(core, input.jobId, input.printer);
    case "reprintComposed":
      return copyComposed(core, input.jobId, input.ticket);
    case "reprintFailed":
      return copyFailed(core, input.jobId, input.reason);
    case "spoolLevelChanged":
      core.spool = { level: input.level, reason: input.reason };
      return widen(core);
    case "networkLevelChanged":
      core.network = { loaded: input.loaded, reason: input.reason };
      return widen(core);
    case "changeRequested":
      return changeJob(core, input.jobId, input.change);
    case "printerPauseRequested":
      return pausePrinter(core, input.printer, input.reason);
    case "printerResumeRequested":
      return resumePrinter(core, input.printer);
    case "woke":
      return eraseKept(core);
  }
}

// ---- links

function linkOpened(core: ServerCore, peer: Peer): void {
  core.linked.add(peer);
  if (peer.startsWith("client:")) core.send(peer, { type: "printersListed", printers: core.attributes() });
}

function linkClosed(core: ServerCore, peer: Peer): void {
  core.linked.delete(peer);
  if (peer.startsWith("host:")) {
    const name = peer.slice("host:".length);
    printerUnlinked(core, name);
    for (const job of core.queue.ofPrinter(name)) {
      if (job.phase.kind === "offering" || job.phase.kind === "at-host") core.wait(job, 0);
    }
    return;
  }
  for (const job of core.queue.ofClient(peer.slice("client:".length))) {
    const { kind } = job.phase;
    // Silence of the started client: taken over at once; a late client is answered by the ledger.
    if (kind === "starting" || kind === "client-sending") core.wait(job, 0);
  }
}

function messageReceived(core: ServerCore, from: Peer, message: Message): void {
  if (from.startsWith("host:")) hostSaid(core, from, message);
  else if (from.startsWith("client:")) clientSaid(core, from, message);
}

// ---- images in this spool

function imageStored(core: ServerCore, jobId: JobId): void {
  const job = core.queue.get(jobId);
  if (job === undefined) return core.emit({ kind: "eraseImage", jobId });
  if (!job.row.imageStored) {
    core.event(job, "the server has a copy");
    core.save(job, { imageStored: true, serverCopy: true });
  }
  core.send(job.client, { type: "imageStored", jobId, revision: settingsOf(job.row).revision });
  balanceCopies(core, job);
}

function imageLost(core: ServerCore, jobId: JobId, reason: string): void {
  const job = core.queue.get(jobId);
  if (job === undefined) return;
  core.note("image-lost", jobId, reason);
  core.save(job, { imageStored: false, serverCopy: true });
  if (job.phase.kind === "offering") core.wait(job, 0);
  answerKnown(core, job.client, job);
}

function transferEnded(core: ServerCore, input: Extract<ServerInput, { kind: "imageTransferEnded" }>): void {
  const job = core.queue.get(input.jobId);
  if (!input.ok) core.note("image-transfer-failed", input.jobId, input.reason);
  if (job?.phase.kind !== "offering") return;
  job.phase.sending = false;
  // An upload that the host does not wait for any more was overtaken by something else: the offer goes on.
  if (input.ok || input.code === "epoch-stale") return;
  job.phase.failure = input.reason ?? "";
  job.phase.retry = core.firstRetry();
}

function eraseKept(core: ServerCore): void {
  for (const jobId of core.kept.takeDue(core.now.wallMs)) {
    core.persist([{ op: "delete", table: serverTables.kept, key: jobId }]);
    core.emit({ kind: "eraseImage", jobId });
  }
}

// ---- time

/** After every input: deadlines first, then the next job of each printer that is free. */
function goOn(core: ServerCore): void {
  const nowMs = core.now.monotonicMs;
  for (const name of core.printers.keys()) checkLedgerRetry(core, name);
  for (const job of core.queue.all()) {
    if (job.cancelRetry !== undefined && job.cancelRetry.atMs <= nowMs) {
      job.cancelRetry = core.nextRetry(job.cancelRetry);
      cancelAtHost(core, job);
    }
    if (isPending(job)) {
      if (isOverdue(core, job)) expireJob(core, job);
      else checkDeadline(core, job);
      if (job.row.moveTo !== undefined) goOnMoving(core, job);
    } else if (wantsCopy(core, job)) composeCopy(core, job);
  }
  for (const name of core.printers.keys()) schedule(core, name);
}

/** One walk without garbage: this runs after every input, over every job. */
function firstWakeMs(core: ServerCore): number | undefined {
  const { monotonicMs, wallMs } = core.now;
  let first = Number.POSITIVE_INFINITY;
  const consider = (atMs: number | undefined): void => {
    if (atMs !== undefined && atMs < first) first = atMs;
  };
  const considerWall = (atMs: number | undefined): void => {
    if (atMs !== undefined && atMs > wallMs) consider(monotonicMs + (atMs - wallMs));
  };
  for (const printer of core.printers.values()) consider(printer.ledgerRetry?.atMs);
  for (const job of core.queue.all()) {
    consider(job.cancelRetry?.atMs);
    if (isPending(job)) {
      consider(phaseWakeMs(job, monotonicMs));
      considerWall(releaseAtMs(job));
      considerWall(expireAtMs(job));
    }
    // A moment that has passed is not waited for again: whoever was to be asked is not there.
    if (job.askAtMs !== undefined && job.askAtMs > monotonicMs && !job.row.imageStored) consider(job.askAtMs);
  }
  const { firstEraseAtMs } = core.kept;
  if (firstEraseAtMs !== undefined) consider(monotonicMs + Math.max(0, firstEraseAtMs - wallMs));
  return first === Number.POSITIVE_INFINITY ? undefined : first;
}
