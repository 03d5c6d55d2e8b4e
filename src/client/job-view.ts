import type { JobView } from "../protocol/api.ts";
import { settingsOf } from "../protocol/job-settings.ts";
import type { ClientJob } from "./client-state.ts";
import { expireAtMs, releaseAtMs } from "./job-changes.ts";

/** A client's own job as its API shows it: what this side knows, also while the server is away. */
export function viewClientJob(job: ClientJob, serverLinked: boolean): JobView {
  const { ticket, outcome, image, serverHasImage } = job.row;
  const { source, spools, priority } = settingsOf(job.row);
  const holdUntilMs = releaseAtMs(job);
  const expiresAtMs = expireAtMs(job);
  const { jobId, title, clientName, printer, sizeBytes, pages, heightDots, requestedAtMs } = ticket;
  return {
    jobId,
    title,
    clientName,
    printer,
    state: stateOf(job),
    reason: reasonOf(job, serverLinked),
    source,
    spools,
    priority,
    ...(holdUntilMs === undefined ? {} : { holdUntilMs }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    held: { client: image === "stored", server: serverHasImage },
    sizeBytes,
    pages,
    heightDots,
    rowsDone: job.rowsDone,
    requestedAtMs,
    ...(ticket.documentDateMs === undefined ? {} : { documentDateMs: ticket.documentDateMs }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

function stateOf(job: ClientJob): JobView["state"] {
  if (job.row.cancelRequested && job.row.outcome === undefined) return "canceling";
  if (job.row.heldReason !== undefined || job.reported === "held" || settingsOf(job.row).held) return "pending-held";
  if (job.row.outcome !== undefined) return "ended";
  return job.reported === "started" || job.reported === "progressed" ? "processing" : "pending";
}

function reasonOf(job: ClientJob, serverLinked: boolean): string {
  const { heldReason, outcome, cancelRequested } = job.row;
  if (cancelRequested && outcome === undefined) return "waits for the printer host to confirm the cancel";
  if (heldReason !== undefined) return heldReason;
  if (outcome !== undefined) {
    return serverLinked
      ? `${outcome.outcome}; the server writes its history`
      : `${outcome.outcome}; waits for the server`;
  }
  if (job.offering) return "this client sends its image";
  return serverLinked ? "waits for the server's order" : "the server is away; this client prints by itself";
}
