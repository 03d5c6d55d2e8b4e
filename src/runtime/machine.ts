import type { Message, Peer } from "../protocol/messages.ts";

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

/** A control message to a peer; lost without a word when its link is down (machines repeat). */
export interface SendMessageEffect {
  readonly kind: "sendMessage";
  readonly to: Peer;
  readonly message: Message;
}

/** Something a person or a log wants to know; carries no duty. */
export interface NoteEffect {
  readonly kind: "note";
  readonly event: string;
  readonly jobId?: string;
  readonly detail?: string;
}

/** Inputs every machine on the control links gets. */
export type LinkInput =
  | { readonly kind: "linkOpened"; readonly peer: Peer }
  | { readonly kind: "linkClosed"; readonly peer: Peer }
  | { readonly kind: "messageReceived"; readonly from: Peer; readonly message: Message }
  | { readonly kind: "woke" };
