import { setTimeout as pause } from "node:timers/promises";
import { type Api, jobPath, serverApi } from "../client/api.ts";
import { type JobAnswer, jobAnswerSchema, jobsAnswerSchema } from "../protocol/api.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

const askAgainMs = 50;
/** The server makes a new image, marked as a duplicate, before the job goes on. */
const patienceMs = 5_000;

/** Prints a held job again. Only the server decides that. */
export async function runRetry(jobId: string, flags: CommonFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const api = serverApi(config);
  let answer = await api.ask("POST", jobPath(jobId, "/retry"), jobAnswerSchema);
  const giveUpAtMs = performance.now() + patienceMs;
  while (isHeld(answer) && performance.now() < giveUpAtMs) {
    await pause(askAgainMs);
    answer = await api.ask("GET", jobPath(jobId), jobAnswerSchema);
  }
  const reprint = await findReprint(api, jobId);
  if (flags.json) writeJson(io.stdout, { ...answer, ...(reprint === undefined ? {} : { reprint }) });
  else if (isHeld(answer)) io.stderr.write(`${jobId}: still held, ${answer.job?.reason ?? ""}\n`);
  else io.stdout.write(`${jobId}: is printed again${reprint === undefined ? "" : `, as ${reprint}`}\n`);
  return isHeld(answer) ? exitCodes.held : exitCodes.done;
}

function isHeld(answer: JobAnswer): boolean {
  return answer.job?.state === "pending-held";
}

/** The new job with the mark of a duplicate, while it is open. */
async function findReprint(api: Api, jobId: string): Promise<string | undefined> {
  const { jobs } = await api.ask("GET", "/api/jobs", jobsAnswerSchema);
  return jobs.find((job) => job.reprintOf === jobId)?.jobId;
}
