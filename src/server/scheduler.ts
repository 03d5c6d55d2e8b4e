import type { ServerJob, WaitingReason } from "./server-state.ts";

/** What the scheduler must know of a job's surroundings at this moment. */
export interface Surroundings {
  readonly clientLinked: boolean;
  readonly hostLinked: boolean;
}

export type SenderChoice =
  | { readonly kind: "start-client" }
  | { readonly kind: "offer-own" }
  | { readonly kind: "wait"; readonly reason: WaitingReason };

/**
 * Who sends the image now. The user's source first; the other side when the first cannot (takeover in both
 * directions, S410); else what the job waits for.
 */
export function chooseSender(job: ServerJob, { clientLinked, hostLinked }: Surroundings): SenderChoice {
  const { ticket, clientKeepsImage, imageStored, serverCopy } = job.row;
  const clientCan = clientLinked && clientKeepsImage;
  const serverCan = hostLinked && imageStored;
  if (serverCopy && !imageStored && clientLinked) return { kind: "wait", reason: "waits-for-image" };
  if (ticket.source === "client" && clientCan) return { kind: "start-client" };
  if (serverCan) return { kind: "offer-own" };
  if (clientCan) return { kind: "start-client" };
  if (imageStored) return { kind: "wait", reason: "waits-for-printer-host" };
  return { kind: "wait", reason: clientKeepsImage && clientLinked ? "waits-for-sender" : "waits-for-client" };
}

/** True when nothing but its turn stands between the job and its output. */
export function isPending(job: ServerJob): boolean {
  const { heldReason, cancelRequested, outcome } = job.row;
  return heldReason === undefined && !cancelRequested && outcome === undefined && !job.composing;
}

/** True while the job occupies its printer. */
export function isActive(job: ServerJob): boolean {
  return job.phase.kind !== "waiting" && job.row.outcome === undefined && job.row.heldReason === undefined;
}
