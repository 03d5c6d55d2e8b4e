import type { HistoryRow, JobEvent, JobSettings, JobTicket, OutcomeRecord } from "../protocol/job.ts";
import { settingsOf } from "../protocol/job-settings.ts";

/** What is known of a job beside its outcome: a row of the queue, or the ticket alone. */
export interface KnownJob {
  readonly ticket: JobTicket;
  readonly settings?: JobSettings | undefined;
  readonly events?: readonly JobEvent[];
  readonly requestedHereMs?: number;
}

/** Where and when a row is written. */
export interface Recording {
  readonly printer: string;
  readonly resolutionDpi?: number | undefined;
  /** Wall clock of the server. */
  readonly nowMs: number;
}

/** The event of a job whose first dot is on its way. */
export const printsEvent = "prints";

/** What the history says of a job; without its ticket only what the ledger knows. */
export function makeHistoryRow(
  outcome: OutcomeRecord,
  job: KnownJob | undefined,
  { printer, resolutionDpi, nowMs }: Recording,
): HistoryRow {
  const { jobId, title, clientName, pages, heightDots } = outcome;
  const resolution = resolutionDpi === undefined ? {} : { resolutionDpi };
  const common = { jobId, printer, ...resolution, outcome, recordedAtMs: Math.max(0, Math.floor(nowMs)) };
  if (job === undefined) return { ...common, title, clientName, pages, heightDots };
  const { ticket, events, requestedHereMs } = job;
  const startedHereMs = events?.findLast(({ event }) => event === printsEvent)?.atMs;
  const { source, spools, priority } = settingsOf(job);
  const heldBack = wasHeldBack(job);
  const { requestedAtMs, documentDateMs, sizeBytes, reprintOf, movedFrom } = ticket;
  return {
    ...common,
    title: ticket.title,
    clientName: ticket.clientName,
    pages: ticket.pages,
    heightDots: ticket.heightDots,
    source,
    spools,
    priority,
    requestedAtMs,
    sizeBytes,
    ...(requestedHereMs === undefined ? {} : { requestedHereMs }),
    ...(heldBack ? { heldBack } : {}),
    ...(startedHereMs === undefined ? {} : { startedHereMs }),
    ...(documentDateMs === undefined ? {} : { documentDateMs }),
    ...(reprintOf === undefined ? {} : { reprintOf }),
    ...(movedFrom === undefined ? {} : { movedFrom }),
    ...(events === undefined || events.length === 0 ? {} : { events: [...events] }),
  };
}

/** Held or put off at the request, or at any time after it. */
function wasHeldBack(job: KnownJob): boolean {
  const { held, holdMs } = settingsOf(job);
  if (held || holdMs !== undefined || job.ticket.held === true || job.ticket.holdMs !== undefined) return true;
  return (job.events ?? []).some(
    ({ event, detail }) => event === "held" || /\b(?:held|holdMs) \S+ -> /.test(detail ?? ""),
  );
}

/** Nobody knows whether it is on paper, and nobody has decided what to do about it. */
export function isUndecided(history: HistoryRow): boolean {
  return history.outcome.outcome === "indeterminate" && history.resolution === undefined;
}
