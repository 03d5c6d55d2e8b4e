import { type Message, messageSchema, type Peer } from "../src/protocol/messages.ts";
import type { EventLoop } from "./event-loop.ts";
import type { NodeName, Plan } from "./faults.ts";
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
  readonly a: NodeName;
  readonly b: NodeName;
  wanted: boolean;
  open: boolean;
  dialing: boolean;
  generation: number;
}

/** Control links between the nodes: opened, cut and reopened; messages dropped, delayed, doubled and reordered. */
export class Network {
  readonly #loop: EventLoop;
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #nodes = new Map<NodeName, Endpoint>();
  readonly #links = new Map<string, Link>();
  readonly #cuts = new Map<string, number>();
  /** Once false, the network is perfect: liveness is asked for. */
  faulty = true;
  messages = 0;

  constructor(loop: EventLoop, random: Random, plan: Plan) {
    this.#loop = loop;
    this.#random = random;
    this.#plan = plan;
  }

  add(node: Endpoint): void {
    this.#nodes.set(node.name, node);
  }

  want(a: NodeName, b: NodeName, wanted: boolean): void {
    const key = linkKey(a, b);
    const link = this.#links.get(key) ?? { a, b, wanted, open: false, dialing: false, generation: 0 };
    this.#links.set(key, link);
    link.wanted = wanted;
    if (!wanted) this.#close(link);
    else this.#dial(link);
  }

  cut(a: NodeName, b: NodeName, downMs: number): void {
    const key = linkKey(a, b);
    this.#cuts.set(key, Math.max(this.#cuts.get(key) ?? 0, this.#loop.nowMs + downMs));
    const link = this.#links.get(key);
    if (link !== undefined) this.#close(link);
  }

  /** A node's power went: its links close, the others notice some time later. */
  nodeDied(name: NodeName): void {
    for (const link of this.#links.values()) if (link.a === name || link.b === name) this.#close(link);
  }

  nodeStarted(name: NodeName): void {
    for (const link of this.#links.values()) if ((link.a === name || link.b === name) && link.wanted) this.#dial(link);
  }

  reachable(a: NodeName, b: NodeName): boolean {
    return this.#links.get(linkKey(a, b))?.open === true;
  }

  send(from: Endpoint, to: NodeName, message: Message): void {
    const link = this.#links.get(linkKey(from.name, to));
    if (link?.open !== true) return;
    this.messages += 1;
    if (this.#plan.validateMessages) validate(message);
    if (this.faulty && this.#random.chance(this.#plan.dropRate)) return;
    const copies = this.faulty && this.#random.chance(this.#plan.duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) this.#deliver(from, to, message, link);
  }

  #deliver(from: Endpoint, to: NodeName, message: Message, link: Link): void {
    const { generation } = link;
    const receiver = this.#nodes.get(to);
    const life = receiver?.life;
    this.#loop.after(this.#delay(), () => {
      if (receiver?.alive !== true) return;
      const same = link.open && link.generation === generation && receiver.life === life;
      const stale = this.faulty && link.open && this.#random.chance(this.#plan.staleRate);
      if (same || stale) receiver.messageReceived(from.peer, message);
    });
  }

  #delay(): number {
    return this.faulty ? this.#random.next() ** 3 * this.#plan.maxDelayMs : 1;
  }

  #dial(link: Link): void {
    if (link.open || link.dialing) return;
    link.dialing = true;
    this.#loop.after(this.#random.int(1, 300), () => {
      link.dialing = false;
      const a = this.#nodes.get(link.a);
      const b = this.#nodes.get(link.b);
      if (!link.wanted || link.open || a?.alive !== true || b?.alive !== true) return;
      const cutUntil = this.#cuts.get(linkKey(link.a, link.b)) ?? 0;
      if (this.faulty && cutUntil > this.#loop.nowMs) {
        link.dialing = true;
        this.#loop.at(cutUntil, () => {
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
      for (const [node, other] of [[link.a, link.b] as const, [link.b, link.a] as const])
        this.#notice(node, other, link);
    }
    if (link.wanted) this.#dial(link);
  }

  /** The survivor learns of the closed link when its heartbeat fails, unless the link is back by then. */
  #notice(node: NodeName, other: NodeName, link: Link): void {
    const survivor = this.#nodes.get(node);
    const lost = this.#nodes.get(other);
    if (survivor?.alive !== true || lost === undefined) return;
    const { life } = survivor;
    const { generation } = link;
    // A new link to the same peer is always seen after the end of the old one: both happen in one process.
    const notice = (): void => {
      if (survivor.alive && survivor.life === life && link.generation === generation) survivor.linkClosed(lost.peer);
    };
    if (this.#random.chance(0.5)) notice();
    else this.#loop.after(this.#random.int(1, 250), notice);
  }
}

function validate(message: Message): void {
  messageSchema.parse(JSON.parse(JSON.stringify(message)));
}

function linkKey(a: NodeName, b: NodeName): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
