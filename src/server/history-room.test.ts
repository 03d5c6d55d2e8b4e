import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HistoryAnswer } from "../protocol/history.ts";
import type { HistoryRow } from "../protocol/job.ts";
import { type Listener, startListener } from "../runtime/listener.ts";
import { historyIndex } from "../spool/history-table.ts";
import { type JobStore, openJobStore } from "../spool/job-store.ts";
import { historyRowOf } from "../spool/test-history.ts";
import { mountHistory } from "./doors/history.ts";
import { HistoryRoom } from "./history-room.ts";
import { serverTables } from "./server-state.ts";

let folder: string;
let store: JobStore;
let room: HistoryRoom;
let listener: Listener;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twinspool-room-"));
  store = openJobStore(join(folder, "server.db"), Object.values(serverTables), {
    indexes: [historyIndex(serverTables.history)],
  });
  room = new HistoryRoom(store, () => ["kitchen", "bar"]);
  listener = await startListener({ address: "127.0.0.1", port: 0 }, (routes) => mountHistory(routes, room));
});
afterEach(async () => {
  await listener.close();
  store.close();
  await rm(folder, { recursive: true, force: true });
});

function keep(...rows: readonly HistoryRow[]): void {
  store.commit(rows.map((value) => ({ op: "put" as const, table: serverTables.history, key: value.jobId, value })));
}

const get = (path: string): Promise<Response> => fetch(`${listener.url}${path}`);

async function page(query: string): Promise<HistoryAnswer> {
  return (await (await get(`/api/history?${query}`)).json()) as HistoryAnswer;
}

describe("the history's door", () => {
  it("goes from page to page", async () => {
    keep(...[1, 2, 3, 4, 5].map((n) => historyRowOf(n)));
    const first = await page("limit=3");
    expect(first.rows.map((row) => row.title)).toEqual(["ticket 5", "ticket 4", "ticket 3"]);
    const second = await page(new URLSearchParams({ limit: "3", before: first.next ?? "" }).toString());
    expect(second.rows.map((row) => row.title)).toEqual(["ticket 2", "ticket 1"]);
    expect(second.next).toBeUndefined();
  });

  it.each([
    ["/api/history?limit=0", 400, "limit 0, allowed: 1 to 1000"],
    ["/api/history?before=x", 400, "before"],
    ["/api/history?from=soon", 400, "from soon"],
    ["/api/history?printer=kitchn", 404, "kitchn; there is: kitchen, bar"],
    ["/api/history.csv?printer=kitchn", 404, "kitchn"],
    ["/api/history.csv?excel=maybe", 400, "excel maybe"],
    ["/api/history.ndjson?limit=5", 400, "all rows"],
  ])("refuses %s with the reason", async (path, status, reason) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(reason);
  });

  it("still shows the history of a printer that is gone", async () => {
    keep(historyRowOf(1, { printer: "old" }));
    expect((await page("printer=old")).rows).toHaveLength(1);
    expect((await page("printer=bar")).rows).toEqual([]);
  });

  it("exports every row, filtered, as CSV and as JSON lines", async () => {
    const rows = Array.from({ length: 2_000 }, (_, n) =>
      historyRowOf(n + 1, { printer: n % 2 === 0 ? "kitchen" : "bar" }),
    );
    keep(...rows);
    const csv = await get("/api/history.csv?printer=bar");
    expect(csv.headers.get("content-type")).toContain("text/csv");
    const lines = (await csv.text()).trimEnd().split("\r\n");
    expect([lines.length, lines[1]?.split(",")[0], lines[1000]?.split(",")[0]]).toEqual([
      1_001,
      historyRowOf(2_000).jobId,
      historyRowOf(2).jobId,
    ]);
    const json = await get("/api/history.ndjson");
    expect(json.headers.get("content-type")).toBe("application/x-ndjson");
    const told = (await json.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as HistoryRow);
    expect(told).toEqual(rows.reverse());
    const excel = new Uint8Array(await (await get("/api/history.csv?excel=true")).arrayBuffer());
    expect([...excel.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  });

  it("cuts the connection when the rows end early, so that a part does not pass for all", async () => {
    keep(...Array.from({ length: 1_000 }, (_, n) => historyRowOf(n + 1)));
    const answer = await get("/api/history.ndjson");
    store.close();
    await expect(answer.text()).rejects.toThrow();
  });

  it("forgets what is past its days", () => {
    const dayMs = 86_400_000;
    const nowMs = historyRowOf(1).recordedAtMs + 10 * dayMs;
    keep(historyRowOf(1), historyRowOf(2, { recordedAtMs: nowMs - 9 * dayMs }));
    expect(room.forget(nowMs, 10)).toBe(0);
    expect(room.forget(nowMs + 1, 10)).toBe(1);
    expect(room.find(historyRowOf(1).jobId)).toBeUndefined();
    expect(room.find(historyRowOf(2).jobId)).toBeDefined();
  });
});
