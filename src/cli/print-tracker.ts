import type { PrintEvent } from "../protocol/api.ts";
import { describeError } from "../protocol/errors.ts";
import { type Deferred, deferred } from "../runtime/deferred.ts";
import { formatPercent } from "./format.ts";
import { type ExitCode, exitCodes } from "./io.ts";

/** How far a person has to be kept waiting. */
export type WaitFor = "accepted" | "ended";

export type Verdict = "done" | "failed" | "held";

/** One document on its way: what was told of it, and whether that is enough. */
export class PrintTracker {
  readonly file: string;
  readonly #waitFor: WaitFor;
  readonly #settled: Deferred<void> = deferred();
  readonly #closed: Deferred<void> = deferred();
  jobId: string | undefined;
  /** The job is durable here, or at the client process it was handed to. */
  taken = false;
  accepted = false;
  verdict: Verdict | undefined;
  #sentence = "is sent";
  #lastStep = "";
  #heightDots = 0;

  constructor(file: string, waitFor: WaitFor) {
    this.file = file;
    this.#waitFor = waitFor;
  }

  /** Resolves when the user has waited long enough for this document. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Resolves when nothing more will be told of this document. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get sentence(): string {
    return this.#sentence;
  }

  /** Takes an event in. Returns true when it is a step worth a line, false when it is only progress. */
  take(event: PrintEvent): boolean {
    if (event.jobId !== undefined) this.jobId = event.jobId;
    if (event.heightDots !== undefined) this.#heightDots = event.heightDots;
    this.#note(event);
    const isOver = this.verdict !== undefined && event.event !== "canceling";
    if (isOver || (this.accepted && this.#waitFor === "accepted")) this.#settled.resolve();
    if (event.event === "progressed" || event.event === "waiting") return false;
    // Peers repeat what has not been answered, also with progress in between.
    const isNew = this.#sentence !== this.#lastStep;
    this.#lastStep = this.#sentence;
    return isNew;
  }

  /** It never became a job, or whoever had it is gone. */
  fail(sentence: string): void {
    this.verdict = "failed";
    this.#sentence = sentence;
    this.#settled.resolve();
    this.#closed.resolve();
  }

  #note(event: PrintEvent): void {
    const { detail = "" } = event;
    switch (event.event) {
      case "rendered":
        this.taken = true;
        this.#sentence = detail === "" ? "is in the spool" : `is in the spool; ${detail}`;
        return;
      case "accepted":
        this.taken = true;
        this.accepted = true;
        this.#sentence = "accepted";
        return;
      case "waiting":
        this.#sentence = `waits, ${detail}`;
        return;
      case "started":
        this.verdict = undefined;
        this.#sentence = `is printed from the ${detail}'s spool`;
        return;
      case "progressed":
        this.#sentence = `printing ${formatPercent(event.rowsDone ?? 0, this.#heightDots)}`;
        return;
      case "canceling":
        this.#sentence = "is being canceled";
        return;
      case "held":
        this.verdict = "held";
        this.#sentence = `held: ${detail}`;
        return;
      case "ended":
      case "closed":
        this.accepted = true;
        this.#end(detail);
        if (event.event === "closed") this.#closed.resolve();
        return;
      case "refused":
      case "failed":
        return this.fail(describeError(event.code ?? "internal", detail));
    }
  }

  /** `detail` is the outcome of the host's ledger. */
  #end(outcome: string): void {
    this.verdict = outcome === "printed" ? "done" : outcome === "indeterminate" ? "held" : "failed";
    this.#sentence =
      outcome === "indeterminate"
        ? "indeterminate: nobody can know whether it was printed; look at the paper"
        : outcome;
  }
}

/** The worst of all documents decides; one that is only accepted counts as done. */
export function exitCodeOfAll(trackers: readonly PrintTracker[]): ExitCode {
  const verdicts = trackers.map((tracker) => tracker.verdict);
  if (verdicts.includes("failed")) return exitCodes.failed;
  return verdicts.includes("held") ? exitCodes.held : exitCodes.done;
}
