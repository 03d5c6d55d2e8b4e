import { describe, expect, it } from "vitest";
import { loadPatchedWorld } from "../world/bundle.ts";
import { drawPlan } from "../world/draw-plan.ts";
import { mutants } from "../world/mutants.ts";
import type { Plan } from "../world/plan.ts";
import { World } from "../world/world.ts";
import { printRules } from "./print-protocol.ts";
import { TraceChecker } from "./trace-checker.ts";

const firstSeed = Number(process.env["TWINSPOOL_SEED"] ?? 1);
const seeds = Number(process.env["TWINSPOOL_SPEC_RUNS"] ?? 300);

/** Faults that the specification does not know: disks that forget what was durable. */
const beyond = new Set(["image-rot", "ledger-rot", "ledger-lost"]);

function specified(plan: Plan): Plan {
  return { ...plan, diskless: [], faults: plan.faults.filter(({ kind }) => !beyond.has(kind)) };
}

function check(seed: number, Made = World): TraceChecker {
  const world = new Made(specified(drawPlan(seed)));
  const checker = new TraceChecker(world);
  world.run();
  return checker;
}

describe("what the production machines do in the world", () => {
  it(`is allowed by the specification, step by step, over ${seeds} seeds from ${firstSeed}`, () => {
    const taken = new Set<string>();
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const { violations, taken: steps } = check(seed);
      expect(violations, `seed ${seed}`).toEqual([]);
      for (const name of steps.keys()) taken.add(name);
    }
    // Each rule that a trace can show was met: a rule that is never met checks nothing.
    const unseen = printRules.map(({ name }) => name).filter((name) => !taken.has(name) && !notInTraces.has(name));
    expect(unseen).toEqual([]);
  });

  it.each([
    ["no-intent", "INTENT is durable before the first byte"],
    ["end-not-durable", "the record is durable"],
    ["cancel-not-durable", "the record is durable"],
  ])("is not when a rule is broken: %s", async (name, rule) => {
    const patched = await loadPatchedWorld(mutants.find((mutant) => mutant.name === name)?.patches ?? []);
    let seed = 1;
    let told: readonly string[] = [];
    while (told.length === 0 && seed < 200) told = check(seed++, patched.World).violations;
    expect(told.join("\n")).toContain(rule);
  });
});

/** Steps inside a node or the printer that no effect shows; the checkers of the world see their results. */
const notInTraces = new Set([
  "client stores the image",
  "client keeps the image in memory alone",
  "client offers",
  "client takes back what nobody accepted",
  "user cancels",
  "client tells the end",
  "client erases its image",
  "server acknowledges the request",
  "server receives the image",
  "server stores the image",
  "server offers",
  "server erases its image",
  "host commits",
  "printer has taken no byte",
  "printer prints",
  "printer loses power before the end",
  "printer loses power after the end",
  "host records PRINTED",
  "host records INDETERMINATE",
  "host settles with evidence",
  "host settles without evidence",
  "host records CANCELED",
  "host confirms the cancel",
  "client loses power",
  "server loses power",
  "host loses power",
  "host loses power, and the printer prints what it has",
  "client never returns",
  "server never returns",
]);
