import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobPlan, NodeName, Plan } from "./plan.ts";

interface Failure {
  readonly plan: Plan;
  readonly violations: readonly string[];
}

/** Plans that are tried before a smaller one must do. */
const mostAttempts = 3_000;

/** Makes a failing plan smaller as long as it breaks the same invariant, and writes it to a file. */
export function shrinkPlan(failure: Failure, run: (plan: Plan) => Failure): Failure & { readonly path: string } {
  const small = shrink(failure, run);
  const path = join(mkdtempSync(join(tmpdir(), "twinspool-plan-")), `seed-${small.plan.seed}.json`);
  writeFileSync(path, JSON.stringify(small.plan, null, 1));
  return { ...small, path };
}

export function shrink(failure: Failure, run: (plan: Plan) => Failure): Failure {
  const invariant = invariantOf(failure);
  let smallest = failure;
  let attempts = 0;
  for (let progress = true; progress; ) {
    progress = false;
    for (const plan of smallerPlans(smallest.plan)) {
      attempts += 1;
      if (attempts > mostAttempts) return smallest;
      const { violations } = run(plan);
      if (invariantOf({ violations }) !== invariant) continue;
      smallest = { plan, violations };
      progress = true;
      break;
    }
  }
  return smallest;
}

/** Such as `I1`. */
function invariantOf({ violations }: Pick<Failure, "violations">): string | undefined {
  return violations[0]?.slice(0, 2);
}

/** The large steps first: half of the faults, half of the jobs; then one by one; then rates and times. */
function* smallerPlans(plan: Plan): Generator<Plan> {
  for (const faults of shorter(plan.faults)) yield { ...plan, faults };
  for (const jobs of shorter(plan.jobs)) yield { ...plan, jobs };
  for (const slowLinks of shorter(plan.slowLinks)) yield { ...plan, slowLinks };
  yield* fewerNodes(plan);
  const rates = ["dropRate", "duplicateRate", "staleRate", "corruptRate", "transferFailRate"] as const;
  for (const rate of rates) if (plan[rate] > 0) yield { ...plan, [rate]: 0 };
  for (const maxDelayMs of [5, 50, 500]) if (maxDelayMs < plan.maxDelayMs) yield { ...plan, maxDelayMs };
  for (const writeLatencyMs of [1, 10]) if (writeLatencyMs < plan.writeLatencyMs) yield { ...plan, writeLatencyMs };
  if (plan.policy !== "hold") yield { ...plan, policy: "hold" };
  if (plan.ledgerBlocks) yield { ...plan, ledgerBlocks: false };
  if (plan.ledgerRecords < 64) yield { ...plan, ledgerRecords: 64 };
  for (const [index, job] of plan.jobs.entries()) {
    for (const smaller of smallerJobs(job)) yield { ...plan, jobs: plan.jobs.with(index, smaller) };
  }
}

function* smallerJobs(job: JobPlan): Generator<JobPlan> {
  for (const changes of shorter(job.changes)) yield { ...job, changes };
  const { cancelAfterMs, retryAfterMs, priority, holdMs, expiresMs, ...plain } = job;
  if (cancelAfterMs !== undefined) yield without(job, "cancelAfterMs");
  if (retryAfterMs !== undefined) yield without(job, "retryAfterMs");
  if (job.move !== undefined) yield without(job, "move");
  if (priority !== undefined) yield without(job, "priority");
  if (holdMs !== undefined) yield without(job, "holdMs");
  if (expiresMs !== undefined) yield without(job, "expiresMs");
  if (plain.held) yield { ...job, held: false };
  if (plain.sizeBytes > 1_000) yield { ...job, sizeBytes: 1_000 };
}

function without(job: JobPlan, key: keyof JobPlan): JobPlan {
  return Object.fromEntries(Object.entries(job).filter(([name]) => name !== key)) as unknown as JobPlan;
}

/** The last client or printer goes when nothing names it. */
function* fewerNodes(plan: Plan): Generator<Plan> {
  const client = plan.clients - 1;
  const named = (node: NodeName): boolean => JSON.stringify([plan.faults, plan.slowLinks]).includes(`"${node}"`);
  if (client > 0 && !named(`client-${client}`) && plan.jobs.every((job) => job.client !== client)) {
    yield { ...plan, clients: client, diskless: plan.diskless.filter((index) => index !== client) };
  }
  const printer = plan.printers.length - 1;
  const used = plan.jobs.some((job) => job.printer === printer || job.move?.printer === printer);
  const faulty = plan.faults.some((fault) => "printer" in fault && fault.printer === printer);
  if (printer > 0 && !used && !faulty && !named(`host-${printer}`)) {
    yield { ...plan, printers: plan.printers.slice(0, -1) };
  }
}

function* shorter<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length > 3) {
    const half = items.length >> 1;
    yield items.slice(half);
    yield items.slice(0, half);
  }
  for (const index of items.keys()) yield items.filter((_, each) => each !== index);
}
