import type { ErrorCode } from "../protocol/errors.ts";
import { parseJobId } from "../protocol/ids.ts";
import type { JobTicket } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import { inMebibytes } from "../protocol/words.ts";
import type { ServerCore } from "./server-core.ts";
import type { ServerJobRow } from "./server-state.ts";

// What the server takes, and whether it keeps a copy (design §4): nothing is accepted that could not be kept.

interface NewJob {
  readonly ticket: JobTicket;
  readonly clientKeepsImage: boolean;
  readonly wantsCopy: boolean;
}

/** S417 'NG': why the job is not taken; undefined when it is. */
export function refusalOf(
  core: ServerCore,
  job: NewJob,
): { readonly code: ErrorCode; readonly detail: string } | undefined {
  const { ticket, clientKeepsImage, wantsCopy } = job;
  const printer = core.printers.get(ticket.printer)?.row.attributes;
  if (printer === undefined) return { code: "printer-unknown", detail: ticket.printer };
  if (printer.hostIncarnation !== ticket.hostIncarnation) return { code: "ledger-other", detail: "" };
  if (printer.widthDots !== ticket.widthDots) {
    return { code: "image-wrong-width", detail: `${ticket.widthDots} dots, the printer has ${printer.widthDots}` };
  }
  const { largestJobBytes } = core.config.admission;
  if (ticket.sizeBytes > largestJobBytes) {
    const detail = `${inMebibytes(ticket.sizeBytes)}, the server takes ${inMebibytes(largestJobBytes)}`;
    return { code: "image-too-large", detail };
  }
  if ((!clientKeepsImage || wantsCopy) && core.spool.level === "full") {
    return { code: "spool-full", detail: `the server: ${core.spool.reason}` };
  }
  const crowded = clientKeepsImage ? undefined : roomRefusal(core, ticket);
  if (crowded !== undefined) return { code: "spool-full", detail: `the server: ${crowded}` };
  const { openJobsPerServer } = limits;
  if (core.queue.size >= openJobsPerServer) {
    return { code: "too-many-jobs", detail: `${openJobsPerServer} open of all clients` };
  }
  const open = core.queue.countOfClient(parseJobId(ticket.jobId).clientId);
  const limit = core.config.maxOpenJobsPerClient;
  return open < limit ? undefined : { code: "too-many-jobs", detail: `${open} open, ${limit} allowed` };
}

/** Why a new job gets no copy here although its settings ask for one. */
export function narrowedBy(
  core: ServerCore,
  ticket: JobTicket,
  clientReason: string | undefined,
): ServerJobRow["narrowed"] {
  if (clientReason !== undefined) return { by: "client", reason: clientReason };
  const reason = narrowing(core, ticket, false);
  return reason === undefined ? undefined : { by: "server", reason };
}

/**
 * Why this server keeps no copy at the moment where the client's exists; undefined when it does. What a person has
 * changed while the job waits goes before the rules of the configuration.
 */
export function narrowing(core: ServerCore, ticket: JobTicket, changed: boolean): string | undefined {
  const rule = changed ? undefined : core.config.admission.ruleNarrowing(ticket);
  if (rule !== undefined) return rule;
  if (core.spool.level !== "ok") return `the server's spool is ${core.spool.level}: ${core.spool.reason}`;
  if (core.network.loaded) return `the network is loaded: ${core.network.reason}`;
  return roomRefusal(core, ticket);
}

/** The room that jobs have been promised counts as used: their images are on the way. */
function roomRefusal(core: ServerCore, ticket: JobTicket): string | undefined {
  let clientUsedBytes = 0;
  for (const { row } of core.queue.ofClient(parseJobId(ticket.jobId).clientId)) {
    if (row.serverCopy && row.ticket.jobId !== ticket.jobId) clientUsedBytes += row.ticket.sizeBytes;
  }
  const { sizeBytes } = ticket;
  return core.config.admission.roomRefusal({ sizeBytes, clientUsedBytes, promisedBytes: promisedBytes(core, ticket) });
}

/** Of images that are to come, but for one job's. */
export function promisedBytes(core: ServerCore, except?: JobTicket): number {
  let bytes = 0;
  for (const { row } of core.queue.all()) {
    if (row.serverCopy && !row.imageStored && row.ticket.jobId !== except?.jobId) bytes += row.ticket.sizeBytes;
  }
  return bytes;
}
