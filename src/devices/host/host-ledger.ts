import { type JobId, originKey, parseJobId } from "../../protocol/ids.ts";
import type { HorizonRecord, JobRecord, LedgerRecord } from "./ledger-record.ts";

/** Part of the ledger that must stay free, so that every INTENT can get its final record and every client a horizon. */
const reserveRecords = 4;

/**
 * The ledger's contents as the host machine sees them: newest record of each job, horizons, and what may be forgotten.
 * Pure; the durable ring is `ledger-ring.ts`.
 */
export class HostLedger {
  readonly #capacityRecords: number;
  readonly #jobs = new Map<JobId, JobRecord>();
  readonly #horizons = new Map<string, number>();
  /** What clients have told; forgetting waits until the room is needed. */
  readonly #lowestOpen = new Map<string, number>();
  #nextSequence = 0;

  constructor(capacityRecords: number, restored: readonly LedgerRecord[]) {
    this.#capacityRecords = capacityRecords;
    for (const record of restored) {
      this.#nextSequence = Math.max(this.#nextSequence, record.sequence + 1);
      if (record.kind === "horizon") this.#horizons.set(record.origin, record.lowestOpen);
      else this.#jobs.set(record.jobId, record);
    }
  }

  /** Sequence number for the next record; each call gives another. */
  takeSequence(): number {
    return this.#nextSequence++;
  }

  get lastSequence(): number {
    return this.#nextSequence - 1;
  }

  job(jobId: JobId): JobRecord | undefined {
    return this.#jobs.get(jobId);
  }

  put(record: JobRecord): void {
    this.#jobs.set(record.jobId, record);
  }

  intents(): JobRecord[] {
    return [...this.#jobs.values()].filter((record) => record.state === "intent");
  }

  /** Records after a sequence number, oldest first. */
  after(sequence: number): JobRecord[] {
    return [...this.#jobs.values()].filter((r) => r.sequence > sequence).sort((a, b) => a.sequence - b.sequence);
  }

  /** True for ids behind their origin's horizon: final once, forgotten, refused for ever. */
  pruned(jobId: JobId): boolean {
    const id = parseJobId(jobId);
    return id.sequence < (this.#horizons.get(originKey(id)) ?? 0);
  }

  /** A client said that everything of its origin below `lowestOpen` is closed. */
  learnLowestOpen(origin: string, lowestOpen: number): void {
    if (lowestOpen > (this.#lowestOpen.get(origin) ?? 0)) this.#lowestOpen.set(origin, lowestOpen);
  }

  /**
   * Makes sure one more job fits, by forgetting what is closed when it must. The horizon records have to be durable
   * before the room is used; they hold also when the room does not suffice.
   */
  makeRoom(): { readonly room: boolean; readonly horizons: readonly HorizonRecord[] } {
    if (this.#hasRoom()) return { room: true, horizons: [] };
    const records = new Map<string, HorizonRecord>();
    for (const [jobId, record] of this.#jobs) {
      const id = parseJobId(jobId);
      const key = originKey(id);
      const lowestOpen = this.#lowestOpen.get(key) ?? 0;
      if (record.state === "intent" || id.sequence >= lowestOpen) continue;
      this.#jobs.delete(jobId);
      if ((this.#horizons.get(key) ?? 0) >= lowestOpen) continue;
      this.#horizons.set(key, lowestOpen);
      records.set(key, { kind: "horizon", sequence: this.takeSequence(), origin: key, lowestOpen });
    }
    return { room: this.#hasRoom(), horizons: [...records.values()] };
  }

  #hasRoom(): boolean {
    // Each open INTENT still needs a place for its final record beside it: a live block is never written over.
    const live = this.#jobs.size + this.#horizons.size + this.intents().length;
    return live + reserveRecords <= this.#capacityRecords;
  }
}
