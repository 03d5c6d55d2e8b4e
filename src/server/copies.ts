import { type JobId, makeJobId } from "../protocol/ids.ts";
import type { HistoryRow, JobTicket } from "../protocol/job.ts";
import { settingsOf } from "../protocol/job-settings.ts";
import type { RowWrite } from "../runtime/machine.ts";
import { closeJob } from "./outcomes.ts";
import { isFinal, resolvedHistory } from "./resolutions.ts";
import type { ServerCore } from "./server-core.ts";
import { type ServerJob, serverTables } from "./server-state.ts";

// New jobs that are made of the image of another: marked duplicates, moved jobs, kept images printed again. A job id
// stands for one image at one printer, so each of them gets an id of this server's own.

/** A ticket that has no id of its own yet. */
type CopyTicket = Omit<JobTicket, "jobId"> & { readonly from: JobId };

/** True when the host has had its last word on the job, and a copy of it is to go on. */
export function wantsCopy(core: ServerCore, job: ServerJob): boolean {
  const { outcome, imageStored, retryRequested, moveTo, ticket } = job.row;
  if (!isFinal(job) || !imageStored || job.composing || job.composeFailed) return false;
  if (retryRequested || moveTo !== undefined) return true;
  return outcome?.outcome === "indeterminate" && core.indeterminatePolicy(ticket.printer) === "reprint-marked";
}

export function composeCopy(core: ServerCore, job: ServerJob): void {
  const { moveTo } = job.row;
  job.composing = true;
  if (moveTo === undefined) compose(core, againTicket(core, job.row.ticket), { marked: true, kept: false });
  else compose(core, movedTicket(core, job, moveTo), { marked: false, kept: false });
}

/** A person wants an ended job printed again whose image is kept. Nothing is lost when this is forgotten. */
export function reprintKept(core: ServerCore, jobId: JobId, unmarked: boolean): void {
  const history = core.findHistory(jobId);
  if (history === undefined || core.queue.get(jobId) !== undefined || !core.kept.has(jobId)) return;
  compose(core, againTicket(core, keptTicket(core, history)), { marked: !unmarked, kept: true });
}

/** The number of the new id is durable before its first use. */
function compose(
  core: ServerCore,
  { from, ...ticket }: CopyTicket,
  { marked, kept }: { readonly marked: boolean; readonly kept: boolean },
): void {
  const { clientId, nonce, nextSequence } = core.meta;
  core.meta = { clientId, nonce, nextSequence: nextSequence + 1 };
  core.persist([{ op: "put", table: serverTables.meta, key: "meta", value: core.meta }]);
  const newJobId = makeJobId({ clientId, nonce }, nextSequence);
  core.copying.set(newJobId, { from, kept });
  core.emit({ kind: "composeReprint", jobId: from, newJobId, marked, ticket: { ...ticket, jobId: newJobId } });
}

/** Printed again: sent by the server at once, whatever the first one was to wait for. */
function againTicket(core: ServerCore, original: JobTicket): CopyTicket {
  const { jobId, held: _, holdMs: __, expiresMs: ___, movedFrom: ____, ...ticket } = original;
  const hostIncarnation = incarnationOf(core, ticket.printer) ?? ticket.hostIncarnation;
  const requestedAtMs = Math.max(0, Math.floor(core.now.wallMs));
  return {
    ...ticket,
    from: jobId,
    hostIncarnation,
    requestedAtMs,
    reprintOf: jobId,
    source: "server",
    spools: "server",
  };
}

/** The same job elsewhere: what was chosen for it still holds, and its time counts from the first request. */
function movedTicket(core: ServerCore, job: ServerJob, printer: string): CopyTicket {
  const { jobId, ...ticket } = job.row.ticket;
  const { priority, held, holdMs, expiresMs } = settingsOf(job.row);
  const { held: _, holdMs: __, expiresMs: ___, ...rest } = ticket;
  return {
    ...rest,
    from: jobId,
    printer,
    hostIncarnation: incarnationOf(core, printer) ?? ticket.hostIncarnation,
    movedFrom: jobId,
    source: "server",
    spools: "server",
    priority,
    ...(held ? { held } : {}),
    ...(holdMs === undefined ? {} : { holdMs }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  };
}

/** What the history remembers of a ticket; the shell measures the rest at the image. */
function keptTicket(core: ServerCore, history: HistoryRow): JobTicket {
  const { jobId, printer, title, clientName, pages, heightDots, outcome, documentDateMs, priority } = history;
  return {
    jobId,
    printer,
    source: "server",
    spools: "server",
    title,
    clientName,
    requestedAtMs: 0,
    sizeBytes: history.sizeBytes ?? 1,
    sha256: outcome.sha256,
    pages: Math.max(1, pages),
    widthDots: core.printers.get(printer)?.row.attributes.widthDots ?? 1,
    heightDots: Math.max(1, heightDots),
    hostIncarnation: outcome.hostIncarnation,
    ...(documentDateMs === undefined ? {} : { documentDateMs }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function incarnationOf(core: ServerCore, printer: string): string | undefined {
  return core.printers.get(printer)?.row.attributes.hostIncarnation;
}

/** One transaction takes the old job out of the queue and puts the new one in. */
export function copyComposed(core: ServerCore, jobId: JobId, ticket: JobTicket): void {
  const job = core.queue.get(jobId);
  const kept = core.copying.get(ticket.jobId)?.kept === true;
  core.copying.delete(ticket.jobId);
  if (job?.composing !== true && !kept) return core.emit({ kind: "eraseImage", jobId: ticket.jobId });
  const { requestedHereMs } = job?.row ?? {};
  const copy = core.enqueue(ticket, {
    clientKeepsImage: false,
    serverCopy: true,
    imageStored: true,
    ...(ticket.movedFrom === undefined || requestedHereMs === undefined ? {} : { requestedHereMs }),
  });
  const moved = ticket.movedFrom === jobId;
  core.event(copy, moved ? "moved" : "printed again", `from ${job?.row.ticket.printer ?? ticket.printer}: ${jobId}`);
  core.note(moved ? "job-moved" : "job-reprinted", jobId, ticket.jobId);
  const added: RowWrite = { op: "put", table: serverTables.jobs, key: ticket.jobId, value: copy.row };
  if (job === undefined) core.persist([added]);
  else closeJob(core, job, copiedHistory(core, job, ticket.jobId, moved), [added]);
  core.changed(copy);
}

function copiedHistory(core: ServerCore, job: ServerJob, copiedAs: JobId, moved: boolean): HistoryRow | undefined {
  const history = resolvedHistory(core, job, moved ? "moved" : "reprinted");
  return history === undefined ? undefined : { ...history, copiedAs };
}

export function copyFailed(core: ServerCore, jobId: JobId, reason: string): void {
  for (const [newJobId, { from }] of core.copying) if (from === jobId) core.copying.delete(newJobId);
  const job = core.queue.get(jobId);
  core.note("reprint-failed", jobId, reason);
  if (job === undefined) return;
  job.composing = false;
  job.composeFailed = true;
  core.send(job.client, { type: "jobHeld", jobId, reason: job.row.heldReason ?? reason });
}
