import type { ErrorCode } from "../protocol/errors.ts";
import type { JobId } from "../protocol/ids.ts";
import type { JobChange, JobSettings } from "../protocol/job.ts";
import {
  changeSettings,
  expiresMsOf,
  holdMsOf,
  isHeld,
  settingsOf,
  sourceFitsSpools,
} from "../protocol/job-settings.ts";
import type { ClientCore } from "./client-core.ts";
import type { ClientJob } from "./client-state.ts";
import { cancelAtHost, endOffering } from "./offering.ts";
import { requestJob } from "./requests.ts";

// What may be changed while a job waits, and what follows for this client's copy. The server's rules mirror these.

/** Why a change is not possible now; undefined when it is. */
export function changeRefusal(
  job: ClientJob,
  change: JobChange,
): { readonly code: ErrorCode; readonly detail: string } | undefined {
  const { jobId } = job.row.ticket;
  if (!isChangeable(job)) return { code: "job-processing", detail: jobId };
  const { source, spools } = changeSettings(settingsOf(job.row), change, "client");
  if (sourceFitsSpools({ source, spools })) return undefined;
  return { code: "spools-contradict", detail: `the image cannot come from ${source} when only ${spools} keeps it` };
}

function isChangeable({ row, offering, reported }: ClientJob): boolean {
  const begun = reported === "started" || reported === "progressed";
  return !offering && !begun && row.outcome === undefined && !row.cancelRequested;
}

/** Holds at once, also while the server is away; the server hears of it with the next request. */
export function changeJob(core: ClientCore, jobId: JobId, change: JobChange): void {
  const job = core.jobs.get(jobId);
  if (job === undefined || changeRefusal(job, change) !== undefined) return;
  follow(core, job, changeSettings(settingsOf(job.row), change, "client"));
}

/** The server's settings: the newer revision holds. */
export function serverChanged(core: ClientCore, job: ClientJob, settings: JobSettings): void {
  if (settings.revision > settingsOf(job.row).revision) follow(core, job, settings);
  else requestJob(core, job);
}

/** The request with the new revision tells the server whether this spool keeps the image under it. */
function follow(core: ClientCore, job: ClientJob, settings: JobSettings): void {
  const before = settingsOf(job.row).spools;
  const joins = before !== settings.spools && settings.spools !== "server" && job.row.image === "none";
  core.save(job, { settings, ...(joins ? { fetchWanted: true } : {}) });
  if (job.row.outcome !== undefined) return;
  requestJob(core, job);
  fetchCopy(core, job);
}

/** This spool was added by a change: the server's copy comes here. */
export function fetchCopy(core: ClientCore, job: ClientJob): void {
  const { fetchWanted, image, serverHasImage, outcome, cancelRequested } = job.row;
  if (fetchWanted !== true || image === "stored" || !serverHasImage || job.fetching) return;
  if (!core.config.keepsImages) return;
  if (outcome !== undefined || cancelRequested || !core.linked.has("server")) return;
  job.fetching = true;
  core.emit({ kind: "fetchImage", jobId: job.row.ticket.jobId });
}

export function imageFetched(core: ClientCore, jobId: JobId): void {
  const job = core.jobs.get(jobId);
  if (job === undefined) return core.emit({ kind: "eraseImage", jobId });
  const { fetchWanted: _, withoutOwnCopy: __, ...row } = job.row;
  job.row = row;
  job.fetching = false;
  job.imageAtHand = true;
  core.save(job, { image: "stored" });
  if (job.row.outcome === undefined) requestJob(core, job);
}

/**
 * The server has said, knowing these very settings, that its copy is durable: only then may this one go, for two changes
 * that cross must not leave the job without a copy (I4).
 */
export function serverConfirmed(core: ClientCore, job: ClientJob, revision: number | undefined): void {
  const settings = settingsOf(job.row);
  if (settings.spools !== "server" || revision !== settings.revision) return;
  if (job.row.image !== "stored" || job.offering || job.row.outcome !== undefined) return;
  core.save(job, { image: "none", serverHasImage: true });
  job.imageAtHand = false;
  core.emit({ kind: "eraseImage", jobId: job.row.ticket.jobId });
  requestJob(core, job);
}

/** This side's network has room again: the server may keep a copy. Where `auto` chooses, it counts either way. */
export function networkChanged(core: ClientCore, loaded: boolean): void {
  core.networkLoaded = loaded;
  for (const job of core.jobs.values()) {
    if (job.row.outcome !== undefined) continue;
    if (!loaded && job.row.withoutServerCopy !== undefined) {
      const { withoutServerCopy: _, ...row } = job.row;
      job.row = row;
      core.save(job);
    } else if (settingsOf(job.row).source !== "auto") continue;
    requestJob(core, job);
  }
}

/** This spool has room again: images that it left to the server come here. */
export function widenOwn(core: ClientCore): void {
  for (const job of core.jobs.values()) {
    const { withoutOwnCopy, image, outcome, fetchWanted } = job.row;
    if (withoutOwnCopy === undefined || image === "stored" || outcome !== undefined || fetchWanted === true) continue;
    if (settingsOf(job.row).spools === "server") continue;
    core.save(job, { fetchWanted: true });
    fetchCopy(core, job);
  }
}

/** A job that is held, or whose time has not come, is not printed by this client alone either. */
export function standsBack(core: ClientCore, job: ClientJob): boolean {
  const releaseMs = releaseAtMs(job);
  return isHeld(job.row) || (releaseMs !== undefined && releaseMs > core.now.wallMs);
}

/** Wall clock of this client; undefined when it may go at once. */
export function releaseAtMs({ row }: ClientJob): number | undefined {
  const holdMs = holdMsOf(row);
  return holdMs === undefined ? undefined : row.ticket.requestedAtMs + holdMs;
}

/** Wall clock of this client; undefined when it never expires. */
export function expireAtMs({ row }: ClientJob): number | undefined {
  const expiresMs = expiresMsOf(row);
  return expiresMs === undefined ? undefined : row.ticket.requestedAtMs + expiresMs;
}

/** Its time is over while no server is there to say so. The host decides whether it has begun meanwhile. */
export function expireAlone(core: ClientCore, job: ClientJob): void {
  const atMs = expireAtMs(job);
  const { outcome, cancelRequested, heldReason } = job.row;
  if (atMs === undefined || atMs > core.now.wallMs || outcome !== undefined || cancelRequested) return;
  if (heldReason !== undefined) return;
  const minutes = Math.round((settingsOf(job.row).expiresMs ?? 0) / 60_000);
  endOffering(job);
  core.save(job, {
    cancelRequested: true,
    cancelReason: `expired: it was not begun within ${minutes} min of its request`,
  });
  core.report(job, "canceling");
  job.cancelRetry = core.firstRetry();
  cancelAtHost(core, job);
}
