import { clientTables } from "../src/client/client-state.ts";
import type { LedgerRecord } from "../src/devices/host/ledger-record.ts";
import type { Peer } from "../src/protocol/messages.ts";
import { checkEnd, checkNow } from "./checkers.ts";
import { ClientNode } from "./client-node.ts";
import { EventLoop } from "./event-loop.ts";
import { drawPlan, type Fault, type NodeName, type Plan } from "./faults.ts";
import { HostNode } from "./host-node.ts";
import { makeLedgerDisk } from "./ledger-disk.ts";
import { Network } from "./network.ts";
import { Paper } from "./paper.ts";
import { Random } from "./random.ts";
import { ServerNode } from "./server-node.ts";

/** Rules that can be taken away, so that it is seen that the checkers can fail. */
export const mutants = ["no-intent", "end-not-durable", "cancel-not-durable", "spool-not-durable"] as const;
export type Mutant = (typeof mutants)[number];

export interface Verdict {
  readonly seed: number;
  readonly plan: Plan;
  /** Empty when every invariant held. */
  readonly violations: readonly string[];
  readonly events: number;
  readonly messages: number;
  readonly virtualMs: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

const healMs = 900_000;
const maxEvents = 400_000;

/** All machines, faulty ports, one seed. */
export class World {
  readonly loop = new EventLoop();
  readonly plan: Plan;
  readonly random: Random;
  readonly mutant: Mutant | undefined;
  readonly network: Network;
  readonly server: ServerNode;
  readonly host: HostNode;
  readonly clients: readonly ClientNode[];
  /** Job id -> index of the client that made it. */
  readonly submitted = new Map<string, number>();
  /** Every record that was ever durable in the ledger, also when it was pruned later. */
  readonly recorded = new Map<string, LedgerRecord>();
  /** Jobs the host refused in quiet times because its (tiny) ledger is full of newer closed jobs: a visible wait. */
  readonly waitsForLedger = new Set<string>();
  #digests = 0;

  constructor(plan: Plan, mutant?: Mutant) {
    this.plan = plan;
    this.mutant = mutant;
    this.random = new Random(plan.seed * 2 + 1);
    this.network = new Network(this.loop, this.random, plan);
    this.server = new ServerNode(this);
    const ledger = makeLedgerDisk(plan.ledgerRecords, this.random);
    this.host = new HostNode(this, ledger, new Paper(this.loop, this.random, plan));
    this.clients = Array.from({ length: plan.clients }, (_, index) => new ClientNode(this, index));
    for (const node of this.nodes) this.network.add(node);
  }

  get nodes(): readonly (ServerNode | HostNode | ClientNode)[] {
    return [this.server, this.host, ...this.clients];
  }

  makeDigest(): string {
    this.#digests += 1;
    return this.#digests.toString(16).padStart(64, "0");
  }

  nameOf(peer: Peer): NodeName {
    if (peer === "server") return "server";
    if (peer.startsWith("host:")) return "host";
    return `client-${Number(peer.slice("client:cl".length))}`;
  }

  /** Streams an image: fails, arrives damaged, or arrives. `done` gets what arrived. */
  transfer(from: NodeName, to: NodeName, digest: string, done: (received: string | undefined) => void): void {
    const { transferFailRate, corruptRate, maxDelayMs } = this.plan;
    const { faulty } = this.network;
    const delayMs = faulty ? this.random.next() * maxDelayMs * 2 : 2;
    this.loop.after(delayMs, () => {
      const target = this.nodes.find((node) => node.name === to);
      const reachable = target?.alive === true && this.network.reachable(from, to);
      if (!reachable || (this.network.faulty && this.random.chance(transferFailRate))) return done(undefined);
      done(this.network.faulty && this.random.chance(corruptRate) ? "damaged" : digest);
    });
  }

  run(): Verdict {
    for (const client of this.clients) this.#learnPrinter(client);
    for (const node of this.nodes) node.start();
    for (const fault of this.plan.faults) this.#schedule(fault);
    for (const job of this.plan.jobs) this.loop.at(job.atMs, () => this.clients[job.client]?.submit(job));
    const violations: string[] = [];
    let events = 0;
    const go = (untilMs: number): void => {
      while (violations.length === 0 && this.loop.step(untilMs)) {
        events += 1;
        if (events % 25 === 0) violations.push(...checkNow(this));
        if (events > maxEvents) violations.push(`I7 no end: ${maxEvents} events at ${this.loop.nowMs} ms`);
      }
    };
    go(this.plan.chaosMs);
    this.#heal();
    const untilMs = this.loop.nowMs + healMs;
    // Quiet does not come while timers repeat: look now and then whether all is done.
    while (violations.length === 0 && this.loop.nowMs < untilMs) {
      go(this.loop.nowMs + 10_000);
      this.loop.at(this.loop.nowMs + 10_000, () => undefined);
      this.#releaseAll();
      if (checkEnd(this).length === 0) break;
    }
    if (violations.length === 0) violations.push(...checkNow(this), ...checkEnd(this));
    const outcomes: Record<string, number> = {};
    for (const record of this.recorded.values()) {
      if (record.kind === "job") outcomes[record.state] = (outcomes[record.state] ?? 0) + 1;
    }
    const { messages } = this.network;
    return {
      seed: this.plan.seed,
      plan: this.plan,
      violations,
      events,
      messages,
      virtualMs: this.loop.nowMs,
      outcomes,
    };
  }

  /** The clients have seen the printer once, in a better time. */
  #learnPrinter(client: ClientNode): void {
    const value = {
      name: "kitchen",
      model: "sim",
      widthDots: 576,
      resolutionDpi: 203,
      hostIncarnation: this.host.incarnation,
      hostUrl: "http://127.0.0.1:6311",
    };
    client.rows.commit([{ op: "put", table: clientTables.printers, key: "kitchen", value }]);
  }

  #node(name: NodeName): ServerNode | HostNode | ClientNode | undefined {
    return this.nodes.find((node) => node.name === name);
  }

  #schedule(fault: Fault): void {
    switch (fault.kind) {
      case "crash":
        this.loop.at(fault.atMs, () => this.#crash(fault.node, fault.downMs));
        return;
      case "crash-at-effect":
        return this.#crashAtEffect(fault.node, fault.effect, fault.downMs);
      case "cut":
        this.loop.at(fault.atMs, () => this.network.cut(fault.a, fault.b, fault.downMs));
        return;
      case "printer-power":
        this.loop.at(fault.atMs, () => this.host.paper.setPower(false));
        this.loop.at(fault.atMs + fault.downMs, () => this.host.paper.setPower(true));
        return;
      case "paper-out":
        this.loop.at(fault.atMs, () => this.host.paper.setPaper(false));
        this.loop.at(fault.atMs + fault.downMs, () => this.host.paper.setPaper(true));
        return;
      case "never-returns":
        this.loop.at(fault.atMs, () => {
          const node = this.#node(fault.node);
          if (node === undefined) return;
          node.gone = true;
          node.crash();
        });
        return;
      case "network-load":
        this.loop.at(fault.atMs, () => this.#loadNetwork(fault.node, true));
        this.loop.at(fault.atMs + fault.downMs, () => this.#loadNetwork(fault.node, false));
        return;
      case "spool-full":
        this.loop.at(fault.atMs, () => this.#setSpoolLevel(fault.level));
        this.loop.at(fault.atMs + fault.downMs, () => this.#setSpoolLevel("ok"));
        return;
      case "clock-jump":
        this.loop.at(fault.atMs, () => {
          const node = this.#node(fault.node);
          if (node !== undefined) node.wallOffsetMs += fault.byMs;
        });
    }
  }

  #loadNetwork(name: NodeName, loaded: boolean): void {
    const reason = loaded ? "90 % of the link" : "";
    if (name === "server") {
      if (this.server.alive) this.server.dispatch({ kind: "networkLevelChanged", loaded, reason });
    } else this.clients.find((client) => client.name === name)?.loadNetwork(loaded);
  }

  #setSpoolLevel(level: "ok" | "near-full" | "full"): void {
    if (this.server.alive) this.server.dispatch({ kind: "spoolLevelChanged", level, reason: level });
  }

  /** What people hold they release in the end, at both sides. */
  #releaseAll(): void {
    for (const [jobId, client] of this.submitted) {
      this.clients[client]?.change(jobId, { held: false, holdMs: null });
      this.server.change(jobId, { held: false, holdMs: null });
    }
  }

  #crash(name: NodeName, downMs: number): void {
    const node = this.#node(name);
    if (node?.alive !== true) return;
    node.crash();
    this.loop.after(downMs, () => node.start());
  }

  #crashAtEffect(name: NodeName, effect: number, downMs: number): void {
    const node = this.#node(name);
    if (node === undefined) return;
    const others = node.onEffect;
    node.onEffect = () => {
      others?.();
      if (node.effectsDone === effect && node.alive) this.#crash(name, downMs);
    };
  }

  /** Faults stop; who is not gone for good comes back. From here on everything must come to its end. */
  #heal(): void {
    this.network.faulty = false;
    for (const node of this.nodes) if (node !== this.host) this.#loadNetwork(node.name, false);
    this.#setSpoolLevel("ok");
    this.host.paper.setPower(true);
    this.host.paper.setPaper(true);
    for (const node of this.nodes) {
      node.onEffect = undefined;
      node.start();
    }
  }
}

export function runSeed(seed: number, mutant?: Mutant): Verdict {
  return new World(drawPlan(seed), mutant).run();
}
