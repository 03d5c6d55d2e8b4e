import type { Cancel, SimClock } from "./clock.ts";
import type { PaperRoll } from "./paper.ts";
import type { Profile } from "./profiles.ts";
import type { Step } from "./step.ts";

export interface MechanismEvents {
  /** The print queue has room again. */
  room(): void;
  /** The head has come to the end of the roll. */
  paperEnded(): void;
  /** The blade did not move. */
  cutterFailed(): void;
}

/**
 * Head, motor and cutter: carries out steps in order, each taking its time on the clock, so that printing lags
 * behind interpretation. Stopped, it keeps its place within a step to the row.
 */
export class Mechanism {
  private readonly clock: SimClock;
  private readonly paper: PaperRoll;
  private readonly events: MechanismEvents;
  private readonly msPerRow: number;
  private readonly cutMs: number;
  private readonly limitRows: number;
  private queue: Step[] = [];
  private queuedRows = 0;
  /** Rows of the first step that are done, and the moment its next row (or cut) began. */
  private rowsDone = 0;
  private sinceMs = 0;
  private running = true;
  private advancing = false;
  private timer: Cancel | undefined;
  /** The blade is stuck: the next cut fails. */
  cutterJammed = false;

  constructor(profile: Profile, clock: SimClock, paper: PaperRoll, events: MechanismEvents) {
    this.clock = clock;
    this.paper = paper;
    this.events = events;
    this.msPerRow = (25.4 / profile.dpi / profile.speedMmPerS) * 1000;
    this.cutMs = profile.cutMs;
    this.limitRows = profile.printQueueRows;
  }

  get hasRoom(): boolean {
    return this.queuedRows < this.limitRows;
  }

  get idle(): boolean {
    return this.queue.length === 0;
  }

  get rowsWaiting(): number {
    return this.queuedRows - this.rowsDone;
  }

  push(step: Step): void {
    if (this.queue.length === 0) this.sinceMs = this.clock.nowMs();
    this.queue.push(step);
    this.queuedRows += rowsOf(step);
    this.rearm();
  }

  /** The roll got another end: the plan for the present step is made anew. */
  replan(): void {
    this.advance();
    this.disarm();
    this.rearm();
  }

  /** Stops where it is. */
  halt(): void {
    this.advance();
    this.running = false;
    this.disarm();
  }

  resume(): void {
    if (this.running) return;
    this.running = true;
    this.sinceMs = this.clock.nowMs();
    this.rearm();
  }

  /** Drops everything that is not on paper yet, markers included. */
  clear(): void {
    this.advance();
    this.queue = [];
    this.queuedRows = 0;
    this.rowsDone = 0;
    this.disarm();
  }

  /** Brings the paper up to the present moment. */
  advance(): void {
    if (!this.running || this.advancing) return;
    this.advancing = true;
    const nowMs = this.clock.nowMs();
    const hadRoom = this.hasRoom;
    while (this.running) {
      const step = this.queue[0];
      if (step === undefined || !this.carryOut(step, nowMs)) break;
      this.queue.shift();
      this.queuedRows -= rowsOf(step);
      this.rowsDone = 0;
      if (step.kind === "marker") step.fire();
    }
    if (this.running && this.paper.rowsLeft === 0) {
      this.running = false;
      this.events.paperEnded();
    }
    this.advancing = false;
    if (!hadRoom && this.hasRoom) this.events.room();
  }

  /** Does what of a step the time allows; true when it is complete. */
  private carryOut(step: Step, nowMs: number): boolean {
    switch (step.kind) {
      case "marker":
        return true;
      case "reserve-cut":
        this.paper.reserveCut(step.cut, step.dots);
        return true;
      case "cut":
        if (nowMs < this.sinceMs + this.cutMs) return false;
        if (this.cutterJammed) {
          this.running = false;
          this.events.cutterFailed();
          return false;
        }
        this.sinceMs += this.cutMs;
        this.paper.cut(step.cut);
        return true;
      default:
        return this.moveRows(step, nowMs);
    }
  }

  private moveRows(step: Extract<Step, { kind: "print" | "feed" }>, nowMs: number): boolean {
    const total = rowsOf(step);
    if (this.rowsDone === 0 && step.text !== undefined && nowMs >= this.sinceMs + this.msPerRow - EPSILON_MS) {
      this.paper.addText(step.text);
    }
    const byTime = Math.floor((nowMs - this.sinceMs + EPSILON_MS) / this.msPerRow);
    const count = Math.max(0, Math.min(total - this.rowsDone, byTime, this.paper.rowsLeft));
    if (step.kind === "feed") {
      this.paper.feed(count);
    } else {
      for (const row of step.rows.slice(this.rowsDone, this.rowsDone + count)) this.paper.print(row);
    }
    this.rowsDone += count;
    this.sinceMs += count * this.msPerRow;
    return this.rowsDone === total;
  }

  private rearm(): void {
    if (!this.running || this.timer !== undefined) return;
    const step = this.queue[0];
    if (step === undefined) return;
    const rows = Math.min(rowsOf(step) - this.rowsDone, this.paper.rowsLeft);
    const durationMs = step.kind === "cut" ? this.cutMs : rows * this.msPerRow;
    this.timer = this.clock.schedule(this.sinceMs + durationMs, () => {
      this.timer = undefined;
      this.advance();
      this.rearm();
    });
  }

  private disarm(): void {
    this.timer?.();
    this.timer = undefined;
  }
}

/** Rounding of row times must not cost a row. */
const EPSILON_MS = 1e-6;

function rowsOf(step: Step): number {
  if (step.kind === "print") return step.rows.length;
  return step.kind === "feed" ? step.dots : 0;
}

/** Carries a step out at once, without time. */
export function applyStep(paper: PaperRoll, step: Step): void {
  switch (step.kind) {
    case "print":
      if (step.text !== undefined) paper.addText(step.text);
      for (const row of step.rows) paper.print(row);
      break;
    case "feed":
      if (step.text !== undefined) paper.addText(step.text);
      paper.feed(step.dots);
      break;
    case "cut":
      paper.cut(step.cut);
      break;
    case "reserve-cut":
      paper.reserveCut(step.cut, step.dots);
      break;
    case "marker":
      step.fire();
      break;
  }
}
