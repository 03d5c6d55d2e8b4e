import { type ErrorCode, errorTable } from "../protocol/errors.ts";
import type { PrinterAttributes } from "../protocol/job.ts";
import type { Message, MessageOf } from "../protocol/messages.ts";
import type { RowWrite } from "../runtime/machine.ts";
import type { ClientCore } from "./client-core.ts";
import { type ClientJob, clientTables } from "./client-state.ts";
import { fetchCopy, serverChanged, serverConfirmed } from "./job-changes.ts";
import { startOffering } from "./offering.ts";
import { acceptJob, cancelJob, closeJob, eraseJob, holdJob } from "./outcomes.ts";
import { listOpenJobs, requestJob, tellServer } from "./requests.ts";

/** The server's word on a job that is open here. */
export function serverSaid(core: ClientCore, job: ClientJob, message: Message): void {
  switch (message.type) {
    case "jobAccepted":
      jobAccepted(core, job, message.wantImage);
      if (message.hasImage === true) serverConfirmed(core, job, message.revision);
      return fetchCopy(core, job);
    case "jobChanged":
      return serverChanged(core, job, message.settings);
    case "jobRefused":
      return jobRefused(core, job, message.code, message.detail);
    case "imageStored":
      serverHasImage(core, job);
      acceptJob(core, job);
      return serverConfirmed(core, job, message.revision);
    case "jobStarted":
      return jobStarted(core, job, message);
    case "jobHeld":
      job.serverRetry = undefined;
      job.recorded = job.row.outcome !== undefined;
      return core.report(job, "held", { detail: message.reason });
    case "jobClosed":
      return closeJob(core, job, message.outcome);
    case "jobUnknown":
      return job.row.outcome === undefined ? requestJob(core, job) : tellServer(core, job);
    default:
      return core.note("message-unexpected", job.row.ticket.jobId, message.type);
  }
}

/** The server's word on a job that is not here any more. */
export function answerForgotten(core: ClientCore, message: Message): void {
  // The server waits for a job that this client no longer has: the list says so.
  if (message.type === "jobAccepted") return listOpenJobs(core);
  if (message.type !== "jobStarted") return;
  const { jobId, epoch } = message;
  core.sendToServer({ type: "senderHasNoImage", jobId, epoch, reason: "no-image" });
}

/** The attributes are kept, so that images can be made while the server is away. */
export function printersListed(core: ClientCore, printers: readonly PrinterAttributes[]): void {
  const writes: RowWrite[] = [];
  for (const printer of printers) {
    if (JSON.stringify(core.printers.get(printer.name)) === JSON.stringify(printer)) continue;
    core.printers.set(printer.name, printer);
    writes.push({ op: "put", table: clientTables.printers, key: printer.name, value: printer });
  }
  if (writes.length > 0) core.persist(writes);
}

function jobAccepted(core: ClientCore, job: ClientJob, wantImage: boolean): void {
  if (job.row.outcome === undefined) job.serverRetry = undefined;
  if (wantImage && !job.imageAtHand) return nobodyHasImage(core, job);
  if (wantImage && !job.uploading) {
    job.uploading = true;
    core.emit({ kind: "uploadImage", jobId: job.row.ticket.jobId });
  }
  if (!wantImage && job.row.image === "none") serverHasImage(core, job);
  if (job.row.image === "stored" || job.row.serverHasImage) acceptJob(core, job);
}

function nobodyHasImage(core: ClientCore, job: ClientJob): void {
  const { ticket, accepted, outcome, serverHasImage } = job.row;
  // Whatever becomes of a job that has ended, it is for a person to say, and not for a lost image.
  if (outcome !== undefined) return;
  if (accepted) return holdJob(core, job, serverHasImage ? "the server lost its image" : "the image is lost");
  // The process died with the only copy, before the user heard a yes: take the job back.
  core.note("image-lost", ticket.jobId, "not accepted before the restart");
  cancelJob(core, ticket.jobId);
}

/** No-spool (S104-S107): the image in this process's hands goes only when the server's copy is durable. */
function serverHasImage(core: ClientCore, job: ClientJob): void {
  job.uploading = false;
  if (job.row.image === "stored" || job.row.serverHasImage) return;
  core.save(job, { serverHasImage: true });
  if (!job.imageAtHand) return;
  job.imageAtHand = false;
  core.emit({ kind: "eraseImage", jobId: job.row.ticket.jobId });
}

function jobRefused(core: ClientCore, job: ClientJob, code: ErrorCode, detail: string): void {
  const { jobId } = job.row.ticket;
  if (!errorTable[code].retryable || !job.row.accepted) job.serverRetry = undefined;
  if (job.row.outcome !== undefined) return holdJob(core, job, `the server refused its history: ${code}`);
  if (!job.row.accepted) {
    // Never accepted, so never offered to a host either: nothing can be on paper.
    core.report(job, "refused", { code, detail });
    return eraseJob(core, job);
  }
  core.note("job-refused-late", jobId, code);
  // Accepted while the server was away: it may not be lost now, so this client prints it.
  if (job.imageAtHand) startOffering(core, job, job.epoch);
  else holdJob(core, job, `the server refused the job: ${code}`);
}

/** Step 307. */
function jobStarted(core: ClientCore, job: ClientJob, message: MessageOf<"jobStarted">): void {
  const { jobId, epoch } = message;
  if (job.row.outcome !== undefined) return tellServer(core, job);
  if (!job.imageAtHand || job.row.cancelRequested) {
    return core.sendToServer({ type: "senderHasNoImage", jobId, epoch, reason: "no-image" });
  }
  if (epoch < job.epoch) return;
  // Without a link to the host the order is kept; it is answered and obeyed when the link opens.
  if (core.linked.has(job.host)) core.sendToServer({ type: "senderReady", jobId, epoch });
  startOffering(core, job, epoch);
}
