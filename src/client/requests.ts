import { limits } from "../protocol/limits.ts";
import type { ClientWay } from "../protocol/messages.ts";
import type { ClientCore } from "./client-core.ts";
import type { ClientJob } from "./client-state.ts";

// What the client tells the server, until it is answered.

/** Step 301. */
export function requestJob(core: ClientCore, job: ClientJob): void {
  const { ticket, image, settings, withoutServerCopy, withoutOwnCopy } = job.row;
  const clientWay = wayOf(core, job);
  core.sendToServer({
    type: "jobRequested",
    ticket,
    clientKeepsImage: image === "stored",
    ageMs: Math.max(0, Math.floor(core.now.wallMs - ticket.requestedAtMs)),
    ...(settings === undefined ? {} : { settings }),
    ...(withoutServerCopy === undefined ? {} : { withoutServerCopy }),
    ...(withoutOwnCopy === undefined || image === "stored" ? {} : { withoutClientCopy: withoutOwnCopy }),
    ...(clientWay === undefined ? {} : { clientWay }),
  });
  job.serverRetry ??= core.firstRetry();
}

/** What the server's choice of a source `auto` should know of this side. */
function wayOf(core: ClientCore, job: ClientJob): ClientWay | undefined {
  const printer = core.printers.get(job.row.ticket.printer);
  if (printer !== undefined && core.config.isBeside(printer.hostUrl)) return "beside";
  return core.networkLoaded ? "loaded" : undefined;
}

/** Says of one job what the server does not know for certain. */
export function tellServer(core: ClientCore, job: ClientJob): void {
  const { ticket, outcome, cancelRequested, cancelReason } = job.row;
  if (outcome !== undefined) core.sendToServer({ type: "jobEnded", ticket, outcome });
  else requestJob(core, job);
  // The server sees by itself what has expired; a person's cancel it has to be told.
  if (cancelRequested && cancelReason === undefined)
    core.sendToServer({ type: "jobCancelRequested", jobId: ticket.jobId });
  job.serverRetry ??= core.firstRetry();
}

export function listOpenJobs(core: ClientCore): void {
  const jobIds = [...core.jobs.keys()];
  core.statusAtMs = core.now.monotonicMs + core.config.timers.statusIntervalMs;
  if (jobIds.length > limits.openJobsPerMessage) return;
  const { nonce } = core.config;
  const nextSequence = core.ids.next;
  core.sendToServer({ type: "openJobsListed", jobIds, nonce, lowestOpen: core.lowestOpen(), nextSequence });
}

/** A server that is back knows nothing for certain. */
export function serverReturned(core: ClientCore): void {
  core.silentSinceMs = undefined;
  for (const job of core.jobs.values()) {
    job.uploading = false;
    job.fetching = false;
    job.serverRetry = undefined;
  }
  listOpenJobs(core);
  for (const job of core.jobs.values()) tellServer(core, job);
}
