import type { HistoryRow, OutcomeRecord } from "../protocol/job.ts";
import { recordOf, ticketOf } from "../runtime/test-machine.ts";

type Changes = Partial<Omit<HistoryRow, "outcome">> & { readonly outcome?: Partial<OutcomeRecord> };

/** A row for tests of what is made of the history: job `n`, printed and recorded at second `n`. */
export function historyRowOf(n: number, { outcome = {}, ...more }: Changes = {}): HistoryRow {
  const ticket = ticketOf(n);
  const recordedAtMs = 1_700_000_000_000 + n * 1_000;
  return {
    jobId: ticket.jobId,
    printer: ticket.printer,
    title: ticket.title,
    clientName: ticket.clientName,
    pages: ticket.pages,
    heightDots: ticket.heightDots,
    resolutionDpi: 203,
    source: "client",
    spools: "both",
    requestedAtMs: ticket.requestedAtMs,
    sizeBytes: ticket.sizeBytes,
    recordedAtMs,
    ...more,
    outcome: recordOf(ticket, { sequence: n, ...outcome }),
  };
}
