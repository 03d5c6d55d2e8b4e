import type { Source, Spools } from "../protocol/job.ts";

/** What someone at the client wants printed, and how. */
export interface PrintRequest {
  readonly path: string;
  /** What to call the document in messages; the file's name when absent. */
  readonly name?: string;
  readonly title: string;
  readonly printer?: string;
  readonly source: Source;
  readonly spools: Spools;
  readonly copies: number;
  readonly documentDateMs?: number;
}
