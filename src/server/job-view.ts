import type { JobView, PrinterView } from "../protocol/api.ts";
import { type ErrorCode, errorTable } from "../protocol/errors.ts";
import { settingsOf } from "../protocol/job-settings.ts";
import { expireAtMs, releaseAtMs } from "./job-changes.ts";
import { isPending } from "./scheduler.ts";
import type { ServerJob, ServerPrinter, WaitingReason } from "./server-state.ts";

/** What a person reads of each reason to wait. */
const waitingSentences: Readonly<Record<WaitingReason, string>> = {
  "waits-for-turn": "waits for its turn",
  "waits-for-image": "waits for the image from the client",
  "waits-for-client": "waits for the client, which has the only image",
  "waits-for-printer-host": "waits for the printer host",
  "waits-for-sender": "waits for the next attempt to send it",
  "held-by-person": "held until a person releases it",
  "held-until": "held until its time",
};

const phaseSentences = {
  starting: "the client was told to print",
  "client-sending": "the client sends its image",
  offering: "the server sends its image",
  "at-host": "the printer host has the image and waits for the printer",
  outputting: "prints",
} as const;

/** A job of the queue as the API shows it. */
export function viewJob(job: ServerJob): JobView {
  const { ticket, outcome, imageStored, clientKeepsImage } = job.row;
  const { jobId, title, clientName, printer, sizeBytes, pages, heightDots, requestedAtMs } = ticket;
  const { source, spools, priority } = settingsOf(job.row);
  const holdUntilMs = releaseAtMs(job);
  const expiresAtMs = expireAtMs(job);
  const sentBy = senderOf(job);
  return {
    jobId,
    title,
    clientName,
    printer,
    state: stateOf(job),
    reason: reasonOf(job),
    source,
    spools,
    priority,
    ...(holdUntilMs === undefined ? {} : { holdUntilMs }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    held: { client: clientKeepsImage, server: imageStored },
    sizeBytes,
    pages,
    heightDots,
    rowsDone: job.rowsDone,
    requestedAtMs,
    ...(ticket.documentDateMs === undefined ? {} : { documentDateMs: ticket.documentDateMs }),
    ...(sentBy === undefined ? {} : { sentBy }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(ticket.reprintOf === undefined ? {} : { reprintOf: ticket.reprintOf }),
    events: [...job.row.events],
  };
}

/** Asked for, and not failed: the held job is on its way to become a marked duplicate. */
function isReprinting(job: ServerJob): boolean {
  return job.composing || (job.row.retryRequested && !job.composeFailed);
}

function stateOf(job: ServerJob): JobView["state"] {
  if (isReprinting(job)) return "processing";
  if (job.row.heldReason !== undefined) return "pending-held";
  if (job.row.cancelRequested) return "canceling";
  if (job.phase.kind !== "waiting") return isPending(job) ? "processing" : "pending";
  return job.phase.reason === "held-by-person" || job.phase.reason === "held-until" ? "pending-held" : "pending";
}

function reasonOf(job: ServerJob): string {
  const { heldReason, cancelRequested } = job.row;
  if (isReprinting(job)) return "a duplicate with a mark on it is being made";
  if (heldReason !== undefined) return heldReason;
  if (cancelRequested) return "waits for the printer host to confirm the cancel";
  if (job.phase.kind !== "waiting") return phaseSentences[job.phase.kind];
  const refused: ErrorCode | undefined = job.lastRefusal;
  const why = refused === undefined ? "" : ` (${errorTable[refused].sentence})`;
  return `${waitingSentences[job.phase.reason]}${why}`;
}

function senderOf({ phase }: ServerJob): "client" | "server" | undefined {
  if (phase.kind === "outputting" || phase.kind === "at-host") return phase.sentBy;
  if (phase.kind === "offering") return "server";
  return phase.kind === "client-sending" ? "client" : undefined;
}

export function viewPrinter(printer: ServerPrinter, queuedJobs: number): PrinterView {
  return { attributes: printer.row.attributes, state: printer.state, linked: printer.linked, queuedJobs };
}
