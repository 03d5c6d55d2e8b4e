import type { ErrorCode } from "../protocol/errors.ts";
import type { JobId } from "../protocol/ids.ts";
import type { PrinterAttributes } from "../protocol/job.ts";
import { changeSettings, settingsOf } from "../protocol/job-settings.ts";
import { answerKnown } from "./answers.ts";
import { moveReason } from "./move-reason.ts";
import { cancelBecause } from "./resolutions.ts";
import type { ServerCore } from "./server-core.ts";
import type { ServerJob, SpoolLevel } from "./server-state.ts";

// A job that a person moves to another printer. Its id stays with the first printer's ledger, which has to say CANCELED
// before anything is printed elsewhere; then a copy of the image goes on under an id of its own. What is to be done
// stands in the row (`moveTo`), so that it goes on from there after a crash.

/** Held for what it is: another printer may take it. Whatever else holds a job needs a look at the paper first. */
const movableHolds = /^image-wrong-width:/;

/** Why a move is not possible now; undefined when it is. */
export function moveRefusal(
  job: ServerJob,
  target: PrinterAttributes | undefined,
  spoolLevel: SpoolLevel,
): { readonly code: ErrorCode; readonly detail: string } | undefined {
  const { ticket, imageStored } = job.row;
  if (target === undefined) return { code: "printer-unknown", detail: "" };
  const late = tooLate(job);
  if (late !== undefined) return { code: "job-not-movable", detail: late };
  if (target.name === ticket.printer) return { code: "request-invalid", detail: `it is at ${target.name} already` };
  if (target.widthDots !== ticket.widthDots) {
    return { code: "image-wrong-width", detail: `${ticket.widthDots} dots, ${target.name} has ${target.widthDots}` };
  }
  if (!imageStored && spoolLevel === "full") return { code: "spool-full", detail: "only the client has the image" };
  return undefined;
}

function tooLate({ row, phase, composing }: ServerJob): string | undefined {
  if (row.outcome?.outcome === "indeterminate") return "nobody knows whether it is on paper";
  if (row.moveTo !== undefined && (row.cancelRequested || composing)) return `it is on its way to ${row.moveTo}`;
  if (composing || row.outcome !== undefined) return "it has ended";
  if (row.cancelRequested) return "it is being canceled";
  if (row.heldReason !== undefined && !movableHolds.test(row.heldReason)) return `held: ${row.heldReason}`;
  return phase.kind === "outputting" ? "it prints" : undefined;
}

export function moveJob(core: ServerCore, jobId: JobId, printer: string): void {
  const job = core.queue.get(jobId);
  const target = core.printers.get(printer)?.row.attributes;
  if (job === undefined || moveRefusal(job, target, core.spool.level) !== undefined) return;
  core.event(job, "is to be moved", `from ${job.row.ticket.printer} to ${printer}`);
  const { heldReason: _, narrowed: __, ...row } = job.row;
  job.row = row;
  // The copy for the other printer is made here, so this spool has to have the image.
  const settings = changeSettings(
    settingsOf(row),
    settingsOf(row).spools === "client" ? { spools: "both" } : {},
    "server",
  );
  core.save(job, { moveTo: printer, serverCopy: true, settings });
  if (!row.imageStored) answerKnown(core, job.client, job);
  goOnMoving(core, job);
}

/** The image is here: now the first printer must never print it. */
export function goOnMoving(core: ServerCore, job: ServerJob): void {
  const { moveTo, imageStored, cancelRequested, outcome } = job.row;
  if (moveTo === undefined || !imageStored || cancelRequested || outcome !== undefined) return;
  cancelBecause(core, job, moveReason(moveTo));
}
