import { type ErrorCode, errorTable } from "../protocol/errors.ts";
import type { Message, MessageOf } from "../protocol/messages.ts";
import type { ClientCore } from "./client-core.ts";
import type { ClientJob } from "./client-state.ts";
import { endOffering } from "./offering.ts";
import { holdJob } from "./outcomes.ts";

/** The printer host's word on a job that is open here. */
export function hostSaid(core: ClientCore, job: ClientJob, message: Message): void {
  const { jobId } = job.row.ticket;
  switch (message.type) {
    case "imageWanted":
      if (!job.imageAtHand || job.sending || job.row.cancelRequested) return;
      job.sending = true;
      return core.emit({ kind: "sendImage", jobId, to: job.host, uploadId: message.uploadId });
    case "imageReceived":
      return core.report(job, "waiting", { detail: "the printer host has the image" });
    case "offerWaiting":
      return core.report(job, "waiting", { detail: `${message.ahead} ahead at the printer` });
    case "offerRefused":
      return offerRefused(core, job, message);
    case "outputStarted":
      return core.report(job, "started", { detail: message.sentBy });
    case "outputProgressed":
      return core.report(job, "progressed", { rowsDone: message.rowsDone });
    default:
      return core.note("message-unexpected", jobId, message.type);
  }
}

function offerRefused(core: ClientCore, job: ClientJob, { code }: MessageOf<"offerRefused">): void {
  const { jobId } = job.row.ticket;
  core.note("offer-refused", jobId, code);
  if (job.row.outcome !== undefined) return;
  if (errorTable[code].retryable) return notTaken(core, job, code);
  // A newer order stands; alone, this client asks again later, in case its giver is gone.
  if (code === "epoch-stale" && core.alone()) return;
  job.offering = false;
  job.offerRetry = undefined;
  if (code === "epoch-stale") return;
  core.sendToServer({ type: "senderHasNoImage", jobId, epoch: job.epoch, reason: "offer-refused", code });
  holdJob(core, job, errorTable[code].sentence);
}

/** An ordered attempt has failed: what follows is the server's to say. Alone, this client goes on trying. */
function notTaken(core: ClientCore, job: ClientJob, code: ErrorCode): void {
  if (job.epoch === 0 || core.alone() || !core.linked.has("server")) return;
  const { jobId } = job.row.ticket;
  endOffering(job);
  core.sendToServer({ type: "senderHasNoImage", jobId, epoch: job.epoch, reason: "offer-refused", code });
}
