import type { ErrorPolicy, IndeterminatePolicy, JobChange, SourceChoice, Spools } from "../src/protocol/job.ts";
import type { ChangePlan, Fault, FaultKind, JobPlan, NodeName, Plan, SlowLink } from "./plan.ts";
import { Random } from "./random.ts";

/** Who there is in a world. */
interface Cast {
  readonly clients: number;
  readonly printers: readonly number[];
  readonly nodes: readonly NodeName[];
}

/**
 * Swarm testing: each seed draws which kinds of faults it has at all, and how much of each, so that rare mixes are met
 * as often as common ones, and no kind hides what another would show.
 */
export function drawPlan(seed: number): Plan {
  const random = new Random(seed);
  const share = random.pick([0, 0.15, 0.3, 0.3, 0.6]);
  const maybe = (probability: number, value: () => number): number => (random.chance(probability) ? value() : 0);
  const cast = drawCast(random);
  const chaosMs = random.int(5_000, 90_000);
  const maxDelayMs = random.pick([5, 50, 500, 5_000]);
  const diskless = random.chance(0.1) ? [random.int(0, cast.clients - 1)] : [];
  const crowd = random.chance(0.04);
  const jobs = Array.from({ length: crowd ? random.int(12, 24) : random.int(1, 7) }, () =>
    drawJob(random, cast, chaosMs, maxDelayMs, diskless, crowd),
  );
  return {
    seed,
    clients: cast.clients,
    diskless,
    printers: cast.printers,
    beside: random.chance(0.5),
    ledgerBlocks: random.chance(0.15),
    jobs,
    dropRate: maybe(0.4, () => random.next() * 0.3),
    duplicateRate: maybe(0.4, () => random.next() * 0.3),
    staleRate: maybe(0.3, () => random.next() * 0.2),
    maxDelayMs,
    corruptRate: maybe(0.3, () => random.next() * 0.3),
    transferFailRate: maybe(0.4, () => random.next() * 0.4),
    slowLinks: random.chance(0.25) ? drawSlowLinks(random, cast) : [],
    writeLatencyMs: random.pick([1, 10, 200]),
    printMs: random.pick([50, 500, 4_000]),
    evidenceRate: random.pick([0, 0.5, 1]),
    policy: random.pick<IndeterminatePolicy>(["hold", "hold", "reprint-marked", "assume-printed"]),
    errorPolicy: random.pick<ErrorPolicy>(["retry-job", "retry-current-job", "abort-job", "stop-printer"]),
    ledgerRecords: crowd ? random.pick([9, 12]) : random.pick([10, 16, 64, 64]),
    validateMessages: seed % 50 === 0,
    chaosMs,
    faults: faultKinds
      .filter(() => random.chance(share))
      .flatMap((kind) =>
        Array.from({ length: random.int(1, most[kind] ?? 2) }, () => drawFault(random, kind, cast, chaosMs)),
      ),
  };
}

function drawCast(random: Random): Cast {
  const clients = random.pick([1, 1, 2, 3]);
  const count = random.pick([1, 1, 1, 2, 2, 3]);
  const shared = random.chance(0.3);
  const printers = Array.from({ length: count }, (_, index) => (shared ? 0 : index));
  const hosts = printers.map((_, index) => `host-${index}` as const);
  const nodes: NodeName[] = ["server", ...hosts, ...Array.from({ length: clients }, (_, i) => `client-${i}` as const)];
  return { clients, printers, nodes };
}

const sourcesOf: Readonly<Record<Spools, readonly SourceChoice[]>> = {
  both: ["client", "server", "auto"],
  client: ["client", "auto"],
  server: ["server", "auto"],
};

function drawJob(
  random: Random,
  cast: Cast,
  chaosMs: number,
  maxDelayMs: number,
  diskless: readonly number[],
  crowd: boolean,
): JobPlan {
  const client = random.int(0, cast.clients - 1);
  const spools = diskless.includes(client) ? "server" : random.pick<Spools>(["both", "both", "client", "server"]);
  const crossing = spools === "both" && random.chance(0.15);
  return {
    client,
    printer: random.int(0, cast.printers.length - 1),
    atMs: random.int(0, chaosMs),
    sizeBytes: random.pick([1_000, 1_000, 40_000, 1_000_000]),
    source: random.pick(sourcesOf[spools]),
    spools,
    noSpool: spools === "server" || (spools === "both" && !crossing && random.chance(0.15)),
    ...(random.chance(crowd ? 0.5 : 0.2) ? { cancelAfterMs: random.int(0, 20_000) } : {}),
    ...(random.chance(0.1) ? { retryAfterMs: random.int(0, 80_000) } : {}),
    ...(cast.printers.length > 1 && random.chance(0.2)
      ? { move: { afterMs: random.int(0, 30_000), printer: random.int(0, cast.printers.length - 1) } }
      : {}),
    ...(random.chance(0.2) ? { priority: random.int(1, 100) } : {}),
    held: crossing || random.chance(0.1),
    ...(random.chance(0.1) ? { holdMs: random.int(0, 40_000) } : {}),
    ...(random.chance(0.15) ? { expiresMs: random.pick([1, 5_000, 60_000, 600_000]) } : {}),
    // Nobody asks a client without a disk to keep the only copy.
    changes: crossing
      ? drawCrossing(random, maxDelayMs)
      : drawChanges(random).filter(({ change }) => change.spools === undefined || !diskless.includes(client)),
  };
}

function drawChanges(random: Random): ChangePlan[] {
  if (!random.chance(0.35)) return [];
  return Array.from({ length: random.int(1, 4) }, () => {
    const by = random.pick(["client", "server"] as const);
    return { by, afterMs: random.int(0, 40_000), change: drawSettings(random) };
  });
}

/** Each side gives its own copy up while the word of the other, that does the same, is still on its way. */
function drawCrossing(random: Random, maxDelayMs: number): ChangePlan[] {
  const changes: ChangePlan[] = [];
  let afterMs = random.int(500, 10_000);
  for (let pair = random.int(1, 4); pair > 0; pair--) {
    const order = random.chance(0.5) ? (["client", "server"] as const) : (["server", "client"] as const);
    for (const by of order) {
      changes.push({ by, afterMs, change: spoolsChange(by === "client" ? "server" : "client", random) });
      afterMs += random.int(0, Math.max(10, Math.floor(maxDelayMs / 2)));
    }
    afterMs += random.int(0, 4_000);
    if (random.chance(0.7)) {
      const by = random.pick(["client", "server"] as const);
      changes.push({ by, afterMs, change: spoolsChange("both", random) });
      afterMs += random.int(0, 2 * maxDelayMs + 500);
    }
  }
  return changes;
}

function drawSettings(random: Random): JobChange {
  switch (random.int(0, 4)) {
    case 0:
      return { held: random.chance(0.5) };
    case 1:
      return { priority: random.int(1, 100) };
    case 2:
      return { holdMs: random.chance(0.5) ? null : random.int(0, 60_000) };
    default:
      return spoolsChange(random.pick<Spools>(["both", "client", "server"]), random);
  }
}

function spoolsChange(spools: Spools, random: Random): JobChange {
  return { spools, source: random.pick(sourcesOf[spools]) };
}

function drawSlowLinks(random: Random, { nodes }: Cast): SlowLink[] {
  return Array.from({ length: random.int(1, 3) }, () => {
    const [a, b] = drawPair(random, nodes);
    return { a, b, bytesPerMs: random.pick([5, 50, 500]) };
  });
}

/** Two nodes that talk to each other: clients do not, nor do hosts. */
function drawPair(random: Random, nodes: readonly NodeName[]): readonly [NodeName, NodeName] {
  const a = random.pick(nodes);
  const role = roleOf(a);
  return [a, random.pick(nodes.filter((node) => roleOf(node) !== role))];
}

function roleOf(name: NodeName): string {
  return name.split("-")[0] ?? name;
}

const faultKinds = [
  "crash",
  "crash-at-effect",
  "cut",
  "printer-power",
  "paper-out",
  "paused",
  "never-returns",
  "disk-full",
  "image-rot",
  "ledger-rot",
  "ledger-lost",
  "network-load",
  "spool-full",
  "clock-jump",
] as const satisfies readonly FaultKind[];

const most: Partial<Record<FaultKind, number>> = {
  crash: 4,
  "crash-at-effect": 6,
  cut: 5,
  "printer-power": 3,
  "never-returns": 1,
  "network-load": 3,
  "ledger-lost": 1,
};

function drawFault(random: Random, kind: FaultKind, { nodes, printers }: Cast, chaosMs: number): Fault {
  const downMs = (): number => random.pick([10, 500, 8_000, 40_000]);
  const node = (): NodeName => random.pick(nodes);
  const spool = (): NodeName => random.pick(nodes.filter((name) => roleOf(name) !== "host"));
  const printer = (): number => random.int(0, printers.length - 1);
  const atMs = random.int(0, chaosMs);
  switch (kind) {
    case "crash":
    case "disk-full":
      return { kind, node: node(), atMs, downMs: downMs() };
    case "crash-at-effect":
      return { kind, node: node(), effect: random.int(1, 60), downMs: downMs() };
    case "cut": {
      const [a, b] = drawPair(random, nodes);
      return { kind, a, b, atMs, downMs: downMs() };
    }
    case "printer-power":
    case "paper-out":
    case "paused":
    case "ledger-lost":
      return { kind, printer: printer(), atMs, downMs: downMs() };
    case "never-returns":
      return { kind, node: node(), atMs };
    case "image-rot":
      return { kind, node: spool(), atMs };
    case "ledger-rot":
      return { kind, printer: printer(), atMs };
    case "network-load":
      return { kind, node: spool(), atMs, downMs: downMs() };
    case "spool-full":
      return { kind, level: random.pick(["near-full", "full"] as const), atMs, downMs: downMs() };
    case "clock-jump":
      return { kind, node: node(), atMs, byMs: random.int(-10_000_000, 10_000_000) };
  }
}
