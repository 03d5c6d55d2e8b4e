import { paperMmOf } from "../protocol/history.ts";
import type { HistoryRow } from "../protocol/job.ts";

export interface CsvStyle {
  /** For a spreadsheet program: a byte order mark, and times of this machine as such programs understand them. */
  readonly excel: boolean;
}

type Value = string | number | undefined;
type Cell = (row: HistoryRow, time: (wallMs: number | undefined) => Value) => Value;

const columns: readonly (readonly [name: string, cell: Cell])[] = [
  ["jobId", (row) => row.jobId],
  ["title", (row) => row.title],
  ["printer", (row) => row.printer],
  ["client", (row) => row.clientName],
  ["requestedAt", (row, time) => time(row.requestedAtMs)],
  ["startedAt", (row, time) => time(row.outcome.startedAtMs)],
  ["endedAt", (row, time) => time(row.outcome.endedAtMs)],
  ["recordedAt", (row, time) => time(row.recordedAtMs)],
  ["documentDate", (row, time) => time(row.documentDateMs)],
  ["source", (row) => row.source],
  ["sentBy", (row) => row.outcome.sentBy],
  ["spools", (row) => row.spools],
  ["priority", (row) => row.priority],
  ["outcome", (row) => row.outcome.outcome],
  ["resolution", (row) => row.resolution],
  ["evidence", (row) => row.outcome.evidence],
  ["reason", (row) => row.outcome.reason],
  ["pages", (row) => row.pages],
  ["heightDots", (row) => row.heightDots],
  ["paperMm", paperMmOf],
  ["sizeBytes", (row) => row.sizeBytes],
  ["reprintOf", (row) => row.reprintOf],
  ["events", (row, time) => eventsText(row, time)],
];

/** The history as CSV (RFC 4180), a line a row after the line of names, in pieces as the rows come. */
export async function* historyCsv(
  rows: AsyncIterable<HistoryRow> | Iterable<HistoryRow>,
  style: CsvStyle,
): AsyncGenerator<string, void, undefined> {
  const time = (wallMs: number | undefined): Value =>
    wallMs === undefined ? undefined : style.excel ? localTime(wallMs) : new Date(wallMs).toISOString();
  yield `${style.excel ? "\uFEFF" : ""}${csvLine(columns.map(([name]) => name))}`;
  for await (const row of rows) yield csvLine(columns.map(([, cell]) => cell(row, time)));
}

function eventsText({ events = [] }: HistoryRow, time: (wallMs: number) => Value): string {
  return events
    .map(({ atMs, event, detail }) => `${time(atMs)} ${event}${detail === undefined ? "" : `: ${detail}`}`)
    .join("; ");
}

function csvLine(values: readonly Value[]): string {
  return `${values.map((value) => (typeof value === "string" ? quoted(harmless(value)) : String(value ?? ""))).join(",")}\r\n`;
}

/** RFC 4180 §2.5-2.7. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Titles come from anyone, and spreadsheet programs run what begins like a formula, also with the full-width signs of
 * Japanese keyboards. An apostrophe in front makes it a text (OWASP, CSV injection).
 */
function harmless(text: string): string {
  return /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text;
}

/** `2026-11-23 14:03:22`: what spreadsheet programs take for a time; they know no zones. */
function localTime(wallMs: number): string {
  const date = new Date(wallMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
