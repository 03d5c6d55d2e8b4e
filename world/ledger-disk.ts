import type { LedgerRecord } from "../src/devices/host/ledger-record.ts";
import { LedgerRing } from "../src/devices/host/ledger-ring.ts";
import type { Random } from "./random.ts";

const blockBytes = 4096;
const sectorBytes = 512;

export interface RestoredLedger {
  readonly incarnation: string;
  readonly records: readonly LedgerRecord[];
}

/** Where a host of the world keeps its ledger. */
export interface LedgerDisk {
  readonly incarnation: string;
  /** Writes these records and waits until they are on the disk. */
  write(records: readonly LedgerRecord[]): void;
  /** Power goes while these are being written: they are kept, torn or lost, as the generator says. */
  tear(records: readonly LedgerRecord[]): void;
  /** What a start reads: a new incarnation, and nothing, when the ledger is damaged or lost. */
  restore(): RestoredLedger;
  /** The next start finds damage. */
  rot(): void;
  /** The next start finds nothing. */
  lose(): void;
}

/** Incarnations of one printer's ledgers, one after the other. */
function incarnations(printer: number): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `ledger${String(printer).padStart(3, "0")}${String(count).padStart(3, "0")}`;
  };
}

/**
 * The production ledger ring on a disk that forgets: a block that was not synced when the power went is there, is not,
 * or is a mix of old and new sectors.
 */
export function makeBlockLedger(printer: number, slots: number, random: Random): LedgerDisk {
  const nextIncarnation = incarnations(printer);
  let header: Uint8Array;
  let blocks: Uint8Array[];
  let ring: LedgerRing;
  format();

  function format(): void {
    header = LedgerRing.format(nextIncarnation(), slots);
    blocks = Array.from({ length: slots }, () => new Uint8Array(blockBytes));
    const scanned = LedgerRing.scan(header, blockAt);
    if ("damage" in scanned) throw new Error(`a new ledger is called damaged: ${scanned.damage}`);
    ring = scanned.ring;
  }

  function blockAt(slot: number): Uint8Array {
    return blocks[slot] ?? new Uint8Array(blockBytes);
  }

  let rotten = false;
  return {
    get incarnation() {
      return ring.incarnation;
    },
    write(records) {
      // One block at a time, durable before the next (ledger-file.ts).
      for (let rest = records; rest.length > 0; ) {
        const placement = ring.place(rest);
        blockAt(placement.slot).set(placement.bytes);
        rest = rest.slice(placement.records.length);
      }
    },
    tear(records) {
      for (let rest = records; rest.length > 0; ) {
        const { slot, bytes, records: placed } = ring.place(rest);
        rest = rest.slice(placed.length);
        if (rest.length > 0 && random.chance(0.5)) {
          blockAt(slot).set(bytes);
          continue;
        }
        for (let at = 0; at < blockBytes; at += sectorBytes) {
          if (random.chance(0.5)) blockAt(slot).set(bytes.subarray(at, at + sectorBytes), at);
        }
        return;
      }
    },
    restore() {
      const scanned = LedgerRing.scan(header, blockAt);
      if ("damage" in scanned) {
        if (!rotten) throw new Error(`the ledger calls a power loss damage: ${scanned.damage}`);
        format();
        rotten = false;
        return { incarnation: ring.incarnation, records: [] };
      }
      ring = scanned.ring;
      return { incarnation: ring.incarnation, records: scanned.records };
    },
    rot() {
      rotten = true;
      const block = blockAt(random.int(0, slots - 1));
      const at = random.int(0, blockBytes - 1);
      block[at] = (block[at] ?? 0) ^ (1 << random.int(0, 7));
    },
    lose: format,
  };
}

/** The same records without their bytes: what is written is there, what was being written when the power went may be. */
export function makeRecordLedger(printer: number, random: Random): LedgerDisk {
  const nextIncarnation = incarnations(printer);
  let incarnation = nextIncarnation();
  let kept = new Map<string, LedgerRecord>();
  let newest: LedgerRecord | undefined;
  let rotten = false;

  function put(records: readonly LedgerRecord[]): void {
    for (const record of records) {
      // The newest of each job, and the highest horizon of each origin; the host forgets what is behind it.
      const key = record.kind === "job" ? record.jobId : record.origin;
      kept.delete(key);
      kept.set(key, record);
      newest = record;
      if (record.kind === "horizon") prune(record.origin, record.lowestOpen);
    }
  }

  function prune(origin: string, lowestOpen: number): void {
    for (const [key, record] of kept) {
      if (record.kind !== "job" || !key.startsWith(`${origin}-`)) continue;
      if (Number(key.slice(origin.length + 1)) < lowestOpen) kept.delete(key);
    }
  }

  function lose(): void {
    incarnation = nextIncarnation();
    kept = new Map();
    newest = undefined;
    rotten = false;
  }

  return {
    get incarnation() {
      return incarnation;
    },
    write: put,
    tear(records) {
      put(records.slice(0, random.int(0, records.length)));
    },
    restore() {
      if (rotten) lose();
      // The newest of all is kept whatever it says, so that its sequence number is never given again.
      const records = [...kept.values()];
      if (newest !== undefined && !records.includes(newest)) records.push(newest);
      return { incarnation, records };
    },
    rot() {
      rotten = true;
    },
    lose,
  };
}
