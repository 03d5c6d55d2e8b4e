import type { JobView, PrinterView } from "../protocol/api.ts";
import type { PrinterState } from "../protocol/job.ts";
import { settingsOf } from "../protocol/job-settings.ts";
import { expireAtMs, releaseAtMs } from "./job-changes.ts";
import { isPending } from "./scheduler.ts";
import type { PrinterPause, ServerJob, ServerPrinter, WaitingReason } from "./server-state.ts";

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
export function viewJob(job: ServerJob, at?: ServerPrinter): JobView {
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
    reason: reasonOf(job, at?.row.paused),
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
    ...(ticket.movedFrom === undefined ? {} : { movedFrom: ticket.movedFrom }),
    ...(job.row.moveTo === undefined ? {} : { moveTo: job.row.moveTo }),
    events: [...job.row.events],
  };
}

/** Asked for, and not failed: the held job is on its way to become a marked duplicate. */
function isReprinting(job: ServerJob): boolean {
  if (job.composing) return true;
  return (
    !job.composeFailed && (job.row.retryRequested || (job.row.moveTo !== undefined && job.row.outcome !== undefined))
  );
}

/** Also a job that is held: a person has decided about it, and the host has not had its last word. */
function isCanceling({ row, refusedForEver }: ServerJob): boolean {
  return row.cancelRequested && row.outcome === undefined && !refusedForEver;
}

function stateOf(job: ServerJob): JobView["state"] {
  if (isReprinting(job)) return "processing";
  if (isCanceling(job)) return "canceling";
  if (job.row.heldReason !== undefined) return "pending-held";
  if (job.phase.kind !== "waiting") return isPending(job) ? "processing" : "pending";
  return job.phase.reason === "held-by-person" || job.phase.reason === "held-until" ? "pending-held" : "pending";
}

function reasonOf(job: ServerJob, paused: PrinterPause | undefined): string {
  const { heldReason, moveTo } = job.row;
  if (moveTo !== undefined && !job.composeFailed) return movingReason(job, moveTo);
  if (isReprinting(job)) return "a duplicate with a mark on it is being made";
  if (isCanceling(job)) return "waits for the printer host to confirm the cancel";
  if (heldReason !== undefined) return heldReason;
  if (job.phase.kind !== "waiting") return phaseSentences[job.phase.kind];
  if (paused !== undefined) return `waits until a person resumes the printer (${paused.reason})`;
  const why = job.lastFailure === undefined ? "" : ` (${job.lastFailure})`;
  return `${waitingSentences[job.phase.reason]}${why}`;
}

function movingReason({ row }: ServerJob, moveTo: string): string {
  const moved = `is moved to ${moveTo}`;
  if (row.outcome !== undefined) return `${moved}: its copy is being made`;
  if (row.cancelRequested) return `${moved}: waits for the printer host to confirm that it will not print it`;
  return `${moved}: waits for the image from the client`;
}

function senderOf({ phase }: ServerJob): "client" | "server" | undefined {
  if (phase.kind === "outputting" || phase.kind === "at-host") return phase.sentBy;
  if (phase.kind === "offering") return "server";
  return phase.kind === "client-sending" ? "client" : undefined;
}

export function viewPrinter(printer: ServerPrinter, queuedJobs: number): PrinterView {
  const { attributes, paused } = printer.row;
  const state = paused === undefined ? printer.state : pausedState(printer.state);
  return { attributes, state, linked: printer.linked, queuedJobs, ...(paused === undefined ? {} : { paused }) };
}

/** IPP printer-state-reason `paused` (RFC 8011 5.4.12); the job under way goes on. */
function pausedState({ state, reasons }: PrinterState): PrinterState {
  const others = reasons.filter((reason) => reason !== "none").slice(0, 15);
  return { state: state === "processing" ? state : "stopped", reasons: ["paused", ...others] };
}
