import type { JobId } from "../protocol/ids.ts";
import type { HistoryRow, JobTicket, OutcomeRecord } from "../protocol/job.ts";
import type { Peer } from "../protocol/messages.ts";
import type { RowWrite } from "../runtime/machine.ts";
import { answerUnlisted } from "./answers.ts";
import { isUndecided, makeHistoryRow } from "./history-row.ts";
import { goesOn } from "./move-reason.ts";
import { inQueue, type ServerCore } from "./server-core.ts";
import { type KeptImageRow, type ServerJob, serverTables } from "./server-state.ts";

/** Steps 311-317: a final record came, from the host or from the client that heard it (313). */
export function endJob(core: ServerCore, record: OutcomeRecord, ticket: JobTicket | undefined, from: Peer): void {
  const { jobId } = record;
  const job = core.queue.get(jobId);
  const history = core.findHistory(jobId);
  const sha256 = job?.row.ticket.sha256 ?? history?.outcome.sha256 ?? record.sha256;
  if (sha256 !== record.sha256) return core.note("outcome-conflict", jobId, `${record.outcome} from ${from}`);
  const known = job?.row.ticket ?? ticket;
  const printer = known?.printer ?? (from.startsWith("host:") ? from.slice("host:".length) : undefined);
  if (printer === undefined) return;
  if (job !== undefined) {
    if (job.row.outcome === undefined) settle(core, job, record, printer);
  } else if (history === undefined || (ticket !== undefined && history.source === undefined)) {
    recordUnlisted(core, record, ticket, printer, history);
  } else if (ticket !== undefined && isUndecided(history)) holdUnlisted(core, ticket, record);
  if (from.startsWith("client:")) answerEnded(core, from, jobId);
}

function answerEnded(core: ServerCore, to: Peer, jobId: JobId): void {
  const job = core.queue.get(jobId);
  if (job === undefined) return answerUnlisted(core, to, jobId);
  core.send(to, { type: "jobHeld", jobId, reason: job.row.heldReason ?? "" });
}

/** The history is written at once, whatever becomes of the row in the queue: it says what the ledger says (I5). */
function settle(core: ServerCore, job: ServerJob, record: OutcomeRecord, printer: string): void {
  const { cancelRequested, retryRequested } = job.row;
  const wasMoving = job.row.moveTo !== undefined;
  const moves = goesOn(job.row, record);
  if (!moves) forgetMove(core, job, record);
  core.event(
    job,
    record.outcome,
    record.reason ?? `sent by the ${record.sentBy ?? "nobody"}, evidence ${record.evidence}`,
  );
  const history = makeHistoryRow(record, job.row, core.recording(printer));
  core.note("job-ended", record.jobId, `${record.outcome} by ${record.sentBy ?? "nobody"}: ${record.evidence}`);
  if (record.outcome === "printed") return closeJob(core, job, history);
  // A retry that had to be canceled first goes on from here, whether or not the host knows that nothing was printed.
  if (!retryRequested && !moves) {
    if (record.outcome === "canceled") return closeJob(core, job, history);
    if (cancelRequested && !wasMoving) return closeJob(core, job, { ...history, resolution: "dismissed" });
    if (core.indeterminatePolicy(printer) === "assume-printed") {
      return closeJob(core, job, { ...history, resolution: "assumed-printed" });
    }
  }
  const heldReason = heldBecause(record);
  job.row = { ...job.row, outcome: record, heldReason };
  job.phase = inQueue;
  job.cancelRetry = undefined;
  core.remember(history);
  core.persist([
    { op: "put", table: serverTables.history, key: record.jobId, value: history },
    { op: "put", table: serverTables.jobs, key: record.jobId, value: job.row },
  ]);
  core.changed(job);
  core.send(job.client, { type: "jobHeld", jobId: record.jobId, reason: heldReason });
}

/** It came too late: the first printer has printed it, or nobody knows. */
function forgetMove(core: ServerCore, job: ServerJob, record: OutcomeRecord): void {
  const { moveTo, ...row } = job.row;
  if (moveTo === undefined) return;
  job.row = row;
  core.event(job, "not moved", record.outcome);
}

/** A job that never was, or no longer is, in this queue: a client printed it while the server was away. */
export function recordUnlisted(
  core: ServerCore,
  record: OutcomeRecord,
  ticket: JobTicket | undefined,
  printer: string,
  history: HistoryRow | undefined,
): void {
  const row = makeHistoryRow(record, ticket === undefined ? undefined : { ticket }, core.recording(printer));
  const kept = history?.resolution === undefined ? {} : { resolution: history.resolution };
  const assumed =
    record.outcome === "indeterminate" && core.indeterminatePolicy(printer) === "assume-printed"
      ? ({ resolution: "assumed-printed" } as const)
      : {};
  const value: HistoryRow = { ...row, ...assumed, ...kept };
  core.remember(value);
  core.persist([{ op: "put", table: serverTables.history, key: record.jobId, value }]);
  core.note("job-recorded", record.jobId, record.outcome);
  if (ticket !== undefined && isUndecided(value)) holdUnlisted(core, ticket, record);
}

/** Into the queue again, for a person to decide. */
export function holdUnlisted(core: ServerCore, ticket: JobTicket, record: OutcomeRecord): void {
  const job = core.enqueue(ticket, { clientKeepsImage: true, serverCopy: false, imageStored: false });
  core.save(job);
  core.note("job-added", ticket.jobId, ticket.printer);
  core.save(job, { outcome: record, heldReason: heldBecause(record) });
}

function heldBecause(record: OutcomeRecord): string {
  return `${record.outcome}: ${record.reason ?? "nobody knows whether it is on paper"}`;
}

/** History row in, job row out, in one transaction; then the image goes, then the client hears (314-317). */
export function closeJob(
  core: ServerCore,
  job: ServerJob,
  history: HistoryRow | undefined,
  more: readonly RowWrite[] = [],
): void {
  const { jobId } = job.row.ticket;
  const writes: RowWrite[] = [];
  core.queue.remove(jobId);
  if (history !== undefined) {
    core.remember(history);
    writes.push({ op: "put", table: serverTables.history, key: jobId, value: history });
  }
  writes.push({ op: "delete", table: serverTables.jobs, key: jobId }, ...more);
  const keep = core.config.keepEndedMs > 0 && job.row.imageStored;
  if (keep) {
    const kept: KeptImageRow = { jobId, eraseAtMs: core.now.wallMs + core.config.keepEndedMs };
    core.kept.add(kept);
    writes.push({ op: "put", table: serverTables.kept, key: jobId, value: kept });
  }
  core.persist(writes);
  if (!keep && job.row.serverCopy) core.emit({ kind: "eraseImage", jobId });
  const outcome = history === undefined ? {} : { outcome: history.outcome };
  core.send(job.client, { type: "jobClosed", jobId, ...outcome });
  core.changed(job);
}
