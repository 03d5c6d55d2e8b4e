import type { LedgerRecord } from "../src/devices/host/ledger-record.ts";
import type { RowWrite } from "../src/runtime/machine.ts";

/**
 * The durable part of a node's job store. A transaction is all or nothing (SQLite's own promise with
 * synchronous=FULL); what was not synced when the power went may be there or not.
 */
export class RowDisk {
  readonly #tables = new Map<string, Map<string, unknown>>();

  commit(writes: readonly RowWrite[]): void {
    for (const write of writes) {
      const table = this.table(write.table);
      if (write.op === "put") table.set(write.key, write.value);
      else table.delete(write.key);
    }
  }

  table(name: string): Map<string, unknown> {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = new Map<string, unknown>();
    this.#tables.set(name, table);
    return table;
  }
}

/** The image folder: id -> digest of what the file holds. Only what survives a power loss is in here. */
export class ImageDisk {
  readonly images = new Map<string, string>();
  readonly quarantine: string[] = [];

  /** What the spool does at start: files without a row go aside, rows without a file are reported. */
  sweep(known: ReadonlySet<string>): void {
    for (const jobId of this.images.keys()) {
      if (known.has(jobId)) continue;
      this.images.delete(jobId);
      this.quarantine.push(jobId);
    }
  }
}

/** Where the world's host keeps its ledger. */
export interface LedgerDisk {
  /** Begins a write of these records; nothing is certain before `sync`. */
  write(records: readonly LedgerRecord[]): void;
  sync(): void;
  /** Power loss: un-synced writes are kept, torn or lost, as the generator says. */
  powerLoss(): void;
  /** What a start reads. */
  restore(): LedgerRecord[];
  /** Durable records now, for the checkers. */
  durable(): readonly LedgerRecord[];
}
