import { setTimeout as pause } from "node:timers/promises";
import { type Api, jobPath, serverApi } from "../client/api.ts";
import { type JobAnswer, jobAnswerSchema } from "../protocol/api.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

const askAgainMs = 50;
/** The first printer host says that it will not print the job, and the server copies the image. */
const patienceMs = 5_000;

/** Moves a job that waits to another printer. Only the server can: it keeps the queue. */
export async function runMove(jobId: string, printer: string, flags: CommonFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const api = serverApi(config);
  await api.ask("POST", jobPath(jobId, "/move"), jobAnswerSchema, { printer });
  const answer = await waitForMove(api, jobId);
  if (flags.json) writeJson(io.stdout, answer);
  const { job, history } = answer;
  const copiedAs = history?.resolution === "moved" ? history.copiedAs : undefined;
  if (copiedAs !== undefined) {
    if (!flags.json) io.stdout.write(`${jobId}: moved to ${printer}, as ${copiedAs}\n`);
    return exitCodes.done;
  }
  if (job?.moveTo !== undefined && job.state !== "pending-held") {
    if (!flags.json) io.stdout.write(`${jobId}: ${job.reason}\n`);
    return exitCodes.done;
  }
  const why = history === undefined ? (job?.reason ?? "") : `too late, ${history.outcome.outcome}`;
  if (!flags.json) io.stderr.write(`${jobId}: not moved: ${why}\n`);
  return job === undefined ? exitCodes.failed : exitCodes.held;
}

async function waitForMove(api: Api, jobId: string): Promise<JobAnswer> {
  const giveUpAtMs = performance.now() + patienceMs;
  for (;;) {
    const answer = await api.ask("GET", jobPath(jobId), jobAnswerSchema);
    if (answer.job?.moveTo === undefined || performance.now() > giveUpAtMs) return answer;
    await pause(askAgainMs);
  }
}
