import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { historyAnswerSchema } from "../protocol/history.ts";
import type { HistoryRow } from "../protocol/job.ts";
import type { Config } from "../runtime/config-schema.ts";
import { serverApi } from "./api.ts";
import { UsageError } from "./failure.ts";
import { formatTime } from "./format.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";
import { type Column, formatTable } from "./table.ts";

export interface HistoryFlags extends CommonFlags {
  readonly printer?: string;
  readonly limit: string;
  readonly print?: boolean;
}

const rowsPerRequest = 1_000;

const columns: readonly Column<HistoryRow>[] = [
  { title: "ENDED", value: (row) => formatTime(row.outcome.endedAtMs) },
  { title: "JOB", value: (row) => row.jobId },
  { title: "PRINTER", value: (row) => row.printer, shrinkTo: 8 },
  { title: "OUTCOME", value: outcomeOf, shrinkTo: 13 },
  { title: "EVIDENCE", value: (row) => row.outcome.evidence },
  { title: "SENT BY", value: (row) => row.outcome.sentBy ?? "-" },
  { title: "PAGES", value: (row) => String(row.pages), align: "right" },
  { title: "TITLE", value: (row) => row.title, shrinkTo: 8 },
  { title: "CLIENT", value: (row) => row.clientName, shrinkTo: 6 },
];

/** The record log, newest first. */
export async function runHistory(flags: HistoryFlags, io: Io): Promise<ExitCode> {
  const limit = Number(flags.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError(`--limit ${flags.limit}: expected a whole number from 1`);
  const config = await loadSettings({ ...flags, printer: [] }, io);
  const rows = await readHistory(config, limit, flags.printer);
  if (flags.print === true) return printHistory(rows, flags, io);
  if (flags.json) writeJson(io.stdout, { rows });
  else if (rows.length === 0) io.stdout.write("nothing has been printed yet\n");
  else io.stdout.write(`${formatTable(columns, rows, io.stdout.columns).join("\n")}\n`);
  return exitCodes.done;
}

/** The record log as a document like any other, on the printer it is about. */
async function printHistory(rows: readonly HistoryRow[], flags: HistoryFlags, io: Io): Promise<ExitCode> {
  const folder = await mkdtemp(join(tmpdir(), "twinspool-history-"));
  try {
    const file = join(folder, "history.txt");
    await writeFile(file, historyText(rows));
    const { runPrint } = await import("./print.ts");
    return await runPrint([file], { ...flags, title: "Record log", wait: true }, io);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Three short lines a job: receipt paper has room for some forty characters. */
function historyText(rows: readonly HistoryRow[]): string {
  const jobs = rows.map((row) =>
    [
      `${formatTime(row.outcome.endedAtMs)}  ${row.printer}`,
      `  ${row.title} (${row.clientName})`,
      `  ${outcomeOf(row)}, ${row.outcome.evidence}, from ${row.outcome.sentBy ?? "nobody"}`,
    ].join("\n"),
  );
  return ["RECORD LOG", ...(jobs.length === 0 ? ["nothing has been printed yet"] : jobs), ""].join("\n\n");
}

async function readHistory(config: Config, limit: number, printer: string | undefined): Promise<HistoryRow[]> {
  const api = serverApi(config);
  const rows: HistoryRow[] = [];
  let before: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(Math.min(rowsPerRequest, limit - rows.length)) });
    if (before !== undefined) query.set("before", before);
    if (printer !== undefined) query.set("printer", printer);
    const page = await api.ask("GET", `/api/history?${query}`, historyAnswerSchema);
    rows.push(...page.rows);
    before = page.rows.length === 0 ? undefined : page.next;
  } while (before !== undefined && rows.length < limit);
  return rows;
}

/** What became of it, and what was decided about it later. */
export function outcomeOf({ outcome, resolution }: HistoryRow): string {
  return resolution === undefined ? outcome.outcome : `${outcome.outcome}, ${resolution}`;
}
