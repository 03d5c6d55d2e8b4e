import type { Source } from "../protocol/job.ts";
import { priorityOf, settingsOf } from "../protocol/job-settings.ts";
import type { ServerJob, WaitingReason } from "./server-state.ts";

/** What the scheduler must know of a job's surroundings at this moment. */
export interface Surroundings {
  readonly clientLinked: boolean;
  readonly hostLinked: boolean;
  /** The printer host stands on the server's machine: the server's image crosses no network. */
  readonly hostBeside: boolean;
  /** The server's network is loaded. */
  readonly networkLoaded: boolean;
}

export type SenderChoice =
  | { readonly kind: "start-client" | "offer-own"; readonly why: string }
  | { readonly kind: "wait"; readonly reason: WaitingReason };

/** From this size on it matters over which way an image crosses the network. */
const largeImageBytes = 256 * 1024;

/**
 * Who sends the image now. The user's source first; the other side when the first cannot (takeover in both
 * directions, S410); else what the job waits for.
 */
export function chooseSender(job: ServerJob, around: Surroundings): SenderChoice {
  const { clientLinked, hostLinked } = around;
  const { clientKeepsImage, imageStored, serverCopy, ticket } = job.row;
  const clientCan = clientLinked && clientKeepsImage;
  const serverCan = hostLinked && imageStored;
  if (serverCopy && !imageStored && clientLinked) return { kind: "wait", reason: "waits-for-image" };
  if (!clientCan && !serverCan) {
    if (imageStored) return { kind: "wait", reason: "waits-for-printer-host" };
    return { kind: "wait", reason: clientKeepsImage && clientLinked ? "waits-for-sender" : "waits-for-client" };
  }
  const { source } = settingsOf(job.row);
  const auto = source === "auto" ? chooseAuto(ticket.sizeBytes, around) : undefined;
  const wanted = auto?.source ?? (source as Source);
  const used = wanted === "client" ? (clientCan ? "client" : "server") : serverCan ? "server" : "client";
  return { kind: used === "client" ? "start-client" : "offer-own", why: explain(wanted, used, auto?.why, around) };
}

/** The server's pick when both could send: the way that moves fewer bytes over a loaded or slow network. */
export function chooseAuto(
  sizeBytes: number,
  { hostBeside, networkLoaded }: Pick<Surroundings, "hostBeside" | "networkLoaded">,
): { readonly source: Source; readonly why: string } {
  if (hostBeside) return { source: "server", why: "auto: its image need not cross the network again" };
  if (networkLoaded) return { source: "client", why: "auto: the server's network is loaded" };
  if (sizeBytes >= largeImageBytes)
    return { source: "client", why: "auto: a large image, straight to the printer host" };
  return { source: "server", why: "auto: a small image, and the server has it" };
}

function explain(wanted: Source, used: Source, auto: string | undefined, around: Surroundings): string {
  if (wanted === used) return auto ?? "as chosen";
  const chosen = auto === undefined ? `${wanted} was chosen` : `${auto} (${wanted})`;
  if (wanted === "server")
    return `${chosen}; the server ${around.hostLinked ? "has no image" : "does not reach the host"}`;
  return `${chosen}; the client ${around.clientLinked ? "has no image" : "is away"}`;
}

/** The jobs in the order of their turns: by priority, first in first out within one. */
export function inTurn(jobs: () => Iterable<ServerJob>): Iterable<ServerJob> {
  let first: number | undefined;
  for (const { row } of jobs()) {
    first ??= priorityOf(row);
    if (priorityOf(row) === first) continue;
    return [...jobs()].sort((a, b) => priorityOf(b.row) - priorityOf(a.row) || a.row.queueNumber - b.row.queueNumber);
  }
  return jobs();
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
