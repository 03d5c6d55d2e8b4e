import { jobPath } from "../client/api.ts";
import { jobAnswerSchema } from "../protocol/api.ts";
import { askForJob } from "./api.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

/** Asks that a job be not printed, and says how it stands. */
export async function runCancel(jobId: string, flags: CommonFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const answer = await askForJob(config, io, (api) => api.ask("POST", jobPath(jobId, "/cancel"), jobAnswerSchema));
  if (flags.json) writeJson(io.stdout, answer);
  const outcome = answer.job?.outcome?.outcome ?? answer.history?.outcome.outcome;
  const [code, sentence] = verdict(outcome, answer.job?.reason);
  if (!flags.json) (code === exitCodes.done ? io.stdout : io.stderr).write(`${jobId}: ${sentence}\n`);
  return code;
}

function verdict(outcome: string | undefined, reason: string | undefined): [ExitCode, string] {
  if (outcome === "printed") return [exitCodes.failed, "too late, it has been printed"];
  if (outcome === "indeterminate") return [exitCodes.held, "nobody can know whether it was printed; look at the paper"];
  // Without job and history, the answering side has forgotten it: canceled before anyone else knew of it.
  if (outcome === "canceled" || reason === undefined) return [exitCodes.done, "canceled"];
  return [exitCodes.done, `will be canceled; ${reason}`];
}
