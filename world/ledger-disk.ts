import type { LedgerRecord } from "../src/devices/host/ledger-record.ts";
import { LedgerRing } from "../src/devices/host/ledger-ring.ts";
import type { LedgerDisk } from "./disks.ts";
import type { Random } from "./random.ts";

const blockBytes = 4096;
const sectorBytes = 512;

interface TornWrite {
  readonly slot: number;
  readonly bytes: Uint8Array;
  readonly records: readonly LedgerRecord[];
}

/**
 * The production ledger ring on a disk that forgets: a block that was not synced when the power went is there, is not,
 * or is a mix of old and new sectors.
 */
export function makeLedgerDisk(slots: number, random: Random): LedgerDisk {
  const header = LedgerRing.format("ledger000001", slots);
  const blocks = Array.from({ length: slots }, () => new Uint8Array(blockBytes));
  let { ring, records } = scan();
  let pending: TornWrite | undefined;
  /** What the disk certainly holds, kept beside it so that checkers need not read all blocks each time. */
  let synced = [...records];

  function scan(): { ring: LedgerRing; records: readonly LedgerRecord[] } {
    const result = LedgerRing.scan(header, (slot) => blockAt(slot));
    if ("damage" in result) throw new Error(`the ledger calls a power loss damage: ${result.damage}`);
    return result;
  }

  function blockAt(slot: number): Uint8Array {
    return blocks[slot] ?? new Uint8Array(blockBytes);
  }

  function put(write: TornWrite): void {
    blockAt(write.slot).set(write.bytes);
    synced.push(...write.records);
  }

  return {
    write(written) {
      // One block at a time, durable before the next (ledger-file.ts).
      for (let rest = written; rest.length > 0; ) {
        if (pending !== undefined) put(pending);
        const placement = ring.place(rest);
        pending = { slot: placement.slot, bytes: placement.bytes, records: placement.records };
        rest = rest.slice(placement.records.length);
      }
    },
    sync() {
      if (pending !== undefined) put(pending);
      pending = undefined;
    },
    powerLoss() {
      if (pending === undefined) return;
      const target = blockAt(pending.slot);
      for (let at = 0; at < blockBytes; at += sectorBytes) {
        if (random.chance(0.5)) target.set(pending.bytes.subarray(at, at + sectorBytes), at);
      }
      pending = undefined;
    },
    restore() {
      ({ ring, records } = scan());
      synced = [...records];
      return synced;
    },
    durable: () => synced,
  };
}
