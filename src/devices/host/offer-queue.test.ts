import { describe, expect, it } from "vitest";
import type { Peer } from "../../protocol/messages.ts";
import { ticketOf } from "../../runtime/test-machine.ts";
import type { Offer } from "./host-state.ts";
import { OfferQueue } from "./offer-queue.ts";

const [till, bar, server]: readonly [Peer, Peer, Peer] = ["client:0000000a", "client:0000000b", "server"];

function offer(from: Peer, sequence: number, epoch = 0): Offer {
  return { ticket: ticketOf(sequence), from, sentBy: from === server ? "server" : "client", epoch };
}

function sequences(offers: Iterable<Offer>): number[] {
  return [...offers].map(({ ticket }) => Number(ticket.jobId.split("-")[2]));
}

function takeAll(queue: OfferQueue): number[] {
  const taken: Offer[] = [];
  for (let next = queue.takeFirst(); next !== undefined; next = queue.takeFirst()) taken.push(next);
  return sequences(taken);
}

/** The till offers 1 to 5, then the bar 11 and 12, then the server 21. */
function filled(): OfferQueue {
  const queue = new OfferQueue();
  for (const sequence of [1, 2, 3, 4, 5]) queue.put(offer(till, sequence));
  for (const sequence of [11, 12]) queue.put(offer(bar, sequence));
  queue.put(offer(server, 21));
  return queue;
}

describe("offers of several senders", () => {
  it("take turns, first in first out within one", () => {
    expect(takeAll(filled())).toEqual([1, 11, 21, 2, 12, 3, 4, 5]);
  });

  it("say how many stand before each, in that order", () => {
    const queue = filled();
    const order = sequences(queue.all());
    expect(order.map((sequence) => queue.ahead(ticketOf(sequence).jobId))).toEqual(order.map((_, index) => index));
    expect(queue.ahead(ticketOf(99).jobId)).toBe(0);
  });

  it("a sender that comes while others are served does not wait for all of theirs", () => {
    const queue = new OfferQueue();
    for (const sequence of [1, 2, 3]) queue.put(offer(till, sequence));
    queue.takeFirst();
    queue.put(offer(bar, 11));
    expect(takeAll(queue)).toEqual([2, 11, 3]);
  });

  it("a newer order takes the place of the older one, whoever sends it", () => {
    const queue = filled();
    queue.put(offer(till, 2, 7));
    queue.put(offer(server, 3, 8));
    expect(queue.get(ticketOf(2).jobId)?.epoch).toBe(7);
    expect(sequences(queue.all())).toEqual([1, 11, 21, 2, 12, 3, 4, 5]);
    queue.forget(server);
    expect(takeAll(queue)).toEqual([1, 11, 2, 12, 4, 5]);
  });

  it("what was displaced goes before all turns", () => {
    const queue = filled();
    const first = queue.takeFirst();
    if (first !== undefined) queue.putFirst(first);
    expect(queue.get(ticketOf(1).jobId)).toBeDefined();
    expect(takeAll(queue).slice(0, 2)).toEqual([1, 11]);
  });

  it("go with their sender, and one by one", () => {
    const queue = filled();
    queue.putFirst(offer(bar, 13));
    queue.forget(bar);
    queue.remove(ticketOf(21).jobId);
    queue.remove(ticketOf(4).jobId);
    expect(takeAll(queue)).toEqual([1, 2, 3, 5]);
  });
});
