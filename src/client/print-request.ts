import type { SourceChoice, Spools } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";

/** What someone at the client wants printed, and how. */
export interface PrintRequest {
  readonly path: string;
  /** What to call the document in messages; the file's name when absent. */
  readonly name?: string;
  /** Raw ESC/POS bytes, whatever they begin with; absent: its first bytes and its name tell. */
  readonly format?: "escpos";
  readonly title: string;
  readonly printer?: string;
  /** Absent: left to rules, configuration and printer (`chooseSettings`). */
  readonly source?: SourceChoice;
  readonly spools?: Spools;
  readonly copies: number;
  readonly documentDateMs?: number;
  /** IPP job-priority: 1 to 100, 100 goes first; default 50. */
  readonly priority?: number;
  /** Waits until a person releases it. */
  readonly held?: boolean;
  /** Not before this time from now. */
  readonly holdMs?: number;
  /** Canceled when it has not begun by then, from now. */
  readonly expiresMs?: number;
}

/** A title as short as the protocol allows: cut between characters, never inside one. */
export function cutTitle(title: string): string {
  let kept = "";
  for (const char of title) {
    if (kept.length + char.length > limits.titleChars) break;
    kept += char;
  }
  return kept;
}
