import { type ErrorCode, errorTable } from "../protocol/errors.ts";
import { type JobId, makeJobId } from "../protocol/ids.ts";
import type { JobTicket } from "../protocol/job.ts";
import type { RowWrite } from "../runtime/machine.ts";
import { makeHistoryRow } from "./history-row.ts";
import { closeJob } from "./outcomes.ts";
import { inQueue, type ServerCore } from "./server-core.ts";
import { type ServerJob, serverTables } from "./server-state.ts";

// What a person, or the printer's policy, decides about a job: hold, cancel, retry, reprint.

/** Nothing goes on by itself: the job waits for a person. */
export function holdJob(core: ServerCore, job: ServerJob, code: ErrorCode): void {
  const { jobId } = job.row.ticket;
  const heldReason = `${code}: ${errorTable[code].sentence}`;
  job.phase = inQueue;
  if (job.row.heldReason !== heldReason) core.save(job, { heldReason });
  core.send(job.client, { type: "jobHeld", jobId, reason: heldReason });
}

export function cancelJob(core: ServerCore, jobId: JobId): void {
  const job = core.queue.get(jobId);
  if (job === undefined || job.composing) return;
  const { outcome, ticket } = job.row;
  if (outcome !== undefined) {
    // Nobody knows whether it is on paper, and a person says: let it be.
    const history = core.findHistory(jobId) ?? makeHistoryRow(outcome, ticket, ticket.printer, core.now.wallMs);
    return closeJob(core, job, { ...history, resolution: "dismissed" });
  }
  if (!job.row.cancelRequested) core.save(job, { cancelRequested: true, epoch: job.row.epoch + 1 });
  core.wait(job, 0);
  cancelAtHost(core, job);
}

/** Only the host can say that it will never print: the job stays until it has. */
export function cancelAtHost(core: ServerCore, job: ServerJob): void {
  const { ticket, epoch } = job.row;
  job.cancelRetry ??= core.firstRetry();
  core.send(job.host, { type: "outputCancelRequested", ticket, epoch });
}

/** A person wants a held job printed again, marked as a duplicate. */
export function retryJob(core: ServerCore, jobId: JobId): void {
  const job = core.queue.get(jobId);
  if (job?.row.heldReason === undefined || !job.row.imageStored || job.composing) return;
  job.composeFailed = false;
  if (job.row.outcome !== undefined) return core.save(job, { retryRequested: true });
  // Held without a final record (an older ledger's job): the present ledger first refuses it for ever.
  core.save(job, { retryRequested: true });
  cancelJob(core, jobId);
}

export function wantsReprint(core: ServerCore, job: ServerJob): boolean {
  const { outcome, imageStored, retryRequested, ticket } = job.row;
  if (outcome?.outcome !== "indeterminate" || !imageStored || job.composing || job.composeFailed) return false;
  return retryRequested || core.config.indeterminatePolicy(ticket.printer) === "reprint-marked";
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
  if (job?.row.outcome === undefined || !job.composing) {
    return core.emit({ kind: "eraseImage", jobId: ticket.jobId });
  }
  const reprint = core.enqueue(ticket, { clientKeepsImage: false, serverCopy: true, imageStored: true });
  const history =
    core.findHistory(jobId) ?? makeHistoryRow(job.row.outcome, job.row.ticket, ticket.printer, core.now.wallMs);
  const added: RowWrite = { op: "put", table: serverTables.jobs, key: ticket.jobId, value: reprint.row };
  core.note("job-reprinted", jobId, ticket.jobId);
  closeJob(core, job, { ...history, resolution: "reprinted" }, [added]);
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
