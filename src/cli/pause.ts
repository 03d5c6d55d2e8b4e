import { serverApi } from "../client/api.ts";
import { type PrinterView, printersAnswerSchema } from "../protocol/api.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

export interface PauseFlags extends CommonFlags {
  readonly reason?: string;
}

/** Lets the queue of a printer stand still. Only the server can: it keeps the queue. */
export function runPause(printer: string, flags: PauseFlags, io: Io): Promise<ExitCode> {
  const body = flags.reason === undefined ? {} : { reason: flags.reason };
  return order(printer, "pause", body, flags, io);
}

/** Lets a queue go on that a person or the printer's error policy has stopped. */
export function runResume(printer: string, flags: CommonFlags, io: Io): Promise<ExitCode> {
  return order(printer, "resume", undefined, flags, io);
}

async function order(printer: string, verb: string, body: unknown, flags: CommonFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const path = `/api/printers/${encodeURIComponent(printer)}/${verb}`;
  const { printers } = await serverApi(config).ask("POST", path, printersAnswerSchema, body);
  const view = printers.find(({ attributes }) => attributes.name === printer);
  if (flags.json) writeJson(io.stdout, { printer: view });
  else io.stdout.write(`${printer}: ${describe(view)}\n`);
  return exitCodes.done;
}

function describe(view: PrinterView | undefined): string {
  const jobs = `jobs in the queue: ${view?.queuedJobs ?? 0}`;
  return view?.paused === undefined ? `goes on; ${jobs}` : `paused (${view.paused.reason}); ${jobs}`;
}
