import type { Message, Peer } from "../src/protocol/messages.ts";
import type { Instant, LinkInput, Machine } from "../src/runtime/machine.ts";
import type { EventLoop } from "./event-loop.ts";
import type { Endpoint } from "./network.ts";
import type { NodeName } from "./plan.ts";
import type { Random } from "./random.ts";

/** What a node did: `done` when an effect was carried out, a write then being durable. */
export type TraceEvent<Effect> =
  | { readonly kind: "done"; readonly effect: Effect }
  | { readonly kind: "crashed" }
  | { readonly kind: "started" };

/**
 * A process: one production machine and a shell that carries its effects out in order, waits for each durable write,
 * and may lose its power between any two effects. Mirrors `runtime/machine-runner.ts`.
 */
export abstract class SimNode<Input, Effect extends { readonly kind: string }> implements Endpoint {
  readonly name: NodeName;
  protected readonly loop: EventLoop;
  protected readonly random: Random;
  protected machine: Machine<Input, Effect> | undefined;
  life = 0;
  /** Effects carried out since the world began: fault plans count them. */
  effectsDone = 0;
  gone = false;
  diskFull = false;
  onEffect: (() => void) | undefined;
  /** A write could not be made durable: whoever watches the process starts it again, some time later. */
  onFatal: (() => void) | undefined;
  /** Hears everything that this node does, in its order: whole runs are held against the specification. */
  onTrace: ((event: TraceEvent<Effect>) => void) | undefined;
  readonly #untraced = new Set<Effect>();
  readonly #traced = new Set<Effect>();
  #queue: Effect[] = [];
  #commit: Effect[] | undefined;
  #busy = false;
  #wakeAtMs: number | undefined;
  #clockOffsetMs = 0;
  /** Wall clock against the world's: set by whoever sets clocks, kept over a restart. */
  wallOffsetMs: number;

  constructor(name: NodeName, loop: EventLoop, random: Random) {
    this.name = name;
    this.loop = loop;
    this.random = random;
    this.wallOffsetMs = random.int(1_000, 100_000_000);
  }

  abstract get peer(): Peer;

  get alive(): boolean {
    return this.machine !== undefined;
  }

  /** Monotonic clocks start anywhere and wall clocks may be years off: nothing compares them across machines. */
  get now(): Instant {
    return {
      monotonicMs: this.loop.nowMs + this.#clockOffsetMs,
      wallMs: Math.max(0, Math.floor(this.loop.nowMs + this.wallOffsetMs)),
    };
  }

  protected abstract boot(): Machine<Input, Effect>;
  /** Makes these durable, in order, as one transaction where the store has transactions. */
  protected abstract makeDurable(effects: readonly Effect[]): void;
  /** A write under way when the power goes is on the disk or not. */
  protected interrupted(effects: readonly Effect[]): void {
    if (!this.random.chance(0.5)) return;
    this.makeDurable(effects);
    this.#trace(effects);
  }

  /** In the order of the machine: a message that a write has overtaken says what was true before it. */
  #trace(done: readonly Effect[]): void {
    if (this.onTrace === undefined) return;
    for (const effect of done) this.#traced.add(effect);
    for (const effect of this.#untraced) {
      if (!this.#traced.delete(effect)) return;
      this.#untraced.delete(effect);
      this.onTrace({ kind: "done", effect });
    }
  }

  #traceCrash(): void {
    if (this.onTrace === undefined) return;
    for (const effect of this.#untraced) if (this.#traced.has(effect)) this.onTrace({ kind: "done", effect });
    this.#untraced.clear();
    this.#traced.clear();
    this.onTrace({ kind: "crashed" });
  }

  /** Effects that a later persist may overtake. */
  protected abstract mayWait(effect: Effect): boolean;
  protected abstract perform(effect: Effect): void;
  protected abstract powerLost(): void;
  protected abstract booted(): void;
  /** Milliseconds a durable write takes. */
  protected abstract writeLatencyMs(): number;

  start(): void {
    if (this.alive || this.gone) return;
    this.life += 1;
    this.#clockOffsetMs = this.random.int(0, 1_000_000);
    this.#queue = [];
    this.#commit = undefined;
    this.#busy = false;
    this.#wakeAtMs = undefined;
    this.machine = this.boot();
    this.onTrace?.({ kind: "started" });
    this.booted();
    this.#wake();
  }

  crash(): void {
    if (!this.alive) return;
    this.machine = undefined;
    if (this.#commit !== undefined) this.interrupted(this.#commit);
    this.#commit = undefined;
    this.#queue = [];
    this.powerLost();
    this.#traceCrash();
  }

  dispatch(input: Input): void {
    if (this.machine === undefined) return;
    const effects = this.machine.handle(input, this.now);
    for (const effect of effects) this.#queue.push(effect);
    if (this.onTrace !== undefined) for (const effect of effects) this.#untraced.add(effect);
    if (!this.#busy) this.#pump();
    this.#wake();
  }

  linkOpened(peer: Peer): void {
    this.dispatch({ kind: "linkOpened", peer } satisfies LinkInput as Input);
  }

  linkClosed(peer: Peer): void {
    this.dispatch({ kind: "linkClosed", peer } satisfies LinkInput as Input);
  }

  messageReceived(from: Peer, message: Message): void {
    this.dispatch({ kind: "messageReceived", from, message } satisfies LinkInput as Input);
  }

  /** An effect that the machine has ordered and that is not carried out yet. */
  protected isQueued(matches: (effect: Effect) => boolean): boolean {
    return this.#queue.some(matches);
  }

  /** Runs a callback later, unless this life has ended by then. */
  later(delayMs: number, run: () => void): void {
    const { life } = this;
    this.loop.after(delayMs, () => {
      if (this.alive && this.life === life) run();
    });
  }

  #pump(): void {
    this.#busy = true;
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (head.kind === "persist") return this.#startCommit();
      this.#queue.shift();
      this.perform(head);
      if (this.onTrace !== undefined) this.#trace([head]);
      if (!this.#done(1)) return;
    }
    this.#busy = false;
  }

  /** What is at the head of the queue, and behind effects that may wait for it, is one group. */
  #startCommit(): void {
    const commit: Effect[] = [];
    const waiting: Effect[] = [];
    let taken = 0;
    for (const effect of this.#queue) {
      if (effect.kind === "persist") commit.push(effect);
      else if (this.mayWait(effect)) waiting.push(effect);
      else break;
      taken += 1;
    }
    this.#queue.splice(0, taken, ...waiting);
    this.#commit = commit;
    this.later(this.random.next() * this.writeLatencyMs(), () => {
      if (this.diskFull) return this.onFatal?.();
      this.#commit = undefined;
      this.makeDurable(commit);
      this.#trace(commit);
      if (this.#done(commit.length)) this.#pump();
    });
  }

  /** False when the power went right after this effect. */
  #done(effects: number): boolean {
    const { life } = this;
    this.effectsDone += effects;
    this.onEffect?.();
    return this.alive && this.life === life;
  }

  #wake(): void {
    const atMs = this.machine?.nextWakeMs();
    if (atMs === undefined) return;
    const worldMs = Math.max(atMs - this.#clockOffsetMs, this.loop.nowMs);
    if (this.#wakeAtMs !== undefined && this.#wakeAtMs <= worldMs && this.#wakeAtMs > this.loop.nowMs) return;
    this.#wakeAtMs = worldMs;
    const { life } = this;
    this.loop.at(worldMs, () => {
      if (!this.alive || this.life !== life || this.#wakeAtMs !== worldMs) return;
      this.#wakeAtMs = undefined;
      const dueMs = this.machine?.nextWakeMs();
      if (dueMs === undefined) return;
      // Asked for once, and not any more: the machine wants to be woken later.
      if (dueMs - this.#clockOffsetMs > this.loop.nowMs) this.#wake();
      else this.dispatch({ kind: "woke" } satisfies LinkInput as Input);
    });
  }
}
