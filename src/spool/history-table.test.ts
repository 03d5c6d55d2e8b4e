import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HistoryFilter } from "../protocol/history.ts";
import type { HistoryRow } from "../protocol/job.ts";
import { HistoryTable, historyIndex } from "./history-table.ts";
import { type JobStore, openJobStore } from "./job-store.ts";
import { historyRowOf } from "./test-history.ts";

let folder: string;
let store: JobStore;
let table: HistoryTable;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twinspool-history-"));
  store = openJobStore(join(folder, "server.db"), ["history"], { indexes: [historyIndex("history")] });
  table = new HistoryTable(store, "history");
});
afterEach(async () => {
  store.close();
  await rm(folder, { recursive: true, force: true });
});

function keep(rows: readonly HistoryRow[]): void {
  store.commit(rows.map((value) => ({ op: "put" as const, table: "history", key: value.jobId, value })));
}

/** What each filter means, said once more without SQL. */
function matches(row: HistoryRow, filter: HistoryFilter): boolean {
  const { printer, client, source, sentBy, outcome, fromMs = 0, toMs = Number.POSITIVE_INFINITY, text, job } = filter;
  return (
    (printer === undefined || row.printer === printer) &&
    (client === undefined || row.clientName === client) &&
    (source === undefined || row.source === source) &&
    (sentBy === undefined || row.outcome.sentBy === sentBy) &&
    (outcome === undefined || row.outcome.outcome === outcome) &&
    row.recordedAtMs >= fromMs &&
    row.recordedAtMs < toMs &&
    (text === undefined || row.title.toLowerCase().includes(text.toLowerCase())) &&
    (job === undefined || row.jobId.startsWith(job))
  );
}

describe("history table", () => {
  it("gives exactly what the filters say, page by page, newest first", () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    let state = seed;
    const below = (count: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % count;
    };
    const one = <T>(...values: readonly T[]): T => values[below(values.length)] as T;
    const rows = Array.from({ length: 300 }, (_, n) =>
      historyRowOf(n + 1, {
        printer: one("kitchen", "bar"),
        clientName: one("till-1", "till-2", "レジ"),
        source: one("client", "server", "auto"),
        title: one("Receipt 100%", "receipt_1", "伝票", "menu's"),
        recordedAtMs: 1_700_000_000_000 + below(50) * 1_000,
        outcome: { outcome: one("printed", "printed", "canceled", "indeterminate"), sentBy: one("client", "server") },
      }),
    );
    keep(rows);
    for (let round = 0; round < 60; round++) {
      const start = 1_700_000_000_000 + below(50) * 1_000;
      const all: Required<HistoryFilter> = {
        printer: one("kitchen", "bar"),
        client: one("till-1", "レジ"),
        source: one("client", "auto"),
        sentBy: one("client", "server"),
        outcome: one("printed", "canceled"),
        fromMs: start,
        toMs: start + 20_000,
        text: one("receipt", "RECEIPT_", "0%", "票", "'"),
        job: one("c11e47aa-life01-1", "c11e47aa", "c11e47aa-life01-299"),
      };
      const filter = Object.fromEntries(Object.entries(all).filter(() => below(4) === 0)) as HistoryFilter;
      const seen: HistoryRow[] = [];
      let before: string | undefined;
      do {
        const page = table.page({ ...filter, limit: 7, ...(before === undefined ? {} : { before }) });
        seen.push(...page.rows);
        before = page.next;
      } while (before !== undefined);
      const about = `TEST_SEED=${seed} ${JSON.stringify(filter)}`;
      const wanted = rows.filter((row) => matches(row, filter)).map((row) => row.jobId);
      expect(seen.map((row) => row.jobId).sort(), about).toEqual(wanted.sort());
      const times = seen.map((row) => row.recordedAtMs);
      expect(times, about).toEqual([...times].sort((a, b) => b - a));
    }
  });

  it("reads all rows in order, and those that come meanwhile stay out", async () => {
    keep(Array.from({ length: 450 }, (_, n) => historyRowOf(n + 1)));
    const seen: HistoryRow[] = [];
    for await (const row of table.rows({ printer: "kitchen" })) {
      if (seen.length === 0) keep([historyRowOf(9_999)]);
      seen.push(row);
    }
    expect(seen.map((row) => row.outcome.sequence)).toEqual(Array.from({ length: 450 }, (_, n) => 450 - n));
  });

  it("knows what is older than a moment", () => {
    keep([historyRowOf(1), historyRowOf(2), historyRowOf(3)]);
    expect(table.keysBefore(historyRowOf(3).recordedAtMs, 10)).toEqual([1, 2].map((n) => historyRowOf(n).jobId));
    expect(table.find(historyRowOf(2).jobId)?.title).toBe("ticket 2");
    expect([table.has({ printer: "kitchen" }), table.has({ printer: "bar" })]).toEqual([true, false]);
  });

  it("answers from its one index, without sorting and without the rows that do not match", () => {
    store.close();
    const database = new DatabaseSync(join(folder, "server.db"));
    const at = (path: string): string =>
      `ifnull(CASE WHEN json_valid(value) THEN json_extract(value, '${path}') END, 0)`;
    const order = `ORDER BY ${at("$.recordedAtMs")} DESC, key DESC LIMIT 9`;
    const plan = (columns: string, filter: string): string =>
      JSON.stringify(
        database.prepare(`EXPLAIN QUERY PLAN SELECT ${columns} FROM history WHERE ${filter} ${order}`).all(),
      );
    const filters = ["$.printer", "$.clientName", "$.source", "$.outcome.sentBy", "$.outcome.outcome"].map(
      (path) => `${at(path)} = 'x'`,
    );
    const span = `${at("$.recordedAtMs")} >= 1 AND ${at("$.recordedAtMs")} < 9`;
    for (const filter of [...filters, span, `instr(lower(${at("$.title")}), lower('x')) > 0`]) {
      expect(plan("key", filter)).toContain("USING COVERING INDEX history_recordedAtMs_printer");
      expect(plan("key, value", filter)).not.toContain("TEMP B-TREE");
    }
    expect(plan("key, value", span)).toContain("SEARCH");
    // Rows that the filter refuses are not even looked for.
    const steps = database.prepare(`EXPLAIN SELECT key, value FROM history WHERE ${filters[0]} ${order}`).all();
    expect(steps.map((step) => step["opcode"])).toContain("DeferredSeek");
    database.close();
  });
});
