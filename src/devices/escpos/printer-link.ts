import type { AsbStatus, BackChannelEvent } from "./back-channel.ts";
import { BackChannel, decodeRealTimeStatus } from "./back-channel.ts";
import { realTimeStatus } from "./commands.ts";

/** One connection to the printer: what was asked on it, what was answered, what waits to be written. Pure. */
export class PrinterLink {
  readonly id: number;
  readonly #backChannel = new BackChannel();
  readonly #queue: Uint8Array[] = [];
  #writing = false;
  #stopped = false;
  #answers: number[] | undefined;
  #answersQuestions = false;
  /** Latest status heard on this link. */
  status: AsbStatus | undefined;
  lastHeardMs: number | undefined;
  /** When the open question was asked, or its bytes were accepted. */
  askedAtMs: number | undefined;
  lastAskedMs: number;
  asbHeard = false;
  /** Questions in a row that nothing answered. */
  unansweredQuestions = 0;

  constructor(id: number, nowMs: number) {
    this.id = id;
    this.lastAskedMs = nowMs;
  }

  /** True when bytes may be handed to the transport at once. */
  get free(): boolean {
    return !this.#writing && !this.#stopped && this.#queue.length === 0;
  }

  send(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#queue.push(bytes);
  }

  /** The next bytes for the transport, undefined while it has not accepted the last ones. */
  takeBytes(): Uint8Array | undefined {
    if (this.#writing || this.#stopped) return undefined;
    const bytes = this.#queue.shift();
    this.#writing = bytes !== undefined;
    return bytes;
  }

  written(): void {
    this.#writing = false;
  }

  /** Asks DLE EOT 1 to 4, unless a question is still open. */
  ask(nowMs: number): void {
    if (this.askedAtMs !== undefined) return;
    this.askedAtMs = nowMs;
    this.lastAskedMs = nowMs;
    this.#answers = [];
    this.send(realTimeStatus);
  }

  /** Ends the open question when it has waited too long; what waits for the transport does not count. */
  checkQuestion(nowMs: number, timeoutMs: number): void {
    if (this.askedAtMs === undefined) return;
    if (!this.free) this.askedAtMs = nowMs;
    else if (nowMs >= this.askedAtMs + timeoutMs) this.endQuestion();
  }

  /** Ends the open question with what has been answered of it. */
  endQuestion(): void {
    if (this.#answers === undefined) return;
    if (this.#answers.length > 0) {
      this.status = decodeRealTimeStatus(this.#answers);
      this.unansweredQuestions = 0;
      this.#answersQuestions = true;
    } else if (this.#answersQuestions || !this.asbHeard) {
      // A printer that has ASB and no DLE EOT is not silent.
      this.unansweredQuestions++;
    }
    this.#answers = undefined;
    this.askedAtMs = undefined;
  }

  /** Takes inbound bytes and keeps what concerns the link itself. Answers nobody asked for change nothing. */
  receive(bytes: Uint8Array, nowMs: number): BackChannelEvent[] {
    const events = this.#backChannel.push(bytes);
    for (const event of events) {
      if (event.kind === "unknown") continue;
      this.lastHeardMs = nowMs;
      if (event.kind === "asb") {
        this.status = event.status;
        this.asbHeard = true;
        this.unansweredQuestions = 0;
      } else if (event.kind === "xoff") this.#stopped = true;
      else if (event.kind === "xon") this.#stopped = false;
      else if (event.kind === "real-time-status" && this.#answers !== undefined) {
        this.#answers.push(event.value);
        if (this.#answers.length === 4) this.endQuestion();
      }
    }
    return events;
  }
}
