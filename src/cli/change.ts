import { jobPath } from "../client/api.ts";
import { type JobAnswer, type JobView, jobAnswerSchema } from "../protocol/api.ts";
import { type JobChange, sourceChoiceSchema, spoolsSchema } from "../protocol/job.ts";
import { askForJob } from "./api.ts";
import { parseDuration, parseMoment, parsePriority } from "./duration.ts";
import { UsageError } from "./failure.ts";
import { formatTime } from "./format.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

export interface ChangeFlags extends CommonFlags {
  readonly from?: string;
  readonly spool?: string;
  readonly priority?: string;
  readonly at?: string;
  readonly expires?: string;
}

/** Changes a job that waits. */
export async function runChange(jobId: string, flags: ChangeFlags, io: Io): Promise<ExitCode> {
  const change = (answer: JobAnswer): JobChange => parseChange(flags, answer.job, Date.now());
  return sendChange(jobId, change, flags, io);
}

/** Holds a job until `release`. */
export function runHold(jobId: string, flags: CommonFlags, io: Io): Promise<ExitCode> {
  return sendChange(jobId, () => ({ held: true }), flags, io);
}

/** Lets a held job go at once. */
export function runRelease(jobId: string, flags: CommonFlags, io: Io): Promise<ExitCode> {
  return sendChange(jobId, () => ({ held: false, holdMs: null }), flags, io);
}

async function sendChange(
  jobId: string,
  makeChange: (answer: JobAnswer) => JobChange,
  flags: CommonFlags,
  io: Io,
): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const answer = await askForJob(config, io, async (api) => {
    const change = makeChange(await api.ask("GET", jobPath(jobId), jobAnswerSchema));
    return api.ask("PATCH", jobPath(jobId), jobAnswerSchema, change);
  });
  if (flags.json) writeJson(io.stdout, answer);
  else if (answer.job !== undefined) io.stdout.write(`${jobId}: ${describe(answer.job)}\n`);
  return exitCodes.done;
}

/** Durations on the wire count from the request of the job, those of the command line from now. */
function parseChange(flags: ChangeFlags, job: JobView | undefined, nowMs: number): JobChange {
  const { from, spool, priority, at, expires } = flags;
  const ageMs = Math.max(0, nowMs - (job?.requestedAtMs ?? nowMs));
  const change: JobChange = {
    ...(from === undefined ? {} : { source: word("--from", from, sourceChoiceSchema.options) }),
    ...(spool === undefined ? {} : { spools: word("--spool", spool, spoolsSchema.options) }),
    ...(priority === undefined ? {} : { priority: parsePriority(priority) }),
    ...(at === undefined ? {} : { holdMs: at === "now" ? null : ageMs + parseMoment("--at", at, nowMs) }),
    ...(expires === undefined
      ? {}
      : { expiresMs: expires === "never" ? null : ageMs + parseDuration("--expires", expires) }),
  };
  if (Object.keys(change).length > 0) return change;
  throw new UsageError("nothing to change: name --from, --spool, --priority, --at or --expires");
}

function word<const Word extends string>(flag: string, value: string, words: readonly Word[]): Word {
  const found = words.find((candidate) => candidate === value);
  if (found === undefined) throw new UsageError(`${flag} ${value}: expected one of ${words.join(", ")}`);
  return found;
}

function describe({ state, reason, source, spools, priority, holdUntilMs, expiresAtMs }: JobView): string {
  const parts = [
    `${state} (${reason})`,
    `from ${source}, spools ${spools}, priority ${priority}`,
    ...(holdUntilMs === undefined || holdUntilMs < Date.now() ? [] : [`not before ${formatTime(holdUntilMs)}`]),
    ...(expiresAtMs === undefined ? [] : [`expires ${formatTime(expiresAtMs)}`]),
  ];
  return parts.join("; ");
}
