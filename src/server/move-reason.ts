import type { OutcomeRecord } from "../protocol/job.ts";
import type { ServerJobRow } from "./server-state.ts";

/** What the first printer's ledger says of a job that was moved. */
export function moveReason(printer: string): string {
  return `moved to ${printer}`;
}

/** The first printer will never print it, and for this reason: a person's cancel that came first is the last word. */
export function goesOn({ moveTo }: ServerJobRow, record: OutcomeRecord): boolean {
  return moveTo !== undefined && record.outcome === "canceled" && record.reason === moveReason(moveTo);
}
