import type { Cancel, SimClock } from "./clock.ts";
import { Drive, dutiesOf } from "./drive.ts";
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
  /** The head is too hot to go on, and will have cooled down after this time. */
  headHot(recoveryMs: number): void;
}

/** Cuts and process IDs have no rows, and still a printer cannot remember any number of them. */
const MOST_STEPS = 256;

/**
 * Head, motor and cutter: carries out steps in order, each taking its time on the clock, so that printing lags
 * behind interpretation. Stopped, it keeps its place within a step to the row.
 */
export class Mechanism {
  private readonly clock: SimClock;
  private readonly paper: PaperRoll;
  private readonly events: MechanismEvents;
  private readonly drive: Drive;
  private readonly widthDots: number;
  private readonly cutMs: number;
  private readonly limitRows: number;
  private queue: Step[] = [];
  private queuedRows = 0;
  /** Rows of the first step that are done, and the moment its next row (or cut) began. */
  private rowsDone = 0;
  private sinceMs = 0;
  private duties: Float64Array | undefined;
  /** How long the present pause takes, from when its turn came. */
  private pauseMs: number | undefined;
  private running = true;
  private advancing = false;
  private timer: Cancel | undefined;
  /** The blade is stuck: the next cut fails. */
  cutterJammed = false;

  constructor(profile: Profile, clock: SimClock, paper: PaperRoll, events: MechanismEvents) {
    this.clock = clock;
    this.paper = paper;
    this.events = events;
    this.drive = new Drive(profile);
    this.widthDots = profile.widthDots;
    this.cutMs = profile.cutMs;
    this.limitRows = profile.printQueueRows;
  }

  get hasRoom(): boolean {
    return this.queuedRows < this.limitRows && this.queue.length < MOST_STEPS;
  }

  get idle(): boolean {
    return this.queue.length === 0;
  }

  get rowsWaiting(): number {
    return this.queuedRows - this.rowsDone;
  }

  get headTemperatureC(): number {
    this.coolHead();
    return this.drive.temperatureC;
  }

  /** How many times slower than the model everything moves from now on. */
  slowDown(times: number): void {
    this.advance();
    this.drive.slowness = times;
    this.replan();
  }

  /** Something has made the head hot; at rest, too. */
  heatHead(temperatureC: number): void {
    this.advance();
    this.coolHead();
    this.drive.heatTo(temperatureC);
    if (!this.drive.isHot) return;
    this.running = false;
    this.disarm();
    this.events.headHot(this.drive.recoveryMs);
  }

  /** GS ( K, from the next row on: a share of the full speed, and energy in shares of the standard. */
  control(speed: number, density: number): void {
    this.drive.control = { speed, density };
  }

  coolHeadDown(): void {
    this.advance();
    this.drive.coolDown();
  }

  push(step: Step): void {
    if (this.queue.length === 0) this.start();
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
    this.start();
    this.rearm();
  }

  /** Drops everything that is not on paper yet, markers included. */
  clear(): void {
    this.advance();
    this.queue = [];
    this.duties = undefined;
    this.queuedRows = 0;
    this.rowsDone = 0;
    this.pauseMs = undefined;
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
      this.duties = undefined;
      this.queuedRows -= rowsOf(step);
      this.rowsDone = 0;
      if (step.kind === "marker") step.fire();
    }
    if (this.running && this.drive.isHot) {
      this.running = false;
      this.events.headHot(this.drive.recoveryMs);
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
        if (nowMs < this.sinceMs + this.cutMs - EPSILON_MS) return false;
        if (this.cutterJammed) {
          this.running = false;
          this.events.cutterFailed();
          return false;
        }
        this.stand(this.cutMs);
        this.paper.cut(step.cut);
        return true;
      case "pause":
        if (nowMs < this.sinceMs + this.timeOf(step) - EPSILON_MS) return false;
        this.stand(this.timeOf(step));
        this.pauseMs = undefined;
        return true;
      default:
        return this.moveRows(step, nowMs);
    }
  }

  private timeOf(pause: Extract<Step, { kind: "pause" }>): number {
    this.pauseMs ??= pause.ms();
    return this.pauseMs;
  }

  private moveRows(step: Extract<Step, { kind: "print" | "feed" }>, nowMs: number): boolean {
    const total = rowsOf(step);
    const duties = this.dutiesOf(step);
    while (this.rowsDone < total && this.paper.rowsLeft > 0 && !this.drive.isHot) {
      const row = step.kind === "print" ? step.rows[this.rowsDone] : undefined;
      const duty = duties?.[this.rowsDone] ?? 0;
      const endMs = this.sinceMs + this.drive.rowMs(duty);
      if (nowMs < endMs - EPSILON_MS) return false;
      if (this.rowsDone === 0 && step.text !== undefined) this.paper.addText(step.text);
      if (row === undefined) this.paper.feed(1);
      else this.paper.print(row);
      this.drive.passRow(duty);
      this.rowsDone += 1;
      this.sinceMs = endMs;
    }
    return this.rowsDone === total;
  }

  /** From standstill. What queued up while the last row was still moving goes on at speed. */
  private start(): void {
    const restMs = this.clock.nowMs() - this.sinceMs;
    if (restMs > EPSILON_MS) this.stand(restMs);
  }

  /** Time passes while the paper does not move. */
  private stand(ms: number): void {
    this.sinceMs += ms;
    this.drive.rest(ms);
    this.drive.stop();
  }

  private coolHead(): void {
    if (!this.running || this.queue.length === 0) this.start();
  }

  private rearm(): void {
    if (!this.running || this.timer !== undefined) return;
    const step = this.queue[0];
    if (step === undefined) return;
    this.timer = this.clock.schedule(this.sinceMs + this.durationOf(step), () => {
      this.timer = undefined;
      this.advance();
      this.rearm();
    });
  }

  private durationOf(step: Step): number {
    if (step.kind === "pause") return this.timeOf(step);
    return step.kind === "cut" ? this.cutMs : this.restOf(step);
  }

  /** How long the rest of the step takes, up to the end of the paper or of the head's endurance. */
  private restOf(step: Step): number {
    const ahead = this.drive.clone();
    const duties = this.dutiesOf(step);
    const end = Math.min(rowsOf(step), this.rowsDone + this.paper.rowsLeft);
    let ms = 0;
    for (let at = this.rowsDone; at < end && !ahead.isHot; at += 1) {
      const duty = duties?.[at] ?? 0;
      ms += ahead.rowMs(duty);
      ahead.passRow(duty);
    }
    return ms;
  }

  /** The duty of each row of the first step, which is planned and then carried out; nothing for white paper. */
  private dutiesOf(step: Step): Float64Array | undefined {
    if (step.kind !== "print") return undefined;
    this.duties ??= dutiesOf(step.rows, this.widthDots);
    return this.duties;
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
    case "pause":
      break;
    case "marker":
      step.fire();
      break;
  }
}
