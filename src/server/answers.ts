import type { ErrorCode } from "../protocol/errors.ts";
import type { JobId } from "../protocol/ids.ts";
import { settingsOf } from "../protocol/job-settings.ts";
import type { Peer } from "../protocol/messages.ts";
import { isUndecided } from "./history-row.ts";
import type { ServerCore } from "./server-core.ts";
import type { ServerJob } from "./server-state.ts";

/** Where the job stands, as an answer to whatever its client asked. */
export function answerKnown(core: ServerCore, to: Peer, job: ServerJob): void {
  const { ticket, serverCopy, imageStored, clientKeepsImage, clientRevision, heldReason } = job.row;
  const { jobId } = ticket;
  // A client that cannot keep the image, or lost it, needs the copy here whatever was narrowed before.
  if (!serverCopy && !clientKeepsImage) core.save(job, { serverCopy: true });
  const settings = settingsOf(job.row);
  if (clientRevision < settings.revision) core.send(to, { type: "jobChanged", jobId, settings });
  const wantImage = job.row.serverCopy && !imageStored;
  core.send(to, { type: "jobAccepted", jobId, wantImage, hasImage: imageStored, revision: settings.revision });
  if (heldReason !== undefined) core.send(to, { type: "jobHeld", jobId, reason: heldReason });
}

/** What the history says of a job that is not in the queue. */
export function answerUnlisted(core: ServerCore, to: Peer, jobId: JobId): void {
  const history = core.findHistory(jobId);
  if (history === undefined) core.send(to, { type: "jobUnknown", jobId });
  // An indeterminate job without a decision is open: its client tells, and the job is held again.
  else if (isUndecided(history) || history.source === undefined) core.send(to, { type: "jobUnknown", jobId });
  else core.send(to, { type: "jobClosed", jobId, outcome: history.outcome });
}

/** S417: NG. */
export function refuseJob(core: ServerCore, to: Peer, jobId: JobId, code: ErrorCode, detail: string): void {
  core.note("job-refused", jobId, code);
  core.send(to, { type: "jobRefused", jobId, code, detail });
}
