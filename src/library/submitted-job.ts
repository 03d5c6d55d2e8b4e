import { type JobAnswer, jobAnswerSchema, type PrintEvent } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import type { JobChange } from "../protocol/job.ts";
import { type Deferred, deferred } from "../runtime/deferred.ts";
import type { Preview } from "./connection.ts";

/** How a job ended. */
export interface JobEnd {
  readonly jobId: string;
  /** `indeterminate`: nobody can know whether it is on paper; the printer's policy, or a person, decides what follows. */
  readonly outcome: "printed" | "indeterminate" | "canceled";
}

/**
 * A document on its way to the paper. `for await (const event of job)` tells what happens to it, from the beginning,
 * whenever it is asked.
 */
export interface PrintJob extends AsyncIterable<PrintEvent> {
  /** The job id, the same at client, server, host and in the history. */
  readonly id: string;
  readonly title: string;
  /** Resolves when the job will be printed whatever dies. Rejects with the reason when it was refused. */
  readonly accepted: Promise<void>;
  /** Resolves with the outcome. A job that is held for a person waits for that person. Rejects when it was refused. */
  readonly ended: Promise<JobEnd>;
  /** `held`: it waits for a person. `failed`: it was refused and will not be printed. */
  readonly state: "open" | "held" | "ended" | "failed";
  /** Asks that it be not printed. The answer says how the job stands: it may be too late. */
  cancel(): Promise<JobAnswer>;
  /** Changes the job while it waits. Throws `job-processing` when it no longer does, `spools-contradict`. */
  change(change: JobChange): Promise<JobAnswer>;
  /** Keeps it in the queue until `release`. */
  hold(): Promise<JobAnswer>;
  release(): Promise<JobAnswer>;
  /** The dots that will be printed, as PNG, and which spool they came from. */
  preview(): Promise<Preview>;
  /** All that is known of it now: as a job of the queue, or as a row of the history. */
  show(): Promise<JobAnswer>;
}

/** What a job needs of its connection. */
export interface JobDesk {
  cancel(jobId: string): Promise<JobAnswer>;
  change(jobId: string, change: JobChange): Promise<JobAnswer>;
  preview(jobId: string): Promise<Preview>;
  job(jobId: string): Promise<JobAnswer>;
}

const lastEvents: ReadonlySet<PrintEvent["event"]> = new Set(["closed", "refused", "failed"]);

/** The job as its connection has it. */
export class SubmittedJob implements PrintJob {
  readonly title: string;
  readonly #desk: JobDesk;
  readonly #accepted: Deferred<void> = deferred();
  readonly #ended: Deferred<JobEnd> = deferred();
  readonly #taken: Deferred<void> = deferred();
  readonly #rested: Deferred<void> = deferred();
  readonly #over: Deferred<void> = deferred();
  readonly #events: PrintEvent[] = [];
  readonly #readers = new Set<() => void>();
  #jobId = "";
  #observed = false;
  #state: "open" | "held" | "ended" | "failed" = "open";
  #isOver = false;

  constructor(title: string, desk: JobDesk) {
    this.title = title;
    this.#desk = desk;
    // Somebody may wait for one of them only; what nobody has looked at is told as a warning instead.
    for (const { promise } of [this.#accepted, this.#ended, this.#taken]) promise.catch(() => {});
  }

  get id(): string {
    return this.#jobId;
  }

  get accepted(): Promise<void> {
    this.#observed = true;
    return this.#accepted.promise;
  }

  get ended(): Promise<JobEnd> {
    this.#observed = true;
    return this.#ended.promise;
  }

  get state(): "open" | "held" | "ended" | "failed" {
    return this.#state;
  }

  cancel(): Promise<JobAnswer> {
    return this.#desk.cancel(this.#jobId);
  }

  change(change: JobChange): Promise<JobAnswer> {
    return this.#desk.change(this.#jobId, change);
  }

  hold(): Promise<JobAnswer> {
    return this.change({ held: true });
  }

  release(): Promise<JobAnswer> {
    return this.change({ held: false, holdMs: null });
  }

  preview(): Promise<Preview> {
    return this.#desk.preview(this.#jobId);
  }

  async show(): Promise<JobAnswer> {
    return jobAnswerSchema.parse(await this.#desk.job(this.#jobId));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PrintEvent, void, undefined> {
    this.#observed = true;
    let next = 0;
    for (;;) {
      const event = this.#events[next];
      if (event !== undefined) {
        next += 1;
        yield event;
      } else if (this.#isOver) return;
      else await new Promise<void>((resolve) => this.#readers.add(resolve));
    }
  }

  /** Resolves when the job is durable at this client; rejects when it never became a job. */
  get taken(): Promise<void> {
    return this.#taken.promise;
  }

  /** Resolves when nothing goes on by itself any more: it has ended, was refused, or is held for a person. */
  get rested(): Promise<void> {
    return this.#rested.promise;
  }

  /** Resolves when nothing more will be heard of it. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** For the connection: what it hears of the job. */
  take(event: PrintEvent): void {
    if (this.#isOver) return;
    this.#jobId = event.jobId ?? this.#jobId;
    this.#isOver = lastEvents.has(event.event);
    // Progress is worth only its latest news; readers that are behind do without the rest.
    if (event.event !== "progressed" || this.#events.at(-1)?.event !== "progressed") this.#events.push(event);
    else this.#events[this.#events.length - 1] = event;
    this.#note(event);
    if (this.#isOver) this.#endOfNews();
    this.#wakeReaders();
  }

  /** For the connection: nothing more can be heard of the job. Once it was taken it goes on unseen. */
  loseSight(error: unknown): void {
    if (this.#isOver) return;
    const known = error instanceof TwinspoolError ? error : new TwinspoolError("internal", String(error));
    if (this.#jobId === "") return this.take({ event: "failed", code: known.code, detail: known.detail });
    this.#isOver = true;
    this.#reject(known);
    this.#endOfNews();
    this.#wakeReaders();
  }

  #wakeReaders(): void {
    for (const wake of this.#readers) wake();
    this.#readers.clear();
  }

  #endOfNews(): void {
    this.#rested.resolve();
    this.#over.resolve();
  }

  #note({ event, code, detail = "" }: PrintEvent): void {
    switch (event) {
      case "rendered":
        return this.#taken.resolve();
      case "accepted":
        this.#taken.resolve();
        return this.#accepted.resolve();
      case "held":
        this.#state = "held";
        return this.#rested.resolve();
      case "started":
        this.#state = "open";
        return;
      case "ended":
      case "closed":
        this.#accepted.resolve();
        return this.#end(detail);
      case "refused":
      case "failed":
        if (this.#state !== "ended") this.#state = "failed";
        return this.#reject(new TwinspoolError(code ?? "internal", detail));
    }
  }

  #end(outcome: string): void {
    if (outcome !== "printed" && outcome !== "indeterminate" && outcome !== "canceled") return;
    this.#state = outcome === "indeterminate" && !this.#isOver ? "held" : "ended";
    this.#ended.resolve({ jobId: this.#jobId, outcome });
    this.#rested.resolve();
  }

  #reject(error: TwinspoolError): void {
    const mayBeUnseen = this.#jobId !== "" && this.#state !== "ended" && !this.#observed;
    this.#taken.reject(error);
    this.#accepted.reject(error);
    this.#ended.reject(error);
    if (mayBeUnseen) process.emitWarning(`${this.title}: ${error.message}`, "TwinspoolWarning");
  }
}
