import { TwinspoolError } from "../../protocol/errors.ts";
import { type JobId, originKey, parseJobId } from "../../protocol/ids.ts";
import {
  type BlockPlace,
  decodeBlock,
  decodeHeader,
  encodeBlock,
  encodeHeader,
  type LedgerBlock,
  packRecords,
  undoBitFlip,
} from "./ledger-block.ts";
import type { LedgerRecord } from "./ledger-record.ts";

/** The next block to write. */
export interface Placement {
  readonly slot: number;
  readonly bytes: Uint8Array;
  /** The first of the records handed in; the others need another block. */
  readonly records: readonly LedgerRecord[];
}

export type LedgerScan =
  | {
      readonly ring: LedgerRing;
      /** The live ones, oldest first, and the newest of all, so that its sequence number is never given again. */
      readonly records: readonly LedgerRecord[];
    }
  /** Why nothing of this ledger can be trusted, in words. */
  | { readonly damage: string };

interface Placed {
  readonly slot: number;
  readonly sequence: number;
}

/**
 * The host's ledger on the disk: a header block and a ring of slots of one block each (reliability: a write that power
 * loss tears must never touch a record that is still needed). A block goes to the first free slot after the block
 * written last. Slots with a live record are never free: the newest of each job that is not behind its origin's
 * horizon, and the highest horizon of each origin. Nor is the slot written last: it names the slot of the block after
 * it, so that a block torn there by power loss can be told from a damaged one anywhere else. What cannot be told from a
 * torn block is the newest one when more than a bit of it rots.
 */
export class LedgerRing {
  readonly incarnation: string;
  readonly slotCount: number;
  readonly #jobs = new Map<JobId, Placed>();
  readonly #horizons = new Map<string, Placed & { readonly lowestOpen: number }>();
  /** How many live records each slot has; those without are not in it. */
  readonly #live = new Map<number, number>();
  #lastSlot = -1;
  #lastSequence = -1;

  private constructor(incarnation: string, slotCount: number) {
    this.incarnation = incarnation;
    this.slotCount = slotCount;
  }

  /** The header of a new ledger; its slots are all zeros. */
  static format(incarnation: string, slotCount: number): Uint8Array {
    return encodeHeader({ incarnation, slotCount });
  }

  /** Reads a whole ledger. */
  static scan(header: Uint8Array, readSlot: (slot: number) => Uint8Array): LedgerScan {
    const decoded = decodeHeader(header);
    if (typeof decoded === "string") return { damage: decoded };
    const ring = new LedgerRing(decoded.incarnation, decoded.slotCount);
    const blocks: { readonly slot: number; readonly block: LedgerBlock }[] = [];
    const bad: number[] = [];
    for (let slot = 0; slot < ring.slotCount; slot++) {
      const content = decodeBlock(ring.#place(slot), readSlot(slot));
      if (content.kind === "strange") return { damage: `slot ${slot} cannot be understood: ${content.reason}` };
      if (content.kind === "block") blocks.push({ slot, block: content.block });
      if (content.kind === "bad") bad.push(slot);
    }
    blocks.sort((a, b) => a.block.sequence - b.block.sequence);
    for (const { slot, block } of blocks) {
      if (!ring.#follows(block.records)) return { damage: `slot ${slot} repeats a sequence number` };
      ring.#admit(slot, block.records);
    }
    const newest = blocks.at(-1);
    const next = newest === undefined ? 0 : newest.block.nextSlot;
    for (const slot of bad) {
      if (slot !== next) return { damage: `the checksum of slot ${slot} is wrong` };
      if (ring.#wasWhole(slot, readSlot(slot))) return { damage: `one bit of slot ${slot} has changed` };
    }
    if (next !== ring.#nextSlot()) return { damage: "a block that was written is missing" };
    const records = blocks.flatMap(({ block }) => block.records).filter((record) => ring.#isKept(record));
    return { ring, records };
  }

  /** Slots that the next blocks can go to. */
  get freeSlots(): number {
    const pinned = this.#lastSlot >= 0 && !this.#live.has(this.#lastSlot) ? 1 : 0;
    return this.slotCount - this.#live.size - pinned;
  }

  /** Sequence number of the newest record, -1 when there is none. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /**
   * Gives the next block its place, with as many of these records as fit. Sequence numbers must rise. The ring counts
   * them from now on: the block has to be durable before the next one is placed, and when it cannot be written, this
   * ring is of no more use. Throws `ledger-full`, having changed nothing, when no slot is free.
   */
  place(records: readonly LedgerRecord[]): Placement {
    if (!this.#follows(records)) throw new TwinspoolError("internal", "ledger records out of order");
    const slot = this.#nextSlot();
    if (slot === undefined) throw new TwinspoolError("ledger-full", `${this.slotCount} records`);
    const packed = packRecords(records);
    this.#admit(slot, packed.records);
    return { slot, records: packed.records, bytes: encodeBlock(this.#place(slot), packed, this.#nextSlot()) };
  }

  #place(slot: number): BlockPlace {
    return { incarnation: this.incarnation, slot };
  }

  #follows(records: readonly LedgerRecord[]): boolean {
    let last = this.#lastSequence;
    for (const { sequence } of records) {
      if (sequence <= last) return false;
      last = sequence;
    }
    return true;
  }

  #nextSlot(): number | undefined {
    // As many steps as there are other slots: the one written last is never free.
    const steps = this.#lastSlot < 0 ? this.slotCount : this.slotCount - 1;
    for (let step = 1; step <= steps; step++) {
      const slot = (this.#lastSlot + step) % this.slotCount;
      if (!this.#live.has(slot)) return slot;
    }
    return undefined;
  }

  /** A newer block than all others that lost one bit: it was durable once, and power loss did not do this. */
  #wasWhole(slot: number, bytes: Uint8Array): boolean {
    const block = undoBitFlip(this.#place(slot), bytes);
    return block !== undefined && block.sequence > this.#lastSequence;
  }

  #admit(slot: number, records: readonly LedgerRecord[]): void {
    for (const record of records) {
      if (record.kind === "job") this.#admitJob(slot, record.jobId, record.sequence);
      else this.#admitHorizon(slot, record.origin, record.lowestOpen, record.sequence);
      this.#lastSequence = record.sequence;
    }
    this.#lastSlot = slot;
  }

  #admitJob(slot: number, jobId: JobId, sequence: number): void {
    const id = parseJobId(jobId);
    if (id.sequence < (this.#horizons.get(originKey(id))?.lowestOpen ?? 0)) return;
    const known = this.#jobs.get(jobId);
    if (known !== undefined) this.#count(known.slot, -1);
    this.#jobs.set(jobId, { slot, sequence });
    this.#count(slot, 1);
  }

  #admitHorizon(slot: number, origin: string, lowestOpen: number, sequence: number): void {
    const known = this.#horizons.get(origin);
    if (known !== undefined && known.lowestOpen >= lowestOpen) return;
    if (known !== undefined) this.#count(known.slot, -1);
    this.#horizons.set(origin, { slot, sequence, lowestOpen });
    this.#count(slot, 1);
    for (const [jobId, placed] of this.#jobs) {
      const id = parseJobId(jobId);
      if (originKey(id) !== origin || id.sequence >= lowestOpen) continue;
      this.#jobs.delete(jobId);
      this.#count(placed.slot, -1);
    }
  }

  #count(slot: number, change: 1 | -1): void {
    const live = (this.#live.get(slot) ?? 0) + change;
    if (live === 0) this.#live.delete(slot);
    else this.#live.set(slot, live);
  }

  #isKept(record: LedgerRecord): boolean {
    if (record.sequence === this.#lastSequence) return true;
    const placed = record.kind === "job" ? this.#jobs.get(record.jobId) : this.#horizons.get(record.origin);
    return placed?.sequence === record.sequence;
  }
}
