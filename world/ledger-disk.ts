import type { LedgerRecord } from "../src/devices/host/ledger-record.ts";
import type { LedgerDisk } from "./disks.ts";
import type { Random } from "./random.ts";

export function makeLedgerDisk(_slots: number, random: Random): LedgerDisk {
  let durable: LedgerRecord[] = [];
  let pending: LedgerRecord[] = [];
  return {
    write(records) {
      pending.push(...records);
    },
    sync() {
      durable.push(...pending);
      pending = [];
    },
    powerLoss() {
      for (const record of pending) if (random.chance(0.5)) durable.push(record);
      pending = [];
    },
    restore() {
      const newest = new Map<string, LedgerRecord>();
      for (const record of durable) newest.set(record.kind === "job" ? record.jobId : record.origin, record);
      durable = [...newest.values()];
      return durable;
    },
    durable: () => durable,
  };
}
