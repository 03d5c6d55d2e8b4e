import type { IndeterminatePolicy, JobChange, SourceChoice, Spools } from "../src/protocol/job.ts";
import { Random } from "./random.ts";

export type NodeName = "server" | "host" | `client-${number}`;

/** One fault, as data: printed when a seed fails, and enough to understand what happened. */
export type Fault =
  | { readonly kind: "crash"; readonly node: NodeName; readonly atMs: number; readonly downMs: number }
  /** Power goes right after the node's n-th effect: between any two steps of the protocol. */
  | { readonly kind: "crash-at-effect"; readonly node: NodeName; readonly effect: number; readonly downMs: number }
  | { readonly kind: "cut"; readonly a: NodeName; readonly b: NodeName; readonly atMs: number; readonly downMs: number }
  | { readonly kind: "printer-power"; readonly atMs: number; readonly downMs: number }
  | { readonly kind: "paper-out"; readonly atMs: number; readonly downMs: number }
  | { readonly kind: "never-returns"; readonly node: NodeName; readonly atMs: number }
  /** The network of a side is loaded: it wants no second copy sent. */
  | { readonly kind: "network-load"; readonly node: NodeName; readonly atMs: number; readonly downMs: number }
  | {
      readonly kind: "spool-full";
      readonly level: "near-full" | "full";
      readonly atMs: number;
      readonly downMs: number;
    }
  /** A wall clock is set, forward or back. */
  | { readonly kind: "clock-jump"; readonly node: NodeName; readonly atMs: number; readonly byMs: number };

/** A person changes a job that waits. */
export interface ChangePlan {
  readonly by: "client" | "server";
  readonly afterMs: number;
  readonly change: JobChange;
}

export interface JobPlan {
  readonly client: number;
  readonly atMs: number;
  readonly source: SourceChoice;
  readonly spools: Spools;
  /** The client has no disk, or it is near full: S104-S107. */
  readonly noSpool: boolean;
  /** Someone cancels it this long after the request. */
  readonly cancelAfterMs: number | undefined;
  readonly priority: number | undefined;
  readonly held: boolean;
  readonly holdMs: number | undefined;
  readonly expiresMs: number | undefined;
  readonly changes: readonly ChangePlan[];
}

/** Everything that is drawn for a seed. */
export interface Plan {
  readonly seed: number;
  readonly clients: number;
  readonly jobs: readonly JobPlan[];
  readonly dropRate: number;
  readonly duplicateRate: number;
  /** Messages that arrive although their link has closed and another opened since. */
  readonly staleRate: number;
  readonly maxDelayMs: number;
  readonly corruptRate: number;
  readonly transferFailRate: number;
  readonly writeLatencyMs: number;
  readonly printMs: number;
  readonly evidenceRate: number;
  readonly policy: IndeterminatePolicy;
  readonly ledgerRecords: number;
  readonly validateMessages: boolean;
  readonly chaosMs: number;
  readonly faults: readonly Fault[];
}

/** Swarm testing: each seed draws its own mix of faults, so that rare mixes are met as often as common ones. */
export function drawPlan(seed: number): Plan {
  const random = new Random(seed);
  const maybe = (probability: number, value: () => number): number => (random.chance(probability) ? value() : 0);
  const clients = random.int(1, 3);
  const chaosMs = random.int(5_000, 90_000);
  const nodes: NodeName[] = ["server", "host", ...Array.from({ length: clients }, (_, i) => `client-${i}` as const)];
  const jobs = Array.from({ length: random.int(1, 8) }, () => drawJob(random, clients, chaosMs));
  return {
    seed,
    clients,
    jobs,
    dropRate: maybe(0.5, () => random.next() * 0.3),
    duplicateRate: maybe(0.5, () => random.next() * 0.3),
    staleRate: maybe(0.3, () => random.next() * 0.2),
    maxDelayMs: random.pick([5, 50, 500, 5_000]),
    corruptRate: maybe(0.3, () => random.next() * 0.3),
    transferFailRate: maybe(0.4, () => random.next() * 0.4),
    writeLatencyMs: random.pick([1, 10, 200]),
    printMs: random.pick([50, 500, 4_000]),
    evidenceRate: random.pick([0, 0.5, 1]),
    policy: random.pick(["hold", "hold", "reprint-marked", "assume-printed"]),
    ledgerRecords: random.pick([10, 16, 64, 64]),
    validateMessages: seed % 50 === 0,
    chaosMs,
    faults: drawFaults(random, nodes, chaosMs),
  };
}

function drawJob(random: Random, clients: number, chaosMs: number): JobPlan {
  const spools = random.pick<Spools>(["both", "both", "client", "server"]);
  const source = spools === "both" ? random.pick<SourceChoice>(["client", "server", "auto"]) : spools;
  return {
    client: random.int(0, clients - 1),
    atMs: random.int(0, chaosMs),
    source,
    spools,
    noSpool: spools === "server" || (spools === "both" && random.chance(0.15)),
    cancelAfterMs: random.chance(0.2) ? random.int(0, 20_000) : undefined,
    priority: random.chance(0.2) ? random.int(1, 100) : undefined,
    held: random.chance(0.1),
    holdMs: random.chance(0.1) ? random.int(0, 40_000) : undefined,
    expiresMs: random.chance(0.15) ? random.pick([1, 5_000, 60_000, 600_000]) : undefined,
    changes: random.chance(0.35) ? Array.from({ length: random.int(1, 4) }, () => drawChange(random)) : [],
  };
}

function drawChange(random: Random): ChangePlan {
  const by = random.pick(["client", "server"] as const);
  return { by, afterMs: random.int(0, 40_000), change: drawSettings(random) };
}

function drawSettings(random: Random): JobChange {
  switch (random.int(0, 4)) {
    case 0:
      return { held: random.chance(0.5) };
    case 1:
      return { priority: random.int(1, 100) };
    case 2:
      return { holdMs: random.chance(0.5) ? null : random.int(0, 60_000) };
    default: {
      const spools = random.pick<Spools>(["both", "client", "server"]);
      return { spools, source: spools === "both" ? random.pick<SourceChoice>(["client", "server", "auto"]) : spools };
    }
  }
}

function drawFaults(random: Random, nodes: readonly NodeName[], chaosMs: number): Fault[] {
  const faults: Fault[] = [];
  const downMs = (): number => random.pick([10, 500, 8_000, 40_000]);
  const add = (probability: number, most: number, make: () => Fault): void => {
    if (!random.chance(probability)) return;
    for (let i = random.int(1, most); i > 0; i--) faults.push(make());
  };
  const node = (): NodeName => random.pick(nodes);
  const atMs = (): number => random.int(0, chaosMs);
  add(0.6, 4, () => ({ kind: "crash", node: node(), atMs: atMs(), downMs: downMs() }));
  add(0.7, 6, () => ({ kind: "crash-at-effect", node: node(), effect: random.int(1, 60), downMs: downMs() }));
  add(0.5, 5, () => {
    const a = node();
    const others = nodes.filter((n) => n !== a && (a.startsWith("client") ? !n.startsWith("client") : true));
    return { kind: "cut", a, b: random.pick(others), atMs: atMs(), downMs: downMs() };
  });
  add(0.4, 3, () => ({ kind: "printer-power", atMs: atMs(), downMs: downMs() }));
  add(0.3, 2, () => ({ kind: "paper-out", atMs: atMs(), downMs: downMs() }));
  add(0.15, 1, () => ({ kind: "never-returns", node: node(), atMs: atMs() }));
  const atSpool = nodes.filter((name) => name !== "host");
  add(0.25, 3, () => ({ kind: "network-load", node: random.pick(atSpool), atMs: atMs(), downMs: downMs() }));
  add(0.2, 2, () => ({
    kind: "spool-full",
    level: random.pick(["near-full", "full"]),
    atMs: atMs(),
    downMs: downMs(),
  }));
  add(0.2, 2, () => ({ kind: "clock-jump", node: node(), atMs: atMs(), byMs: random.int(-10_000_000, 10_000_000) }));
  return faults;
}
