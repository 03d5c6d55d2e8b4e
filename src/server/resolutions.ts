import { type ErrorCode, errorTable } from "../protocol/errors.ts";
import { type JobId, makeJobId } from "../protocol/ids.ts";
import type { HistoryRow, JobTicket } from "../protocol/job.ts";
import { settingsOf } from "../protocol/job-settings.ts";
import { limits } from "../protocol/limits.ts";
import type { RowWrite } from "../runtime/machine.ts";
import { makeHistoryRow } from "./history-row.ts";
import { expireAtMs } from "./job-changes.ts";
import { closeJob } from "./outcomes.ts";
import { inQueue, type ServerCore } from "./server-core.ts";
import { type ServerJob, serverTables } from "./server-state.ts";

// What a person, or the printer's policy, decides about a job: hold, cancel, retry, reprint.

/** Nothing goes on by itself: the job waits for a person. */
export function holdJob(core: ServerCore, job: ServerJob, code: ErrorCode): void {
  const { jobId } = job.row.ticket;
  const heldReason = `${code}: ${errorTable[code].sentence}`;
  job.phase = inQueue;
  if (job.row.heldReason !== heldReason) {
    core.event(job, "held", heldReason);
    core.save(job, { heldReason });
  }
  core.send(job.client, { type: "jobHeld", jobId, reason: heldReason });
}

export function cancelJob(core: ServerCore, jobId: JobId): void {
  const job = core.queue.get(jobId);
  if (job === undefined) return;
  // Nobody knows whether it is on paper, and a person says: let it be. A duplicate that is being made comes too late.
  if (isFinal(job)) return closeJob(core, job, resolvedHistory(core, job, "dismissed"));
  if (job.row.retryRequested) core.save(job, { retryRequested: false });
  const { cancelReason: _, ...row } = job.row;
  job.row = row;
  core.event(job, "cancel asked for");
  haveCanceled(core, job);
}

/** Nobody asked for it: the ledger is to say why, and what has begun is let be. */
export function cancelBecause(core: ServerCore, job: ServerJob, cancelReason: string): void {
  core.save(job, { cancelReason: cancelReason.slice(0, limits.reasonChars) });
  haveCanceled(core, job);
}

function haveCanceled(core: ServerCore, job: ServerJob): void {
  if (!job.row.cancelRequested) core.save(job, { cancelRequested: true, epoch: job.row.epoch + 1 });
  core.wait(job, 0);
  cancelAtHost(core, job);
}

/** The host has had its last word: a record of its ledger, or that this id has no place in it. */
function isFinal(job: ServerJob): boolean {
  return job.row.outcome !== undefined || job.refusedForEver;
}

/** The history row of a held job with what was decided; undefined when the ledger has no record of it. */
function resolvedHistory(
  core: ServerCore,
  { row }: ServerJob,
  resolution: NonNullable<HistoryRow["resolution"]>,
): HistoryRow | undefined {
  const { outcome, ticket } = row;
  if (outcome === undefined) return undefined;
  const known = core.findHistory(ticket.jobId);
  return { ...(known ?? makeHistoryRow(outcome, row, core.recording(ticket.printer))), resolution };
}

/** Only the host can say that it will never print: the job stays until it has. */
export function cancelAtHost(core: ServerCore, job: ServerJob): void {
  const { ticket, epoch, cancelReason } = job.row;
  job.cancelRetry ??= core.firstRetry();
  const more = cancelReason === undefined ? {} : { reason: cancelReason, unlessStarted: true };
  core.send(job.host, { type: "outputCancelRequested", ticket, epoch, ...more });
}

/** Its time is over, and no byte of it can be on the paper yet as far as this server knows. */
export function isOverdue(core: ServerCore, job: ServerJob): boolean {
  const atMs = expireAtMs(job);
  return atMs !== undefined && atMs <= core.now.wallMs && job.phase.kind !== "outputting";
}

/** A stale ticket must not print. The host decides whether it has begun meanwhile. */
export function expireJob(core: ServerCore, job: ServerJob): void {
  const minutes = Math.round((settingsOf(job.row).expiresMs ?? 0) / 60_000);
  core.event(job, "expired");
  cancelBecause(core, job, `expired: it was not begun within ${minutes} min of its request`);
}

/**
 * The host's ledger has no place for this id, now or later (pruned, or another image has it): the job will never print,
 * and there will be no record to close it with.
 */
export function cancelRefused(core: ServerCore, job: ServerJob, code: ErrorCode): void {
  if (job.composing) return;
  core.note("cancel-refused", job.row.ticket.jobId, code);
  job.cancelRetry = undefined;
  job.refusedForEver = true;
  if (!job.row.retryRequested) closeJob(core, job, undefined);
}

/** A person wants a held job printed again, marked as a duplicate. */
export function retryJob(core: ServerCore, jobId: JobId): void {
  const job = core.queue.get(jobId);
  if (job?.row.heldReason === undefined || !job.row.imageStored || job.composing) return;
  job.composeFailed = false;
  core.save(job, { retryRequested: true });
  // Held without a final record, such as an older ledger's job: the present ledger first refuses it for ever.
  if (!isFinal(job)) haveCanceled(core, job);
}

export function wantsReprint(core: ServerCore, job: ServerJob): boolean {
  const { outcome, imageStored, retryRequested, ticket } = job.row;
  if (!isFinal(job) || !imageStored || job.composing || job.composeFailed) return false;
  if (retryRequested) return true;
  return outcome?.outcome === "indeterminate" && core.indeterminatePolicy(ticket.printer) === "reprint-marked";
}

/** The number of the new id is durable before its first use. */
export function composeReprint(core: ServerCore, job: ServerJob): void {
  const { jobId } = job.row.ticket;
  const { clientId, nonce, nextSequence } = core.meta;
  core.meta = { clientId, nonce, nextSequence: nextSequence + 1 };
  core.persist([{ op: "put", table: serverTables.meta, key: "meta", value: core.meta }]);
  job.composing = true;
  core.emit({ kind: "composeReprint", jobId, newJobId: makeJobId({ clientId, nonce }, nextSequence) });
}

/** One transaction takes the old job out of the queue and puts its duplicate in. */
export function reprintComposed(core: ServerCore, jobId: JobId, ticket: JobTicket): void {
  const job = core.queue.get(jobId);
  if (job?.composing !== true) return core.emit({ kind: "eraseImage", jobId: ticket.jobId });
  const reprint = core.enqueue(ticket, { clientKeepsImage: false, serverCopy: true, imageStored: true });
  const added: RowWrite = { op: "put", table: serverTables.jobs, key: ticket.jobId, value: reprint.row };
  core.note("job-reprinted", jobId, ticket.jobId);
  closeJob(core, job, resolvedHistory(core, job, "reprinted"), [added]);
  core.changed(reprint);
}

export function reprintFailed(core: ServerCore, jobId: JobId, reason: string): void {
  const job = core.queue.get(jobId);
  if (job === undefined) return;
  job.composing = false;
  job.composeFailed = true;
  core.note("reprint-failed", jobId, reason);
  core.send(job.client, { type: "jobHeld", jobId, reason: job.row.heldReason ?? reason });
}

/** What the printed again job is: sent by the server at once, whatever the first one was to wait for. */
export function reprintTicket(
  { held: _, holdMs: __, expiresMs: ___, ...ticket }: JobTicket,
  image: Pick<JobTicket, "jobId" | "sizeBytes" | "sha256" | "heightDots" | "requestedAtMs" | "hostIncarnation">,
): JobTicket {
  return { ...ticket, ...image, reprintOf: ticket.jobId, source: "server", spools: "server" };
}
