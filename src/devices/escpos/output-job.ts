import type { MemoryPage } from "../../image/print-image.ts";
import type { Evidence } from "../../protocol/job.ts";
import type { OutputResult } from "../device.ts";
import type { OutputChunk } from "./encoder.ts";
import { encodeOutput } from "./encoder.ts";
import type { PrinterModel } from "./models.ts";

/** Milliseconds; monotonic time of the shell. */
export const outputTimings = {
  /** After the paper should have stopped, for an answer to travel. */
  answerMs: 2_000,
  /** From the answer to GS r, sent when interpreted, to the last line on paper. */
  interpretedToPrintedMs: 1_000,
  /** A printer that answers DLE EOT only is given this long to answer GS r or GS ( H. */
  onlyRealTimeMs: 10_000,
  /** A printer that is online and says nothing of the end for this long will not say it any more. */
  endLimitMs: 60_000,
  /** A canceled job whose bytes are all out may still report its end. */
  cancelGraceMs: 2_000,
} as const;

/** What the printer has proven, and what to ask it for: carried from job to job. */
export interface EvidenceLadder {
  /** Best rung still believed in. */
  asked: Evidence;
  /** It has answered GS ( H in this life. */
  processIdProven: boolean;
  /** It has answered GS r in this life. */
  statusProven: boolean;
}

/** How the link stands when the end of an output is judged. */
export interface LinkView {
  readonly blocked: boolean;
  /** Nothing was ever heard of this printer. */
  readonly mute: boolean;
  readonly lastHeardMs: number | undefined;
}

/** One output on its way: chunks still to hand over, and the signs of its end. Pure. */
export class OutputJob {
  readonly processIds: readonly [string, string];
  readonly asked: Evidence;
  readonly #model: PrinterModel;
  readonly #chunks: Iterator<OutputChunk>;
  #next: OutputChunk | undefined;
  #rowsHanded = 0;
  /** True when at least one byte was handed to the transport. */
  started = false;
  sawFirstId = false;
  sawLastId = false;
  statusAtMs: number | undefined;
  /** Where the paper stands by the model's speed: the moment at which everything handed over is out. */
  paperDoneMs = 0;
  blockedSinceMs: number | undefined;
  cancelDeadlineMs: number | undefined;

  constructor(
    pages: readonly MemoryPage[],
    processIds: readonly [string, string],
    model: PrinterModel,
    asked: Evidence,
  ) {
    this.processIds = processIds;
    this.asked = asked;
    this.#model = model;
    this.#chunks = encodeOutput(pages, { model: this.#model, evidence: asked, processIds });
    this.#fetch();
  }

  #fetch(): void {
    const next = this.#chunks.next();
    this.#next = next.done === true ? undefined : next.value;
  }

  /** True as soon as the last byte was handed to the transport, accepted or not. */
  get handedAll(): boolean {
    return this.#next === undefined;
  }

  get rowsHanded(): number {
    return this.#rowsHanded;
  }

  /** The next chunk's bytes, undefined when there is none. */
  takeChunk(nowMs: number): Uint8Array | undefined {
    const chunk = this.#next;
    if (chunk === undefined) return undefined;
    this.#fetch();
    this.started = true;
    this.#rowsHanded = chunk.rowsDone;
    this.paperDoneMs = Math.max(this.paperDoneMs, nowMs) + chunk.mechanicalMs;
    return chunk.bytes;
  }

  /** While the printer is blocked the paper stands, and so does the estimate. */
  noteBlocked(blocked: boolean, nowMs: number): void {
    if (blocked) this.blockedSinceMs ??= nowMs;
    else if (this.blockedSinceMs !== undefined) {
      this.paperDoneMs = Math.max(this.paperDoneMs, this.blockedSinceMs) + nowMs - this.blockedSinceMs;
      this.blockedSinceMs = undefined;
    }
  }

  noteProcessId(id: string): void {
    if (id === this.processIds[0]) this.sawFirstId = true;
    // The printer answers in order, and keeps only the latest answer for a host that was away.
    if (id === this.processIds[1]) this.sawLastId = true;
  }

  noteStatus(nowMs: number): void {
    if (this.handedAll && this.asked !== "none") this.statusAtMs ??= nowMs;
  }

  /**
   * What to say when nothing more will be heard. With process ID 1 answered every line of the job is on paper and only
   * the cut is not known: that is "printed", since another copy would be a second ticket, and the next resync cuts.
   */
  giveUp(reason: string): OutputResult {
    if (!this.started) return { kind: "not-started", reason };
    if (this.sawFirstId) return { kind: "printed", evidence: "process-id" };
    return { kind: "uncertain", reason };
  }

  /** The end of the output, when it can be told now; all bytes must have been handed over. */
  judge(link: LinkView, ladder: EvidenceLadder, nowMs: number): OutputResult | undefined {
    if (this.sawLastId) return { kind: "printed", evidence: "process-id" };
    if (this.cancelDeadlineMs !== undefined && (link.blocked || nowMs >= this.cancelDeadlineMs)) {
      return this.giveUp("canceled while printing");
    }
    if (link.blocked) return undefined;
    if (link.mute) return nowMs >= this.#muteEndMs() ? { kind: "printed", evidence: "none" } : undefined;
    if (this.#statusHolds(ladder, nowMs)) return { kind: "printed", evidence: "status" };
    if (this.#onlyRealTime(link, ladder, nowMs)) return { kind: "printed", evidence: "none" };
    if (nowMs >= this.#limitMs()) return this.giveUp("the printer did not report the end of the output");
    return undefined;
  }

  /** When `judge` may say something else without being told anything. */
  nextJudgeMs(link: LinkView, nowMs: number): number | undefined {
    if (link.blocked) return undefined;
    const moments = [
      this.cancelDeadlineMs,
      link.mute ? this.#muteEndMs() : undefined,
      this.#statusEndMs(),
      this.#onlyRealTimeEndMs(),
      this.#limitMs(),
    ];
    return moments.reduce<number | undefined>(
      (first, at) => (at === undefined || at <= nowMs || (first !== undefined && first <= at) ? first : at),
      undefined,
    );
  }

  #muteEndMs(): number {
    return this.paperDoneMs + outputTimings.answerMs;
  }

  #statusEndMs(): number | undefined {
    if (this.statusAtMs === undefined) return undefined;
    if (this.asked === "process-id") return Math.max(this.paperDoneMs, this.statusAtMs) + outputTimings.answerMs;
    return Math.max(this.paperDoneMs, this.statusAtMs + outputTimings.interpretedToPrintedMs);
  }

  #onlyRealTimeEndMs(): number {
    const { answerMs, onlyRealTimeMs } = outputTimings;
    return this.paperDoneMs + (this.asked === "none" ? answerMs : onlyRealTimeMs);
  }

  #limitMs(): number {
    return this.paperDoneMs + outputTimings.endLimitMs;
  }

  /** GS r is answered and the paper should have stopped. A printer that has proven process IDs gets no such credit. */
  #statusHolds(ladder: EvidenceLadder, nowMs: number): boolean {
    const endMs = this.#statusEndMs();
    if (endMs === undefined || nowMs < endMs) return false;
    return this.asked === "status" || !ladder.processIdProven;
  }

  /** It answers DLE EOT or ASB, never GS r nor GS ( H, and was heard online after the paper should have stopped. */
  #onlyRealTime(link: LinkView, ladder: EvidenceLadder, nowMs: number): boolean {
    if (this.#model.answers || ladder.processIdProven || ladder.statusProven) return false;
    if (nowMs < this.#onlyRealTimeEndMs()) return false;
    return link.lastHeardMs !== undefined && link.lastHeardMs > this.paperDoneMs;
  }
}
