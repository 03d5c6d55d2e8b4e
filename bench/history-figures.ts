import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HistoryFilter } from "../src/protocol/history.ts";
import { HistoryRoom } from "../src/server/history-room.ts";
import { serverTables } from "../src/server/server-state.ts";
import { historyCsv } from "../src/spool/history-csv.ts";
import { historyIndex } from "../src/spool/history-table.ts";
import { openJobStore } from "../src/spool/job-store.ts";
import { historyRowOf } from "../src/spool/test-history.ts";
import type { Figures, Say } from "./bench.ts";
import { median } from "./disk-baseline.ts";

const rows = 10_000;
const rounds = 9;
const pageRows = 100;

/** What a history of 10,000 jobs costs its readers, each with eight events. */
export async function benchHistory(say: Say): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "twinspool-bench-"));
  const { history } = serverTables;
  const store = openJobStore(join(folder, "server.db"), Object.values(serverTables), {
    indexes: [historyIndex(history)],
  });
  try {
    const events = Array.from({ length: 8 }, (_, n) => ({ atMs: n, event: "the server has a copy", detail: `x${n}` }));
    for (let start = 0; start < rows; start += 1_000) {
      store.commit(
        Array.from({ length: 1_000 }, (_, n) => {
          const at = start + n + 1;
          const outcome = at % 2_000 === 0 ? ("indeterminate" as const) : ("printed" as const);
          const value = historyRowOf(at, { events, clientName: `till-${at % 12}`, outcome: { outcome } });
          return { op: "put" as const, table: history, key: value.jobId, value };
        }),
      );
    }
    const room = new HistoryRoom(store, () => ["kitchen"]);
    const figures: Record<string, number> = {};
    const measure = async (name: string, about: string, work: () => unknown): Promise<void> => {
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const startedMs = performance.now();
        await work();
        times.push(performance.now() - startedMs);
      }
      figures[name] = median(times);
      say(`${about}: ${median(times).toFixed(1)} ms`);
    };
    const page = (filter: HistoryFilter) => () => room.page({ ...filter, limit: pageRows });
    await measure("newestMs", "the newest 100 rows", page({}));
    await measure("clientMs", "100 rows of one client of twelve", page({ client: "till-3" }));
    await measure("rareMs", "the 5 rows of a rare outcome", page({ outcome: "indeterminate" }));
    await measure("textMs", "a text that is in no title", page({ text: "nowhere" }));
    const fromMs = historyRowOf(2_000).recordedAtMs;
    await measure("spanMs", "100 rows of a span", page({ fromMs, toMs: fromMs + 500_000 }));
    await measure("csvMs", "all rows as CSV", async () => {
      for await (const _ of historyCsv(room.rows({}), { excel: false }));
    });
    await measure("statisticsMs", "statistics of all rows", () => room.statistics({}));
    return { rows, ...figures };
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
