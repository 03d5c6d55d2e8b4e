import { parseArgs } from "node:util";
import { Random } from "../../world/random.ts";
import { crashPoints, type Luck } from "./lost-writes.ts";
import { recoverAfter, watchReference } from "./recovery.ts";

const usage = `Usage: npm run power-loss -- [--seed N] [--points N] [--at CALL]

Watches a box, a client and a printer print four documents, then cuts the power after each write, sync, rename and unlink
in turn: what was not synced is lost, or there in part, and everything starts again from what is left.
  --seed N     for the writes of which a part is there (default 1)
  --points N   only so many moments, drawn with the seed
  --at CALL    one moment alone

Examples:
  npm run power-loss -- --points 20
  npm run power-loss -- --seed 3 --at 412`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    points: { type: "string" },
    at: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const seed = Number(values.seed);
const startedMs = performance.now();
const reference = watchReference();
const all = crashPoints(reference.calls);
console.log(
  `reference run: ${reference.calls.length} calls, ${all.length} moments, ${reference.tickets.length} tickets`,
);
const wanted = values.at === undefined ? draw(all, Number(values.points ?? all.length)) : [Number(values.at)];
let runs = 0;
let failed = 0;
for (const at of wanted) {
  const random = new Random(seed * 1_000_003 + at);
  const lucks: Luck[] = [{ kind: "none" }, { kind: "random", random: () => random.next() }];
  for (const luck of lucks) {
    const violations = await recoverAfter(reference, at, luck);
    runs += 1;
    for (const violation of violations) console.log(`power cut after call ${at} (${luck.kind}): ${violation}`);
    if (violations.length > 0) failed += 1;
  }
  if (runs % 50 === 0)
    console.log(`${runs} of ${wanted.length * 2} power cuts, ${failed} with violations, ${minutes()} min`);
}
console.log(
  `${runs} power cuts at ${wanted.length} of ${all.length} moments: ${failed} with violations, ${minutes()} min`,
);
process.exitCode = failed === 0 ? 0 : 1;

function draw(points: readonly number[], count: number): number[] {
  if (count >= points.length) return [...points];
  const random = new Random(seed);
  const left = [...points];
  const drawn: number[] = [];
  while (drawn.length < count) drawn.push(...left.splice(random.int(0, left.length - 1), 1));
  return drawn.sort((a, b) => a - b);
}

function minutes(): string {
  return ((performance.now() - startedMs) / 60_000).toFixed(1);
}
