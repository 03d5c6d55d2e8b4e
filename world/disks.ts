import type { RowWrite } from "../src/runtime/machine.ts";

/**
 * The durable part of a node's job store. A transaction is all or nothing (SQLite's own promise with
 * synchronous=FULL); what was not synced when the power went may be there or not.
 */
export class RowDisk {
  readonly #tables = new Map<string, Map<string, unknown>>();
  /** Sees every write, after it. */
  onWrite: ((write: RowWrite) => void) | undefined;

  commit(writes: readonly RowWrite[]): void {
    for (const write of writes) {
      const table = this.table(write.table);
      if (write.op === "put") table.set(write.key, write.value);
      else table.delete(write.key);
    }
    if (this.onWrite !== undefined) for (const write of writes) this.onWrite(write);
  }

  table(name: string): Map<string, unknown> {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = new Map<string, unknown>();
    this.#tables.set(name, table);
    return table;
  }

  /** The disk is gone, another is there. */
  clear(): void {
    this.#tables.clear();
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

  /** What the sender does when the other side says that the bytes are wrong: true when they are wrong here. */
  quarantineUnless(jobId: string, sha256: string): boolean {
    if (this.images.get(jobId) === sha256) return false;
    if (this.images.delete(jobId)) this.quarantine.push(jobId);
    return true;
  }
}
