import { type Message, messageSchema, type Peer } from "../src/protocol/messages.ts";
import type { EventLoop } from "./event-loop.ts";
import type { NodeName, Plan } from "./plan.ts";
import type { Random } from "./random.ts";

/** What the network needs of a node. */
export interface Endpoint {
  readonly name: NodeName;
  readonly peer: Peer;
  readonly alive: boolean;
  /** Grows with each start, so that a message never reaches a later life by accident. */
  readonly life: number;
  linkOpened(peer: Peer): void;
  linkClosed(peer: Peer): void;
  messageReceived(from: Peer, message: Message): void;
}

interface Link {
  readonly a: Endpoint;
  readonly b: Endpoint;
  readonly bytesPerMs: number;
  wanted: boolean;
  open: boolean;
  dialing: boolean;
  generation: number;
  cutUntilMs: number;
}

/** How an image came through: `damaged` bytes differ from those that were sent. */
export type Arrival = "lost" | "whole" | "damaged";

const progressMs = 3_000;

/** Control links between the nodes: opened, cut and reopened; messages dropped, delayed, doubled and reordered. */
export class Network {
  readonly #loop: EventLoop;
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #links = new Map<Endpoint, Map<Endpoint, Link>>();
  /** Once false, the network is perfect: liveness is asked for. */
  faulty = true;
  messages = 0;

  constructor(loop: EventLoop, random: Random, plan: Plan) {
    this.#loop = loop;
    this.#random = random;
    this.#plan = plan;
  }

  want(a: Endpoint, b: Endpoint, wanted: boolean): void {
    const link = this.#link(a, b);
    link.wanted = wanted;
    if (!wanted) this.#close(link);
    else this.#dial(link);
  }

  cut(a: Endpoint, b: Endpoint, downMs: number): void {
    const link = this.#link(a, b);
    link.cutUntilMs = Math.max(link.cutUntilMs, this.#loop.nowMs + downMs);
    this.#close(link);
  }

  /** A node's power went: its links close, the others notice some time later. */
  nodeDied(node: Endpoint): void {
    for (const link of this.#links.get(node)?.values() ?? []) this.#close(link);
  }

  nodeStarted(node: Endpoint): void {
    for (const link of this.#links.get(node)?.values() ?? []) if (link.wanted) this.#dial(link);
  }

  send(from: Endpoint, to: Endpoint, message: Message): void {
    const link = this.#links.get(from)?.get(to);
    if (link?.open !== true) return;
    this.messages += 1;
    if (this.#plan.validateMessages) validate(message);
    if (!this.faulty) return this.#deliver(from, to, message, link, 1);
    if (this.#random.chance(this.#plan.dropRate)) return;
    const copies = this.#random.chance(this.#plan.duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#deliver(from, to, message, link, this.#random.next() ** 3 * this.#plan.maxDelayMs);
    }
  }

  /** Streams an image; `onProgress` is called while bytes come in, `done` at the end. */
  transfer(
    from: Endpoint,
    to: Endpoint,
    sizeBytes: number,
    onProgress: () => void,
    done: (arrival: Arrival) => void,
  ): void {
    const link = this.#link(from, to);
    const { corruptRate, transferFailRate, maxDelayMs } = this.#plan;
    const { life } = to;
    const overheadMs = this.faulty ? this.#random.next() * maxDelayMs * 2 : 2;
    const endMs = this.#loop.nowMs + overheadMs + (this.faulty ? sizeBytes / link.bytesPerMs : 0);
    const goOn = (): void => {
      if (!to.alive || to.life !== life || !link.open) return done("lost");
      const restMs = endMs - this.#loop.nowMs;
      if (restMs > 0) {
        onProgress();
        return this.#loop.after(Math.min(restMs, progressMs), goOn);
      }
      if (this.faulty && this.#random.chance(transferFailRate)) return done("lost");
      done(this.faulty && this.#random.chance(corruptRate) ? "damaged" : "whole");
    };
    this.#loop.after(Math.min(endMs - this.#loop.nowMs, progressMs), goOn);
  }

  #link(a: Endpoint, b: Endpoint): Link {
    const known = this.#links.get(a)?.get(b);
    if (known !== undefined) return known;
    const slow = this.#plan.slowLinks.find(
      (each) => (each.a === a.name && each.b === b.name) || (each.a === b.name && each.b === a.name),
    );
    const bytesPerMs = slow?.bytesPerMs ?? Number.POSITIVE_INFINITY;
    const link = { a, b, bytesPerMs, wanted: false, open: false, dialing: false, generation: 0, cutUntilMs: 0 };
    this.#of(a).set(b, link);
    this.#of(b).set(a, link);
    return link;
  }

  #of(node: Endpoint): Map<Endpoint, Link> {
    const known = this.#links.get(node);
    if (known !== undefined) return known;
    const links = new Map<Endpoint, Link>();
    this.#links.set(node, links);
    return links;
  }

  #deliver(from: Endpoint, to: Endpoint, message: Message, link: Link, delayMs: number): void {
    const { generation } = link;
    const { life } = to;
    this.#loop.after(delayMs, () => {
      if (!to.alive) return;
      const same = link.open && link.generation === generation && to.life === life;
      const stale = !same && this.faulty && link.open && this.#random.chance(this.#plan.staleRate);
      if (same || stale) to.messageReceived(from.peer, message);
    });
  }

  #dial(link: Link): void {
    if (link.open || link.dialing) return;
    link.dialing = true;
    this.#loop.after(this.#random.int(1, 300), () => {
      link.dialing = false;
      const { a, b } = link;
      if (!link.wanted || link.open || !a.alive || !b.alive) return;
      if (this.faulty && link.cutUntilMs > this.#loop.nowMs) {
        link.dialing = true;
        this.#loop.at(link.cutUntilMs, () => {
          link.dialing = false;
          this.#dial(link);
        });
        return;
      }
      link.open = true;
      link.generation += 1;
      a.linkOpened(b.peer);
      b.linkOpened(a.peer);
    });
  }

  #close(link: Link): void {
    if (link.open) {
      link.open = false;
      this.#notice(link.a, link.b.peer, link);
      this.#notice(link.b, link.a.peer, link);
    }
    if (link.wanted) this.#dial(link);
  }

  /** The survivor learns of the closed link when its heartbeat fails, unless the link is back by then. */
  #notice(survivor: Endpoint, lost: Peer, link: Link): void {
    if (!survivor.alive) return;
    const { life } = survivor;
    const { generation } = link;
    // A new link to the same peer is always seen after the end of the old one: both happen in one process.
    const notice = (): void => {
      if (survivor.alive && survivor.life === life && link.generation === generation) survivor.linkClosed(lost);
    };
    if (this.#random.chance(0.5)) notice();
    else this.#loop.after(this.#random.int(1, 250), notice);
  }
}

function validate(message: Message): void {
  messageSchema.parse(JSON.parse(JSON.stringify(message)));
}
