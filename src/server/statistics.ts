import { paperMmOf, takenOverBy } from "../protocol/history.ts";
import type { HistoryRow } from "../protocol/job.ts";
import type { Spread, StatisticsAnswer, StatisticsGroup } from "../protocol/statistics.ts";
import { adviceOf } from "./statistics-advice.ts";

/** Names are free texts of clients: beyond so many of a kind they count together. */
const groupsAtMost = 200;
/** Durations kept of a group: those of its newest jobs. */
const samplesAtMost = 20_000;
const others = "(others)";
const unknown = "(not known)";

/** What the history says about printers, clients and sources together. Rows are added newest first. */
export class Statistics {
  readonly #hourOf: (wallMs: number) => number;
  readonly #total = new Group("total");
  readonly #printers = new Map<string, Group>();
  readonly #clients = new Map<string, Group>();
  readonly #sources = new Map<string, Group>();

  /** `hourOf`: hour of the day of a moment, in the reader's time zone. */
  constructor(hourOf: (wallMs: number) => number) {
    this.#hourOf = hourOf;
  }

  add(row: HistoryRow): void {
    const hour = this.#hourOf(row.requestedHereMs ?? row.outcome.endedAtMs);
    this.#total.add(row, hour);
    groupOf(this.#printers, row.printer).add(row, hour);
    groupOf(this.#clients, row.clientName).add(row, hour);
    groupOf(this.#sources, row.source ?? unknown).add(row, hour);
  }

  answer(): StatisticsAnswer {
    const list = (groups: ReadonlyMap<string, Group>): StatisticsGroup[] =>
      [...groups.values()].map((group) => group.answer()).sort((a, b) => b.jobs - a.jobs || (a.name < b.name ? -1 : 1));
    const figures = {
      total: this.#total.answer(),
      printers: list(this.#printers),
      clients: list(this.#clients),
      sources: list(this.#sources),
    };
    return { ...figures, advice: adviceOf(figures) };
  }
}

function groupOf(groups: Map<string, Group>, name: string): Group {
  const known = groups.get(name);
  if (known !== undefined) return known;
  if (groups.size >= groupsAtMost && name !== others) return groupOf(groups, others);
  const group = new Group(name);
  groups.set(name, group);
  return group;
}

class Group {
  readonly #name: string;
  readonly #outcomes = { printed: 0, indeterminate: 0, canceled: 0 };
  readonly #chosen = { client: 0, server: 0, auto: 0 };
  readonly #sentBy = { client: 0, server: 0 };
  readonly #takenOver = { byClient: 0, byServer: 0 };
  readonly #hours = Array.from({ length: 24 }, () => 0);
  readonly #waits = { client: new Samples(), server: new Samples() };
  readonly #prints = new Samples();
  #jobs = 0;
  #pages = 0;
  #paperMm = 0;
  #unproved = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add(row: HistoryRow, hour: number): void {
    const { outcome, evidence, sentBy, startedAtMs, endedAtMs } = row.outcome;
    this.#jobs += 1;
    this.#outcomes[outcome] += 1;
    this.#hours[hour] = (this.#hours[hour] ?? 0) + 1;
    if (row.source !== undefined) this.#chosen[row.source] += 1;
    if (sentBy !== undefined) this.#sentBy[sentBy] += 1;
    const other = takenOverBy(row);
    if (other !== undefined) this.#takenOver[other === "client" ? "byClient" : "byServer"] += 1;
    if (outcome !== "printed") return;
    this.#pages += row.pages;
    this.#paperMm += paperMmOf(row) ?? 0;
    if (evidence === "none") this.#unproved += 1;
    // No clock of one machine is compared with another's: these two are the server's, those two the host's.
    if (row.heldBack !== true && sentBy !== undefined) this.#waits[sentBy].add(row.requestedHereMs, row.startedHereMs);
    this.#prints.add(startedAtMs, endedAtMs);
  }

  answer(): StatisticsGroup {
    const wait = spreadOf([...this.#waits.client.ms, ...this.#waits.server.ms]);
    const client = spreadOf(this.#waits.client.ms);
    const server = spreadOf(this.#waits.server.ms);
    const print = spreadOf(this.#prints.ms);
    return {
      name: this.#name,
      jobs: this.#jobs,
      ...this.#outcomes,
      pages: this.#pages,
      paperMm: this.#paperMm,
      chosen: this.#chosen,
      sentBy: this.#sentBy,
      takenOver: this.#takenOver,
      unproved: this.#unproved,
      ...(wait === undefined ? {} : { wait }),
      waitWhenSentBy: { ...(client === undefined ? {} : { client }), ...(server === undefined ? {} : { server }) },
      ...(print === undefined ? {} : { print }),
      hours: this.#hours,
    };
  }
}

class Samples {
  readonly ms: number[] = [];

  /** A clock that was set in between has measured nothing. */
  add(fromMs: number | undefined, toMs: number | undefined): void {
    if (fromMs === undefined || toMs === undefined || toMs < fromMs || this.ms.length >= samplesAtMost) return;
    this.ms.push(toMs - fromMs);
  }
}

/** Nearest rank; undefined for nothing. */
function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number): number | undefined => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  const [medianMs, p95Ms] = [rank(0.5), rank(0.95)];
  return medianMs === undefined || p95Ms === undefined ? undefined : { count: sorted.length, medianMs, p95Ms };
}
