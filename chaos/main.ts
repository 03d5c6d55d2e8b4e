import { parseArgs } from "node:util";
import { type CellResult, runCampaign } from "./campaign.ts";
import type { Cell } from "./plan.ts";
import { tableOf, totalsOf } from "./report.ts";
import { faults, steps, victims } from "./steps.ts";

const usage = `Usage: npm run chaos -- [--repeats N] [--seed N] [--step N,N] [--process P,P] [--fault F,F] [--json]

Real client, server, host and simulator processes; at each step 301-318 one of them is killed (kill -9), stopped past the
time-outs, or cut off its links. Paper, ledger, databases and spools must then agree (I1-I7 of the design).
  --repeats N    runs of each step, process and fault (default 5)
  --first N      number of the first repeat (default 0)
  --seed N       what is drawn follows from it (default 1)
  --step N,N     only these of 301 to 318
  --process P,P  only these of ${victims.join(", ")}
  --fault F,F    only these of ${faults.join(", ")}
  --at-once N    how many shops run beside each other (default 3)
  --json         one line of JSON for each cell, and the totals

Examples:
  npm run chaos
  npm run chaos -- --seed 7 --step 310 --process host --fault kill --repeats 20`;

const { values } = parseArgs({
  options: {
    repeats: { type: "string", default: "5" },
    first: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    step: { type: "string" },
    process: { type: "string" },
    fault: { type: "string" },
    "at-once": { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const seed = wholeNumber(values.seed, 0);
const repeats = wholeNumber(values.repeats, 1);
const chosenSteps = choose(steps, (step) => String(step.step), values.step);
const chosenVictims = choose(victims, String, values.process);
const chosenFaults = choose(faults, String, values.fault);
const cells = chosenSteps.flatMap((step) =>
  chosenVictims.flatMap((victim) => chosenFaults.map((fault): Cell => ({ step, victim, fault }))),
);
const startedMs = performance.now();
let done = 0;
const results = await runCampaign({
  cells,
  seed,
  repeats,
  firstRepeat: wholeNumber(values.first, 0),
  atOnce: wholeNumber(values["at-once"], 1),
  onCell: (result) => {
    done += 1;
    tellCell(result);
  },
});
const minutes = (performance.now() - startedMs) / 60_000;
const totals = totalsOf(results);
if (values.json) console.log(JSON.stringify({ ...totals, seed, minutes }));
else {
  console.log(`\n${tableOf(results)}\n\np printed, i indeterminate, c canceled, n not accepted and not printed`);
  console.log(
    `${totals.runs} runs, seed ${seed}, ${totals.violatedCells === 0 ? "0 violations" : `${totals.violatedCells} cells VIOLATED`}, ` +
      `${minutes.toFixed(1)} minutes; outcomes ${JSON.stringify(totals.outcomes)}`,
  );
}
process.exit(totals.violatedCells === 0 ? 0 : 1);

function tellCell({ cell, runs, outcomes, violations, folder, seconds }: CellResult): void {
  const { step, victim, fault } = cell;
  if (values.json) {
    console.log(
      JSON.stringify({ step: step.step, process: victim, fault, runs, outcomes, violations, folder, seconds }),
    );
    return;
  }
  const where = `${step.step} ${victim} ${fault}`;
  console.log(
    `${done} of ${cells.length}: ${where}: ${runs} runs, ${JSON.stringify(outcomes)}, ${seconds.toFixed(1)} s`,
  );
  if (violations.length === 0) return;
  for (const violation of violations) console.log(`  ${violation}`);
  console.log(`  everything is in ${folder}; story.log tells it`);
  const again = `--seed ${seed} --step ${step.step} --process ${victim} --fault ${fault} --repeats ${repeats}`;
  console.log(`  again: npm run chaos -- ${again}`);
}

function wholeNumber(text: string, least: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= 1_000_000) return number;
  return refuse();
}

function choose<T>(all: readonly T[], nameOf: (item: T) => string, wanted: string | undefined): readonly T[] {
  if (wanted === undefined) return all;
  const names = wanted.split(",");
  const chosen = all.filter((item) => names.includes(nameOf(item)));
  return chosen.length === names.length ? chosen : refuse();
}

function refuse(): never {
  console.error(usage);
  process.exit(2);
}
