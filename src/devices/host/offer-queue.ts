import type { JobId } from "../../protocol/ids.ts";
import type { Peer } from "../../protocol/messages.ts";
import type { Offer } from "./host-state.ts";

type Offers = Map<JobId, Offer>;

/**
 * Offers whose image has not been asked for yet. Senders take turns, and what one of them offers goes first in, first
 * out: a client with a hundred jobs must not keep another's one waiting when no server orders them.
 */
export class OfferQueue {
  /** In the order of their turns. */
  readonly #senders = new Map<Peer, Offers>();
  /** Displaced by one that had begun: before all turns. */
  #front: Offer[] = [];

  get(jobId: JobId): Offer | undefined {
    const front = this.#front.find(({ ticket }) => ticket.jobId === jobId);
    if (front !== undefined) return front;
    for (const offers of this.#senders.values()) {
      const offer = offers.get(jobId);
      if (offer !== undefined) return offer;
    }
    return undefined;
  }

  /** In the order they are taken. */
  all(): readonly Offer[] {
    const senders = [...this.#senders.values()].map((offers) => [...offers.values()]);
    const rounds = Math.max(0, ...senders.map((offers) => offers.length));
    const inTurn = Array.from({ length: rounds }, (_, round) => senders.flatMap((offers) => offers[round] ?? []));
    return [...this.#front, ...inTurn.flat()];
  }

  /** At the end of its sender's, or in the place of an older offer of the job, whoever sent that. */
  put(offer: Offer): void {
    const { jobId } = offer.ticket;
    const index = this.#front.findIndex(({ ticket }) => ticket.jobId === jobId);
    if (index >= 0) {
      this.#front[index] = offer;
      return;
    }
    const holder = [...this.#senders.values()].find((offers) => offers.has(jobId));
    const offers = holder ?? this.#senders.get(offer.from) ?? new Map<JobId, Offer>();
    offers.set(jobId, offer);
    if (holder === undefined) this.#senders.set(offer.from, offers);
  }

  putFirst(offer: Offer): void {
    this.remove(offer.ticket.jobId);
    this.#front.unshift(offer);
  }

  /** The sender whose offer it was comes last in the next round. */
  takeFirst(): Offer | undefined {
    const displaced = this.#front.shift();
    if (displaced !== undefined) return displaced;
    for (const [sender, offers] of this.#senders) {
      this.#senders.delete(sender);
      const [first] = offers.values();
      if (first === undefined) continue;
      offers.delete(first.ticket.jobId);
      if (offers.size > 0) this.#senders.set(sender, offers);
      return first;
    }
    return undefined;
  }

  remove(jobId: JobId): void {
    this.#front = this.#front.filter(({ ticket }) => ticket.jobId !== jobId);
    for (const [sender, offers] of this.#senders) {
      if (offers.delete(jobId) && offers.size === 0) this.#senders.delete(sender);
    }
  }

  /** The sender is gone: it offers again when it is back. */
  forget(sender: Peer): void {
    for (const { from, ticket } of this.all()) if (from === sender) this.remove(ticket.jobId);
  }

  /** How many stand before this job. */
  ahead(jobId: JobId): number {
    return Math.max(
      0,
      this.all().findIndex(({ ticket }) => ticket.jobId === jobId),
    );
  }
}
