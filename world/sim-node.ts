import type { Message, Peer } from "../src/protocol/messages.ts";
import type { Instant, LinkInput, Machine } from "../src/runtime/machine.ts";
import type { EventLoop } from "./event-loop.ts";
import type { NodeName } from "./faults.ts";
import type { Endpoint } from "./network.ts";
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
  readonly peer: Peer;
  protected readonly loop: EventLoop;
  protected readonly random: Random;
  protected machine: Machine<Input, Effect> | undefined;
  life = 0;
  /** Effects carried out since the world began: fault plans count them. */
  effectsDone = 0;
  gone = false;
  onEffect: (() => void) | undefined;
  /** Hears everything that this node does, in its order: whole runs are held against the specification. */
  onTrace: ((event: TraceEvent<Effect>) => void) | undefined;
  #queue: Effect[] = [];
  #busy = false;
  #wakeAtMs: number | undefined;
  #clockOffsetMs = 0;
  /** Wall clock against the world's: set by whoever sets clocks, kept over a restart. */
  wallOffsetMs = 1_000;

  constructor(name: NodeName, peer: Peer, loop: EventLoop, random: Random) {
    this.name = name;
    this.peer = peer;
    this.loop = loop;
    this.random = random;
    this.wallOffsetMs = random.int(1_000, 100_000_000);
  }

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
  /** A write under way when the power goes is on the disk or not. */
  protected interrupted(effect: Effect): void {
    const write = this.random.chance(0.5) ? this.durable(effect) : undefined;
    if (write === undefined) return;
    write();
    this.onTrace?.({ kind: "done", effect });
  }

  protected abstract durable(effect: Effect): (() => void) | undefined;
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
    const head = this.#queue[0];
    if (this.#busy && head !== undefined) this.interrupted(head);
    this.#queue = [];
    this.powerLost();
    this.onTrace?.({ kind: "crashed" });
  }

  dispatch(input: Input): void {
    if (this.machine === undefined) return;
    this.#queue.push(...this.machine.handle(input, this.now));
    this.#pump();
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

  /** Runs a callback later, unless this life has ended by then. */
  protected later(delayMs: number, run: () => void): void {
    const { life } = this;
    this.loop.after(delayMs, () => {
      if (this.alive && this.life === life) run();
    });
  }

  #pump(): void {
    if (this.#busy || this.#queue.length === 0) return;
    this.#busy = true;
    const head = this.#queue[0];
    const write = head === undefined ? undefined : this.durable(head);
    const delayMs = write === undefined ? 0 : this.random.next() * this.writeLatencyMs();
    this.later(delayMs, () => {
      const effect = this.#queue.shift();
      this.#busy = false;
      if (effect === undefined) return;
      if (write === undefined) this.perform(effect);
      else write();
      this.onTrace?.({ kind: "done", effect });
      this.effectsDone += 1;
      this.onEffect?.();
      if (this.alive) this.#pump();
    });
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
      this.dispatch({ kind: "woke" } satisfies LinkInput as Input);
    });
  }
}
