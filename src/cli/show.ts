import { jobPath } from "../client/api.ts";
import { type JobView, jobAnswerSchema } from "../protocol/api.ts";
import { paperMmOf } from "../protocol/history.ts";
import type { HistoryRow, JobEvent, OutcomeRecord } from "../protocol/job.ts";
import { askForJob } from "./api.ts";
import { formatBytes, formatCount, formatPercent, formatTime } from "./format.ts";
import { outcomeOf } from "./history-rows.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { heldBy } from "./jobs.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";
import { formatFields } from "./table.ts";

type Field = readonly [name: string, value: string | undefined];

/** All that is known of one job, open or in the history. */
export async function runShow(jobId: string, flags: CommonFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const answer = await askForJob(config, io, (api) => api.ask("GET", jobPath(jobId), jobAnswerSchema));
  if (flags.json) writeJson(io.stdout, answer);
  else if (answer.job !== undefined) io.stdout.write(`${formatFields(jobFields(answer.job)).join("\n")}\n`);
  else if (answer.history !== undefined) io.stdout.write(`${formatFields(rowFields(answer.history)).join("\n")}\n`);
  return exitCodes.done;
}

function jobFields(job: JobView): Field[] {
  const progress = `${formatPercent(job.rowsDone, job.heightDots)} of ${formatCount(job.heightDots, "row")}`;
  return [
    ["job", job.jobId],
    ["title", job.title],
    ["state", job.state],
    ["why", job.reason === "" ? undefined : job.reason],
    ["printer", job.printer],
    ["client", job.clientName],
    ["printed from", `${job.source} (spools in use: ${job.spools})`],
    ["image held by", heldBy(job)],
    ["sent by", job.sentBy],
    ["size", `${formatBytes(job.sizeBytes)}, ${formatCount(job.pages, "page")}, ${job.heightDots} rows`],
    ["priority", String(job.priority)],
    ["not before", optionalTime(job.holdUntilMs)],
    ["expires", optionalTime(job.expiresAtMs)],
    ["progress", job.state === "processing" ? progress : undefined],
    ["requested", formatTime(job.requestedAtMs)],
    ["document date", optionalTime(job.documentDateMs)],
    ["prints again", job.reprintOf],
    ["moved from", job.movedFrom],
    ...(job.outcome === undefined ? [] : outcomeFields(job.outcome, job.outcome.outcome)),
    ...eventFields(job.events),
  ];
}

/** All that the history says of a job. */
export function rowFields(row: HistoryRow): Field[] {
  const spools = row.spools === undefined ? undefined : `${row.source ?? "?"} (spools in use: ${row.spools})`;
  const paperMm = paperMmOf(row);
  const size = row.sizeBytes === undefined ? "" : `${formatBytes(row.sizeBytes)}, `;
  return [
    ["job", row.jobId],
    ["title", row.title],
    ["state", "ended"],
    ["printer", row.printer],
    ["client", row.clientName],
    ["printed from", spools],
    ["size", `${size}${formatCount(row.pages, "page")}, ${row.heightDots} rows`],
    ["paper", paperMm === undefined ? undefined : `${paperMm} mm`],
    ["requested", optionalTime(row.requestedAtMs)],
    ["document date", optionalTime(row.documentDateMs)],
    ["prints again", row.reprintOf],
    ["moved from", row.movedFrom],
    ["went on as", row.copiedAs],
    ...outcomeFields(row.outcome, outcomeOf(row)),
    ...eventFields(row.events),
  ];
}

function outcomeFields(outcome: OutcomeRecord, text: string): Field[] {
  return [
    ["outcome", text],
    ["reason", outcome.reason],
    ["evidence", outcome.evidence],
    ["sent by", outcome.sentBy],
    ["output began", optionalTime(outcome.startedAtMs)],
    ["output ended", formatTime(outcome.endedAtMs)],
  ];
}

/** What happened on the way: what was chosen, what happened, and why it differed. */
function eventFields(events: readonly JobEvent[] = []): Field[] {
  return events.map(({ atMs, event, detail }) => [
    formatTime(atMs),
    detail === undefined ? event : `${event}: ${detail}`,
  ]);
}

function optionalTime(wallMs: number | undefined): string | undefined {
  return wallMs === undefined ? undefined : formatTime(wallMs);
}
