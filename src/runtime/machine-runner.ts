import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "./clock.ts";
import type { Machine } from "./machine.ts";

/** The input that answers `nextWakeMs`. */
export interface Woke {
  readonly kind: "woke";
}

export interface MachineRunnerPorts<Effect, Persist extends Effect> {
  readonly clock: Clock;
  isPersist(effect: Effect): effect is Persist;
  /** Makes all of these durable, in order, in one transaction. Throwing or rejecting is fatal. */
  commit(effects: readonly Persist[]): void | Promise<void>;
  /** Carries out one effect. A returned promise holds up the next effect; what takes long returns at once and dispatches. */
  perform(effect: Exclude<Effect, Persist>): void | Promise<void>;
  /** Called once, when a commit, an effect or the machine has thrown. Nothing is carried out any more. */
  onFatal(error: unknown): void;
  /**
   * Effects that a later persist may overtake, for larger group commits. Right for sends: a send that waits for that
   * persist is to everyone else a slow network, in which messages still keep their order. Default: none.
   */
  mayWait?(effect: Exclude<Effect, Persist>): boolean;
  /** What is awaited before a commit so that inputs of the same moment share it. Default: one turn of the event loop. */
  gather?(): Promise<void>;
}

/** Bound of one transaction. */
const persistsPerCommit = 512;

/**
 * The shell of a machine (design §9): inputs are handled at once, effects carried out one after the other in their
 * order, and none before every persist in front of it is durable.
 */
export class MachineRunner<Input, Effect, Persist extends Effect> {
  readonly #machine: Machine<Input | Woke, Effect>;
  readonly #ports: MachineRunnerPorts<Effect, Persist>;
  #queue: Effect[] = [];
  #busy = false;
  #underWay: Effect | undefined;
  #idleWaiters: (() => void)[] = [];
  #state: "running" | "closing" | "stopped" = "running";
  #wake: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(machine: Machine<Input | Woke, Effect>, ports: MachineRunnerPorts<Effect, Persist>) {
    this.#machine = machine;
    this.#ports = ports;
    this.#setWake();
  }

  /** Effects not yet carried out. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /**
   * Whether such an effect is still to be carried out, or is under way. A shell asks before it tells the machine that a
   * file is there: an erase that the machine has ordered before may only be waiting for a commit.
   */
  isQueued(matches: (effect: Effect) => boolean): boolean {
    return (this.#underWay !== undefined && matches(this.#underWay)) || this.#queue.some(matches);
  }

  /** Hands one input to the machine. Ignored after `close`, `stop` or a fatal error. */
  dispatch(input: Input | Woke): void {
    if (this.#state !== "running") return;
    try {
      for (const effect of this.#machine.handle(input, this.#ports.clock.now())) this.#queue.push(effect);
      this.#setWake();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (!this.#busy) void this.#drain();
  }

  /** Resolves when no effect waits and none is under way. */
  async idle(): Promise<void> {
    while (this.#busy) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Takes no more inputs, carries out what is queued, then stops. */
  async close(): Promise<void> {
    if (this.#state === "running") this.#state = "closing";
    this.#cancelWake();
    await this.idle();
    this.stop();
  }

  /** Stops at once, like a crash: an effect under way ends, none follows. */
  stop(): void {
    this.#state = "stopped";
    this.#queue = [];
    this.#cancelWake();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    try {
      for (let effect = this.#queue[0]; effect !== undefined; effect = this.#queue[0]) {
        if (this.#ports.isPersist(effect)) {
          await (this.#ports.gather === undefined ? nextTurn() : this.#ports.gather());
          const batch = this.#takePersists();
          // Empty when it was stopped meanwhile.
          const pending = batch.length === 0 ? undefined : this.#ports.commit(batch);
          if (pending !== undefined) await pending;
        } else {
          this.#queue.shift();
          this.#underWay = effect;
          const pending = this.#ports.perform(effect as Exclude<Effect, Persist>);
          if (pending !== undefined) await pending;
          this.#underWay = undefined;
        }
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#busy = false;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Takes the persists at the head of the queue, and those behind effects that may wait for them. */
  #takePersists(): Persist[] {
    const ports = this.#ports;
    const batch: Persist[] = [];
    const waiting: Effect[] = [];
    let taken = 0;
    for (const effect of this.#queue) {
      if (ports.isPersist(effect)) {
        if (batch.length === persistsPerCommit) break;
        batch.push(effect);
      } else if (ports.mayWait?.(effect as Exclude<Effect, Persist>) === true) {
        waiting.push(effect);
      } else {
        break;
      }
      taken++;
    }
    this.#queue.splice(0, taken, ...waiting);
    return batch;
  }

  #setWake(): void {
    const atMs = this.#machine.nextWakeMs();
    if (this.#wake?.atMs === atMs) return;
    this.#cancelWake();
    if (atMs === undefined) return;
    const cancel = this.#ports.clock.setTimer(atMs, () => {
      this.#wake = undefined;
      this.dispatch({ kind: "woke" });
    });
    this.#wake = { atMs, cancel };
  }

  #cancelWake(): void {
    this.#wake?.cancel();
    this.#wake = undefined;
  }

  #fail(error: unknown): void {
    if (this.#state === "stopped") return;
    this.stop();
    this.#ports.onFatal(error);
  }
}
