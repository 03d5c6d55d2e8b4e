import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../protocol/limits.ts";
import {
  blockBytes,
  crc32,
  decodeBlock,
  decodeHeader,
  encodeBlock,
  encodeHeader,
  packRecords,
  undoBitFlip,
} from "./ledger-block.ts";
import type { HorizonRecord, JobRecord, LedgerRecord } from "./ledger-record.ts";
import { LedgerRing, type LedgerScan } from "./ledger-ring.ts";

const givenSeed = process.env["TEST_SEED"];
if (givenSeed !== undefined) fc.configureGlobal({ seed: Number(givenSeed) });

const incarnation = "k3x9q2m7w1z8";
const origins = ["aaaaaaaa-nonce1", "bbbbbbbb-nonce2"];

function job(sequence: number, number: number, state: JobRecord["state"] = "intent", origin = origins[0]): JobRecord {
  return {
    kind: "job",
    sequence,
    jobId: `${origin}-${number}`,
    sha256: "0123456789abcdef".repeat(4),
    state,
    epoch: 1,
    title: "Bon 4711",
    clientName: "Kasse",
    pages: 1,
    heightDots: 800,
    processIds: ['"\\  ', "  !!"],
  };
}

function horizon(sequence: number, lowestOpen: number, origin = origins[0] ?? ""): HorizonRecord {
  return { kind: "horizon", sequence, origin, lowestOpen };
}

/** A ledger in memory: what is on the disk. */
class Disk {
  readonly header: Uint8Array;
  readonly slots: Uint8Array[];

  constructor(slotCount: number) {
    this.header = LedgerRing.format(incarnation, slotCount);
    this.slots = Array.from({ length: slotCount }, () => new Uint8Array(blockBytes));
  }

  scan(): LedgerScan {
    return LedgerRing.scan(this.header, (slot) => this.slots[slot] ?? new Uint8Array());
  }

  whole(): Exclude<LedgerScan, { damage: string }> {
    const scan = this.scan();
    if ("damage" in scan) throw new Error(scan.damage);
    return scan;
  }

  append(ring: LedgerRing, records: readonly LedgerRecord[]): number[] {
    const slots: number[] = [];
    for (let rest = records; rest.length > 0; ) {
      const placement = ring.place(rest);
      this.slots[placement.slot] = placement.bytes;
      slots.push(placement.slot);
      rest = rest.slice(placement.records.length);
    }
    return slots;
  }

  flip(slot: number, bit: number): void {
    const bytes = (this.slots[slot] ?? new Uint8Array()).slice();
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    this.slots[slot] = bytes;
  }
}

/** What a ledger must remember, worked out afresh from all that was ever written. */
function expected(history: readonly LedgerRecord[]): LedgerRecord[] {
  const newest = history.at(-1);
  return history.filter((record) => {
    if (record === newest) return true;
    if (record.kind === "horizon") {
      const rivals = history.filter((other): other is HorizonRecord => other.kind === "horizon");
      const best = rivals
        .filter((other) => other.origin === record.origin)
        .sort((a, b) => b.lowestOpen - a.lowestOpen || a.sequence - b.sequence)[0];
      return best === record;
    }
    const behind = history.some(
      (other) =>
        other.kind === "horizon" &&
        record.jobId.startsWith(`${other.origin}-`) &&
        Number(record.jobId.split("-")[2]) < other.lowestOpen,
    );
    const replaced = history.some(
      (other) => other.kind === "job" && other.jobId === record.jobId && other.sequence > record.sequence,
    );
    return !behind && !replaced;
  });
}

describe("block", () => {
  const place = { incarnation, slot: 3 };

  it("counts CRC-32 like everyone (check value of the catalogue)", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf4_3926);
    expect(crc32(new TextEncoder().encode("6789"), crc32(new TextEncoder().encode("12345")))).toBe(0xcbf4_3926);
  });

  it("keeps every record that the schema allows", () => {
    const text = (maxLength: number) => fc.string({ unit: "binary", maxLength }).map((s) => s.slice(0, maxLength));
    fc.assert(
      fc.property(text(limits.titleChars), text(limits.nameChars), text(120), (title, clientName, reason) => {
        const record: JobRecord = { ...job(5, 1), title, clientName, reason };
        const bytes = encodeBlock(place, packRecords([record]), 9);
        const block = { sequence: 5, nextSlot: 9, records: [record] };
        expect(decodeBlock(place, bytes)).toEqual({ kind: "block", block });
      }),
    );
  });

  it("shortens only a reason that is all escapes, to what fits", () => {
    const title = "\u0001".repeat(limits.titleChars);
    const record: JobRecord = {
      ...job(Number.MAX_SAFE_INTEGER, 9_999_999_999),
      title,
      clientName: "\ud800".repeat(limits.nameChars),
      reason: "\u001b".repeat(limits.reasonChars),
    };
    const { records } = packRecords([record]);
    const kept = records[0];
    expect(kept).toMatchObject({ title, sequence: Number.MAX_SAFE_INTEGER });
    expect(kept?.kind === "job" && kept.reason?.length).toBeGreaterThan(300);
    const japanese: JobRecord = { ...job(1, 1), reason: "紙".repeat(limits.reasonChars) };
    expect(packRecords([japanese]).records).toEqual([japanese]);
  });

  it("refuses what can be no record of the protocol", () => {
    expect(() => packRecords([{ ...job(1, 1), title: "x".repeat(9000) }])).toThrow(/bytes too many/);
    expect(() => encodeBlock(place, packRecords([]), 0)).toThrow(RangeError);
    expect(() => encodeHeader({ incarnation: "short", slotCount: 4 })).toThrow(RangeError);
    expect(() => encodeHeader({ incarnation, slotCount: 0 })).toThrow(RangeError);
  });

  it("is bad in another slot, in another ledger, and when cut off", () => {
    const bytes = encodeBlock(place, packRecords([job(1, 1)]), undefined);
    expect(decodeBlock({ ...place, slot: 4 }, bytes).kind).toBe("bad");
    expect(decodeBlock({ ...place, incarnation: "k3x9q2m7w1z9" }, bytes).kind).toBe("bad");
    expect(decodeBlock(place, bytes.subarray(0, 512)).kind).toBe("bad");
  });

  /** A block with a right checksum around any payload. */
  function sealed(payload: string, sequence: number, length = payload.length): Uint8Array {
    const bytes = encodeBlock(place, packRecords([job(1, 1)]), undefined);
    const view = new DataView(bytes.buffer);
    bytes.fill(0, 24, blockBytes - 4);
    view.setBigUint64(8, BigInt(sequence));
    view.setUint16(20, length);
    bytes.set(new TextEncoder().encode(payload), 24);
    const seed = crc32(new TextEncoder().encode(`${incarnation}/3`));
    view.setUint32(4, crc32(bytes.subarray(8, blockBytes - 4), seed));
    return bytes;
  }

  it.each([
    ["no JSON", sealed("[{", 1), "it is not JSON"],
    ["no records", sealed('[{"kind":"job"}]', 1), "it holds no ledger records"],
    ["an empty list", sealed("[]", 1), "it holds no ledger records"],
    ["another number", sealed(JSON.stringify([horizon(1, 2)]), 2), "its sequence number is not that of its record"],
    ["a length beyond the block", sealed("[]", 1, 5000), "its length is impossible"],
  ])("says why it does not understand a whole block: %s", (_, bytes, reason) => {
    expect(decodeBlock(place, bytes)).toEqual({ kind: "strange", reason });
  });

  it("undoes the flip of any one bit, and of no two", () => {
    const records = [job(7, 1)];
    const bytes = encodeBlock(place, packRecords(records), undefined);
    const block = { sequence: 7, nextSlot: undefined, records };
    const bitArbitrary = fc.integer({ min: 0, max: blockBytes * 8 - 1 });
    const flipped = (...bits: number[]) => {
      const copy = bytes.slice();
      for (const bit of bits) copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return copy;
    };
    fc.assert(
      fc.property(bitArbitrary, (bit) => {
        expect(undoBitFlip(place, flipped(bit))).toEqual(block);
      }),
      { numRuns: 60 },
    );
    for (let bit = 0; bit < 64; bit++) expect(undoBitFlip(place, flipped(bit))).toEqual(block);
    fc.assert(
      fc.property(bitArbitrary, bitArbitrary, (a, b) => {
        if (a !== b) expect(undoBitFlip(place, flipped(a, b))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
    expect(undoBitFlip(place, flipped(0, 9 * 8))).toBeUndefined();
    const odd = sealed('[{"kind":"job"}]', 1);
    odd[30] = (odd[30] ?? 0) ^ 1;
    new DataView(odd.buffer).setUint32(blockBytes - 4, new DataView(odd.buffer).getUint32(4));
    expect(undoBitFlip(place, odd)).toBeUndefined();
  });
});

describe("header", () => {
  it("comes back as it was, and says what is wrong with it", () => {
    const bytes = encodeHeader({ incarnation, slotCount: 1024 });
    expect(decodeHeader(bytes)).toEqual({ incarnation, slotCount: 1024 });
    const changed = (at: number, fix: boolean) => {
      const copy = bytes.slice();
      copy[at] = (copy[at] ?? 0) + 1;
      if (fix) new DataView(copy.buffer).setUint32(4, crc32(copy.subarray(8)));
      return decodeHeader(copy);
    };
    expect(changed(0, false)).toMatch(/begin like a ledger/);
    expect(changed(20, false)).toMatch(/checksum/);
    expect(changed(11, true)).toMatch(/version 2/);
    expect(changed(13, true)).toMatch(/impossible/);
    expect(decodeHeader(bytes.subarray(0, 100))).toMatch(/cut off/);
    expect(new Disk(4).scan()).toHaveProperty("ring");
    expect(LedgerRing.scan(bytes.subarray(1), () => bytes)).toHaveProperty("damage");
  });
});

describe("ring", () => {
  it("writes round the ring and skips what is live", () => {
    const disk = new Disk(4);
    const { ring, records } = disk.whole();
    expect(records).toEqual([]);
    expect(ring.freeSlots).toBe(4);
    expect(disk.append(ring, [job(0, 1)])).toEqual([0]);
    expect(disk.append(ring, [job(1, 1, "printed")])).toEqual([1]);
    expect(disk.append(ring, [job(2, 2)])).toEqual([2]);
    expect(disk.append(ring, [job(3, 2, "printed")])).toEqual([3]);
    expect(ring.freeSlots).toBe(2);
    expect(disk.append(ring, [job(4, 3)])).toEqual([0]);
    expect(disk.append(ring, [job(5, 3, "canceled")])).toEqual([2]);
    expect(disk.append(ring, [job(6, 4)])).toEqual([0]);
    expect(ring.freeSlots).toBe(0);
    expect(() => ring.place([job(7, 5)])).toThrow(expect.objectContaining({ code: "ledger-full" }));
    expect(ring.lastSequence).toBe(6);
    expect(disk.whole().records.map((record) => record.sequence)).toEqual([1, 3, 5, 6]);
  });

  it("forgets what is behind a horizon, and never writes over the newest record", () => {
    const disk = new Disk(3);
    const { ring } = disk.whole();
    disk.append(ring, [job(0, 1, "printed")]);
    disk.append(ring, [horizon(1, 5)]);
    expect(ring.freeSlots).toBe(2);
    // Dead as soon as it is written, and still the newest: its place tells where the next write goes.
    expect(disk.append(ring, [job(2, 2, "printed")])).toEqual([2]);
    expect(ring.freeSlots).toBe(1);
    expect(disk.append(ring, [horizon(3, 4)])).toEqual([0]);
    expect(disk.append(ring, [job(4, 9, "intent", origins[1])])).toEqual([2]);
    expect(disk.whole().records.map((record) => record.sequence)).toEqual([1, 4]);
    expect(disk.append(ring, [horizon(5, 6)])).toEqual([0]);
    expect(disk.whole().records.map((record) => record.sequence)).toEqual([4, 5]);
  });

  it("packs records that are written together into one block", () => {
    const disk = new Disk(8);
    const { ring } = disk.whole();
    const records = Array.from({ length: 30 }, (_, index) => job(index, index + 1));
    expect(disk.append(ring, records).length).toBeLessThan(6);
    expect(disk.whole().records).toEqual(records);
  });

  it("takes no record out of order", () => {
    const disk = new Disk(4);
    const { ring } = disk.whole();
    ring.place([job(5, 1)]);
    const internal = expect.objectContaining({ code: "internal" });
    expect(() => ring.place([job(5, 2)])).toThrow(internal);
    expect(() => ring.place([job(7, 2), job(6, 3)])).toThrow(internal);
  });

  it("takes a torn block for never written only where the next write goes", () => {
    const disk = new Disk(4);
    const { ring } = disk.whole();
    disk.append(ring, [job(0, 1)]);
    disk.append(ring, [job(1, 2)]);
    const garbage = new Uint8Array(blockBytes).fill(0xa5);
    disk.slots[2] = garbage;
    expect(disk.whole()).toMatchObject({ records: [{ sequence: 0 }, { sequence: 1 }] });
    disk.slots[3] = garbage;
    expect(disk.scan()).toEqual({ damage: "the checksum of slot 3 is wrong" });
    disk.slots[2] = new Uint8Array(blockBytes);
    expect(disk.scan()).toEqual({ damage: "the checksum of slot 3 is wrong" });
  });

  it("misses a live block that is gone, or rotten beside the next write", () => {
    const disk = new Disk(8);
    const { ring } = disk.whole();
    disk.append(ring, [horizon(0, 9)]);
    for (let sequence = 1; sequence < 8; sequence++) disk.append(ring, [job(sequence, 9, "printed")]);
    // The horizon in slot 0 stays, so that the block after slot 7 goes to slot 1.
    disk.slots[0] = new Uint8Array(blockBytes);
    expect(disk.scan()).toEqual({ damage: "a block that was written is missing" });
    disk.slots[0] = new Uint8Array(blockBytes).fill(0xa5);
    expect(disk.scan()).toEqual({ damage: "the checksum of slot 0 is wrong" });
  });

  it("takes neither a repeated number nor a strange block", () => {
    const disk = new Disk(4);
    const { ring } = disk.whole();
    disk.append(ring, [job(0, 1)]);
    disk.slots[2] = encodeBlock({ incarnation, slot: 2 }, packRecords([job(0, 1)]), 3);
    expect(disk.scan()).toEqual({ damage: expect.stringMatching(/repeats/) });
    disk.slots[2] = encodeBlock({ incarnation, slot: 2 }, packRecords([{ ...job(1, 1), epoch: -1 }]), 3);
    expect(disk.scan()).toEqual({ damage: expect.stringMatching(/slot 2 cannot be understood/) });
  });

  it("is not troubled by a flipped bit in an old block where the next write goes", () => {
    const disk = new Disk(2);
    const { ring } = disk.whole();
    disk.append(ring, [job(0, 1)]);
    disk.append(ring, [job(1, 1, "printed")]);
    disk.flip(0, 300);
    expect(disk.whole()).toMatchObject({ records: [{ sequence: 1 }] });
  });
});

// ---- random histories

/** One append: which job of which client, or a horizon; ring permitting. */
const stepArbitrary = fc.record({
  origin: fc.constantFrom(...origins),
  number: fc.integer({ min: 1, max: 12 }),
  kind: fc.constantFrom("intent", "printed", "canceled", "horizon") as fc.Arbitrary<JobRecord["state"] | "horizon">,
  together: fc.integer({ min: 1, max: 4 }),
  reason: fc.string({ unit: "grapheme", maxLength: 200 }),
  long: fc.boolean(),
});
type Step = Parameters<Parameters<typeof stepArbitrary.map>[0]>[0];

function recordsOf(step: Step, from: number): LedgerRecord[] {
  return Array.from({ length: step.together }, (_, index): LedgerRecord => {
    const sequence = from + index;
    if (step.kind === "horizon") return horizon(sequence, step.number + index, step.origin);
    const reason = (step.long ? `${step.reason}紙`.repeat(500) : step.reason).slice(0, limits.reasonChars);
    return { ...job(sequence, step.number + index, step.kind, step.origin), reason };
  });
}

/** Plays a history; returns what was acknowledged. What finds no room is left out. */
function play(disk: Disk, steps: readonly Step[]): { ring: LedgerRing; history: LedgerRecord[] } {
  const { ring } = disk.whole();
  const history: LedgerRecord[] = [];
  for (const step of steps) {
    for (let rest = recordsOf(step, ring.lastSequence + 1); rest.length > 0 && ring.freeSlots > 0; ) {
      const placement = ring.place(rest);
      disk.slots[placement.slot] = placement.bytes;
      history.push(...placement.records);
      rest = rest.slice(placement.records.length);
    }
  }
  return { ring, history };
}

const slotsArbitrary = fc.integer({ min: 1, max: 10 });
const stepsArbitrary = fc.array(stepArbitrary, { maxLength: 30 });

describe("random histories", () => {
  it("come back exactly, and go on at the same place", () => {
    fc.assert(
      fc.property(slotsArbitrary, stepsArbitrary, (slotCount, steps) => {
        const disk = new Disk(slotCount);
        const { ring, history } = play(disk, steps);
        const again = disk.whole();
        expect(again.records).toEqual(expected(history));
        expect(again.ring.lastSequence).toBe(ring.lastSequence);
        expect(again.ring.freeSlots).toBe(ring.freeSlots);
        if (ring.freeSlots === 0) return;
        const next = [job(ring.lastSequence + 1, 1)];
        expect(again.ring.place(next)).toEqual(ring.place(next));
      }),
      { numRuns: 150 },
    );
  });

  it("survive a power cut in any write: what was acknowledged is there, the last one whole or not at all", () => {
    const tear = fc.oneof(
      fc.record({ kind: fc.constant("prefix" as const), bytes: fc.integer({ min: 0, max: blockBytes }) }),
      fc.record({ kind: fc.constant("sectors" as const), mask: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ kind: fc.constant("garbage" as const), bytes: fc.uint8Array({ minLength: 64, maxLength: 64 }) }),
    );
    fc.assert(
      fc.property(slotsArbitrary, stepsArbitrary, stepArbitrary, tear, (slotCount, steps, step, how) => {
        const disk = new Disk(slotCount);
        const { ring, history } = play(disk, steps);
        if (ring.freeSlots === 0) return;
        const placement = ring.place(recordsOf(step, ring.lastSequence + 1));
        const torn = (disk.slots[placement.slot] ?? new Uint8Array()).slice();
        for (let at = 0; at < blockBytes; at++) {
          const fresh =
            how.kind === "prefix"
              ? at < how.bytes
              : how.kind === "sectors"
                ? ((how.mask >> Math.floor(at / 512)) & 1) === 1
                : undefined;
          if (fresh === true) torn[at] = placement.bytes[at] ?? 0;
          if (fresh === undefined && how.kind === "garbage") torn[at] = how.bytes[at % 64] ?? 0;
        }
        disk.slots[placement.slot] = torn;
        const scan = disk.whole();
        const accepted = [expected(history), expected([...history, ...placement.records])];
        expect(accepted).toContainEqual(scan.records);
        // Life goes on after it.
        if (scan.ring.freeSlots === 0) return;
        disk.append(scan.ring, [horizon(scan.ring.lastSequence + 1, 1, "cccccccc-nonce3")]);
        disk.whole();
      }),
      { numRuns: 400 },
    );
  });

  it("never take a flipped bit for another content", () => {
    fc.assert(
      fc.property(slotsArbitrary, stepsArbitrary, fc.nat(), fc.nat(), (slotCount, steps, slotSeed, bitSeed) => {
        const disk = new Disk(slotCount);
        play(disk, steps);
        const { records } = disk.whole();
        const used = disk.slots.flatMap((bytes, slot) => {
          const content = decodeBlock({ incarnation, slot }, bytes);
          return content.kind === "block" ? [{ slot, sequences: content.block.records.map((r) => r.sequence) }] : [];
        });
        const live = used.filter(({ sequences }) => records.some((record) => sequences.includes(record.sequence)));
        const target = live[slotSeed % Math.max(1, live.length)];
        if (target === undefined) return;
        // All but the second copy of the checksum, which says nothing of the content.
        disk.flip(target.slot, bitSeed % ((blockBytes - 4) * 8));
        expect(disk.scan()).toHaveProperty("damage");
      }),
      { numRuns: 400 },
    );
  });
});
