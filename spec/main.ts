import { parseArgs } from "node:util";
import { copiesProtocol } from "./copies-protocol.ts";
import { explore, mutants, type Specification } from "./explore.ts";
import { printProtocol } from "./print-protocol.ts";

const usage = `Usage: npm run spec -- [--client N] [--server N] [--host N] [--rules]

Explores every state of the protocol's specification.
  --client N   how often the client may lose its power (default 1), --server N and --host N likewise
  --rules      takes each rule away in turn, and tells the shortest story of what goes wrong

Examples:
  npm run spec
  npm run spec -- --client 2 --server 2 --host 2
  npm run spec -- --rules`;

const { values } = parseArgs({
  options: {
    client: { type: "string", default: "1" },
    server: { type: "string", default: "1" },
    host: { type: "string", default: "1" },
    rules: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const faults = [values.client, values.server, values.host].map(Number);
if (values.help || faults.some((count) => !Number.isInteger(count) || count < 0 || count > 3)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
const [clientFaults = 1, serverFaults = 1, hostFaults = 1] = faults;
let surprises = 0;
report("one job", printProtocol({ clientFaults, serverFaults, hostFaults, departures: 1 }));
report("copies under changes", copiesProtocol);
process.exitCode = surprises === 0 ? 0 : 1;

function report<State extends { readonly [name: string]: number }>(name: string, spec: Specification<State>): void {
  const startedMs = performance.now();
  const { states, steps, ends, violation } = explore(spec);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(
    `${name}: ${states} states, ${steps} steps, ${ends} ends, ${violation?.what ?? "all invariants hold"}, ${seconds} s`,
  );
  if (violation !== undefined) tell(violation.story);
  if (violation !== undefined) surprises += 1;
  if (!values.rules) return;
  for (const rule of mutants(spec)) {
    const without = explore(spec, rule).violation;
    console.log(`without "${rule}": ${without?.what ?? "NOTHING GOES WRONG"}`);
    if (without === undefined) surprises += 1;
    else tell(without.story);
  }
}

function tell(story: readonly string[]): void {
  for (const [index, step] of story.entries()) console.log(`  ${index + 1}. ${step}`);
}
