import type { PrinterState } from "../../protocol/job.ts";
import type { AsbStatus } from "./back-channel.ts";
import type { OutputPhase } from "./output-protocol.ts";

/** True while the printer does not print what it is sent. Paper near its end does not stop it. */
export function isBlocked(status: AsbStatus): boolean {
  return blockingReasons(status).length > 0;
}

/** IPP printer-state-reasons of a status (RFC 8011 clause 5.4.12). */
function stateReasons(status: AsbStatus): string[] {
  const reasons = blockingReasons(status);
  if (status.paperNearEnd && !status.paperEnd) reasons.push("media-low-warning");
  return reasons;
}

function blockingReasons(status: AsbStatus): string[] {
  const reasons: string[] = [];
  if (status.coverOpen) reasons.push("cover-open-error");
  if (status.paperEnd) reasons.push("media-empty-error");
  if (status.cutterError) reasons.push("trimmer-jam-error");
  if (status.unrecoverableError || status.recoverableError) reasons.push("other-error");
  if (status.autoRecoverableError) reasons.push("other-warning");
  if (status.feeding || status.waitingForRecovery) reasons.push("paused-report");
  // A cause says more than the bare word.
  if (reasons.length === 0 && status.offline) reasons.push("offline-report");
  return reasons;
}

/** IPP printer-state of the dialogue: what it does, and what the printer itself has said. */
export function printerState(phase: OutputPhase, status: AsbStatus | undefined): PrinterState {
  const reasons = status === undefined ? [] : stateReasons(status);
  const blocked = status !== undefined && isBlocked(status);
  const orElse = (reason: string): string[] => (reasons.length > 0 ? reasons : [reason]);
  switch (phase) {
    case "ready":
      return { state: "idle", reasons: orElse("none") };
    case "outputting":
    case "awaiting-end":
      return { state: blocked ? "stopped" : "processing", reasons: orElse("none") };
    case "recovering":
      return { state: "processing", reasons: orElse("connecting-to-device") };
    case "idle":
      return { state: "stopped", reasons: blocked ? reasons : ["timed-out"] };
    case "closed":
      return { state: "stopped", reasons: ["shutdown"] };
    default:
      return { state: "stopped", reasons: blocked ? reasons : ["connecting-to-device"] };
  }
}
