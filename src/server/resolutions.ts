import { type ErrorCode, errorTable } from "../protocol/errors.ts";
import type { JobId } from "../protocol/ids.ts";
import type { HistoryRow } from "../protocol/job.ts";
import { settingsOf } from "../protocol/job-settings.ts";
import { limits } from "../protocol/limits.ts";
import { makeHistoryRow } from "./history-row.ts";
import { expireAtMs } from "./job-changes.ts";
import { closeJob } from "./outcomes.ts";
import { inQueue, type ServerCore } from "./server-core.ts";
import type { ServerJob } from "./server-state.ts";

// What a person, or the printer's policy, decides about a job: hold, cancel, retry.

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
  const wasCanceled = job.row.cancelReason !== undefined;
  const { cancelReason: _, moveTo: __, ...row } = job.row;
  job.row = row;
  if (wasCanceled) core.save(job);
  core.event(job, "cancel asked for");
  haveCanceled(core, job);
}

/** Nobody asked for it: the ledger is to say why, and what has begun is let be. */
export function cancelBecause(core: ServerCore, job: ServerJob, cancelReason: string): void {
  core.save(job, { cancelReason: cancelReason.slice(0, limits.reasonChars) });
  haveCanceled(core, job);
}

export function haveCanceled(core: ServerCore, job: ServerJob): void {
  if (!job.row.cancelRequested) core.save(job, { cancelRequested: true, epoch: job.row.epoch + 1 });
  core.wait(job, 0);
  cancelAtHost(core, job);
}

/** The host has had its last word: a record of its ledger, or that this id has no place in it. */
export function isFinal(job: ServerJob): boolean {
  return job.row.outcome !== undefined || job.refusedForEver;
}

/** The history row of a held job with what was decided; undefined when the ledger has no record of it. */
export function resolvedHistory(
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
  const { moveTo: _, ...row } = job.row;
  job.row = row;
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
  if (job.row.moveTo !== undefined) return holdUnmoved(core, job, code);
  if (!job.row.retryRequested) closeJob(core, job, undefined);
}

/** What the ledger has forgotten may be on paper: it is no more moved than printed. */
function holdUnmoved(core: ServerCore, job: ServerJob, code: ErrorCode): void {
  const { moveTo: _, ...row } = job.row;
  job.row = row;
  core.event(job, "not moved", code);
  holdJob(core, job, code);
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
