import { parseArgs } from "node:util";
import { runSeed, type Verdict } from "./world.ts";

const usage = `Usage: npm run world -- [--seed N] [--runs M]

Runs the production machines in a simulated world of faults and checks I1-I7 of the design.
  --seed N     first seed (default 1)
  --runs M     number of seeds (default 1000)

Examples:
  npm run world -- --runs 20000
  npm run world -- --seed 4711 --runs 1      runs a failing seed again`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "1000" },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const first = Number(values.seed);
const runs = Number(values.runs);
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(runs) || runs < 1) {
  console.error(usage);
  process.exit(2);
}

const startedMs = performance.now();
const totals = { events: 0, messages: 0, virtualMs: 0 };
const outcomes: Record<string, number> = {};
let bad = 0;
for (let seed = first; seed < first + runs; seed++) {
  const verdict = runSeed(seed);
  totals.events += verdict.events;
  totals.messages += verdict.messages;
  totals.virtualMs += verdict.virtualMs;
  for (const [name, count] of Object.entries(verdict.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
  if (verdict.violations.length > 0 && values.keep) {
    bad++;
    console.log(verdict.seed, verdict.violations.slice(0, 2));
  } else if (verdict.violations.length > 0) fail(verdict);
  const done = seed - first + 1;
  if (done % 1000 === 0) console.log(`${done} of ${runs} seeds, ${bad} violations, ${seconds()} s`);
}
console.log(
  `${runs} seeds from ${first}: ${bad} violations; ${totals.events} events, ${totals.messages} messages, ` +
    `${Math.round(totals.virtualMs / 3_600_000)} h of virtual time in ${seconds()} s; outcomes ${JSON.stringify(outcomes)}`,
);

function seconds(): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}

function fail(verdict: Verdict): never {
  console.log(`seed ${verdict.seed} violates after ${verdict.seed - first + 1} seeds, ${seconds()} s:`);
  for (const violation of verdict.violations) console.log(`  ${violation}`);
  console.log(`its plan, fault schedule included:\n${JSON.stringify(verdict.plan, null, 1)}`);
  console.log(`again: npm run world -- --seed ${verdict.seed} --runs 1`);
  process.exit(1);
}
