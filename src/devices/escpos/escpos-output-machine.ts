import type { MemoryPage } from "../../image/print-image.ts";
import type { Evidence, PrinterState } from "../../protocol/job.ts";
import type { Instant, Machine } from "../../runtime/machine.ts";
import type { OutputResult } from "../device.ts";
import type { BackChannelEvent } from "./back-channel.ts";
import { clearBuffers, concatBytes, enableAsb, initialize } from "./commands.ts";
import { endOfPage, longestCommandBytes } from "./encoder.ts";
import { EvidenceSeeker } from "./evidence-seeker.ts";
import type { PrinterModel } from "./models.ts";
import type { EvidenceLadder, LinkView } from "./output-job.ts";
import { OutputJob, outputTimings } from "./output-job.ts";
import type { OutputEffect, OutputInput, OutputMachineOptions, OutputPhase } from "./output-protocol.ts";
import { PrinterLink } from "./printer-link.ts";
import { isBlocked, printerState } from "./printer-status.ts";

const timings = {
  reconnectFirstMs: 500,
  reconnectLastMs: 10_000,
  /** For the answers to DLE EOT. */
  questionMs: 2_000,
  clearMs: 3_000,
  /** A link lost during output may come back for so long. */
  reconnectForEvidenceMs: 15_000,
  /** A late process ID is sent when the link is up again; the printer may still be printing. */
  lateAnswerMs: 5_000,
  pollUnreadyMs: 5_000,
  pollReadyMs: 5_000,
  pollReadyWithAsbMs: 30_000,
} as const;

/** Questions in a row without an answer after which a printer that can answer counts as silent. */
const silentAfterQuestions = 3;

/**
 * The dialogue with one ESC/POS printer: reaches for it, brings it into a clean state, prints one image at a time and
 * finds out when the output has ended (design §6). Pure; `escpos-device.ts` is its shell.
 */
export class EscposOutputMachine implements Machine<OutputInput, OutputEffect> {
  readonly #model: PrinterModel;
  readonly #seeker = new EvidenceSeeker();
  readonly #ladder: EvidenceLadder;
  #phase: OutputPhase = "closed";
  #link: PrinterLink | undefined;
  #linkId = 0;
  #connectAtMs: number | undefined;
  #reconnectMs: number = timings.reconnectFirstMs;
  #job: OutputJob | undefined;
  /** Something was heard of this printer, on any link. */
  #heard = false;
  /** A command may have been cut off: its rest is made up with NULs, which are no command. */
  #padNeeded: boolean;
  /** Part of a ticket may be on the paper, or in the print buffer: the next ticket is to stand alone. */
  #cutNeeded = false;
  /** Data of a canceled output may wait in the printer. */
  #clearNeeded = false;
  #clearing = false;
  #clearDeadlineMs: number | undefined;
  #recoverDeadlineMs = 0;
  #effects: OutputEffect[] = [];
  #reported = "";
  #nowMs = 0;

  constructor(model: PrinterModel, options: OutputMachineOptions = {}) {
    this.#model = model;
    this.#padNeeded = options.padAtFirst ?? true;
    this.#ladder = { asked: model.evidence, processIdProven: false, statusProven: false };
  }

  get phase(): OutputPhase {
    return this.#phase;
  }

  handle(input: OutputInput, now: Instant): readonly OutputEffect[] {
    this.#nowMs = now.monotonicMs;
    this.#effects = [];
    this.#take(input, now.monotonicMs);
    this.#advance(now.monotonicMs);
    this.#reportState();
    return this.#effects;
  }

  nextWakeMs(): number | undefined {
    const moments = [
      this.#connectAtMs,
      this.#clearDeadlineMs,
      this.#seeker.nextDeadlineMs(),
      this.#phase === "recovering" ? this.#recoverWakeMs() : undefined,
      this.#phase === "awaiting-end" ? this.#job?.nextJudgeMs(this.#view(), this.#nowMs) : undefined,
      this.#questionWakeMs(),
    ];
    // What is due was dealt with by `handle`; only a later moment can change anything.
    const later = moments.filter((at) => at !== undefined && at > this.#nowMs) as number[];
    return later.length === 0 ? undefined : Math.min(...later);
  }

  #take(input: OutputInput, nowMs: number): void {
    switch (input.kind) {
      case "opened":
        if (this.#phase === "closed") this.#reach(nowMs);
        return;
      case "closed":
        this.#close();
        return;
      case "outputRequested":
        this.#startOutput(input.pages, input.processIds);
        return;
      case "outputCanceled":
        this.#cancel(nowMs);
        return;
      case "evidenceSought":
        this.#seeker.seek(input.seekId, input.processIds, nowMs + input.timeoutMs);
        return;
      case "woke":
        return;
      default:
        // Links that were given up may still report; nothing hangs on them any more.
        if (input.link === this.#linkId) this.#takeFromLink(input, nowMs);
    }
  }

  #takeFromLink(input: Extract<OutputInput, { link: number }>, nowMs: number): void {
    switch (input.kind) {
      case "linkOpened":
        if (this.#phase !== "connecting" && this.#phase !== "recovering") return;
        this.#link = new PrinterLink(input.link, nowMs);
        if (this.#phase === "recovering") this.#startRecovery(this.#link, nowMs);
        else this.#startResync(nowMs);
        return;
      case "linkClosed":
        // A failed write and the end of the link may both be told; the second changes nothing.
        if (this.#connectAtMs === undefined && this.#phase !== "closed") this.#loseLink(input.reason, nowMs);
        return;
      case "bytesWritten":
        this.#link?.written();
        if (this.#phase === "outputting" && this.#job?.started === true) {
          this.#effects.push({ kind: "reportProgress", rowsDone: this.#job.rowsHanded });
        }
        return;
      case "bytesReceived":
        for (const event of this.#link?.receive(input.bytes, nowMs) ?? []) this.#takeEvent(event, nowMs);
    }
  }

  #takeEvent(event: BackChannelEvent, nowMs: number): void {
    if (event.kind === "unknown") return;
    if (!this.#heard) this.#ladder.asked = this.#model.evidence;
    this.#heard = true;
    if (event.kind === "process-id") {
      this.#ladder.processIdProven = true;
      this.#job?.noteProcessId(event.id);
      this.#seeker.noteProcessId(event.id);
    } else if (event.kind === "gs-r") {
      this.#job?.noteStatus(nowMs);
      if (this.#job?.statusAtMs !== undefined) this.#ladder.statusProven = true;
    } else if (event.kind === "clear-response" && this.#clearing) {
      this.#clearDeadlineMs = nowMs;
    }
  }

  /** Carries on with whatever time, answers and free room allow now. */
  #advance(nowMs: number): void {
    this.#dial(nowMs);
    this.#link?.checkQuestion(nowMs, timings.questionMs);
    this.#settleSeeks(nowMs);
    this.#dropSilentLink(nowMs);
    if (this.#phase === "resync") this.#advanceResync(nowMs);
    if (this.#phase === "idle" || this.#phase === "ready") this.#phase = this.#printable() ? "ready" : "idle";
    if (this.#phase === "outputting") this.#advanceOutput(nowMs);
    if (this.#phase === "awaiting-end") this.#awaitEnd(nowMs);
    if (this.#phase === "recovering") this.#recover(nowMs);
    this.#poll(nowMs);
    this.#flush();
  }

  #flush(): void {
    const link = this.#link;
    const bytes = link?.takeBytes();
    if (link !== undefined && bytes !== undefined) this.#effects.push({ kind: "writeBytes", link: link.id, bytes });
  }

  // ---- reaching the printer

  #reach(nowMs: number): void {
    this.#phase = "connecting";
    this.#connectAtMs = nowMs;
  }

  #dial(nowMs: number): void {
    if (this.#connectAtMs === undefined || nowMs < this.#connectAtMs) return;
    this.#connectAtMs = undefined;
    this.#linkId++;
    this.#effects.push({ kind: "connect", link: this.#linkId });
  }

  #loseLink(reason: string, nowMs: number): void {
    this.#link = undefined;
    this.#clearing = false;
    this.#clearDeadlineMs = undefined;
    this.#connectAtMs = nowMs + this.#reconnectMs;
    this.#reconnectMs = Math.min(this.#reconnectMs * 2, timings.reconnectLastMs);
    if (this.#phase === "recovering") {
      this.#connectAtMs = nowMs + timings.reconnectFirstMs;
      return;
    }
    const job = this.#job;
    const askedForIds = job?.handedAll === true && job.asked === "process-id" && job.cancelDeadlineMs === undefined;
    if (askedForIds) {
      job.noteBlocked(false, nowMs);
      this.#phase = "recovering";
      this.#connectAtMs = nowMs + timings.reconnectFirstMs;
      this.#recoverDeadlineMs = nowMs + timings.reconnectForEvidenceMs;
      return;
    }
    this.#phase = "connecting";
    if (job !== undefined)
      this.#finish(job.giveUp(`the link to the printer was lost while printing (${reason})`), nowMs);
  }

  #close(): void {
    if (this.#phase === "closed") return;
    if (this.#job !== undefined) {
      this.#effects.push({ kind: "reportResult", result: this.#job.giveUp("the printer's device was closed") });
    }
    this.#job = undefined;
    this.#phase = "closed";
    this.#connectAtMs = undefined;
    this.#clearDeadlineMs = undefined;
    this.#effects.push(...this.#seeker.end());
    if (this.#linkId > 0) this.#effects.push({ kind: "closeLink", link: this.#linkId });
    this.#link = undefined;
    this.#linkId++;
  }

  /** DLE EOT tells what ASB does not, or that nobody is there any more. */
  #poll(nowMs: number): void {
    const link = this.#link;
    const dueMs = this.#pollDueMs();
    if (link === undefined || dueMs === undefined || nowMs < dueMs || !link.free) return;
    link.ask(nowMs);
  }

  #pollDueMs(): number | undefined {
    const link = this.#link;
    if (link === undefined || link.askedAtMs !== undefined) return undefined;
    const since = (pauseMs: number): number => link.lastAskedMs + pauseMs;
    switch (this.#phase) {
      case "idle":
      case "recovering":
        return since(timings.pollUnreadyMs);
      case "ready":
        if (this.#mute()) return undefined;
        return since(link.asbHeard ? timings.pollReadyWithAsbMs : timings.pollReadyMs);
      case "outputting":
        // Between raster data an answer could be one that the data itself has asked for.
        return this.#blocked() ? since(timings.pollUnreadyMs) : undefined;
      case "awaiting-end": {
        if (this.#mute()) return undefined;
        const paperDoneMs = this.#job?.paperDoneMs ?? 0;
        return this.#blocked()
          ? since(timings.pollUnreadyMs)
          : Math.max(since(timings.pollUnreadyMs), paperDoneMs + outputTimings.answerMs);
      }
      default:
        return undefined;
    }
  }

  #questionWakeMs(): number | undefined {
    const link = this.#link;
    if (link === undefined || !link.free) return undefined;
    return link.askedAtMs === undefined ? this.#pollDueMs() : link.askedAtMs + timings.questionMs;
  }

  #dropSilentLink(nowMs: number): void {
    const link = this.#link;
    if (link === undefined || this.#mute() || link.unansweredQuestions < silentAfterQuestions) return;
    if (this.#phase === "resync") return;
    this.#effects.push({ kind: "closeLink", link: link.id });
    // Events of the closed link are not awaited: a dead peer may never bring one.
    this.#linkId++;
    this.#loseLink("the printer no longer answers", nowMs);
  }

  // ---- a clean state

  #startResync(nowMs: number): void {
    this.#phase = "resync";
    if (this.#clearNeeded) {
      this.#clearNeeded = false;
      this.#clearing = true;
      this.#link?.send(clearBuffers);
    } else {
      this.#sendResync(nowMs);
    }
  }

  #sendResync(nowMs: number): void {
    const parts: Uint8Array[] = [];
    if (this.#padNeeded) parts.push(new Uint8Array(longestCommandBytes(this.#model)));
    parts.push(initialize);
    if (this.#cutNeeded) parts.push(endOfPage(this.#model));
    // A printer that does not know GS would print the letters; ESC @ of the next output clears them.
    if (this.#model.evidence !== "none") parts.push(enableAsb);
    this.#padNeeded = false;
    this.#cutNeeded = false;
    // Real-time status first: it is answered even when the rest has to wait for paper.
    this.#link?.ask(nowMs);
    this.#link?.send(concatBytes(parts));
  }

  #advanceResync(nowMs: number): void {
    const link = this.#link;
    if (link === undefined) return;
    if (this.#clearing) {
      // DLE DC4 fn 8: the host must wait for the clear response before it sends anything else.
      if (this.#clearDeadlineMs === undefined && link.free) this.#clearDeadlineMs = nowMs + timings.clearMs;
      if (this.#clearDeadlineMs === undefined || nowMs < this.#clearDeadlineMs) return;
      this.#clearing = false;
      this.#clearDeadlineMs = undefined;
      this.#sendResync(nowMs);
      return;
    }
    if (link.askedAtMs !== undefined || !link.free) return;
    this.#reconnectMs = timings.reconnectFirstMs;
    this.#phase = this.#printable() ? "ready" : "idle";
  }

  /** A printer that may be mute: nothing says that it has a back channel, so silence says nothing either. */
  #mute(): boolean {
    return !this.#heard && !this.#model.answers;
  }

  #blocked(): boolean {
    const status = this.#link?.status;
    return status !== undefined && isBlocked(status);
  }

  #printable(): boolean {
    const link = this.#link;
    if (link === undefined) return false;
    if (this.#mute()) return true;
    return link.status !== undefined && link.unansweredQuestions === 0 && !isBlocked(link.status);
  }

  // ---- output

  #startOutput(pages: readonly MemoryPage[], processIds: readonly [string, string]): void {
    const refuse = (reason: string): void => {
      this.#effects.push({ kind: "reportResult", result: { kind: "not-started", reason } });
    };
    if (this.#job !== undefined) return refuse("another output is going on");
    if (this.#phase !== "ready") return refuse(`the printer is not ready (${this.#state().reasons.join(", ")})`);
    const widest = Math.max(0, ...pages.map((page) => page.widthDots));
    if (widest > this.#model.widthDots) {
      return refuse(`the image is ${widest} dots wide, the printer ${this.#model.widthDots}`);
    }
    this.#job = new OutputJob(pages, processIds, this.#model, this.#mute() ? "none" : this.#ladder.asked);
    this.#phase = "outputting";
  }

  #advanceOutput(nowMs: number): void {
    const { job, link } = { job: this.#job, link: this.#link };
    if (job === undefined || link === undefined) return;
    const blocked = this.#blocked();
    job.noteBlocked(blocked, nowMs);
    if (!link.free) return;
    if (job.handedAll) this.#phase = "awaiting-end";
    else if (!blocked) link.send(job.takeChunk(nowMs) ?? new Uint8Array(0));
  }

  #view(): LinkView {
    return { blocked: this.#blocked(), mute: this.#mute(), lastHeardMs: this.#link?.lastHeardMs };
  }

  #awaitEnd(nowMs: number): void {
    this.#job?.noteBlocked(this.#blocked(), nowMs);
    const result = this.#job?.judge(this.#view(), this.#ladder, nowMs);
    if (result !== undefined) this.#finish(result, nowMs);
  }

  #startRecovery(link: PrinterLink, nowMs: number): void {
    // Nothing but a question: what is buffered in the printer is still the job's.
    link.ask(nowMs);
    this.#recoverDeadlineMs = nowMs + timings.lateAnswerMs;
  }

  #recoverWakeMs(): number | undefined {
    if (this.#link === undefined) return this.#recoverDeadlineMs;
    if (this.#blocked()) return undefined;
    const paperDoneMs = this.#job?.paperDoneMs ?? 0;
    return Math.max(this.#recoverDeadlineMs, paperDoneMs + timings.lateAnswerMs);
  }

  #recover(nowMs: number): void {
    const job = this.#job;
    if (job === undefined) return;
    if (this.#link !== undefined) {
      job.noteBlocked(this.#blocked(), nowMs);
      if (this.#blocked()) this.#recoverDeadlineMs = nowMs + timings.lateAnswerMs;
    }
    if (job.sawLastId) return this.#finish({ kind: "printed", evidence: "process-id" }, nowMs);
    const endMs = this.#recoverWakeMs();
    if (endMs === undefined || nowMs < endMs) return;
    this.#finish(job.giveUp("the link to the printer was lost and its answer did not come"), nowMs);
  }

  #cancel(nowMs: number): void {
    const job = this.#job;
    if (job === undefined) return;
    if (!job.started) return this.#finish({ kind: "not-started", reason: "canceled before printing" }, nowMs);
    if (this.#phase === "awaiting-end") {
      // Nothing can be called back any more; most likely the answer is on its way.
      job.cancelDeadlineMs ??= nowMs + outputTimings.cancelGraceMs;
      return;
    }
    this.#finish(job.giveUp("canceled while printing"), nowMs);
  }

  #finish(result: OutputResult, nowMs: number): void {
    const job = this.#job;
    this.#job = undefined;
    this.#effects.push({ kind: "reportResult", result });
    const clean = job === undefined || !job.started || job.sawLastId || (result.kind === "printed" && !job.sawFirstId);
    if (result.kind === "printed" && result.evidence !== "process-id") this.#learn(result.evidence);
    const wasRecovering = this.#phase === "recovering";
    if (!clean) {
      this.#padNeeded = true;
      this.#cutNeeded = true;
      this.#clearNeeded = this.#model.clearBuffer && result.kind === "uncertain" && this.#link !== undefined;
    }
    if (this.#link === undefined) this.#phase = "connecting";
    else if (clean && !wasRecovering) this.#phase = "ready";
    else this.#startResync(nowMs);
  }

  /** Later jobs do not wait for what this printer does not have. */
  #learn(evidence: Evidence): void {
    if (this.#heard) this.#ladder.asked = evidence;
  }

  // ---- evidence after a restart

  #settleSeeks(nowMs: number): void {
    const { effects, halfDone } = this.#seeker.settle(nowMs);
    this.#effects.push(...effects);
    if (!halfDone) return;
    this.#padNeeded = true;
    this.#cutNeeded = true;
    if (this.#phase === "idle" || this.#phase === "ready") this.#startResync(nowMs);
  }

  // ---- state

  #state(): PrinterState {
    return printerState(this.#phase, this.#link?.status);
  }

  #reportState(): void {
    const state = this.#state();
    const ready = this.#phase === "ready";
    const key = JSON.stringify([ready, state]);
    if (key === this.#reported) return;
    this.#reported = key;
    this.#effects.push({ kind: "reportState", ready, state });
  }
}
