import { jobAnswerSchema } from "../protocol/api.ts";
import { jobPath, serverApi } from "./api.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

/** Prints a held job again. Only the server decides that. */
export async function runRetry(jobId: string, flags: CommonFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const answer = await serverApi(config).ask("POST", jobPath(jobId, "/retry"), jobAnswerSchema);
  const { job } = answer;
  if (flags.json) writeJson(io.stdout, answer);
  else io.stdout.write(`${jobId}: ${job === undefined ? "is printed again" : `${job.state}, ${job.reason}`}\n`);
  return job?.state === "pending-held" ? exitCodes.held : exitCodes.done;
}
