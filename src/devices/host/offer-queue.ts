import type { JobId } from "../../protocol/ids.ts";
import type { Peer } from "../../protocol/messages.ts";
import type { Offer } from "./host-state.ts";

/** Offers whose image has not been asked for yet. The host's order is first come, first printed. */
export class OfferQueue {
  readonly #offers = new Map<JobId, Offer>();

  get(jobId: JobId): Offer | undefined {
    return this.#offers.get(jobId);
  }

  all(): Iterable<Offer> {
    return this.#offers.values();
  }

  /** At the end, or in the place of the same job's older offer. */
  put(offer: Offer): void {
    this.#offers.set(offer.ticket.jobId, offer);
  }

  putFirst(offer: Offer): void {
    const rest = [...this.#offers.values()];
    this.#offers.clear();
    for (const each of [offer, ...rest]) this.put(each);
  }

  takeFirst(): Offer | undefined {
    for (const [jobId, offer] of this.#offers) {
      this.#offers.delete(jobId);
      return offer;
    }
    return undefined;
  }

  remove(jobId: JobId): void {
    this.#offers.delete(jobId);
  }

  /** The sender is gone: it offers again when it is back. */
  forget(sender: Peer): void {
    for (const [jobId, { from }] of this.#offers) if (from === sender) this.#offers.delete(jobId);
  }

  /** How many stand before this job. */
  ahead(jobId: JobId): number {
    return Math.max(0, [...this.#offers.keys()].indexOf(jobId));
  }
}
