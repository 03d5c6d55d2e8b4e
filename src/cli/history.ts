import { paperMmOf } from "../protocol/history.ts";
import type { HistoryRow } from "../protocol/job.ts";
import { historyCsv } from "../spool/history-csv.ts";
import { UsageError } from "./failure.ts";
import { formatTime } from "./format.ts";
import { type FilterFlags, outcomeOf, parseFilter, readHistory, senderOf } from "./history-rows.ts";
import { type ExitCode, exitCodes, type Io, type Output, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";
import { rowFields } from "./show.ts";
import { type Column, formatFields, formatTable } from "./table.ts";

export interface HistoryFlags extends CommonFlags, FilterFlags {
  readonly limit?: string;
  readonly long?: boolean;
  readonly jsonl?: boolean;
  readonly csv?: boolean;
  readonly excel?: boolean;
  readonly print?: boolean;
  readonly on?: string;
  readonly lang?: string;
}

/** What people read; programs get all rows. */
const rowsForPeople = 20;

const columns: readonly Column<HistoryRow>[] = [
  { title: "ENDED", value: (row) => formatTime(row.outcome.endedAtMs) },
  { title: "JOB", value: (row) => row.jobId },
  { title: "PRINTER", value: (row) => row.printer, shrinkTo: 8 },
  { title: "OUTCOME", value: outcomeOf, shrinkTo: 13 },
  { title: "EVIDENCE", value: (row) => row.outcome.evidence },
  { title: "SENT BY", value: senderOf },
  { title: "PAGES", value: (row) => String(row.pages), align: "right" },
  { title: "MM", value: (row) => String(paperMmOf(row) ?? "-"), align: "right" },
  { title: "TITLE", value: (row) => row.title, shrinkTo: 8 },
  { title: "CLIENT", value: (row) => row.clientName, shrinkTo: 6 },
];

/** The record log, newest first. */
export async function runHistory(flags: HistoryFlags, io: Io): Promise<ExitCode> {
  const { json, jsonl, csv, excel, print } = flags;
  const isCsv = csv === true || excel === true;
  const isExport = json === true || jsonl === true || isCsv;
  // With --print it is the events of the print that come as JSON.
  if ([json === true && print !== true, jsonl, isCsv, print].filter((wanted) => wanted === true).length > 1)
    throw new UsageError("--json, --jsonl, --csv (or --excel) and --print: choose one");
  if (print !== true && (flags.on ?? flags.lang) !== undefined)
    throw new UsageError("--on and --lang are for what is printed: add --print");
  const limit = parseLimit(flags.limit) ?? (isExport ? Number.POSITIVE_INFINITY : rowsForPeople);
  const filter = parseFilter(flags, Date.now());
  const config = await loadSettings({ ...flags, printer: [] }, io);
  if (print === true) {
    const { printHistory } = await import("./history-print.ts");
    return printHistory({ filter, limit }, config, flags, io);
  }
  const rows = readHistory(config, filter, limit, io);
  if (isCsv) return writePieces(io.stdout, historyCsv(rows, { excel: excel === true }));
  if (jsonl === true) return writePieces(io.stdout, jsonLines(rows));
  if (json === true && !io.stdout.isTerminal) return writePieces(io.stdout, jsonObject(rows));
  const all = await collect(rows);
  if (json === true) writeJson(io.stdout, { rows: all });
  else if (all.length === 0) io.stdout.write("nothing has been printed yet\n");
  else if (flags.long === true)
    io.stdout.write(`${all.map((row) => formatFields(rowFields(row)).join("\n")).join("\n\n")}\n`);
  else io.stdout.write(`${formatTable(columns, all, io.stdout.columns).join("\n")}\n`);
  return exitCodes.done;
}

function parseLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1) throw new UsageError(`--limit ${text}: expected a whole number from 1`);
  return limit;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function* jsonLines(rows: AsyncIterable<HistoryRow>): AsyncGenerator<string, void, undefined> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

/** One JSON object, however many rows there are. */
async function* jsonObject(rows: AsyncIterable<HistoryRow>): AsyncGenerator<string, void, undefined> {
  let isFirst = true;
  for await (const row of rows) {
    yield `${isFirst ? '{"rows":[' : ",\n"}${JSON.stringify(row)}`;
    isFirst = false;
  }
  yield isFirst ? '{"rows":[]}\n' : "]}\n";
}

/** As fast as it is read: memory does not grow with the history. */
async function writePieces(out: Output, pieces: AsyncIterable<string>): Promise<ExitCode> {
  for await (const piece of pieces) {
    out.write(piece);
    if ((await out.drained?.()) === false) break;
  }
  return exitCodes.done;
}
