import { type JobView, jobsAnswerSchema } from "../protocol/api.ts";
import { askNearest } from "./api.ts";
import { formatPercent } from "./format.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";
import { type Column, formatTable } from "./table.ts";

export interface JobsFlags extends CommonFlags {
  readonly printer?: string;
}

const columns: readonly Column<JobView>[] = [
  { title: "JOB", value: (job) => job.jobId },
  { title: "PRINTER", value: (job) => job.printer, shrinkTo: 8 },
  { title: "STATE", value: stateOf },
  { title: "FROM", value: (job) => job.source },
  { title: "HELD BY", value: heldBy },
  { title: "TITLE", value: (job) => job.title, shrinkTo: 8 },
  { title: "CLIENT", value: (job) => job.clientName, shrinkTo: 6 },
  { title: "WHY", value: (job) => job.reason, shrinkTo: 12 },
];

/** The queue. */
export async function runJobs(flags: JobsFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings({ ...flags, printer: [] }, io);
  const { jobs } = await askNearest(config, io, (api) => api.ask("GET", "/api/jobs", jobsAnswerSchema));
  const shown = flags.printer === undefined ? jobs : jobs.filter((job) => job.printer === flags.printer);
  if (flags.json) writeJson(io.stdout, { jobs: shown });
  else if (shown.length === 0) io.stdout.write("no open jobs\n");
  else io.stdout.write(`${formatTable(columns, shown, io.stdout.columns).join("\n")}\n`);
  return exitCodes.done;
}

function stateOf(job: JobView): string {
  if (job.state === "pending-held") return "held";
  if (job.state !== "processing" || job.rowsDone === 0) return job.state;
  return `printing ${formatPercent(job.rowsDone, job.heightDots)}`;
}

/** Which spools have the image now. */
export function heldBy(job: JobView): string {
  const { client, server } = job.held;
  if (client && server) return "both";
  return client ? "client" : server ? "server" : "none yet";
}
