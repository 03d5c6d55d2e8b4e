import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadPatchedWorld } from "./bundle.ts";
import { type Mutant, mutants } from "./mutants.ts";
import type { Plan } from "./plan.ts";
import { shrinkPlan } from "./shrink.ts";
import { runPlan, runSeed, type Verdict } from "./world.ts";

const usage = `Usage: npm run world -- [--seed N] [--runs M] [--plan FILE] [--mutants] [--mutant NAME]

Runs the production machines in a simulated world of faults and checks I1-I7 of the design.
  --seed N       first seed (default 1)
  --runs M       number of seeds (default 1000)
  --plan FILE    runs this plan instead, such as a failing one that was made small
  --mutants      takes each rule of the protocol away in turn: how many seeds until the checkers notice
  --mutant NAME  the same for one rule

Examples:
  npm run world -- --runs 20000
  npm run world -- --seed 4711 --runs 1      runs a failing seed again
  npm run world -- --mutants --runs 3000`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "1000" },
    plan: { type: "string" },
    mutants: { type: "boolean", default: false },
    mutant: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const first = Number(values.seed);
const runs = Number(values.runs);
const chosen = mutants.filter(({ name }) => values.mutant === undefined || name === values.mutant);
const startedMs = performance.now();

if (values.help) console.log(usage);
else if (!Number.isSafeInteger(first) || !Number.isSafeInteger(runs) || runs < 1 || chosen.length === 0) {
  console.error(usage);
  process.exitCode = 2;
} else if (values.plan !== undefined) runFile(values.plan);
else if (values.mutants || values.mutant !== undefined) void runMutants();
else runSeeds();

function runSeeds(): void {
  const totals = { events: 0, messages: 0, virtualMs: 0 };
  const outcomes: Record<string, number> = {};
  for (let seed = first; seed < first + runs; seed++) {
    const verdict = runSeed(seed);
    totals.events += verdict.events;
    totals.messages += verdict.messages;
    totals.virtualMs += verdict.virtualMs;
    for (const [name, count] of Object.entries(verdict.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
    if (verdict.violations.length > 0) return fail(verdict);
    const done = seed - first + 1;
    if (done % 1000 === 0) console.log(`${done} of ${runs} seeds, 0 violations, ${seconds()} s`);
  }
  console.log(
    `${runs} seeds from ${first}: 0 violations; ${totals.events} events, ${totals.messages} messages, ` +
      `${Math.round(totals.virtualMs / 3_600_000)} h of virtual time in ${seconds()} s; outcomes ${JSON.stringify(outcomes)}`,
  );
}

function runFile(path: string): void {
  const { violations, events, virtualMs } = runPlan(JSON.parse(readFileSync(path, "utf8")) as Plan);
  for (const violation of violations) console.log(violation);
  console.log(`${violations.length} violations; ${events} events, ${Math.round(virtualMs / 1000)} s of virtual time`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}

function seconds(): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}

function fail(verdict: Verdict): void {
  console.log(`seed ${verdict.seed} violates after ${verdict.seed - first + 1} seeds, ${seconds()} s:`);
  for (const violation of verdict.violations) console.log(`  ${violation}`);
  const { plan, path, violations } = shrinkPlan(verdict, runPlan);
  console.log(`its plan, made as small as it still fails (${violations[0] ?? ""}):\n${JSON.stringify(plan, null, 1)}`);
  console.log(`again: npm run world -- --seed ${verdict.seed} --runs 1`);
  console.log(`small: npm run world -- --plan ${path}`);
  process.exitCode = 1;
}

/** The seed that catches each, in a table. */
async function runMutants(): Promise<void> {
  console.log("| rule taken away | caught by seed | what is seen |\n|---|---|---|");
  let missed = 0;
  for (const mutant of chosen) {
    const seen = await firstCatch(mutant);
    if (seen === undefined && mutant.seed !== undefined) missed += 1;
    const told = seen?.violations[0]?.replaceAll(/[a-z0-9]{8}-[a-z0-9]{6}-\d+/g, "a job").slice(0, 80);
    console.log(`| ${mutant.name}: ${mutant.rule} | ${seen?.seed ?? `none of ${runs}`} | ${told ?? "–"} |`);
  }
  console.log(
    `\n${chosen.length} rules taken away, ${missed} of those that safety rests on were missed; ${seconds()} s`,
  );
  process.exitCode = missed === 0 ? 0 : 1;
}

async function firstCatch({ patches }: Mutant): Promise<Verdict | undefined> {
  const patched = await loadPatchedWorld(patches);
  for (let seed = first; seed < first + runs; seed++) {
    const verdict = patched.runSeed(seed);
    if (verdict.violations.length > 0) return verdict;
  }
  return undefined;
}
