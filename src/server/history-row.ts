import type { HistoryRow, JobTicket, OutcomeRecord } from "../protocol/job.ts";

/** What the history says of a job; without its ticket only what the ledger knows. */
export function makeHistoryRow(
  outcome: OutcomeRecord,
  ticket: JobTicket | undefined,
  printer: string,
  recordedAtMs: number,
): HistoryRow {
  const { jobId, title, clientName, pages, heightDots } = outcome;
  const common = { jobId, printer, outcome, recordedAtMs };
  if (ticket === undefined) return { ...common, title, clientName, pages, heightDots };
  const { source, spools, requestedAtMs, documentDateMs, sizeBytes, reprintOf } = ticket;
  return {
    ...common,
    title: ticket.title,
    clientName: ticket.clientName,
    pages: ticket.pages,
    heightDots: ticket.heightDots,
    source,
    spools,
    requestedAtMs,
    sizeBytes,
    ...(documentDateMs === undefined ? {} : { documentDateMs }),
    ...(reprintOf === undefined ? {} : { reprintOf }),
  };
}

/** Nobody knows whether it is on paper, and nobody has decided what to do about it. */
export function isUndecided(history: HistoryRow): boolean {
  return history.outcome.outcome === "indeterminate" && history.resolution === undefined;
}
