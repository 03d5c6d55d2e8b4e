import { errorTable } from "../protocol/errors.ts";
import { type JobId, originKey, parseJobId } from "../protocol/ids.ts";
import type { HistoryRow, JobTicket } from "../protocol/job.ts";
import { settingsOf } from "../protocol/job-settings.ts";
import { limits } from "../protocol/limits.ts";
import type { Message, MessageOf, Peer } from "../protocol/messages.ts";
import { narrowedBy, refusalOf } from "./admission.ts";
import { answerKnown, answerUnlisted, refuseJob } from "./answers.ts";
import { attemptFailed, documentRefused } from "./error-policies.ts";
import { isUndecided } from "./history-row.ts";
import { balanceCopies, clientTold } from "./job-changes.ts";
import { takeOver } from "./orders.ts";
import { endJob, holdUnlisted, recordUnlisted } from "./outcomes.ts";
import { tellOpenJobs } from "./printer-hosts.ts";
import { cancelJob } from "./resolutions.ts";
import type { ServerCore } from "./server-core.ts";
import type { ServerJobRow } from "./server-state.ts";

/** The client's word. */
export function clientSaid(core: ServerCore, from: Peer, message: Message): void {
  const jobId = jobIdOf(message);
  if (jobId !== undefined && from !== `client:${parseJobId(jobId).clientId}`)
    return foreignJob(core, from, message, jobId);
  switch (message.type) {
    case "jobRequested":
      return jobRequested(core, from, message);
    case "senderReady":
      return senderReady(core, message);
    case "senderHasNoImage":
      return senderHasNoImage(core, message);
    case "jobEnded":
      return endJob(core, message.outcome, message.ticket, from);
    case "openJobsListed":
      return openJobsListed(core, from, message);
    case "jobCancelRequested":
      if (core.queue.get(message.jobId) !== undefined) return cancelJob(core, message.jobId);
      return answerUnlisted(core, from, message.jobId);
    default:
      return core.note("message-unexpected", undefined, `${message.type} from ${from}`);
  }
}

/** The job that the client speaks of. */
function jobIdOf(message: Message): JobId | undefined {
  if (message.type === "jobRequested" || message.type === "jobEnded") return message.ticket.jobId;
  return "jobId" in message ? message.jobId : undefined;
}

/** The id of a job says whose it is: no client speaks of another's. */
function foreignJob(core: ServerCore, from: Peer, message: Message, jobId: JobId): void {
  if (message.type === "jobRequested")
    return refuseJob(core, from, jobId, "job-conflict", "the id is another client's");
  core.note("message-foreign", jobId, `${message.type} from ${from}`);
}

// ---- step 301

function jobRequested(core: ServerCore, from: Peer, message: MessageOf<"jobRequested">): void {
  const { ticket, clientKeepsImage } = message;
  const { jobId } = ticket;
  const history = core.findHistory(jobId);
  const known = core.queue.get(jobId);
  if ((known?.row.ticket.sha256 ?? history?.outcome.sha256 ?? ticket.sha256) !== ticket.sha256) {
    return refuseJob(core, from, jobId, "job-conflict", "");
  }
  if (known === undefined && history !== undefined) return requestedAgain(core, from, ticket, history);
  if (known !== undefined) {
    clientTold(core, known, message);
    balanceCopies(core, known);
    return answerKnown(core, from, known);
  }
  const { settings, ageMs = 0 } = message;
  const { spools, revision } = settingsOf({ ticket, settings });
  const wantsCopy = spools !== "client";
  const refusal = refusalOf(core, { ticket, clientKeepsImage, wantsCopy });
  if (refusal !== undefined) return refuseJob(core, from, jobId, refusal.code, refusal.detail);
  const narrowed = wantsCopy && clientKeepsImage ? narrowedBy(core, ticket, message.withoutServerCopy) : undefined;
  const job = core.enqueue(ticket, {
    clientKeepsImage,
    clientRevision: revision,
    serverCopy: !clientKeepsImage || (wantsCopy && narrowed === undefined),
    imageStored: false,
    requestedHereMs: Math.floor(core.now.wallMs - ageMs),
    ...(settings === undefined ? {} : { settings }),
    ...(narrowed === undefined ? {} : { narrowed }),
  });
  job.clientWay = message.clientWay;
  core.event(job, "accepted", acceptedBecause(message, narrowed));
  core.save(job);
  core.note("job-added", jobId, ticket.printer);
  answerKnown(core, from, job);
}

/** What was chosen, by whom, and which copies are left out. */
function acceptedBecause(message: MessageOf<"jobRequested">, narrowed: ServerJobRow["narrowed"]): string {
  const { ticket, withoutClientCopy } = message;
  return [
    ticket.chosenBy,
    withoutClientCopy === undefined ? undefined : `without a copy at the client: ${withoutClientCopy}`,
    narrowed === undefined ? undefined : `without a copy here: ${narrowed.reason}`,
  ]
    .filter((part) => part !== undefined)
    .join("; ")
    .slice(0, limits.reasonChars);
}

/** Its client was away when the job ended: now it tells what only the ticket knows. */
function requestedAgain(core: ServerCore, from: Peer, ticket: JobTicket, history: HistoryRow): void {
  if (history.source === undefined) recordUnlisted(core, history.outcome, ticket, history.printer, history);
  else if (isUndecided(history)) holdUnlisted(core, ticket, history.outcome);
  const held = core.queue.get(ticket.jobId);
  if (held === undefined) answerUnlisted(core, from, ticket.jobId);
  else core.send(from, { type: "jobHeld", jobId: ticket.jobId, reason: held.row.heldReason ?? "" });
}

// ---- both sides list their open jobs

function openJobsListed(core: ServerCore, from: Peer, message: MessageOf<"openJobsListed">): void {
  const clientId = from.slice("client:".length);
  const listed = new Set(message.jobIds);
  for (const jobId of message.jobIds) {
    const job = core.queue.get(jobId);
    if (job === undefined) answerUnlisted(core, from, jobId);
    else answerKnown(core, from, job);
  }
  for (const { row } of core.queue.ofClient(clientId)) {
    const { jobId } = row.ticket;
    if (listed.has(jobId) || parseJobId(jobId).sequence >= message.nextSequence) continue;
    if (row.imageStored || row.outcome !== undefined) continue;
    // Its client has no such job any more and there is no image here: nobody can ever print it.
    core.note("job-abandoned", jobId, "the client does not know it any more");
    cancelJob(core, jobId);
  }
  const origin = originKey({ clientId, nonce: message.nonce });
  if (message.lowestOpen <= (core.lowestOpen.get(origin) ?? 0)) return;
  rememberOrigin(core, origin, message.lowestOpen);
  for (const name of core.printers.keys()) tellOpenJobs(core, name, [[origin, message.lowestOpen]]);
}

/** The one that was silent for longest goes: its jobs stay in the ledgers until it speaks again. */
function rememberOrigin(core: ServerCore, origin: string, lowestOpen: number): void {
  core.lowestOpen.delete(origin);
  core.lowestOpen.set(origin, lowestOpen);
  for (const oldest of core.lowestOpen.keys()) {
    if (core.lowestOpen.size <= limits.originsPerServer) return;
    core.lowestOpen.delete(oldest);
  }
}

// ---- step 308, S112

function senderReady(core: ServerCore, message: MessageOf<"senderReady">): void {
  const job = core.queue.get(message.jobId);
  if (job?.phase.kind !== "starting" || job.row.epoch !== message.epoch) return;
  job.phase = { kind: "client-sending", deadlineMs: core.now.monotonicMs + core.config.timers.startTimeoutMs };
  core.changed(job);
}

function senderHasNoImage(core: ServerCore, message: MessageOf<"senderHasNoImage">): void {
  const job = core.queue.get(message.jobId);
  if (job === undefined) return;
  core.note("sender-has-no-image", message.jobId, message.code ?? message.reason);
  if (message.reason === "no-image" && job.row.clientKeepsImage) core.save(job, { clientKeepsImage: false });
  if (message.code !== undefined && !errorTable[message.code].retryable) {
    if (message.code !== "epoch-stale" && job.row.outcome === undefined) documentRefused(core, job, message.code);
    return;
  }
  const { kind } = job.phase;
  if (message.epoch !== job.row.epoch || (kind !== "starting" && kind !== "client-sending")) return;
  core.event(job, "the client cannot send", message.code ?? message.reason);
  // The printer host did not take the client's copy; this one may be better than that.
  if (message.code === undefined || job.row.imageStored) takeOver(core, job);
  else attemptFailed(core, job, errorTable[message.code].sentence);
}
