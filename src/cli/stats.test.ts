import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startListener } from "../runtime/listener.ts";
import { mountHistory } from "../server/doors/history.ts";
import { HistoryRoom } from "../server/history-room.ts";
import { serverTables } from "../server/server-state.ts";
import { historyIndex } from "../spool/history-table.ts";
import { openJobStore } from "../spool/job-store.ts";
import { historyRowOf } from "../spool/test-history.ts";
import { runStats } from "./stats.ts";
import { memoryIo } from "./test-support.ts";

it("shows tables, hours and advice of a server's history", async () => {
  const folder = await mkdtemp(join(tmpdir(), "twinspool-stats-"));
  const { history } = serverTables;
  const store = openJobStore(join(folder, "server.db"), [history], { indexes: [historyIndex(history)] });
  const room = new HistoryRoom(store, () => ["kitchen"]);
  const listener = await startListener({ address: "127.0.0.1", port: 0 }, (routes) => mountHistory(routes, room));
  const run = async (flags = {}): Promise<string> => {
    const io = memoryIo({ TWINSPOOL_SERVER: listener.url, TWINSPOOL_DATA: folder });
    expect(await runStats(flags, io), io.stderr.text).toBe(0);
    return io.stdout.text;
  };
  try {
    expect(await run()).toBe("nothing has been printed yet\n");
    const rows = Array.from({ length: 20 }, (_, n) =>
      historyRowOf(n + 1, {
        clientName: "till-2",
        requestedHereMs: 0,
        startedHereMs: 1_500,
        outcome: { sentBy: n < 6 ? "server" : "client" },
      }),
    );
    store.commit(rows.map((value) => ({ op: "put" as const, table: history, key: value.jobId, value })));
    const text = await run();
    expect(text).toMatch(/^CLIENT +JOBS/m);
    expect(text).toMatch(/^till-2 +20 +20 +0 +0 +20 +1\.00 m +14\/6 +6 +1\.5\/1\.5 s +1\.0\/1\.0 s$/m);
    expect(text).toMatch(/^\d\d h {2}20 {2}#{40}$/m);
    expect(text).toContain("* the server took over 30 % (6 of 20) of the jobs of till-2");
    expect(JSON.parse(await run({ json: true, sentBy: "server" }))).toMatchObject({ total: { jobs: 6 } });
    await expect(run({ printer: "kitchn" })).rejects.toThrow("kitchn; there is: kitchen");
    await expect(run({ since: "never" })).rejects.toThrow("--since never: expected");
  } finally {
    await listener.close();
    store.close();
    await rm(folder, { recursive: true, force: true });
  }
});
