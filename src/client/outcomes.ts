import { errorTable } from "../protocol/errors.ts";
import type { JobId } from "../protocol/ids.ts";
import type { OutcomeRecord } from "../protocol/job.ts";
import type { Peer } from "../protocol/messages.ts";
import type { ClientCore } from "./client-core.ts";
import { type ClientJob, clientTables } from "./client-state.ts";
import { cancelAtHost, endOffering } from "./offering.ts";
import { listOpenJobs } from "./requests.ts";

// How a job ends for the client: accepted at last, held, canceled, ended (steps 311-313), closed and erased (317, 318).

/** The user hears the yes: from now on the job must not be lost (I4). */
export function acceptJob(core: ClientCore, job: ClientJob): void {
  if (job.row.accepted) return;
  job.row = { ...job.row, accepted: true };
  core.report(job, "accepted");
}

/** Nothing goes on by itself: the job waits for a person. */
export function holdJob(core: ClientCore, job: ClientJob, reason: string): void {
  if (job.row.heldReason !== reason) core.save(job, { heldReason: reason });
  core.report(job, "held", { detail: reason });
}

/** The final record of the host's ledger. It is durable here before the host may stop telling it. */
export function outputEnded(core: ClientCore, from: Peer, record: OutcomeRecord): void {
  const { jobId } = record;
  const job = core.jobs.get(jobId);
  if (job === undefined) return core.send(from, { type: "outputAcknowledged", jobId });
  if (record.sha256 !== job.row.ticket.sha256) holdJob(core, job, errorTable["job-conflict"].sentence);
  else if (job.row.outcome === undefined) {
    endOffering(job);
    job.cancelRetry = undefined;
    const { heldReason: _, ...row } = job.row;
    job.row = row;
    core.save(job, { outcome: record, accepted: true });
    core.report(job, "ended", { detail: record.outcome });
    job.serverRetry = core.firstRetry();
    core.sendToServer({ type: "jobEnded", ticket: job.row.ticket, outcome: record });
  }
  core.send(from, { type: "outputAcknowledged", jobId });
}

export function closeJob(core: ClientCore, job: ClientJob, outcome: OutcomeRecord | undefined): void {
  const seen = job.row.outcome ?? outcome;
  core.report(job, "closed", { detail: seen?.outcome ?? "canceled" });
  eraseJob(core, job);
}

/** Row first, then the image: a crash between leaves a file without a row, which the next start sweeps away. */
export function eraseJob(core: ClientCore, job: ClientJob): void {
  const { jobId } = job.row.ticket;
  core.jobs.delete(jobId);
  core.persist([{ op: "delete", table: clientTables.jobs, key: jobId }]);
  core.emit({ kind: "eraseImage", jobId });
  // Nothing is open: the last list for a while, so that the host may forget what it keeps for this client.
  if (core.jobs.size === 0) listOpenJobs(core);
}

/** The wish is durable, and repeated to server and host until one of them has the final word. */
export function cancelJob(core: ClientCore, jobId: JobId): void {
  const job = core.jobs.get(jobId);
  if (job === undefined) return;
  if (!job.row.cancelRequested) core.save(job, { cancelRequested: true });
  core.report(job, "canceling");
  endOffering(job);
  job.cancelRetry = core.firstRetry();
  core.sendToServer({ type: "jobCancelRequested", jobId });
  cancelAtHost(core, job);
}
