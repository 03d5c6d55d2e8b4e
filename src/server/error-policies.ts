import { type ErrorCode, errorTable } from "../protocol/errors.ts";
import { pausePrinter } from "./printer-pauses.ts";
import { cancelBecause, holdJob } from "./resolutions.ts";
import type { ServerCore } from "./server-core.ts";
import type { ServerJob } from "./server-state.ts";

// What follows an attempt that failed before any byte was printed (CUPS: printer-error-policy). A printer without paper
// or cable has no part in this: its host has the image and waits.

/** Refused for what the document is. Everything else that is refused for good asks a person to look at the paper. */
const documentFaults: ReadonlySet<ErrorCode> = new Set(["image-wrong-width", "image-invalid", "image-too-large"]);

/** It may go better the next time. */
export function attemptFailed(core: ServerCore, job: ServerJob, reason: string): void {
  core.event(job, "attempt failed", reason);
  job.lastFailure = reason;
  switch (core.errorPolicy(job.row.ticket.printer)) {
    case "retry-job":
      return core.wait(job, core.pause(job));
    case "retry-current-job":
      job.blocking = true;
      return core.wait(job, core.pause(job));
    case "abort-job":
      return cancelBecause(core, job, `aborted: ${reason}`);
    case "stop-printer":
      core.wait(job, 0);
      return stopPrinter(core, job, reason);
  }
}

/** The printer host will never take this document. */
export function documentRefused(core: ServerCore, job: ServerJob, code: ErrorCode): void {
  if (!documentFaults.has(code)) return holdJob(core, job, code);
  const reason = errorTable[code].sentence;
  switch (core.errorPolicy(job.row.ticket.printer)) {
    case "retry-job":
    case "retry-current-job":
      return holdJob(core, job, code);
    case "abort-job":
      return cancelBecause(core, job, `aborted: ${reason}`);
    case "stop-printer":
      holdJob(core, job, code);
      return stopPrinter(core, job, reason);
  }
}

function stopPrinter(core: ServerCore, { row }: ServerJob, reason: string): void {
  pausePrinter(core, row.ticket.printer, `stopped by ${row.ticket.jobId}: ${reason}`);
}
