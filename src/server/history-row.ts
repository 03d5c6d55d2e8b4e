import type { HistoryRow, JobEvent, JobSettings, JobTicket, OutcomeRecord } from "../protocol/job.ts";
import { settingsOf } from "../protocol/job-settings.ts";

/** What is known of a job beside its outcome: a row of the queue, or the ticket alone. */
export interface KnownJob {
  readonly ticket: JobTicket;
  readonly settings?: JobSettings | undefined;
  readonly events?: readonly JobEvent[];
}

/** What the history says of a job; without its ticket only what the ledger knows. */
export function makeHistoryRow(
  outcome: OutcomeRecord,
  job: KnownJob | undefined,
  printer: string,
  recordedAtMs: number,
): HistoryRow {
  const { jobId, title, clientName, pages, heightDots } = outcome;
  const common = { jobId, printer, outcome, recordedAtMs };
  if (job === undefined) return { ...common, title, clientName, pages, heightDots };
  const { ticket, events } = job;
  const { source, spools, priority } = settingsOf(job);
  const { requestedAtMs, documentDateMs, sizeBytes, reprintOf } = ticket;
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
    ...(documentDateMs === undefined ? {} : { documentDateMs }),
    ...(reprintOf === undefined ? {} : { reprintOf }),
    ...(events === undefined || events.length === 0 ? {} : { events: [...events] }),
  };
}

/** Nobody knows whether it is on paper, and nobody has decided what to do about it. */
export function isUndecided(history: HistoryRow): boolean {
  return history.outcome.outcome === "indeterminate" && history.resolution === undefined;
}
