import { type ErrorCode, TwinspoolError } from "../protocol/errors.ts";
import { type ExitCode, exitCodes, type Io } from "./io.ts";

/** The command line contradicts itself; the message says what works. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

const usageCodes: ReadonlySet<ErrorCode> = new Set(["spools-contradict", "config-invalid", "address-needs-key"]);

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exitCodes.usage;
  return error instanceof TwinspoolError && usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
}

/** Tells a person what happened, as a sentence; the stack is for those who asked for it. */
export function reportFailure(io: Io, error: unknown, isDebug: boolean): ExitCode {
  const known = error instanceof TwinspoolError || error instanceof UsageError;
  const shown = known ? error : new TwinspoolError("internal", error instanceof Error ? error.message : String(error));
  io.stderr.write(`twinspool: ${shown.message}\n`);
  if (isDebug) io.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return exitCodeOf(error);
}
