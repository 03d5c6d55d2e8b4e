/** A moment, as the shell hands it in. `monotonicMs` runs timers; `wallMs` is only ever shown to people. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * A pure protocol machine (design §9): no await, no clock, no random, no I/O inside. The shell carries the effects
 * out in their order and waits for `persist` before what follows it; a crash may come between any two.
 */
export interface Machine<Input, Effect> {
  handle(input: Input, now: Instant): readonly Effect[];
  /** Monotonic time at which the machine wants a `woke` input, or undefined when it waits for nothing. */
  nextWakeMs(): number | undefined;
}

/** One row written to or removed from the durable job store. `value` is JSON. */
export type RowWrite =
  | { readonly op: "put"; readonly table: string; readonly key: string; readonly value: unknown }
  | { readonly op: "delete"; readonly table: string; readonly key: string };

/** All writes of one effect are one transaction. */
export interface PersistEffect {
  readonly kind: "persist";
  readonly writes: readonly RowWrite[];
}
