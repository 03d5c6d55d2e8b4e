import type { Source } from "../protocol/job.ts";
import { priorityOf, settingsOf } from "../protocol/job-settings.ts";
import type { ClientWay } from "../protocol/messages.ts";
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
  const only = clientCan === serverCan ? undefined : clientCan ? "client" : "server";
  if (source === "auto") {
    const choice = chooseAuto(ticket.sizeBytes, { ...around, clientWay: job.clientWay, only });
    const lack = only === undefined ? "" : `: ${lackOf(only, around)}`;
    return send(choice.source, `auto: ${choice.why}${lack}`);
  }
  if (only === undefined || only === source) return send(source, "as chosen");
  return send(only, `${source} was chosen; ${lackOf(only, around)}`);
}

function send(source: Source, why: string): SenderChoice {
  return { kind: source === "client" ? "start-client" : "offer-own", why };
}

/** Why the other side does not send. */
function lackOf(only: Source, { clientLinked, hostLinked }: Surroundings): string {
  if (only === "client") return `the server ${hostLinked ? "has no image" : "does not reach the host"}`;
  return `the client ${clientLinked ? "has no image" : "is away"}`;
}

interface AutoSurroundings extends Pick<Surroundings, "hostBeside" | "networkLoaded"> {
  readonly clientWay: ClientWay | undefined;
  /** The one side that can send. */
  readonly only: Source | undefined;
}

/**
 * The server's pick (fig. 5, `auto`): who can at all; then the way that crosses no network; then the network with room;
 * then large images straight from the client, so that the server's network stays free for all the others.
 */
export function chooseAuto(
  sizeBytes: number,
  { hostBeside, networkLoaded, clientWay, only }: AutoSurroundings,
): { readonly source: Source; readonly why: string } {
  if (only !== undefined) return { source: only, why: `only the ${only} can send` };
  if (hostBeside) return { source: "server", why: "the printer host is on its machine" };
  if (clientWay === "beside") return { source: "client", why: "the printer host is on its machine" };
  if (networkLoaded && clientWay !== "loaded") return { source: "client", why: "the server's network is loaded" };
  if (clientWay === "loaded" && !networkLoaded) return { source: "server", why: "the client's network is loaded" };
  const both = networkLoaded ? "both networks are loaded; " : "";
  if (sizeBytes >= largeImageBytes) {
    return { source: "client", why: `${both}a large image, past the server's network` };
  }
  return { source: "server", why: `${both}a small image, which the server sends without asking first` };
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
