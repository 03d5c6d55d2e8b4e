import { describe, expect, it } from "vitest";
import { applyPatch, loadPatchedWorld } from "./bundle.ts";
import { drawPlan } from "./draw-plan.ts";
import { type Mutant, mutants } from "./mutants.ts";
import { shrink } from "./shrink.ts";

/** Seeds that are tried when the one of the table does not catch it any more; `npm run world -- --mutants` finds another. */
const mostSeeds = 2_000;

async function findCatch({ patches, seed = 1 }: Mutant) {
  const { runSeed, runPlan } = await loadPatchedWorld(patches);
  for (const each of [seed, ...Array.from({ length: mostSeeds }, (_, index) => index + 1)]) {
    const verdict = runSeed(each);
    if (verdict.violations.length > 0) return { verdict, runPlan };
  }
  return undefined;
}

describe("a rule that is taken away", () => {
  it.each(mutants.filter(({ seed }) => seed !== undefined))("is missed: $rule ($name)", async (mutant) => {
    expect(await findCatch(mutant)).toBeDefined();
  });

  it.each(mutants.filter(({ seed }) => seed === undefined))(
    "still stands in the source: $name",
    async ({ patches }) => {
      const { runSeed } = await loadPatchedWorld(patches);
      expect(runSeed(1).events).toBeGreaterThan(0);
    },
  );

  it("is not taken for one that stands there no more, or twice", () => {
    const patch = { file: "a.ts", find: "b", replace: "c" };
    expect(applyPatch("a b", patch)).toBe("a c");
    expect(() => applyPatch("a", patch)).toThrow("a.ts has 0 times");
    expect(() => applyPatch("b b", patch)).toThrow("a.ts has 2 times");
  });
});

describe("a failing plan", () => {
  it("is made smaller as long as it breaks the same invariant, and fails again", async () => {
    const mutant = mutants.find(({ name }) => name === "no-intent");
    const found = mutant === undefined ? undefined : await findCatch(mutant);
    if (found === undefined) throw new Error("nothing fails");
    const { verdict, runPlan } = found;
    const whole = drawPlan(verdict.seed);
    const small = shrink(verdict, runPlan);
    expect(small.violations[0]).toMatch(/^I1 /);
    expect(small.plan.jobs.length).toBeLessThanOrEqual(2);
    expect(small.plan.faults.length).toBeLessThan(whole.faults.length);
    const copy = JSON.parse(JSON.stringify(small.plan));
    expect(runPlan(copy).violations).toEqual(small.violations);
  });
});
