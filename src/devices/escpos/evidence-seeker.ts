import type { Evidence } from "../../protocol/job.ts";

export interface SeekEffect {
  readonly kind: "reportEvidence";
  readonly seekId: number;
  readonly evidence: Evidence | undefined;
}

interface Seek {
  readonly processIds: readonly [string, string];
  readonly deadlineMs: number;
}

/** Process IDs that came before anyone looked for them; the printer keeps one, so few are enough. */
const rememberedIds = 16;

/** Looks for late answers to the GS ( H of a former life. Pure. */
export class EvidenceSeeker {
  readonly #seeks = new Map<number, Seek>();
  readonly #recentIds: string[] = [];

  seek(seekId: number, processIds: readonly [string, string], deadlineMs: number): void {
    this.#seeks.set(seekId, { processIds, deadlineMs });
  }

  noteProcessId(id: string): void {
    this.#recentIds.push(id);
    if (this.#recentIds.length > rememberedIds) this.#recentIds.shift();
  }

  nextDeadlineMs(): number | undefined {
    const deadlines = [...this.#seeks.values()].map((seek) => seek.deadlineMs);
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  /**
   * Answers the seeks that can be answered. Process ID 1 alone is evidence too, at the deadline: every line is on paper.
   * `halfDone` says that a ticket of the former life may lie uncut in the printer.
   */
  settle(nowMs: number): { readonly effects: readonly SeekEffect[]; readonly halfDone: boolean } {
    const effects: SeekEffect[] = [];
    let halfDone = false;
    for (const [seekId, { processIds, deadlineMs }] of this.#seeks) {
      const ended = this.#recentIds.includes(processIds[1]);
      if (!ended && nowMs < deadlineMs) continue;
      this.#seeks.delete(seekId);
      halfDone ||= !ended;
      const printed = ended || this.#recentIds.includes(processIds[0]);
      effects.push({ kind: "reportEvidence", seekId, evidence: printed ? "process-id" : undefined });
    }
    return { effects, halfDone };
  }

  /** Ends all seeks without evidence. */
  end(): readonly SeekEffect[] {
    const effects = [...this.#seeks.keys()].map((seekId) => ({
      kind: "reportEvidence" as const,
      seekId,
      evidence: undefined,
    }));
    this.#seeks.clear();
    return effects;
  }
}
