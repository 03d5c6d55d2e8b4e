import { setImmediate as nextTurn } from "node:timers/promises";
import type { HistoryAnswer, HistoryFilter, HistoryQuery } from "../protocol/history.ts";
import { type HistoryRow, historyRowSchema } from "../protocol/job.ts";
import type { IndexSpec, JobStore, JsonPath, PageQuery } from "./job-store.ts";

const orderPath: JsonPath = "$.recordedAtMs";
const filterPaths = {
  printer: "$.printer",
  client: "$.clientName",
  source: "$.source",
  sentBy: "$.outcome.sentBy",
  outcome: "$.outcome.outcome",
} as const satisfies Record<string, JsonPath>;
const titlePath: JsonPath = "$.title";
/** Rows read at once, so that nobody waits long for their turn. */
const rowsAtOnce = 200;

/** One index for all: new rows go to its end, so that a row costs one page more and not seven. */
export function historyIndex(table: string): IndexSpec {
  return { table, path: orderPath, also: [...Object.values(filterPaths), titlePath] };
}

/** The history in a job store, at the server or as a client has seen it. */
export class HistoryTable {
  readonly #store: JobStore;
  readonly #table: string;

  constructor(store: JobStore, table: string) {
    this.#store = store;
    this.#table = table;
  }

  find(jobId: string): HistoryRow | undefined {
    return historyRowSchema.safeParse(this.#store.get(this.#table, jobId)).data;
  }

  /** Newest first. Throws `request-invalid` when `before` is not from a page before. */
  page(query: HistoryQuery): Pick<HistoryAnswer, "rows" | "next"> {
    const page = this.#store.page(this.#table, toPageQuery(query));
    const rows = page.rows.flatMap((row) => historyRowSchema.safeParse(row.value).data ?? []);
    return { rows, ...(page.next === undefined ? {} : { next: page.next }) };
  }

  /** All rows, newest first. Rows that are added meanwhile do not come, and others have their turn in between. */
  async *rows(filter: HistoryFilter): AsyncGenerator<HistoryRow, void, undefined> {
    let before: string | undefined;
    do {
      const page = this.page({ ...filter, limit: rowsAtOnce, ...(before === undefined ? {} : { before }) });
      yield* page.rows;
      before = page.next;
      await nextTurn();
    } while (before !== undefined);
  }

  has(filter: HistoryFilter): boolean {
    return this.#store.page(this.#table, toPageQuery({ ...filter, limit: 1 })).rows.length > 0;
  }

  /** Keys of rows that were written before a moment, the oldest first. */
  keysBefore(wallMs: number, limit: number): string[] {
    return this.#store.keysBelow(this.#table, orderPath, wallMs, limit);
  }
}

function toPageQuery(query: HistoryQuery): PageQuery {
  const { limit, before, fromMs, toMs, text, job } = query;
  const exact = Object.entries(filterPaths).flatMap(([name, path]) => {
    const value = query[name as keyof typeof filterPaths];
    return value === undefined ? [] : [[path, value] as const];
  });
  return {
    orderBy: orderPath,
    newestFirst: true,
    limit,
    where: Object.fromEntries(exact),
    range: {
      path: orderPath,
      ...(fromMs === undefined ? {} : { from: fromMs }),
      ...(toMs === undefined ? {} : { below: toMs }),
    },
    ...(before === undefined ? {} : { before }),
    ...(text === undefined ? {} : { contains: { path: titlePath, text } }),
    ...(job === undefined ? {} : { keyPrefix: job }),
  };
}
