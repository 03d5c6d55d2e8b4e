import { TwinspoolError } from "../protocol/errors.ts";
import type { HistoryAnswer, HistoryFilter, HistoryQuery } from "../protocol/history.ts";
import type { HistoryRow } from "../protocol/job.ts";
import type { StatisticsAnswer } from "../protocol/statistics.ts";
import { HistoryTable } from "../spool/history-table.ts";
import type { JobStore } from "../spool/job-store.ts";
import type { HistoryBackend } from "./doors/history.ts";
import { serverTables } from "./server-state.ts";
import { Statistics } from "./statistics.ts";

const deletedAtOnce = 500;
const dayMs = 86_400_000;

/** What the server's history is read for, and how long it is kept. */
export class HistoryRoom implements HistoryBackend {
  readonly #store: JobStore;
  readonly #table: HistoryTable;
  readonly #printers: () => readonly string[];

  /** `printers`: those that the server knows now; the history may know more. */
  constructor(store: JobStore, printers: () => readonly string[]) {
    this.#store = store;
    this.#table = new HistoryTable(store, serverTables.history);
    this.#printers = printers;
  }

  find(jobId: string): HistoryRow | undefined {
    return this.#table.find(jobId);
  }

  page(query: HistoryQuery): HistoryAnswer {
    this.#checkPrinter(query);
    return this.#table.page(query);
  }

  rows(filter: HistoryFilter): AsyncIterable<HistoryRow> {
    this.#checkPrinter(filter);
    return this.#table.rows(filter);
  }

  async statistics(filter: HistoryFilter): Promise<StatisticsAnswer> {
    const statistics = new Statistics((wallMs) => new Date(wallMs).getHours());
    for await (const row of this.rows(filter)) statistics.add(row);
    return statistics.answer();
  }

  /** Retention: rows past their days go, some at a time so that nobody waits for them. Returns how many went. */
  forget(nowMs: number, days: number): number {
    const keys = this.#table.keysBefore(nowMs - days * dayMs, deletedAtOnce);
    this.#store.commit(keys.map((key) => ({ op: "delete" as const, table: serverTables.history, key })));
    return keys.length;
  }

  /** A printer that never was is a slip of the pen; one that is gone still has its history. */
  #checkPrinter({ printer }: HistoryFilter): void {
    if (printer === undefined || this.#printers().includes(printer) || this.#table.has({ printer })) return;
    const known = this.#printers().join(", ");
    throw new TwinspoolError("printer-unknown", known === "" ? printer : `${printer}; there is: ${known}`);
  }
}
