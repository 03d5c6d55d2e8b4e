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
import type { MessageOf } from "../protocol/messages.ts";
import { narrowing } from "./admission.ts";
import { answerKnown } from "./answers.ts";
import { isActive } from "./scheduler.ts";
import type { ServerCore } from "./server-core.ts";
import type { ServerJob, WaitingReason } from "./server-state.ts";

// What may be changed while a job waits: its source, its spools, its place in the queue, when it may go.

/** Why a change is not possible now; undefined when it is. */
export function changeRefusal(
  job: ServerJob,
  change: JobChange,
): { readonly code: ErrorCode; readonly detail: string } | undefined {
  if (!isChangeable(job)) return { code: "job-processing", detail: job.row.ticket.jobId };
  const { source, spools } = changeSettings(settingsOf(job.row), change, "server");
  if (sourceFitsSpools({ source, spools })) return undefined;
  return { code: "spools-contradict", detail: `the image cannot come from ${source} when only ${spools} keeps it` };
}

/** On its way to the printer it is not called back: only a cancel is asked of the host. */
function isChangeable(job: ServerJob): boolean {
  if (job.row.moveTo !== undefined || job.composing) return false;
  return !isActive(job) && !job.row.cancelRequested && job.row.outcome === undefined;
}

/** The change of a person at the server. */
export function changeJob(core: ServerCore, jobId: JobId, change: JobChange): void {
  const job = core.queue.get(jobId);
  if (job === undefined || changeRefusal(job, change) !== undefined) return;
  const before = settingsOf(job.row);
  const settings = changeSettings(before, change, "server");
  core.event(job, "changed", differences(before, settings));
  core.save(job, { settings });
  reconsider(core, job);
  balanceCopies(core, job);
  answerKnown(core, job.client, job);
}

/** What the client says of settings and copy: the newer revision holds. */
export function clientTold(
  core: ServerCore,
  job: ServerJob,
  told: Pick<MessageOf<"jobRequested">, "clientKeepsImage" | "settings" | "withoutServerCopy" | "clientWay">,
): void {
  const { clientKeepsImage, settings, withoutServerCopy } = told;
  job.clientWay = told.clientWay;
  if (withoutServerCopy === undefined && job.row.narrowed?.by === "client") takeNarrowing(core, job);
  const clientRevision = settings?.revision ?? 0;
  const { row } = job;
  if (row.clientKeepsImage !== clientKeepsImage || row.clientRevision !== clientRevision) {
    core.save(job, { clientKeepsImage, clientRevision });
  }
  const mine = settingsOf(row);
  if (settings === undefined || settings.revision <= mine.revision) return;
  if (isChangeable(job)) {
    core.event(job, "changed at the client", differences(mine, settings));
    core.save(job, { settings });
    reconsider(core, job);
    return;
  }
  // Too late: what the server does now holds, under a revision that the client will follow.
  core.save(job, { settings: changeSettings({ ...mine, revision: settings.revision }, {}, "server") });
}

/**
 * Brings the server's copy to what the settings ask for; the answer to the client then says what is wanted. It is given
 * up only when the client has said, knowing these very settings, that it keeps the image: otherwise two changes that
 * cross could leave no copy at all (I4).
 */
export function balanceCopies(core: ServerCore, job: ServerJob): void {
  if (!isChangeable(job)) return;
  const { clientKeepsImage, clientRevision, serverCopy, imageStored, narrowed } = job.row;
  const { spools, revision } = settingsOf(job.row);
  const wanted = !clientKeepsImage || (spools !== "client" && narrowed === undefined);
  if (wanted && !serverCopy) return core.save(job, { serverCopy: true });
  if (spools !== "client" || !serverCopy || !clientKeepsImage || clientRevision !== revision) return;
  core.event(job, "the server's copy is given up", "the client's spool alone was chosen");
  core.save(job, { serverCopy: false, imageStored: false });
  if (imageStored) core.emit({ kind: "eraseImage", jobId: job.row.ticket.jobId });
}

/** Spool and network have room again: copies that were left out are asked for. */
export function widen(core: ServerCore): void {
  for (const job of core.queue.all()) {
    if (!isChangeable(job) || !reconsider(core, job)) continue;
    balanceCopies(core, job);
    answerKnown(core, job.client, job);
  }
}

/** Takes back what this server left out, when nothing speaks against it any more. */
function reconsider(core: ServerCore, job: ServerJob): boolean {
  const { narrowed, ticket, settings } = job.row;
  if (narrowed?.by !== "server" || narrowing(core, ticket, settings !== undefined) !== undefined) return false;
  takeNarrowing(core, job);
  return true;
}

function takeNarrowing(core: ServerCore, job: ServerJob): void {
  const { narrowed: _, ...row } = job.row;
  job.row = row;
  core.event(job, "the server may keep a copy again");
  core.save(job);
}

/** Why a job that could go stands back: it is held, or its time has not come. */
export function standsBack(core: ServerCore, job: ServerJob): WaitingReason | undefined {
  if (isHeld(job.row)) return "held-by-person";
  const atMs = releaseAtMs(job);
  return atMs !== undefined && atMs > core.now.wallMs ? "held-until" : undefined;
}

/** Wall clock of this server; undefined when it may go at once. */
export function releaseAtMs({ row }: ServerJob): number | undefined {
  const holdMs = holdMsOf(row);
  return holdMs === undefined ? undefined : row.requestedHereMs + holdMs;
}

/** Wall clock of this server; undefined when it never expires. */
export function expireAtMs({ row }: ServerJob): number | undefined {
  const expiresMs = expiresMsOf(row);
  return expiresMs === undefined ? undefined : row.requestedHereMs + expiresMs;
}

function differences(before: JobSettings, after: JobSettings): string {
  const { revision: _, ...shown } = { ...before, ...after };
  return Object.keys(shown)
    .flatMap((key) => {
      const from = before[key as keyof JobSettings];
      const to = after[key as keyof JobSettings];
      return from === to ? [] : [`${key} ${from ?? "none"} -> ${to ?? "none"}`];
    })
    .join(", ");
}
