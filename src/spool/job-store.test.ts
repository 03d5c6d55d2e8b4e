import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { RowWrite } from "../runtime/machine.ts";
import { lockFile } from "./file-lock.ts";
import { type JobStore, openJobStore } from "./job-store.ts";
import { sqliteCode } from "./sqlite-error.ts";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twinspool-jobs-"));
  file = join(folder, "sub folder #1", "jobs.db");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function put(key: string, value: unknown, table = "jobs"): RowWrite {
  return { op: "put", table, key, value };
}

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

function withStore<T>(work: (store: JobStore) => T, options = {}): T {
  const store = openJobStore(file, ["jobs", "history"], options);
  try {
    return work(store);
  } finally {
    store.close();
  }
}

/** Runs a module in another process that has the sources at hand. */
function runChild(code: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

describe("job store", () => {
  it("keeps rows over a restart, in the order of their keys", () => {
    withStore((store) => {
      store.commit([]);
      store.commit([put("b", { n: 1 }), put("a", [1, "ü"]), put("c", null), put("a", 5, "history")]);
      store.commit([put("b", { n: 2 }), { op: "delete", table: "jobs", key: "c" }]);
      store.commit([{ op: "delete", table: "jobs", key: "not there" }]);
    });
    withStore((store) => {
      expect(store.load("jobs")).toEqual([
        { key: "a", value: [1, "ü"] },
        { key: "b", value: { n: 2 } },
      ]);
      expect(store.get("jobs", "b")).toEqual({ n: 2 });
      expect(store.get("jobs", "c")).toBeUndefined();
      expect(store.count("jobs")).toBe(2);
      expect(store.count("history")).toBe(1);
      expect(() => store.load("other")).toThrow(RangeError);
    });
    expect(() => openJobStore(file, ['x" (']).close()).toThrow(RangeError);
    expect(() => openJobStore(file, ["quarantine"]).close()).toThrow(RangeError);
    expect(() => openJobStore(file, ["sqlite_master"]).close()).toThrow(RangeError);
  });

  it("writes all of a commit or nothing", () => {
    withStore((store) => {
      store.commit([put("a", 1)]);
      expect(() => store.commit([put("a", 2), put("b", 1, "other")])).toThrow(RangeError);
      expect(() => store.commit([put("a", 2), put("b", undefined)])).toThrow(RangeError);
      expect(store.load("jobs")).toEqual([{ key: "a", value: 1 }]);
      store.commit([put("a", 3)]);
      expect(store.get("jobs", "a")).toBe(3);
    });
  });

  it("writes ahead to a log, needs no shared memory, and leaves one file behind", async () => {
    withStore((store) => {
      store.commit([put("a", 1)]);
      expect(readdirSync(join(file, "..")).sort()).toEqual(["jobs.db", "jobs.db-wal"]);
    });
    expect(readdirSync(join(file, ".."))).toEqual(["jobs.db"]);
  });

  it("moves rows that its schema refuses into quarantine, with the reason", () => {
    const schema = z.object({ n: z.int(), nested: z.object({ text: z.string() }) });
    withStore((store) => {
      const good = { n: 1, nested: { text: "x" } };
      store.commit([put("a", good), put("b", { n: 1, nested: { text: 5 } }), put("c", "text")]);
      expect(store.loadChecked("jobs", schema)).toEqual([{ key: "a", value: good }]);
      expect(store.count("jobs")).toBe(1);
    });
    withStore((store) => {
      expect(store.loadChecked("jobs", schema)).toHaveLength(1);
      expect(store.quarantined()).toEqual([
        {
          table: "jobs",
          key: "b",
          value: '{"n":1,"nested":{"text":5}}',
          reason: expect.stringMatching(/^nested\.text: /),
        },
        { table: "jobs", key: "c", value: '"text"', reason: expect.stringMatching(/^row: /) },
      ]);
    });
  });

  it("lives with rotten JSON", () => {
    const options = { indexes: [{ table: "history", path: "$.at" }] };
    withStore((store) => store.commit([put("a", { at: 1 }, "history"), put("b", { at: 2 }, "history")]), options);
    const database = new DatabaseSync(file);
    database.prepare("UPDATE history SET value = '{rotten' WHERE key = 'a'").run();
    database.close();
    withStore((store) => {
      expect(() => store.get("history", "a")).toThrow(code("database-corrupt"));
      expect(store.page("history", { orderBy: "$.at", limit: 10 }).rows).toEqual([{ key: "b", value: { at: 2 } }]);
      expect(store.quarantined()).toMatchObject([{ key: "a", value: "{rotten", reason: "not JSON" }]);
      expect(store.load("history")).toHaveLength(1);
    }, options);
  });

  it("gives pages, newest first, filtered, none twice and none left out", () => {
    const options = {
      indexes: [
        { table: "history", path: "$.at" },
        { table: "history", path: "$.ticket.printer" },
      ],
    };
    withStore((store) => {
      const rows = Array.from({ length: 50 }, (_, n) => ({
        key: `job-${String((n * 7) % 50).padStart(2, "0")}`,
        value: { at: Math.floor(n / 3), ticket: { printer: n % 2 === 0 ? "bar" : "kitchen" } },
      }));
      store.commit(rows.map(({ key, value }) => put(key, value, "history")));
      store.commit([put("no-time", { ticket: { printer: "bar" } }, "history")]);
      for (const newestFirst of [true, false]) {
        for (const orderBy of ["$.at", undefined] as const) {
          const seen: string[] = [];
          const times: number[] = [];
          let before: string | undefined;
          do {
            const page = store.page("history", {
              newestFirst,
              limit: 7,
              where: { "$.ticket.printer": "bar" },
              ...(orderBy === undefined ? {} : { orderBy }),
              ...(before === undefined ? {} : { before }),
            });
            seen.push(...page.rows.map((row) => row.key));
            times.push(...page.rows.map((row) => (row.value as { at?: number }).at ?? 0));
            before = page.next;
          } while (before !== undefined);
          expect(new Set(seen).size).toBe(26);
          expect(seen).toHaveLength(26);
          const sorted = orderBy === undefined ? [...seen].sort() : [...times].sort((a, b) => a - b);
          const order: readonly unknown[] = orderBy === undefined ? seen : times;
          expect(order).toEqual(newestFirst ? sorted.reverse() : sorted);
        }
      }
      expect(store.page("history", { limit: 51 }).next).toBeUndefined();
      expect(store.keysBelow("history", "$.at", 1, 10)).toEqual(["job-00", "job-07", "job-14", "no-time"]);
      expect(store.keysBelow("history", "$.at", 1, 2)).toEqual(["job-00", "job-07"]);
      for (const before of ["", "x", "[]", '[null,"a"]', "[1,2]"]) {
        expect(() => store.page("history", { limit: 1, before })).toThrow(code("request-invalid"));
      }
      expect(() => store.page("history", { limit: 1, orderBy: "$.a') --" })).toThrow(RangeError);
    }, options);
  });

  it("answers ordered pages from the index", () => {
    const options = { indexes: [{ table: "history", path: "$.outcome.sequence" }] };
    withStore((store) => store.commit([put("a", { outcome: { sequence: 4 } }, "history")]), options);
    const database = new DatabaseSync(file);
    const place = "ifnull(CASE WHEN json_valid(value) THEN json_extract(value, '$.outcome.sequence') END, 0)";
    const plan = database
      .prepare(
        `EXPLAIN QUERY PLAN SELECT key, value FROM history WHERE ${place} <= 9 ORDER BY ${place} DESC, key DESC LIMIT 5`,
      )
      .all();
    database.close();
    expect(JSON.stringify(plan)).toContain("USING INDEX history_outcome_sequence");
    expect(JSON.stringify(plan)).not.toContain("TEMP B-TREE");
  });

  it("keeps many kinds of queries apart", () => {
    withStore((store) => {
      store.commit([put("a", { n: 1 })]);
      for (let n = 0; n < 100; n++) {
        const where = Object.fromEntries([[`$.${"x".repeat(n + 1)}`, 0]]);
        expect(store.page("jobs", { limit: 1, where }).rows).toHaveLength(1);
      }
    });
  });

  it("locks its file against everyone else", async () => {
    const store = openJobStore(file, ["jobs"]);
    try {
      expect(() => openJobStore(file, ["jobs"])).toThrow(code("folder-in-use"));
      const source = `
        import { openJobStore } from ${JSON.stringify(new URL("./job-store.ts", import.meta.url).href)};
        try { openJobStore(process.argv[1], ["jobs"]); } catch (error) { console.log(error.code); }`;
      const child = runChild(source, file);
      const lines = createInterface({ input: child.stdout ?? process.stdin });
      const exited = once(child, "exit");
      expect((await once(lines, "line"))[0]).toBe("folder-in-use");
      await exited;
      store.commit([put("a", 1)]);
    } finally {
      store.close();
      store.close();
    }
    withStore((again) => expect(again.count("jobs")).toBe(1));
  });

  it("says which file is damaged and leaves it as it is", async () => {
    withStore((store) => {
      for (let n = 0; n < 200; n++) store.commit([put(`job-${n}`, { text: "x".repeat(500) })]);
    });
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 8192, 16384);
    await writeFile(file, bytes);
    expect(() => openJobStore(file, ["jobs"])).toThrow(code("database-corrupt"));
    expect(() => openJobStore(file, ["jobs"])).toThrow(file);
    expect(readFileSync(file).subarray(8192, 16384).equals(bytes.subarray(8192, 16384))).toBe(true);
    const text = "a text that is no database, and long enough for a header of one. ".repeat(4);
    await writeFile(file, text);
    expect(() => openJobStore(file, ["jobs"])).toThrow(code("database-corrupt"));
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("says that the disk is full, keeps what it had, and goes on", () => {
    withStore(
      (store) => {
        const long = "x".repeat(3000);
        let committed = 0;
        const fill = () => {
          for (; ; committed++) store.commit([put(`job-${committed}`, long), put(`twin-${committed}`, long)]);
        };
        expect(fill).toThrow(code("disk-full"));
        expect(fill).toThrow(code("disk-full"));
        expect(store.count("jobs")).toBe(committed * 2);
        store.commit(
          Array.from({ length: committed }, (_, n): RowWrite => ({ op: "delete", table: "jobs", key: `job-${n}` })),
        );
        store.commit([put("small", 1)]);
        expect(store.count("jobs")).toBe(committed + 1);
      },
      { maxBytes: 200_000 },
    );
  });

  it("says that the disk failed when the folder cannot be made", async () => {
    await writeFile(join(folder, "plain"), "");
    expect(() => openJobStore(join(folder, "plain", "jobs.db"), ["jobs"])).toThrow(code("disk-failed"));
    expect(() => openJobStore(folder, ["jobs"])).toThrow(code("disk-failed"));
  });

  it.skipIf(process.platform === "win32")("does not go on after a failed write", async () => {
    // A limit on the size of files makes the system refuse a write in the middle.
    const source = `
      import { openJobStore } from ${JSON.stringify(new URL("./job-store.ts", import.meta.url).href)};
      process.on("SIGXFSZ", () => {});
      const store = openJobStore(process.argv[1], ["jobs"]);
      const codes = [];
      for (let n = 0; codes.length < 2; n++) {
        try { store.commit([{ op: "put", table: "jobs", key: "job-" + n, value: "x".repeat(3000) }]); }
        catch (error) { codes.push(error.code); }
      }
      try { store.load("jobs"); } catch (error) { codes.push(error.code); }
      store.close();
      console.log(codes.join());
      process.exit(0);`;
    const command = 'ulimit -f 1024; exec "$0" --import tsx --input-type=module -e "$1" "$2"';
    const child = spawn("/bin/sh", ["-c", command, process.execPath, source, file], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, TSX_DISABLE_CACHE: "1" },
    });
    const lines = createInterface({ input: child.stdout });
    const exited = once(child, "exit");
    expect((await once(lines, "line"))[0]).toBe("disk-failed,disk-failed,disk-failed");
    await exited;
    withStore((store) => expect(store.count("jobs")).toBeGreaterThan(10));
  });

  it("loses no acknowledged row when its process is killed", async () => {
    const source = `
      import { writeSync } from "node:fs";
      import { openJobStore } from ${JSON.stringify(new URL("./job-store.ts", import.meta.url).href)};
      const store = openJobStore(process.argv[1], ["jobs", "history"]);
      for (let n = Number(process.argv[2]); ; n++) {
        store.commit([
          { op: "put", table: "jobs", key: "job-" + n, value: { n, text: "x".repeat(n % 3000) } },
          { op: "put", table: "history", key: "job-" + n, value: n },
        ]);
        writeSync(1, n + "\\n");
      }`;
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 16));
    let acknowledged = -1;
    for (let round = 0; round < 4; round++) {
      const enough = acknowledged + 20 + ((seed * (round + 1)) % 180);
      const child = runChild(source, file, String(acknowledged + 1));
      for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
        acknowledged = Number(line);
        if (acknowledged === enough) child.kill("SIGKILL");
      }
      withStore((store) => {
        const found = new Map(store.load("jobs").map(({ key, value }) => [key, value]));
        for (let n = 0; n <= acknowledged; n++) {
          expect(found.get(`job-${n}`), `TEST_SEED=${seed}`).toEqual({ n, text: "x".repeat(n % 3000) });
        }
        // A commit is whole: the unacknowledged one too.
        expect(store.count("history")).toBe(found.size);
        acknowledged = found.size - 1;
      });
    }
  }, 60_000);
});

describe("file lock", () => {
  it("is held by one only, and ends with its process", async () => {
    const path = join(folder, "ledger.lock");
    const source = `
      import { lockFile } from ${JSON.stringify(new URL("./file-lock.ts", import.meta.url).href)};
      lockFile(process.argv[1]);
      console.log("locked");
      process.stdin.resume();`;
    const child = runChild(source, path);
    await once(createInterface({ input: child.stdout ?? process.stdin }), "line");
    expect(() => lockFile(path)).toThrow(code("folder-in-use"));
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = lockFile(path);
    expect(() => lockFile(path)).toThrow(code("folder-in-use"));
    expect(() => lockFile(path)).toThrow(code("folder-in-use"));
    lock.release();
    lockFile(path).release();
    expect(readFileSync(path)).toHaveLength(0);
    expect(() => lockFile(join(folder, "none", "lock"))).toThrow(code("disk-failed"));
  });
});

describe("SQLite's codes", () => {
  it("are told apart, also the extended ones", () => {
    const of = (errcode: unknown) => sqliteCode(Object.assign(new Error("x"), { errcode }));
    expect(of(5 | (2 << 8))).toBe("busy");
    expect(of(10 | (4 << 8))).toBe("failed");
    expect(of(13)).toBe("full");
    expect(of(19)).toBeUndefined();
    expect(of("13")).toBeUndefined();
    expect(sqliteCode("text")).toBeUndefined();
  });
});
