import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SimulatedDisk } from "../../spool/simulated-disk.ts";
import { HostLedger } from "./host-ledger.ts";
import { blockBytes } from "./ledger-block.ts";
import { type LedgerFile, type OpenedLedger, openLedgerFile } from "./ledger-file.ts";
import type { HorizonRecord, JobRecord, LedgerRecord } from "./ledger-record.ts";

function job(sequence: number, number: number, state: JobRecord["state"] = "intent"): JobRecord {
  return {
    kind: "job",
    sequence,
    jobId: `aaaaaaaa-nonce1-${number}`,
    sha256: "0123456789abcdef".repeat(4),
    state,
    epoch: 1,
    title: "Bon 4711",
    clientName: "Kasse",
    pages: 1,
    heightDots: 800,
    processIds: ["   0", "   1"],
  };
}

function horizon(sequence: number, lowestOpen: number): HorizonRecord {
  return { kind: "horizon", sequence, origin: "aaaaaaaa-nonce1", lowestOpen };
}

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

/** Numbers from 0 to below 1 out of a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let lives = 0;
const makeIncarnation = () => `life${String(lives++).padStart(8, "0")}`;

describe("ledger file on a real disk", () => {
  let folder: string;
  let path: string;
  const open = (slotCount = 16): Promise<OpenedLedger> => openLedgerFile(path, { slotCount, makeIncarnation });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "twinspool-ledger-"));
    path = join(folder, "host", "bar.ledger");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is made in its full size and remembers over restarts", async () => {
    const first = await open();
    expect(first.records).toEqual([]);
    expect(first.replaced).toBeUndefined();
    expect(first.ledger.slotCount).toBe(16);
    expect((await stat(path)).size).toBe(17 * blockBytes);
    await first.ledger.append([]);
    await first.ledger.append([job(0, 1)]);
    await first.ledger.append([job(1, 1, "printed"), job(2, 2)]);
    expect(first.ledger.freeSlots).toBe(15);
    await first.ledger.close();
    await first.ledger.close();
    await expect(first.ledger.append([job(3, 3)])).rejects.toEqual(code("internal"));
    const second = await open();
    expect(second.ledger.incarnation).toBe(first.ledger.incarnation);
    expect(second.records).toEqual([job(1, 1, "printed"), job(2, 2)]);
    expect((await stat(path)).size).toBe(17 * blockBytes);
    await second.ledger.close();
  });

  it("is for one process", async () => {
    const { ledger } = await open();
    await expect(open()).rejects.toEqual(code("folder-in-use"));
    await ledger.append([job(0, 1)]);
    await ledger.close();
    const again = await open();
    expect(again.records).toHaveLength(1);
    await again.ledger.close();
  });

  it("grows when more records are wanted, and never shrinks", async () => {
    const first = await open(4);
    await first.ledger.append([job(0, 1)]);
    await first.ledger.append([job(1, 1, "printed")]);
    await first.ledger.append([job(2, 2)]);
    await first.ledger.append([job(3, 3)]);
    await first.ledger.append([job(4, 4)]);
    await expect(first.ledger.append([job(5, 5)])).rejects.toEqual(code("ledger-full"));
    await first.ledger.close();
    const second = await open(8);
    expect(second.records).toEqual([job(1, 1, "printed"), job(2, 2), job(3, 3), job(4, 4)]);
    expect(second.ledger.incarnation).toBe(first.ledger.incarnation);
    expect(second.ledger.slotCount).toBe(8);
    await second.ledger.append([job(5, 5)]);
    await second.ledger.close();
    const third = await open(4);
    expect(third.ledger.slotCount).toBe(8);
    expect(third.records).toHaveLength(5);
    await third.ledger.close();
  });

  it.each([
    ["the header", () => writeFile(path, "not a ledger")],
    ["the end", () => truncate(path, 16 * blockBytes)],
    ["a block", async () => writeFile(path, (await readFile(path)).fill(0xa5, blockBytes + 100, blockBytes + 200))],
  ])("is put into quarantine when %s is damaged, and begun anew", async (_, damage) => {
    const first = await open();
    await first.ledger.append([job(0, 1)]);
    await first.ledger.append([job(1, 2)]);
    await first.ledger.close();
    await damage();
    const damaged = await readFile(path);
    const second = await open();
    expect(second.records).toEqual([]);
    expect(second.ledger.incarnation).not.toBe(first.ledger.incarnation);
    const quarantine = join(folder, "host", "quarantine");
    const [name = ""] = await readdir(quarantine);
    expect(second.replaced).toContain(join(quarantine, name));
    expect((await readFile(join(quarantine, name))).equals(damaged)).toBe(true);
    await second.ledger.append([job(0, 1)]);
    await second.ledger.close();
    const third = await open();
    expect(third.replaced).toBeUndefined();
    expect(third.records).toHaveLength(1);
    await third.ledger.close();
  });

  it("removes unfinished files of former lives and no others", async () => {
    await (await open()).ledger.close();
    await writeFile(`${path}.abcdefgh.new`, "half");
    await writeFile(join(folder, "host", "other.ledger.abcdefgh.new"), "half");
    await (await open()).ledger.close();
    const names = (await readdir(join(folder, "host"))).sort();
    expect(names).toEqual(["bar.ledger", "bar.ledger.lock", "other.ledger.abcdefgh.new"]);
  });

  it("loses no acknowledged record when its process is killed, and frees its lock", async () => {
    const source = `
      import { writeSync } from "node:fs";
      import { openLedgerFile } from ${JSON.stringify(new URL("./ledger-file.ts", import.meta.url).href)};
      const { ledger, records } = await openLedgerFile(process.argv[1], {
        slotCount: 16, makeIncarnation: () => "k3x9q2m7w1z8" });
      const template = ${JSON.stringify(job(0, 1))};
      for (let sequence = (records.at(-1)?.sequence ?? -1) + 1; ; sequence++) {
        const number = 1 + Math.floor(sequence / 3);
        await ledger.append([sequence % 3 === 2
          ? { kind: "horizon", sequence, origin: "aaaaaaaa-nonce1", lowestOpen: number }
          : { ...template, sequence, jobId: "aaaaaaaa-nonce1-" + number, state: sequence % 3 ? "printed" : "intent" }]);
        writeSync(1, sequence + "\\n");
      }`;
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 16));
    const incarnations = new Set<string>();
    let acknowledged = -1;
    for (let round = 0; round < 4; round++) {
      const enough = acknowledged + 20 + ((seed * (round + 1)) % 90);
      const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source, path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "exit");
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged = Number(line);
        if (acknowledged === enough) child.kill("SIGKILL");
      }
      await exited;
      const { ledger, records, replaced } = await open();
      expect(replaced, `TEST_SEED=${seed}`).toBeUndefined();
      incarnations.add(ledger.incarnation);
      const last = records.at(-1)?.sequence ?? -1;
      expect([acknowledged, acknowledged + 1], `TEST_SEED=${seed}`).toContain(last);
      const number = 1 + Math.floor(last / 3);
      const states = records.map((record) => (record.kind === "job" ? record.state : `horizon ${record.lowestOpen}`));
      // Each cycle is INTENT n, PRINTED n, horizon n; the horizon keeps job n itself.
      const before = number > 1 ? [`horizon ${number - 1}`] : [];
      const kept = number > 1 ? ["printed", ...before] : [];
      expect(states).toEqual(
        [
          [...kept, "intent"],
          [...kept, "printed"],
          ["printed", `horizon ${number}`],
        ][last % 3],
      );
      acknowledged = last;
      await ledger.close();
    }
    expect([...incarnations]).toEqual(["k3x9q2m7w1z8"]);
  }, 60_000);
});

describe("ledger file on a disk that fails", () => {
  const path = "/data/bar.ledger";

  function openOn(disk: SimulatedDisk, slotCount = 8): Promise<OpenedLedger> {
    return openLedgerFile(path, { slotCount, makeIncarnation, fileSystem: disk, lock: () => ({ release() {} }) });
  }

  async function crowded(disk: SimulatedDisk): Promise<LedgerFile> {
    const { ledger } = await openOn(disk);
    for (let sequence = 0; sequence < 20; sequence++) {
      const number = 1 + Math.floor(sequence / 2);
      await ledger.append([sequence % 2 === 1 ? horizon(sequence, number) : job(sequence, number)]);
    }
    return ledger;
  }

  it("shares blocks between appends that wait, and answers them in order", async () => {
    const disk = new SimulatedDisk();
    const { ledger } = await openOn(disk, 64);
    const before = disk.operations;
    const answered: number[] = [];
    const appends = Array.from({ length: 30 }, (_, n) => ledger.append([job(n, n + 1)]).then(() => answered.push(n)));
    await appends[0];
    // The first block is durable; what comes now is written after what waits.
    expect(disk.operations - before).toBeLessThan(8);
    await Promise.all([...appends, ledger.append([job(30, 31)])]);
    expect(answered).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect(disk.operations - before).toBeLessThan(14);
    const closing = ledger.append([job(31, 32)]);
    await ledger.close();
    await closing;
    expect((await openOn(disk, 64)).records).toHaveLength(32);
  });

  it.each([
    ["ENOSPC", 0, "disk-full"],
    ["EIO", 0, "disk-failed"],
    ["EIO", 1, "disk-failed"],
    ["ENOSPC", 1, "disk-failed"],
  ])("accepts nothing more after %s in operation %d of a write", async (systemCode, failing, expected) => {
    const disk = new SimulatedDisk();
    const ledger = await crowded(disk);
    disk.failAfter(failing, systemCode);
    const both = await Promise.allSettled([ledger.append([job(20, 11)]), ledger.append([job(21, 12)])]);
    expect(both.map((result) => result.status === "rejected" && result.reason)).toEqual([
      code(expected),
      code(expected),
    ]);
    await expect(ledger.append([job(22, 13)])).rejects.toEqual(code(expected));
    await ledger.close();
    const again = await openOn(disk);
    expect(again.replaced).toBeUndefined();
    expect(again.records.filter((record) => record.sequence < 20).map((record) => record.sequence)).toEqual([18, 19]);
  });

  it("rejects only what found no slot", async () => {
    const disk = new SimulatedDisk();
    const { ledger } = await openOn(disk, 1);
    const many = Array.from({ length: 30 }, (_, n) => ledger.append([job(n, n + 1)]));
    const results = await Promise.allSettled(many);
    expect(results[0]?.status).toBe("fulfilled");
    expect(results.at(-1)).toMatchObject({ status: "rejected", reason: { code: "ledger-full" } });
    const fulfilled = results.filter(({ status }) => status === "fulfilled").length;
    expect((await openOn(disk, 1)).records).toHaveLength(fulfilled);
  });

  it("cannot be opened while any operation fails, and is whole afterwards", async () => {
    const prepare = async (kind: "none" | "small" | "damaged"): Promise<SimulatedDisk> => {
      const disk = new SimulatedDisk();
      if (kind === "none") return disk;
      await (await crowded(disk)).close();
      if (kind === "damaged") disk.poke(path, 2 * blockBytes, new Uint8Array(5000).fill(7));
      return disk;
    };
    for (const kind of ["none", "small", "damaged"] as const) {
      const counted = await prepare(kind);
      const before = counted.operations;
      await openOn(counted, 16);
      const operations = counted.operations - before;
      for (let failing = 0; failing < operations; failing++) {
        const disk = await prepare(kind);
        disk.failAfter(failing, "ENOSPC");
        await expect(openOn(disk, 16), `${kind}, operation ${failing}`).rejects.toEqual(code("disk-full"));
        const { ledger, records } = await openOn(disk, 16);
        expect(records.map((record) => record.sequence)).toEqual(kind === "small" ? [18, 19] : []);
        expect(ledger.slotCount).toBe(16);
        expect(disk.paths().filter((name) => name.endsWith(".new"))).toEqual([]);
        if (kind === "damaged") expect(disk.paths().join()).toContain("quarantine/bar.ledger-");
      }
    }
  });

  it("takes a block that cannot be read for a bad one, and not for the end of the ledger", async () => {
    const disk = new SimulatedDisk();
    const { ledger } = await openOn(disk);
    await ledger.append([job(0, 1)]);
    await ledger.append([job(1, 2)]);
    await ledger.close();
    const counted = disk.operations;
    await (await openOn(disk)).ledger.close();
    const openingReads = 4;
    expect(disk.operations - counted).toBeGreaterThan(openingReads);

    /** Opens while these blocks answer with an error; the header is block 0. */
    const openWithout = (bad: readonly number[], systemCode = "EIO") => {
      const reading = Object.create(disk) as SimulatedDisk;
      reading.open = async (name, mode) => {
        const file = await disk.open(name, mode);
        return {
          ...file,
          read: async (buffer, position) => {
            const from = position / blockBytes;
            const to = (position + buffer.length) / blockBytes;
            if (bad.some((block) => block >= from && block < to)) {
              throw Object.assign(new Error(systemCode), { code: systemCode });
            }
            return file.read(buffer, position);
          },
        };
      };
      for (const name of ["list", "size", "rename", "unlink", "makeFolder", "syncFolder"] as const) {
        Object.assign(reading, { [name]: disk[name].bind(disk) });
      }
      return openOn(reading);
    };
    // Slot 2 is where the next write goes.
    const torn = await openWithout([3]);
    expect(torn.replaced).toBeUndefined();
    expect(torn.records).toHaveLength(2);
    await expect(openWithout([1], "EACCES")).rejects.toEqual(code("disk-failed"));
    expect((await openWithout([1])).replaced).toMatch(/slot 0/);
  });

  it("has after a power cut at any moment every acknowledged record, in the same incarnation", async () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    const random = randomOf(seed);
    const appended: LedgerRecord[] = [
      job(20, 11),
      job(21, 11, "printed"),
      horizon(22, 11),
      job(23, 12),
      job(24, 12, "indeterminate"),
    ];
    for (let cut = 0; cut <= appended.length * 2; cut++) {
      for (let round = 0; round < 20; round++) {
        const about = `TEST_SEED=${seed}, cut before operation ${cut}`;
        const disk = new SimulatedDisk();
        const ledger = await crowded(disk);
        disk.failAfter(cut, "CRASH");
        let acknowledged = 19;
        for (const record of appended) {
          await ledger.append([record]).then(
            () => (acknowledged = record.sequence),
            () => undefined,
          );
        }
        const again = await openOn(disk.afterPowerCut(random));
        expect(again.replaced, about).toBeUndefined();
        expect(again.ledger.incarnation).toBe(ledger.incarnation);
        const last = again.records.at(-1)?.sequence ?? -1;
        expect([acknowledged, acknowledged + 1], about).toContain(last);
        const known = again.records.map((record) => (record.kind === "job" ? record.state : "horizon"));
        const expected: Record<number, string[]> = {
          19: ["intent", "horizon"],
          20: ["intent", "horizon", "intent"],
          21: ["intent", "horizon", "printed"],
          22: ["printed", "horizon"],
          23: ["printed", "horizon", "intent"],
          24: ["printed", "horizon", "indeterminate"],
        };
        expect(known, about).toEqual(expected[last]);
      }
    }
  });

  it("is made whole or not at all when power is cut", async () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    const random = randomOf(seed);
    const counted = new SimulatedDisk();
    await openOn(counted);
    for (let cut = 0; cut <= counted.operations; cut++) {
      for (let round = 0; round < 20; round++) {
        const disk = new SimulatedDisk();
        disk.failAfter(cut, "CRASH");
        const made = await openOn(disk).catch(() => undefined);
        const again = await openOn(disk.afterPowerCut(random));
        expect(again.replaced, `TEST_SEED=${seed}, cut before operation ${cut}`).toBeUndefined();
        if (made !== undefined) expect(again.ledger.incarnation).toBe(made.ledger.incarnation);
      }
    }
  });
});

describe("the ring and the host's own account", () => {
  it("has room for whatever the account lets in", async () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    const random = randomOf(seed);
    const pick = (count: number): number => Math.floor(random() * count);
    const slotCount = 16;
    const disk = new SimulatedDisk();
    const options = { slotCount, makeIncarnation, fileSystem: disk, lock: () => ({ release() {} }) };
    let { ledger, records } = await openLedgerFile("/data/x.ledger", options);
    let account = new HostLedger(slotCount, records);
    const nextNumber = [1, 1, 1];
    let refused = 0;
    for (let step = 0; step < 2000; step++) {
      const client = pick(3);
      const origin = `client0${client}-nonce1`;
      const choice = pick(4);
      const open = account.intents();
      const finished = open[pick(open.length)];
      if (choice === 0 && finished !== undefined) {
        const record: JobRecord = { ...finished, sequence: account.takeSequence(), state: "printed" };
        account.put(record);
        await ledger.append([record]);
      } else if (choice === 1) {
        const lowest = Math.max(1, (nextNumber[client] ?? 1) - pick(3));
        account.learnLowestOpen(origin, lowest);
      } else if (choice === 2 && open.length < 3) {
        const { room, horizons } = account.makeRoom();
        if (horizons.length > 0) await ledger.append(horizons);
        if (!room) {
          refused++;
          continue;
        }
        const number = nextNumber[client] ?? 1;
        nextNumber[client] = number + 1;
        const record: JobRecord = { ...job(account.takeSequence(), 1), jobId: `${origin}-${number}` };
        account.put(record);
        await ledger.append([record]);
      } else if (pick(20) === 0) {
        await ledger.close();
        ({ ledger, records } = await openLedgerFile("/data/x.ledger", options));
        account = new HostLedger(slotCount, records);
      }
    }
    expect(refused, `TEST_SEED=${seed}`).toBeGreaterThan(0);
    expect(
      nextNumber.reduce((sum, number) => sum + number),
      `TEST_SEED=${seed}`,
    ).toBeGreaterThan(100);
    await ledger.close();
  });
});
