import { parseArgs } from "node:util";
import { mutants, runSeed, type Verdict } from "./world.ts";

const usage = `Usage: npm run world -- [--seed N] [--runs M] [--mutant ${mutants.join("|")}]

Runs the production machines in a simulated world of faults and checks I1-I7 of the design.
  --seed N     first seed (default 1)
  --runs M     number of seeds (default 1000)
  --mutant X   takes a rule away: the checkers must find it

Examples:
  npm run world -- --runs 20000
  npm run world -- --seed 4711 --runs 1      runs a failing seed again`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "1000" },
    mutant: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const first = Number(values.seed);
const runs = Number(values.runs);
const mutant = mutants.find((name) => name === values.mutant);
if (
  !Number.isSafeInteger(first) ||
  !Number.isSafeInteger(runs) ||
  runs < 1 ||
  (values.mutant && mutant === undefined)
) {
  console.error(usage);
  process.exit(2);
}

const startedMs = performance.now();
const totals = { events: 0, messages: 0, virtualMs: 0 };
const outcomes: Record<string, number> = {};
for (let seed = first; seed < first + runs; seed++) {
  const verdict = runSeed(seed, mutant);
  totals.events += verdict.events;
  totals.messages += verdict.messages;
  totals.virtualMs += verdict.virtualMs;
  for (const [name, count] of Object.entries(verdict.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
  if (verdict.violations.length > 0) fail(verdict);
  const done = seed - first + 1;
  if (done % 1000 === 0) console.log(`${done} of ${runs} seeds, 0 violations, ${seconds()} s`);
}
console.log(
  `${runs} seeds from ${first}: 0 violations; ${totals.events} events, ${totals.messages} messages, ` +
    `${Math.round(totals.virtualMs / 3_600_000)} h of virtual time in ${seconds()} s; outcomes ${JSON.stringify(outcomes)}`,
);

function seconds(): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}

function fail(verdict: Verdict): never {
  console.log(`seed ${verdict.seed} violates after ${verdict.seed - first + 1} seeds, ${seconds()} s:`);
  for (const violation of verdict.violations) console.log(`  ${violation}`);
  console.log(`its plan, fault schedule included:\n${JSON.stringify(verdict.plan, null, 1)}`);
  console.log(
    `again: npm run world -- --seed ${verdict.seed} --runs 1${mutant === undefined ? "" : ` --mutant ${mutant}`}`,
  );
  process.exit(1);
}
