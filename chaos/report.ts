import type { CellResult } from "./campaign.ts";
import type { Outcome } from "./run.ts";
import { faults, steps, victims } from "./steps.ts";

const letters: Readonly<Record<Outcome, string>> = {
  printed: "p",
  indeterminate: "i",
  canceled: "c",
  "not-accepted": "n",
};

/** Step by process and fault, as Markdown: how many runs ended how. */
export function tableOf(results: readonly CellResult[]): string {
  const columns = victims.flatMap((victim) => faults.map((fault) => ({ victim, fault })));
  const rows = steps.map(({ step, what }) => {
    const cells = columns.map(({ victim, fault }) => {
      const found = results.find(
        ({ cell }) => cell.step.step === step && cell.victim === victim && cell.fault === fault,
      );
      return found === undefined ? "" : wordsOf(found);
    });
    return [`${step} ${what}`, ...cells];
  });
  const head = ["step", ...columns.map(({ victim, fault }) => `${victim} ${fault}`)];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function wordsOf({ outcomes, violations }: CellResult): string {
  const counts = Object.entries(letters).flatMap(([outcome, letter]) => {
    const count = outcomes[outcome as Outcome] ?? 0;
    return count === 0 ? [] : [`${count}${letter}`];
  });
  return `${counts.join(" ")}${violations.length > 0 ? " **violated**" : ""}`;
}

export interface Totals {
  readonly runs: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly violatedCells: number;
}

export function totalsOf(results: readonly CellResult[]): Totals {
  const outcomes = { printed: 0, indeterminate: 0, canceled: 0, "not-accepted": 0 };
  for (const result of results) {
    for (const name of Object.keys(outcomes) as Outcome[]) outcomes[name] += result.outcomes[name] ?? 0;
  }
  return {
    runs: results.reduce((sum, result) => sum + result.runs, 0),
    outcomes,
    violatedCells: results.filter((result) => result.violations.length > 0).length,
  };
}
