import { holdMsOf, isHeld } from "../src/protocol/job-settings.ts";
import type { Message, Peer } from "../src/protocol/messages.ts";
import { type ServerJobRow, serverTables } from "../src/server/server-state.ts";
import { Checker, checkSpools, clientRow } from "./checker.ts";
import { ClientNode } from "./client-node.ts";
import { drawPlan } from "./draw-plan.ts";
import { EventLoop } from "./event-loop.ts";
import { FaultInjector } from "./fault-injector.ts";
import { HostNode } from "./host-node.ts";
import { checkEnd } from "./liveness.ts";
import { Network } from "./network.ts";
import type { NodeName, Plan } from "./plan.ts";
import { Random } from "./random.ts";
import { ServerNode } from "./server-node.ts";

export type WorldNode = ServerNode | HostNode | ClientNode;

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
const eventsPerCheck = 20;

/** All machines, faulty ports, one plan. */
export class World {
  readonly loop = new EventLoop();
  readonly plan: Plan;
  readonly random: Random;
  readonly network: Network;
  readonly checker = new Checker();
  readonly server: ServerNode;
  readonly hosts: readonly HostNode[];
  readonly clients: readonly ClientNode[];
  readonly nodes: readonly WorldNode[];
  /** Job id -> index of the client that made it. */
  readonly submitted = new Map<string, number>();
  /** Jobs of which an image rotted in a spool. */
  readonly rotten = new Set<string>();
  /** Printers whose (tiny) ledger was full of jobs that are not closed, in quiet times: their queues wait visibly. */
  readonly fullLedgers = new Set<string>();
  readonly #faults: FaultInjector;
  #digests = 0;
  #events = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    this.random = new Random(plan.seed * 2 + 1);
    this.network = new Network(this.loop, this.random, plan);
    this.server = new ServerNode(this);
    this.hosts = plan.printers.map((_, printer) => new HostNode(this, printer));
    this.clients = Array.from({ length: plan.clients }, (_, index) => new ClientNode(this, index));
    this.nodes = [this.server, ...this.hosts, ...this.clients];
    this.#faults = new FaultInjector(this);
  }

  printerName(printer: number): string {
    return `printer-${printer}`;
  }

  node(name: NodeName): WorldNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`the plan names ${name}, and there is none`);
    return node;
  }

  host(printer: number): HostNode {
    const host = this.hosts[printer];
    if (host === undefined) throw new Error(`the plan names printer ${printer}, and there is none`);
    return host;
  }

  hostOf(peer: Peer): HostNode | undefined {
    return this.hosts.find((host) => host.peer === peer);
  }

  makeDigest(): string {
    this.#digests += 1;
    return this.#digests.toString(16).padStart(64, "0");
  }

  send(from: WorldNode, to: Peer, message: Message): void {
    for (const node of this.nodes) if (node.peer === to) return this.network.send(from, node, message);
  }

  run(): Verdict {
    const { plan, loop, checker } = this;
    for (const node of this.nodes) node.start();
    for (const job of plan.jobs) loop.at(job.atMs, () => this.clients[job.client]?.submit(job));
    this.#runUntil(plan.chaosMs);
    this.#faults.heal();
    const untilMs = loop.nowMs + healMs;
    // From here on everything must come to its end. Timers repeat for ever: look now and then whether all is done.
    let left: readonly string[] = [];
    do {
      this.#runUntil(loop.nowMs + 10_000);
      loop.at(loop.nowMs + 10_000, () => undefined);
      this.#releaseAll();
      left = checkEnd(this);
    } while (checker.violations.length === 0 && left.length > 0 && loop.nowMs < untilMs);
    checkSpools(this);
    const violations = checker.violations.length > 0 ? checker.violations : left;
    return {
      seed: plan.seed,
      plan,
      violations,
      events: this.#events,
      messages: this.network.messages,
      virtualMs: loop.nowMs,
      outcomes: this.#outcomes(),
    };
  }

  #runUntil(untilMs: number): void {
    const { violations } = this.checker;
    while (violations.length === 0 && this.loop.step(untilMs)) {
      this.#events += 1;
      if (this.#events % eventsPerCheck === 0) checkSpools(this);
      if (this.#events > maxEvents) violations.push(`I7 no end: ${maxEvents} events at ${this.loop.nowMs} ms`);
    }
  }

  /** What people hold or pause they release in the end, at both sides; also what an error policy has stopped. */
  #releaseAll(): void {
    for (const { attributes } of this.hosts) {
      if (this.server.isPaused(attributes.name)) this.server.resume(attributes.name);
    }
    for (const [jobId, index] of this.submitted) {
      const client = this.clients[index];
      if (client !== undefined && isHeldBack(clientRow(client, jobId))) client.change(jobId, release);
    }
    // Moved jobs and duplicates are the server's own.
    for (const row of this.server.rows.table(serverTables.jobs).values() as Iterable<ServerJobRow>) {
      if (isHeldBack(row)) this.server.change(row.ticket.jobId, release);
    }
  }

  #outcomes(): Record<string, number> {
    const outcomes: Record<string, number> = {};
    for (const records of this.checker.records.values()) {
      for (const { state } of records.values()) outcomes[state] = (outcomes[state] ?? 0) + 1;
    }
    return outcomes;
  }
}

const release = { held: false, holdMs: null };

function isHeldBack(row: Parameters<typeof isHeld>[0] | undefined): boolean {
  return row !== undefined && (isHeld(row) || holdMsOf(row) !== undefined);
}

export function runPlan(plan: Plan): Verdict {
  return new World(plan).run();
}

export function runSeed(seed: number): Verdict {
  return runPlan(drawPlan(seed));
}
