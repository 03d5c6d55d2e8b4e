import { checkEvidence, type Order } from "./checker.ts";
import { type Cell, type Plan, planRun } from "./plan.ts";
import { Random } from "./random.ts";
import { type Outcome, Run } from "./run.ts";
import { Shop } from "./shop.ts";

export interface CampaignOptions {
  readonly cells: readonly Cell[];
  readonly seed: number;
  readonly repeats: number;
  /** The first repeat's number: what a repeat does follows from its number. */
  readonly firstRepeat: number;
  readonly atOnce: number;
  readonly onCell: (result: CellResult) => void;
}

export interface CellResult {
  readonly cell: Cell;
  readonly runs: number;
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly violations: readonly string[];
  /** Where everything lies, when something is wrong. */
  readonly folder: string | undefined;
  readonly seconds: number;
}

/** A step that other messages overtook is tried again. */
const attempts = 4;

/** A shop is closed, and looked at without its processes, after so many runs. */
const runsOfShop = 45;

/** All cells, some at a time. */
export async function runCampaign({ cells, atOnce, onCell, ...options }: CampaignOptions): Promise<CellResult[]> {
  const results: CellResult[] = [];
  let next = 0;
  const tell = (result: CellResult): void => {
    results.push(result);
    onCell(result);
  };
  const work = async (): Promise<void> => {
    let bench: Bench | undefined;
    for (let cell = cells[next++]; cell !== undefined; cell = cells[next++]) {
      bench ??= await openBench(cell, options.seed);
      const result = await runCell(cell, bench, options);
      tell(result);
      if (result.violations.length > 0) bench = undefined;
      else if (next >= cells.length || bench.orders.length >= runsOfShop) {
        const late = await closeBench(bench);
        if (late.length > 0) tell({ ...result, runs: 0, outcomes: {}, violations: late, folder: bench.shop.folder });
        bench = undefined;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

/** A shop, and everything it was ever asked: an old job that prints again is seen at every later run. */
interface Bench {
  readonly shop: Shop;
  readonly orders: Order[];
  readonly older: Set<string>;
}

async function openBench({ step }: Cell, seed: number): Promise<Bench> {
  for (let attempt = 0; ; attempt++) {
    try {
      const shop = await Shop.open(new Random(seed, step.step, process.pid, Date.now()));
      return { shop, orders: [], older: new Set() };
    } catch (error) {
      // Another program of this machine may have taken one of the ports.
      if (attempt === 2) throw error;
    }
  }
}

/** The last look, when no process is left that could hide anything. */
async function closeBench({ shop, orders }: Bench): Promise<string[]> {
  await shop.endPrograms();
  const violations = checkEvidence(shop.witness.look(), orders);
  await shop.close(violations.length > 0);
  return violations;
}

type CellOptions = Pick<CampaignOptions, "seed" | "repeats" | "firstRepeat">;

/** All repeats of one cell. A shop where something is wrong is kept. */
async function runCell(cell: Cell, bench: Bench, { seed, repeats, firstRepeat }: CellOptions): Promise<CellResult> {
  const startedMs = performance.now();
  const { shop } = bench;
  const outcomes: Partial<Record<Outcome, number>> = {};
  const violations: string[] = [];
  try {
    for (let repeat = firstRepeat; repeat < firstRepeat + repeats && violations.length === 0; repeat++) {
      violations.push(...(await runRepeat(bench, outcomes, planRun(cell, repeat, seed))));
    }
  } catch (error) {
    violations.push(`the campaign itself failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
  const isWrong = violations.length > 0;
  if (isWrong) await shop.close(true);
  const runs = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const seconds = (performance.now() - startedMs) / 1000;
  return { cell, runs, outcomes, violations, folder: isWrong ? shop.folder : undefined, seconds };
}

async function runRepeat(
  { shop, orders, older }: Bench,
  outcomes: Partial<Record<Outcome, number>>,
  plan: Plan,
): Promise<readonly string[]> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const run = new Run(shop, plan, orders, older);
    const { hit, outcome, violations } = await run.run();
    if (run.jobId !== undefined) older.add(run.jobId);
    if (hit) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (hit || violations.length > 0) return violations;
  }
  return [`step ${plan.step.step} was not seen in ${attempts} attempts`];
}
