import { setTimeout as pause } from "node:timers/promises";
import { jobPath, serverApi } from "../client/api.ts";
import { type JobAnswer, jobAnswerSchema } from "../protocol/api.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

export interface RetryFlags extends CommonFlags {
  readonly unmarked?: boolean;
}

const askAgainMs = 50;
/** The server makes a new image, marked as a duplicate, before the job goes on. */
const patienceMs = 5_000;

/** Prints a held job again, or an ended one whose image is kept. Only the server decides that. */
export async function runRetry(jobId: string, flags: RetryFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const api = serverApi(config);
  const body = flags.unmarked === true ? { unmarked: true } : {};
  const first = await api.ask("POST", jobPath(jobId, "/retry"), jobAnswerSchema, body);
  let answer: JobAnswer = first;
  const giveUpAtMs = performance.now() + patienceMs;
  while (answer.job !== undefined && performance.now() < giveUpAtMs) {
    await pause(askAgainMs);
    answer = await api.ask("GET", jobPath(jobId), jobAnswerSchema);
  }
  const isHeld = answer.job?.state === "pending-held";
  const copy = answer.history?.copiedAs ?? first.copy;
  if (flags.json) writeJson(io.stdout, { ...answer, ...(copy === undefined ? {} : { copy }) });
  else if (isHeld) io.stderr.write(`${jobId}: still held, ${answer.job?.reason ?? ""}\n`);
  else io.stdout.write(`${jobId}: is printed again${copy === undefined ? "" : `, as ${copy}`}\n`);
  return isHeld ? exitCodes.held : exitCodes.done;
}
