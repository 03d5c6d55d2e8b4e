import type { JobId } from "../protocol/ids.ts";
import { earliest } from "../runtime/retry.ts";
import type { KeptImageRow, ServerJobRow } from "./server-state.ts";

/** The images of completed jobs that are kept for a set time. */
export class KeptImages {
  readonly #rows = new Map<JobId, KeptImageRow>();
  #firstEraseAtMs: number | undefined;

  /** When the first of them is due (wall clock, ms). */
  get firstEraseAtMs(): number | undefined {
    return this.#firstEraseAtMs;
  }

  has(jobId: JobId): boolean {
    return this.#rows.has(jobId);
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

/**
 * The images that belong into the spool at a start; all others are swept away. A copy that was given up does not, though
 * its job is open: the power may have gone between the row and the file.
 */
export function imagesWithRow(jobs: readonly ServerJobRow[], kept: readonly KeptImageRow[]): string[] {
  const copies = jobs.filter((row) => row.serverCopy).map((row) => row.ticket.jobId);
  return [...copies, ...kept.map((row) => row.jobId)];
}
