import { originKey, parseJobId } from "../protocol/ids.ts";
import { answerKnown } from "./answers.ts";
import { attemptFailed } from "./error-policies.ts";
import { expireAtMs, standsBack } from "./job-changes.ts";
import { chooseSender, inTurn, isActive, isPending, type Surroundings } from "./scheduler.ts";
import type { ServerCore } from "./server-core.ts";
import type { ServerJob } from "./server-state.ts";

// Who is told to send, and when: turns, step 307, the server's own offers, takeover (S49, S410).

/** One job prints; the next may already come to the host, so that the paper does not stand still between tickets. */
const startedAtOnce = 2;

/** The next job of the printer that can go, when the printer is free or busy with the paper of one job alone. */
export function schedule(core: ServerCore, name: string): void {
  const printer = core.printers.get(name);
  if (printer === undefined || (printer.linked && !printer.reconciled)) return;
  if (printer.row.paused !== undefined) return;
  let printing = 0;
  for (const job of core.queue.ofPrinter(name)) {
    if (!isActive(job)) continue;
    if (job.phase.kind !== "outputting") return;
    printing += 1;
  }
  if (printing >= startedAtOnce) return;
  const blocking = blockingJob(core, name);
  startFirst(core, blocking === undefined ? inTurn(() => core.queue.ofPrinter(name)) : [blocking]);
  // Nobody is there who could send it: that is no failed attempt, and others need not wait for them.
  if (blocking?.blocking === false) schedule(core, name);
}

function startFirst(core: ServerCore, jobs: Iterable<ServerJob>): void {
  for (const job of jobs) {
    if (!isPending(job) || job.phase.kind !== "waiting" || job.phase.notBeforeMs > core.now.monotonicMs) continue;
    if (job.row.moveTo !== undefined) {
      core.setWaiting(job, "waits-for-image", 0);
      askImage(core, job);
      continue;
    }
    const back = standsBack(core, job);
    if (back !== undefined) {
      core.setWaiting(job, back, 0);
      job.blocking = false;
      continue;
    }
    const choice = chooseSender(job, surroundings(core, job));
    if (choice.kind === "wait") {
      core.setWaiting(job, choice.reason, 0);
      job.blocking = false;
      if (choice.reason === "waits-for-image") {
        askImage(core, job);
        // First in, first out, though another client's image was quicker; a client that hangs stops nobody for long.
        if (job.placeUntilMs > core.now.monotonicMs) return;
      }
      continue;
    }
    return choice.kind === "start-client" ? startClient(core, job, choice.why) : offerOwn(core, job, choice.why);
  }
}

/** `retry-current-job`: the job whose attempt failed goes again before any other. */
function blockingJob(core: ServerCore, name: string): ServerJob | undefined {
  for (const job of core.queue.ofPrinter(name)) if (job.blocking && isPending(job)) return job;
  return undefined;
}

function surroundings(core: ServerCore, job: ServerJob): Surroundings {
  const printer = core.printers.get(job.row.ticket.printer);
  return {
    clientLinked: core.linked.has(job.client),
    hostLinked: printer?.linked === true,
    hostBeside: printer !== undefined && core.config.isBeside(printer.row.attributes.hostUrl),
    networkLoaded: core.network.loaded,
  };
}

/** The client is there and its upload is not: says now and then that the image is wanted. */
function askImage(core: ServerCore, job: ServerJob): void {
  const nowMs = core.now.monotonicMs;
  const { statusIntervalMs } = core.config.timers;
  job.askAtMs ??= nowMs + statusIntervalMs;
  if (job.askAtMs > nowMs) return;
  job.askAtMs = nowMs + statusIntervalMs;
  answerKnown(core, job.client, job);
}

/** Step 307. The epoch is durable before the order leaves. */
function startClient(core: ServerCore, job: ServerJob, why: string): void {
  core.event(job, "the client is to send", why);
  core.save(job, { epoch: job.row.epoch + 1 });
  const deadlineMs = core.now.monotonicMs + core.config.timers.startTimeoutMs;
  job.phase = { kind: "starting", deadlineMs, retry: core.firstRetry() };
  sendStart(core, job);
}

function sendStart(core: ServerCore, job: ServerJob): void {
  core.send(job.client, { type: "jobStarted", jobId: job.row.ticket.jobId, epoch: job.row.epoch });
}

function offerOwn(core: ServerCore, job: ServerJob, why: string): void {
  core.event(job, "the server sends", why);
  core.save(job, { epoch: job.row.epoch + 1 });
  job.phase = { kind: "offering", retry: core.firstRetry(), sending: false };
  sendOffer(core, job);
}

function sendOffer(core: ServerCore, job: ServerJob): void {
  const { ticket, epoch } = job.row;
  const lowestOpen = lowestOpenOf(core, originKey(parseJobId(ticket.jobId)));
  const more = lowestOpen === undefined ? {} : { lowestOpen };
  const expiresAtMs = expireAtMs(job);
  const expiry =
    expiresAtMs === undefined ? {} : { expiresInMs: Math.max(0, Math.ceil(expiresAtMs - core.now.wallMs)) };
  core.send(job.host, { type: "imageOffered", ticket, epoch, sentBy: "server", ...more, ...expiry });
}

/** For its own reprints the server knows it, for a client's job it was told. */
function lowestOpenOf(core: ServerCore, origin: string): number | undefined {
  if (origin !== originKey(core.meta)) return core.lowestOpen.get(origin);
  let lowest = core.meta.nextSequence;
  for (const { row } of core.queue.ofClient(core.meta.clientId)) {
    const id = parseJobId(row.ticket.jobId);
    if (originKey(id) === origin && row.outcome === undefined) lowest = Math.min(lowest, id.sequence);
  }
  for (const jobId of core.copying.keys()) lowest = Math.min(lowest, parseJobId(jobId).sequence);
  return lowest;
}

/** S410: the started client does not do it. */
export function takeOver(core: ServerCore, job: ServerJob): void {
  core.note("client-silent", job.row.ticket.jobId, job.phase.kind);
  if (job.row.imageStored && surroundings(core, job).hostLinked) {
    return offerOwn(core, job, "takeover: the client was told to and does not");
  }
  core.wait(job, core.pause(job));
}

/** What is due of a job under way: S49, and every message repeated until it is answered. */
export function checkDeadline(core: ServerCore, job: ServerJob): void {
  const { phase } = job;
  const nowMs = core.now.monotonicMs;
  switch (phase.kind) {
    case "starting":
      if (phase.deadlineMs <= nowMs) return takeOver(core, job);
      if (phase.retry.atMs > nowMs) return;
      phase.retry = core.nextRetry(phase.retry);
      return sendStart(core, job);
    case "client-sending":
      if (phase.deadlineMs <= nowMs) takeOver(core, job);
      return;
    case "offering":
      if (phase.retry.atMs > nowMs) return;
      // The printer host is still there, so the transfer did not fail with its link.
      if (phase.failure !== undefined) return attemptFailed(core, job, `the transfer failed: ${phase.failure}`);
      phase.retry = core.nextRetry(phase.retry);
      return sendOffer(core, job);
    case "at-host":
    case "outputting":
      if (phase.retry.atMs > nowMs) return;
      phase.retry = core.nextRetry(phase.retry);
      return core.send(job.host, { type: "outcomesRequested", jobIds: [job.row.ticket.jobId] });
    case "waiting":
      return;
  }
}

/** When `checkDeadline` has to look again, or the queue: monotonic, ms. */
export function phaseWakeMs({ phase, placeUntilMs }: ServerJob, nowMs: number): number | undefined {
  switch (phase.kind) {
    case "waiting":
      if (phase.reason === "waits-for-image" && placeUntilMs > nowMs) return placeUntilMs;
      return phase.notBeforeMs > nowMs ? phase.notBeforeMs : undefined;
    case "starting":
      return Math.min(phase.deadlineMs, phase.retry.atMs);
    case "client-sending":
      return phase.deadlineMs;
    case "offering":
    case "at-host":
    case "outputting":
      return phase.retry.atMs;
  }
}
