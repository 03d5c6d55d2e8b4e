import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TwinspoolError } from "../protocol/errors.ts";
import type { HistoryRow } from "../protocol/job.ts";
import { type Listener, startListener } from "../runtime/listener.ts";
import { createLog } from "../runtime/log.ts";
import { parseHistoryQuery } from "../spool/history-query.ts";
import { HistoryTable, historyIndex } from "../spool/history-table.ts";
import { type JobStore, openJobStore } from "../spool/job-store.ts";
import { historyRowOf } from "../spool/test-history.ts";
import { openClientStore, seenHistoryTables } from "./client-store.ts";
import { SeenHistory } from "./seen-history.ts";

/** A server that has a history and nothing else; its rows are in a store of its own. */
class ServerOfHistory {
  readonly #store: JobStore;
  readonly #listener: Listener;
  asked = 0;

  constructor(store: JobStore, listener: Listener) {
    this.#store = store;
    this.#listener = listener;
  }

  static async open(folder: string): Promise<ServerOfHistory> {
    const store = openJobStore(join(folder, "server.db"), ["history"], { indexes: [historyIndex("history")] });
    const table = new HistoryTable(store, "history");
    let server: ServerOfHistory | undefined;
    const listener = await startListener({ address: "127.0.0.1", port: 0 }, ({ app }) => {
      app.get("/api/history", (context) => {
        if (server !== undefined) server.asked += 1;
        const query = parseHistoryQuery(context.req.query());
        if (query.printer === "none") throw new TwinspoolError("printer-unknown", "none");
        return context.json(table.page(query));
      });
    });
    server = new ServerOfHistory(store, listener);
    return server;
  }

  get url(): string {
    return this.#listener.url;
  }

  add(...rows: readonly HistoryRow[]): void {
    this.#store.commit(rows.map((value) => ({ op: "put" as const, table: "history", key: value.jobId, value })));
  }

  async close(): Promise<void> {
    await this.#listener.close();
    this.#store.close();
  }
}

let folder: string;
let server: ServerOfHistory;
let store: JobStore;
let nowMs = 1_800_000_000_000;

function open(rowsKept = 500): SeenHistory {
  const log = createLog("silent", "client");
  return new SeenHistory({ store, config: { server: server.url, key: undefined }, log, nowMs: () => nowMs, rowsKept });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twinspool-seen-"));
  server = await ServerOfHistory.open(folder);
  store = openClientStore(join(folder, "client.db")).store;
});
afterEach(async () => {
  store.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const rowsOf = (count: number): HistoryRow[] => Array.from({ length: count }, (_, n) => historyRowOf(n + 1));
const titles = (answer: { readonly rows: readonly HistoryRow[] }): string[] => answer.rows.map((row) => row.title);

describe("the history at a client", () => {
  it("is the server's, and while that is away what was seen last, also after a restart", async () => {
    server.add(...rowsOf(3));
    const first = open();
    expect((await first.page({ limit: 2 })).seenMsAgo).toBeUndefined();
    await first.refresh();
    first.close();
    await server.close();
    nowMs += 5_000;
    const again = open();
    const answer = await again.page({ limit: 2 });
    expect([titles(answer), answer.seenMsAgo]).toEqual([["ticket 3", "ticket 2"], 5_000]);
    const rest = await again.page({ limit: 2, before: answer.next ?? "" });
    expect(titles(rest)).toEqual(["ticket 1"]);
    expect(titles(await again.page({ limit: 9, text: "ET 2" }))).toEqual(["ticket 2"]);
    server = await ServerOfHistory.open(folder);
  });

  it("follows what is new and what was decided later", async () => {
    server.add(...rowsOf(2));
    const seen = open();
    await seen.refresh();
    server.add(historyRowOf(1, { resolution: "dismissed" }), historyRowOf(3));
    await seen.refresh();
    await server.close();
    const { rows } = await seen.page({ limit: 9 });
    expect(rows.map((row) => [row.title, row.resolution])).toEqual([
      ["ticket 3", undefined],
      ["ticket 2", undefined],
      ["ticket 1", "dismissed"],
    ]);
    server = await ServerOfHistory.open(folder);
  });

  it("keeps a bounded number of rows, the newest, and writes nothing when nothing is new", async () => {
    server.add(...rowsOf(750));
    const seen = open(600);
    await seen.refresh();
    expect(store.count(seenHistoryTables.rows)).toBe(600);
    const asked = server.asked;
    const before = store.get(seenHistoryTables.meta, "seenAtMs");
    nowMs += 60_000;
    await seen.refresh();
    expect(server.asked - asked).toBe(1);
    expect(store.get(seenHistoryTables.meta, "seenAtMs")).toBe(before);
    await server.close();
    expect(titles(await seen.page({ limit: 1 }))).toEqual(["ticket 750"]);
    const has = async (n: number): Promise<boolean> =>
      (await seen.page({ limit: 1, job: historyRowOf(n).jobId, text: `ticket ${n}` })).rows.length > 0;
    expect([await has(151), await has(150)]).toEqual([true, false]);
    server = await ServerOfHistory.open(folder);
  });

  it("passes on what the server refuses, and says so when it has never seen anything", async () => {
    const seen = open();
    await expect(seen.page({ limit: 1, printer: "none" })).rejects.toMatchObject({ code: "printer-unknown" });
    await server.close();
    await expect(seen.page({ limit: 1 })).rejects.toMatchObject({ code: "server-unreachable" });
    server = await ServerOfHistory.open(folder);
  });

  it("asks nobody any more when it is closed", async () => {
    const seen = open();
    seen.refreshSoon();
    seen.close();
    seen.refreshSoon();
    await seen.refresh();
    expect(server.asked).toBe(0);
  });
});
