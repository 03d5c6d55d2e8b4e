import type { HistoryAnswer, HistoryFilter, HistoryQuery } from "../../protocol/history.ts";
import type { HistoryRow } from "../../protocol/job.ts";
import type { Routes } from "../../runtime/listener.ts";
import { parseHistoryQuery } from "../../spool/history-query.ts";

/** What the history's door needs of the server; it translates and never decides. */
export interface HistoryBackend {
  /** Throws `printer-unknown`, and `request-invalid` when `before` is not from a page before. */
  page(query: HistoryQuery): HistoryAnswer;
  /** All of them, newest first. Throws `printer-unknown`. */
  rows(filter: HistoryFilter): AsyncIterable<HistoryRow>;
}

/** The history in the HTTP API of `protocol/api.ts`. */
export function mountHistory({ app }: Routes, history: HistoryBackend): void {
  app.get("/api/history", (context) => context.json(history.page(parseHistoryQuery(context.req.query()))));
}
