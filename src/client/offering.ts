import { settingsOf } from "../protocol/job-settings.ts";
import { limits } from "../protocol/limits.ts";
import type { Peer } from "../protocol/messages.ts";
import type { ClientCore } from "./client-core.ts";
import type { ClientJob } from "./client-state.ts";

// Step 309: this client as the sender, and what it asks the printer host.

export function startOffering(core: ClientCore, job: ClientJob, epoch: number): void {
  const again = job.offering && job.epoch === epoch;
  job.epoch = epoch;
  job.offering = true;
  if (again) return;
  job.offerRetry = core.firstRetry();
  sendOffer(core, job);
}

export function sendOffer(core: ClientCore, job: ClientJob): void {
  if (job.row.outcome !== undefined || job.row.cancelRequested || !job.imageAtHand) return;
  const { ticket } = job.row;
  const lowestOpen = core.lowestOpen();
  const { expiresMs } = settingsOf(job.row);
  const expiry =
    expiresMs === undefined
      ? {}
      : { expiresInMs: Math.max(0, Math.ceil(ticket.requestedAtMs + expiresMs - core.now.wallMs)) };
  core.send(job.host, { type: "imageOffered", ticket, epoch: job.epoch, sentBy: "client", lowestOpen, ...expiry });
}

export function endOffering(job: ClientJob): void {
  job.offering = false;
  job.sending = false;
  job.offerRetry = undefined;
}

export function cancelAtHost(core: ClientCore, job: ClientJob): void {
  if (job.row.outcome !== undefined) return;
  const { ticket, cancelReason } = job.row;
  // After a restart only the row knows of the wish: it is repeated from here on.
  job.cancelRetry ??= core.firstRetry();
  const more = cancelReason === undefined ? {} : { reason: cancelReason, unlessStarted: true };
  core.send(job.host, { type: "outputCancelRequested", ticket, epoch: job.epoch, ...more });
}

/** A host that is back may have ended what this client does not know of yet. */
export function hostReturned(core: ClientCore, host: Peer): void {
  askOutcomes(core, host);
  for (const job of core.jobs.values()) {
    if (job.host !== host || job.row.outcome !== undefined) continue;
    const { jobId } = job.row.ticket;
    if (job.offering && job.epoch > 0) core.sendToServer({ type: "senderReady", jobId, epoch: job.epoch });
    if (job.offering) sendOffer(core, job);
    if (job.row.cancelRequested) cancelAtHost(core, job);
  }
}

export function askOutcomes(core: ClientCore, host: Peer): void {
  const open = [...core.jobs.values()].filter((job) => job.host === host && job.row.outcome === undefined);
  const jobIds = open.slice(0, limits.openJobsPerMessage).map((job) => job.row.ticket.jobId);
  if (jobIds.length > 0) core.send(host, { type: "outcomesRequested", jobIds, lowestOpen: core.lowestOpen() });
}
