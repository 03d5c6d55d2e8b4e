import { errorTable } from "../protocol/errors.ts";
import type { Message, MessageOf, Peer } from "../protocol/messages.ts";
import { attemptFailed, documentRefused } from "./error-policies.ts";
import { printsEvent } from "./history-row.ts";
import { endJob } from "./outcomes.ts";
import { ledgerListed, printerChanged } from "./printer-hosts.ts";
import { cancelRefused } from "./resolutions.ts";
import type { ServerCore } from "./server-core.ts";
import type { ServerJob } from "./server-state.ts";

/** The printer host's word. */
export function hostSaid(core: ServerCore, from: Peer, message: Message): void {
  const name = from.slice("host:".length);
  switch (message.type) {
    case "printerChanged":
      return printerChanged(core, name, message);
    case "ledgerListed":
      return ledgerListed(core, name, message);
    case "outputEnded":
      endJob(core, message.record, undefined, from);
      return core.send(from, { type: "outputAcknowledged", jobId: message.record.jobId });
    case "outcomesUnknown":
      for (const jobId of message.jobIds) {
        const job = core.queue.get(jobId);
        if (job?.phase.kind === "outputting" || job?.phase.kind === "at-host") core.wait(job, 0);
      }
      return;
    case "imageWanted":
    case "offerWaiting":
    case "imageReceived":
    case "offerRefused":
    case "outputStarted":
    case "outputProgressed": {
      const job = core.queue.get(message.jobId);
      if (job !== undefined && job.row.outcome === undefined) offerAnswered(core, job, message);
      return;
    }
    default:
      return core.note("message-unexpected", undefined, `${message.type} from ${from}`);
  }
}

type OfferAnswer = MessageOf<
  "imageWanted" | "offerWaiting" | "imageReceived" | "offerRefused" | "outputStarted" | "outputProgressed"
>;

function offerAnswered(core: ServerCore, job: ServerJob, message: OfferAnswer): void {
  switch (message.type) {
    case "imageWanted":
      if (job.phase.kind !== "offering" || job.phase.sending || message.epoch !== job.row.epoch) return;
      job.phase.sending = true;
      core.emit({ kind: "sendImage", jobId: message.jobId, to: job.host, uploadId: message.uploadId });
      return;
    case "offerWaiting":
      return;
    case "imageReceived":
      if (job.phase.kind === "outputting" || job.phase.kind === "at-host") return;
      job.phase = { kind: "at-host", retry: core.firstRetry(), sentBy: message.sentBy };
      return core.changed(job);
    case "outputStarted":
      if (job.phase.kind === "outputting") return;
      core.event(job, printsEvent, `sent by the ${message.sentBy}`);
      job.phase = { kind: "outputting", retry: core.firstRetry(), sentBy: message.sentBy };
      job.attempt = undefined;
      job.lastFailure = undefined;
      job.blocking = false;
      return core.changed(job);
    case "outputProgressed":
      job.rowsDone = message.rowsDone;
      return core.changed(job);
    case "offerRefused":
      return offerRefused(core, job, message);
  }
}

function offerRefused(core: ServerCore, job: ServerJob, { code, epoch }: MessageOf<"offerRefused">): void {
  if (code !== "epoch-stale" && !errorTable[code].retryable) {
    // The cancel raised the epoch, and nothing is offered after it: this answers the cancel.
    if (job.row.cancelRequested && epoch === job.row.epoch) return cancelRefused(core, job, code);
    return documentRefused(core, job, code);
  }
  if (epoch !== job.row.epoch || job.phase.kind !== "offering") return;
  attemptFailed(core, job, errorTable[code].sentence);
}
