import type { JobId } from "../protocol/ids.ts";
import { earliest } from "../runtime/retry.ts";
import type { KeptImageRow } from "./server-state.ts";

/** The images of completed jobs that are kept for a set time. */
export class KeptImages {
  readonly #rows = new Map<JobId, KeptImageRow>();
  #firstEraseAtMs: number | undefined;

  /** When the first of them is due (wall clock, ms). */
  get firstEraseAtMs(): number | undefined {
    return this.#firstEraseAtMs;
  }

  add(row: KeptImageRow): void {
    this.#rows.set(row.jobId, row);
    this.#firstEraseAtMs = earliest([this.#firstEraseAtMs, row.eraseAtMs]);
  }

  /** Takes out what is due at this moment of the wall clock. */
  takeDue(wallMs: number): JobId[] {
    if (this.#firstEraseAtMs === undefined || this.#firstEraseAtMs > wallMs) return [];
    const due = [...this.#rows.values()].filter((row) => row.eraseAtMs <= wallMs).map((row) => row.jobId);
    for (const jobId of due) this.#rows.delete(jobId);
    this.#firstEraseAtMs = earliest([...this.#rows.values()].map((row) => row.eraseAtMs));
    return due;
  }
}
