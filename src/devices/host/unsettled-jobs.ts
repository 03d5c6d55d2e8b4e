import type { JobId } from "../../protocol/ids.ts";
import type { JobRecord } from "./ledger-record.ts";

/** Jobs that had an INTENT when the process died; nothing is printed before they are settled, one after another. */
export class UnsettledJobs {
  readonly #intents = new Map<JobId, JobRecord>();
  #sought: JobId | undefined;

  constructor(intents: readonly JobRecord[]) {
    for (const record of intents) this.#intents.set(record.jobId, record);
  }

  get isEmpty(): boolean {
    return this.#intents.size === 0;
  }

  /** The job whose evidence is to be sought now; undefined while another's is. */
  takeNext(): JobRecord | undefined {
    if (this.#sought !== undefined) return undefined;
    for (const record of this.#intents.values()) {
      this.#sought = record.jobId;
      return record;
    }
    return undefined;
  }

  /** The search for this job has ended; undefined when nobody was searching for it. */
  settle(jobId: JobId): JobRecord | undefined {
    if (this.#sought !== jobId) return undefined;
    const intent = this.#intents.get(jobId);
    this.#intents.delete(jobId);
    this.#sought = undefined;
    return intent;
  }
}
