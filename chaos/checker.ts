import type { LedgerEntry } from "./ledger-reader.ts";
import type { Copy } from "./ticket.ts";

/** What the campaign did, and what its user was told. */
export interface Order {
  readonly number: number;
  readonly title: string;
  /** The user heard that the job was accepted. */
  accepted: boolean;
  /** The user asked for it to be canceled. */
  cancelAsked: boolean;
  /** The fault made it impossible to know: power gone between INTENT and PRINTED, or the printer's cable. */
  mayBeIndeterminate: boolean;
}

export interface Row {
  readonly jobId: string;
  readonly title: string;
}

export interface HistoryRow extends Row {
  readonly outcome: string;
}

/** What lies on paper and disks, each read by a reader of its own. */
export interface Evidence {
  /** In the order of the paper. */
  readonly copies: readonly Copy[];
  readonly ledger: readonly LedgerEntry[];
  readonly history: readonly HistoryRow[];
  readonly serverRows: readonly Row[];
  readonly clientRows: readonly Row[];
  /** Files of the spools, without quarantine. */
  readonly serverFiles: readonly string[];
  readonly clientFiles: readonly string[];
}

/** The invariants of the design (section 3), held against paper and disks when everything is quiet. */
export function checkEvidence(evidence: Evidence, orders: readonly Order[]): string[] {
  return [
    ...orders.flatMap((order) => checkOrder(evidence, order)),
    ...checkStrangers(evidence, orders),
    ...checkSameSay(evidence),
    ...checkEmpty(evidence),
  ];
}

function checkOrder({ copies, ledger, history, clientRows }: Evidence, order: Order): string[] {
  const violations: string[] = [];
  const { title } = order;
  const onPaper = copies.filter((copy) => copy.number === order.number);
  const records = ledger.filter((record) => record.title === title);
  const rows = history.filter((row) => row.title === title);
  if (onPaper.length > 1) violations.push(`I1 ${title} is on paper ${onPaper.length} times`);
  if (records.length > 1) violations.push(`I1 ${title} has ${records.length} job ids in the ledger`);
  for (const { state } of records) {
    if (state === "printed" && !onPaper.some((copy) => copy.isWhole))
      violations.push(`I2 ${title} is PRINTED and not whole on paper`);
    if (state === "canceled" && onPaper.length > 0) violations.push(`I3 ${title} was canceled and is on paper`);
    if (state === "canceled" && !order.cancelAsked) violations.push(`I4 ${title} was canceled and nobody asked for it`);
    if (state === "indeterminate" && !order.mayBeIndeterminate && !order.cancelAsked)
      violations.push(`I2 ${title} is INDETERMINATE and nothing happened that could make it so`);
  }
  if (records.length === 0 && onPaper.length > 0) violations.push(`I2 ${title} is on paper and not in the ledger`);
  if (order.accepted && records.length === 0) violations.push(`I4 ${title} was accepted and never ended`);
  const isOpen = clientRows.some((row) => row.title === title);
  if (order.accepted && !isOpen && rows.length === 0)
    violations.push(`I6 ${title} is erased at the client and not in the history`);
  return violations;
}

function checkStrangers({ copies, history }: Evidence, orders: readonly Order[]): string[] {
  const numbers = new Set(orders.map((order) => order.number));
  const titles = new Set(orders.map((order) => order.title));
  return [
    ...copies.filter(({ number }) => !numbers.has(number)).map(({ number }) => `I1 ticket ${number} was never ordered`),
    ...history.filter(({ title }) => !titles.has(title)).map(({ title }) => `I5 ${title} was never ordered`),
  ];
}

/** I5: the history says what the ledger says, job by job, and nothing else. */
function checkSameSay({ ledger, history }: Evidence): string[] {
  const violations: string[] = [];
  const said = new Map(history.map((row) => [row.jobId, row.outcome]));
  for (const { jobId, title, state } of ledger) {
    if (state === "intent") violations.push(`I7 the INTENT of ${title} stays open`);
    else if (said.get(jobId) !== state)
      violations.push(`I5 ${title}: the ledger says ${state}, the history ${said.get(jobId) ?? "nothing"}`);
  }
  const known = new Set(ledger.map((record) => record.jobId));
  for (const { jobId, title } of history)
    if (!known.has(jobId)) violations.push(`I5 ${title} is in the history and not in the ledger`);
  return violations;
}

/** I7: what is quiet has ended. */
function checkEmpty({ serverRows, clientRows, serverFiles, clientFiles }: Evidence): string[] {
  return [
    ...serverRows.map(({ title }) => `I7 the server's row of ${title} does not end`),
    ...clientRows.map(({ title }) => `I7 the client's row of ${title} does not end`),
    ...serverFiles.map((file) => `I7 ${file} stays in the server's spool`),
    ...clientFiles.map((file) => `I7 ${file} stays in the client's spool`),
  ];
}
