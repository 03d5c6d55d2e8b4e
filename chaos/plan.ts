import type { CutKind, LinkName } from "./link-proxy.ts";
import { Random } from "./random.ts";
import { linksOf } from "./shop.ts";
import type { Fault, Sign, Source, Step, Victim } from "./steps.ts";

/** One place of the table: what happens to which process at which step. */
export interface Cell {
  readonly step: Step;
  readonly victim: Victim;
  readonly fault: Fault;
}

/** Everything about one run that is not left to the machine it runs on. */
export interface Plan extends Cell {
  readonly repeat: number;
  readonly source: Source;
  readonly sign: Sign;
  /** Right before the sign passes, so that it may be lost, or right after. */
  readonly moment: "before" | "after";
  /** Behind a trace nothing passes: `after` is so many milliseconds later. */
  readonly delayMs: number;
  /** Whether the others have the time to act alone before the process is back. */
  readonly isLong: boolean;
  readonly cut: { readonly links: readonly LinkName[]; readonly kind: CutKind };
  /** The user asks for the job to be canceled while the fault lasts. */
  readonly cancels: boolean;
}

const moments = ["before", "after"] as const;

/** The same cell, repeat and seed make the same plan. */
export function planRun(cell: Cell, repeat: number, seed: number): Plan {
  const { step, victim, fault } = cell;
  const random = new Random(seed, step.step, victim.length * 7 + victim.charCodeAt(0), fault.charCodeAt(0), repeat);
  const ofServer = repeat % 4 >= 2 ? step.signs.server : undefined;
  const source = ofServer === undefined ? "client" : "server";
  const signs = ofServer ?? step.signs.client ?? [];
  const sign = signs[random.below(signs.length)];
  if (sign === undefined) throw new Error(`step ${step.step} has no sign`);
  const links = linksOf(victim);
  const one = links[random.below(links.length)];
  return {
    ...cell,
    repeat,
    source,
    sign,
    moment: moments[repeat % 2] ?? "before",
    delayMs: 1 + random.below(12),
    isLong: fault === "stop" || random.below(2) === 1,
    cut: {
      links: random.below(3) === 0 || one === undefined ? links : [one],
      kind: random.below(3) === 0 ? "stall" : "reset",
    },
    cancels: repeat % 5 === 4,
  };
}

/** The plan in words, for a story that is kept. */
export function describePlan(plan: Plan): string {
  const { step, victim, fault, repeat, moment, source, sign, isLong, cut, cancels } = plan;
  const where = sign.kind === "trace" ? `${sign.role}'s line ${sign.line}` : `${sign.kind} ${sign.from} -> ${sign.to}`;
  const how = fault === "cut" ? ` (${cut.kind}: ${cut.links.join(", ")})` : "";
  const length = isLong ? "past the time-outs" : "short";
  const more = cancels ? ", the user cancels" : "";
  return `step ${step.step}, ${victim} ${fault}${how} ${moment} ${where}, ${length}, source ${source}, repeat ${repeat}${more}`;
}
