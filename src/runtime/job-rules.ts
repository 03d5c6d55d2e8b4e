import { TwinspoolError } from "../protocol/errors.ts";
import type { JobTicket, PrinterAttributes, SourceChoice, Spools } from "../protocol/job.ts";
import { sourceFitsSpools } from "../protocol/job-settings.ts";
import type { Config, JobRule } from "./config-schema.ts";
import { durationMsOf } from "./duration.ts";
import { matchesGlob } from "./glob.ts";

/** What rules look at. A size that is not known yet meets no rule about sizes. */
export type RuleSubject = Pick<JobTicket, "title" | "clientName" | "printer"> & {
  readonly mediaType?: string | undefined;
  readonly sizeBytes?: number | undefined;
};

/** A rule of the configuration that is met, and how it is called. */
export interface MetRule {
  readonly rule: JobRule;
  /** `rule 2 (title *.pdf)` */
  readonly name: string;
}

/** The first rule that the job meets; undefined when it meets none. */
export function findRule(rules: readonly JobRule[], subject: RuleSubject): MetRule | undefined {
  const index = rules.findIndex(({ when }) => meets(when, subject));
  const rule = rules[index];
  if (rule === undefined) return undefined;
  const about = Object.entries(rule.when).map(([key, value]) => `${key} ${value}`);
  return { rule, name: `rule ${index + 1} (${about.length === 0 ? "every job" : about.join(", ")})` };
}

function meets(when: JobRule["when"], subject: RuleSubject): boolean {
  const { title, client, printer, mediaType, minBytes, maxBytes } = when;
  const asks = [
    [title, subject.title],
    [client, subject.clientName],
    [printer, subject.printer],
    [mediaType, subject.mediaType],
  ] as const;
  for (const [pattern, text] of asks) {
    if (pattern !== undefined && (text === undefined || !matchesGlob(pattern, text))) return false;
  }
  const { sizeBytes } = subject;
  if (minBytes !== undefined && !(sizeBytes !== undefined && sizeBytes >= minBytes)) return false;
  return maxBytes === undefined || (sizeBytes !== undefined && sizeBytes <= maxBytes);
}

/** What the person said; the rest was left open. */
export interface Asked {
  readonly source?: SourceChoice | undefined;
  readonly spools?: Spools | undefined;
  readonly priority?: number | undefined;
  readonly expiresMs?: number | undefined;
}

export interface Choice {
  readonly source: SourceChoice;
  readonly spools: Spools;
  readonly priority?: number;
  readonly expiresMs?: number;
  /** Who chose what the person left open, in words; absent where nobody did. */
  readonly chosenBy?: string;
}

interface Level extends Asked {
  /** Empty for the person and for what is built in. */
  readonly name: string;
}

/**
 * Source, spools, priority and expiry of a job: what the person said, then the rule, then this client's configuration,
 * then the printer's default, then what is built in. A source that was chosen on a lower level than the spools gives
 * way to them; the other way round it is a contradiction. Throws `spools-contradict`.
 */
export function chooseSettings(
  asked: Asked,
  met: MetRule | undefined,
  config: Pick<Config, "from" | "spool">,
  defaults: PrinterAttributes["defaults"],
): Choice {
  const rule = met?.rule;
  const levels: readonly Level[] = [
    { name: "", ...asked },
    {
      name: met?.name ?? "",
      source: rule?.from,
      spools: rule?.spool,
      priority: rule?.priority,
      expiresMs: rule?.expires === undefined ? undefined : durationMsOf(rule.expires),
    },
    { name: "this client's configuration", source: config.from, spools: config.spool },
    { name: "the printer's default", source: defaults?.from, spools: defaults?.spool },
    { name: "", source: "client", spools: "both" },
  ];
  const spools = firstOf(levels, "spools");
  let source = firstOf(levels, "source");
  const { value: kept = "both" } = spools;
  if (kept !== "both" && source.at > spools.at && !fits(source.value, kept)) {
    source = { at: spools.at, value: kept, name: spools.name };
  }
  const { value: from = "client" } = source;
  if (!sourceFitsSpools({ source: from, spools: kept })) throw contradiction(from, source.name, kept, spools.name);
  const priority = firstOf(levels, "priority");
  const expires = firstOf(levels, "expiresMs");
  const chosenBy = describe([
    ["from", from, source.name],
    ["spool", kept, spools.name],
    ["priority", priority.value, priority.name],
    ["expires", rule?.expires, expires.name],
  ]);
  return {
    source: from,
    spools: kept,
    ...(priority.value === undefined ? {} : { priority: priority.value }),
    ...(expires.value === undefined ? {} : { expiresMs: expires.value }),
    ...(chosenBy === "" ? {} : { chosenBy }),
  };
}

function fits(source: SourceChoice | undefined, spools: Spools): boolean {
  return source !== undefined && sourceFitsSpools({ source, spools });
}

interface Found<Value> {
  readonly at: number;
  readonly value: Value | undefined;
  readonly name: string;
}

function firstOf<Key extends keyof Asked>(levels: readonly Level[], key: Key): Found<Exclude<Asked[Key], undefined>> {
  const at = levels.findIndex((level) => level[key] !== undefined);
  const level = levels[at];
  return { at, value: level?.[key] as Exclude<Asked[Key], undefined> | undefined, name: level?.name ?? "" };
}

/** `from server, spool server: rule 2 (title *.pdf); priority 80: …`, what has a name only. */
function describe(parts: readonly (readonly [key: string, value: unknown, name: string])[]): string {
  const byName = new Map<string, string[]>();
  for (const [key, value, name] of parts) {
    if (name !== "") byName.set(name, [...(byName.get(name) ?? []), `${key} ${String(value)}`]);
  }
  return [...byName].map(([name, chosen]) => `${chosen.join(", ")}: ${name}`).join("; ");
}

function contradiction(source: SourceChoice, sourceName: string, spools: Spools, spoolsName: string): TwinspoolError {
  const by = (name: string): string => (name === "" ? "" : ` (${name})`);
  return new TwinspoolError(
    "spools-contradict",
    `from is ${source}${by(sourceName)}, but spool is ${spools}${by(spoolsName)}; --from ${spools}, or --spool both, works`,
  );
}
