import type { OutputResult } from "../src/devices/device.ts";
import type { Evidence } from "../src/protocol/job.ts";
import type { EventLoop } from "./event-loop.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";

/** What lies on the floor in front of the printer: the only witness the checkers believe. */
export interface PaperCopy {
  readonly jobId: string;
  readonly sha256: string;
  complete: boolean;
}

interface Output {
  readonly copy: PaperCopy;
  readonly processIds: readonly [string, string];
  /** The whole job is in the printer: it prints on although the host is dead. */
  handedOver: boolean;
  finished: (result: OutputResult) => void;
  timer: number;
}

/**
 * The printer and its cable: takes one job at a time, prints it in time, forgets everything when its power goes. It
 * keeps the newest process-ID answer that nobody could receive (Epson GS ( H), if the seed's printer is of that kind.
 */
export class Paper {
  readonly #loop: EventLoop;
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #onCopy: (copy: PaperCopy) => void;
  #powered = true;
  #paperIn = true;
  #output: Output | undefined;
  #timers = 0;
  #lateAnswer: string | undefined;
  onState: ((ready: boolean) => void) | undefined;

  /** `onCopy` is called for each job whose first byte is on the paper. */
  constructor(loop: EventLoop, random: Random, plan: Plan, onCopy: (copy: PaperCopy) => void) {
    this.#loop = loop;
    this.#random = random;
    this.#plan = plan;
    this.#onCopy = onCopy;
  }

  get ready(): boolean {
    return this.#powered && this.#paperIn;
  }

  print(
    job: { readonly jobId: string; readonly sha256: string; readonly processIds: readonly [string, string] },
    finished: (result: OutputResult) => void,
  ): void {
    if (!this.#powered) {
      this.#loop.after(1, () => finished({ kind: "not-started", reason: "the printer cannot be reached" }));
      return;
    }
    // What a dead host left in the printer comes out first.
    if (this.#output?.handedOver === true) this.#output.copy.complete = true;
    const copy: PaperCopy = { jobId: job.jobId, sha256: job.sha256, complete: false };
    this.#output = { copy, processIds: job.processIds, handedOver: false, finished, timer: 0 };
    this.#onCopy(copy);
    this.#loop.after(this.#random.next() * this.#plan.printMs * 0.5, () => {
      if (this.#output?.copy === copy) this.#output.handedOver = true;
    });
    this.#run();
  }

  cancel(jobId: string): void {
    const output = this.#output;
    if (output?.copy.jobId !== jobId) return;
    this.#output = undefined;
    this.#loop.after(5, () => output.finished({ kind: "uncertain", reason: "canceled while printing" }));
  }

  /** The host's process died: what the printer has, it prints; nobody hears the answer. */
  hostDied(): void {
    const output = this.#output;
    if (output === undefined) return;
    output.finished = () => undefined;
    if (!output.handedOver) this.#output = undefined;
  }

  /** What a restarted host hears when it asks for an answer it missed. */
  seekEvidence(processIds: readonly [string, string]): Evidence | undefined {
    return this.#lateAnswer === processIds[1] ? "process-id" : undefined;
  }

  setPower(powered: boolean): void {
    this.#powered = powered;
    if (!powered) {
      this.#lateAnswer = undefined;
      const output = this.#output;
      this.#output = undefined;
      if (output !== undefined) {
        if (output.handedOver && this.#random.chance(0.3)) output.copy.complete = true;
        this.#loop.after(5, () => output.finished({ kind: "uncertain", reason: "the printer lost its power" }));
      }
    }
    this.onState?.(this.ready);
  }

  setPaper(paperIn: boolean): void {
    this.#paperIn = paperIn;
    if (paperIn) this.#run();
    this.onState?.(this.ready);
  }

  #run(): void {
    const output = this.#output;
    if (output === undefined || !this.#paperIn) return;
    const timer = ++this.#timers;
    output.timer = timer;
    this.#loop.after(this.#plan.printMs * (0.5 + this.#random.next() * 0.5), () => {
      if (this.#output !== output || output.timer !== timer || !this.ready) return;
      output.copy.complete = true;
      this.#output = undefined;
      if (this.#random.chance(this.#plan.evidenceRate)) this.#lateAnswer = output.processIds[1];
      output.finished({ kind: "printed", evidence: "process-id" });
    });
  }
}
