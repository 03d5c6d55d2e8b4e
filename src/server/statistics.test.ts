import { describe, expect, it } from "vitest";
import type { HistoryRow } from "../protocol/job.ts";
import { type StatisticsAnswer, statisticsAnswerSchema } from "../protocol/statistics.ts";
import { historyRowOf } from "../spool/test-history.ts";
import { Statistics } from "./statistics.ts";

type Changes = Parameters<typeof historyRowOf>[1];

function rowsOf(count: number, more: Changes | ((n: number) => Changes) = {}): HistoryRow[] {
  return Array.from({ length: count }, (_, n) => historyRowOf(n + 1, typeof more === "function" ? more(n) : more));
}

function statisticsOf(...rows: readonly HistoryRow[]): StatisticsAnswer {
  const statistics = new Statistics((wallMs) => new Date(wallMs).getUTCHours());
  for (const row of rows) statistics.add(row);
  return statisticsAnswerSchema.parse(statistics.answer());
}

describe("statistics", () => {
  it("of nothing are nothing", () => {
    const { total, printers, advice } = statisticsOf();
    expect(total).toMatchObject({ jobs: 0, paperMm: 0, hours: Array.from({ length: 24 }, () => 0) });
    expect([total.wait, printers, advice]).toEqual([undefined, [], []]);
  });

  it("count jobs, pages, paper and outcomes by printer, client and source", () => {
    const { total, printers, clients, sources } = statisticsOf(
      historyRowOf(1, { pages: 2, heightDots: 800 }),
      historyRowOf(2, { printer: "bar", source: "server", outcome: { sentBy: "server", evidence: "none" } }),
      historyRowOf(3, { clientName: "レジ", source: "auto", outcome: { outcome: "canceled" } }),
      historyRowOf(4, { outcome: { outcome: "indeterminate" } }),
    );
    expect(total).toMatchObject({
      jobs: 4,
      printed: 2,
      indeterminate: 1,
      canceled: 1,
      pages: 3,
      paperMm: 150,
      unproved: 1,
    });
    expect(printers.map(({ name, jobs }) => [name, jobs])).toEqual([
      ["kitchen", 3],
      ["bar", 1],
    ]);
    expect(clients.map(({ name, jobs }) => [name, jobs])).toEqual([
      ["till", 3],
      ["レジ", 1],
    ]);
    expect(sources.map(({ name, jobs }) => [name, jobs])).toEqual([
      ["client", 2],
      ["auto", 1],
      ["server", 1],
    ]);
    expect(total.hours[22]).toBe(4);
  });

  it("form times only between moments of one clock, and not of jobs that a person held", () => {
    const at = (requestedHereMs: number, startedHereMs: number): Changes => ({ requestedHereMs, startedHereMs });
    const waits = Array.from({ length: 100 }, (_, n) => historyRowOf(n + 1, at(1_000, 1_000 + (n + 1) * 10)));
    const { total } = statisticsOf(
      ...waits,
      historyRowOf(101, { ...at(1_000, 9_000_000), heldBack: true }),
      // The server's clock was set back in between.
      historyRowOf(102, at(5_000, 1_000)),
      // Printed while the server was away: the client's and the host's clock say nothing together.
      historyRowOf(103, { requestedAtMs: 5, outcome: { startedAtMs: 9_000_000_000, endedAtMs: 9_000_000_400 } }),
    );
    expect(total.wait).toEqual({ count: 100, medianMs: 500, p95Ms: 950 });
    expect(total.waitWhenSentBy.server).toBeUndefined();
    expect(total.print).toEqual({ count: 103, medianMs: 1_000, p95Ms: 1_000 });
  });

  it("count who took over from whom; auto leaves nothing to take over", () => {
    const { takenOver } = statisticsOf(
      historyRowOf(1, { source: "client", outcome: { sentBy: "server" } }),
      historyRowOf(2, { source: "server", outcome: { sentBy: "client" } }),
      historyRowOf(3, { source: "auto", outcome: { sentBy: "server" } }),
      historyRowOf(4, { source: "server", outcome: { sentBy: "server" } }),
    ).total;
    expect(takenOver).toEqual({ byServer: 1, byClient: 1 });
  });

  it("do not grow with the names that clients think of", () => {
    const { clients, total } = statisticsOf(...rowsOf(300, (n) => ({ clientName: `till-${n}` })));
    expect(clients).toHaveLength(201);
    expect(clients[0]).toMatchObject({ name: "(others)", jobs: 100 });
    expect(total.jobs).toBe(300);
  });
});

describe("advice", () => {
  const everyThird = (n: number): boolean => n % 3 === 0;

  it("says whose jobs the server took over", () => {
    const { advice } = statisticsOf(
      ...rowsOf(30, (n) => ({ clientName: "till-2", outcome: { sentBy: everyThird(n) ? "server" : "client" } })),
    );
    expect(advice).toEqual([
      "the server took over 33 % (10 of 30) of the jobs of till-2: its client is often away or slow when its turn comes; choose --from server or --from auto",
    ]);
  });

  it.each([
    [
      "printed 33 % (10 of 30) of its jobs for the server by itself",
      (n: number) => ({
        source: "server" as const,
        outcome: { sentBy: everyThird(n) ? ("client" as const) : ("server" as const) },
      }),
    ],
    [
      "nobody knows whether 33 % (10 of 30) of the jobs of kitchen are on paper",
      (n: number) => ({ outcome: { outcome: everyThird(n) ? ("indeterminate" as const) : ("printed" as const) } }),
    ],
    [
      "kitchen did not report the end of 100 % (30 of 30) of its jobs",
      () => ({ outcome: { evidence: "none" as const } }),
    ],
    [
      "half of the jobs that the client sent began within 2.0 s, of those from the server within 0.4 s: choose --from server",
      (n: number) => ({
        source: n % 2 === 0 ? ("client" as const) : ("server" as const),
        requestedHereMs: 0,
        startedHereMs: n % 2 === 0 ? 2_000 : 400,
        outcome: { sentBy: n % 2 === 0 ? ("client" as const) : ("server" as const) },
      }),
    ],
    ["come between 12 and 13 h", (n: number) => ({ requestedHereMs: (everyThird(n) ? 12 : n % 10) * 3_600_000 })],
  ])("says: %s", (sentence, more) => {
    expect(statisticsOf(...rowsOf(30, more)).advice.join("\n")).toContain(sentence);
  });

  it("is silent about few jobs, and about small shares", () => {
    const few = rowsOf(9, { outcome: { sentBy: "server", outcome: "indeterminate" } });
    const rare = rowsOf(100, (n) => ({
      printer: "bar",
      clientName: "x",
      outcome: { sentBy: n < 9 ? "server" : "client" },
    }));
    expect(statisticsOf(...few, ...rare).advice).toEqual([]);
  });
});
