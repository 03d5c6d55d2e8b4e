import { TwinspoolError } from "../../protocol/errors.ts";
import type { HistoryAnswer, HistoryFilter, HistoryQuery } from "../../protocol/history.ts";
import type { HistoryRow } from "../../protocol/job.ts";
import type { StatisticsAnswer } from "../../protocol/statistics.ts";
import type { Routes } from "../../runtime/listener.ts";
import { historyCsv } from "../../spool/history-csv.ts";
import { parseHistoryFilter, parseHistoryQuery } from "../../spool/history-query.ts";

/** What the history's door needs of the server; it translates and never decides. */
export interface HistoryBackend {
  /** Throws `printer-unknown`, and `request-invalid` when `before` is not from a page before. */
  page(query: HistoryQuery): HistoryAnswer;
  /** All of them, newest first. Throws `printer-unknown`. */
  rows(filter: HistoryFilter): AsyncIterable<HistoryRow>;
  /** What they say together. Throws `printer-unknown`. */
  statistics(filter: HistoryFilter): Promise<StatisticsAnswer>;
}

/** Pieces are sent together from this length on. */
const chunkChars = 16 * 1024;

/** The history in the HTTP API of `protocol/api.ts`. */
export function mountHistory({ app }: Routes, history: HistoryBackend): void {
  app.get("/api/history", (context) => context.json(history.page(parseHistoryQuery(context.req.query()))));
  app.get("/api/history.csv", (context) => {
    const { excel = "false", ...filter } = context.req.query();
    if (excel !== "true" && excel !== "false") {
      throw new TwinspoolError("request-invalid", `excel ${excel.slice(0, 20)}, allowed: true, false`);
    }
    const text = historyCsv(history.rows(parseHistoryFilter(filter)), { excel: excel === "true" });
    return context.body(toStream(text), 200, {
      "content-type": "text/csv; charset=utf-8; header=present",
      "content-disposition": 'attachment; filename="history.csv"',
    });
  });
  app.get("/api/statistics", async (context) =>
    context.json(await history.statistics(parseHistoryFilter(context.req.query()))),
  );
  app.get("/api/history.ndjson", (context) => {
    const text = jsonLines(history.rows(parseHistoryFilter(context.req.query())));
    return context.body(toStream(text), 200, { "content-type": "application/x-ndjson" });
  });
}

async function* jsonLines(rows: AsyncIterable<HistoryRow>): AsyncGenerator<string, void, undefined> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

/** Rows are read only as fast as the reader takes them. A failure cuts the connection, so that nobody takes a part for all. */
function toStream(pieces: AsyncGenerator<string, void, undefined>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      let text = "";
      while (text.length < chunkChars) {
        const { done, value } = await pieces.next();
        if (done === true) {
          if (text !== "") controller.enqueue(encoder.encode(text));
          return controller.close();
        }
        text += value;
      }
      controller.enqueue(encoder.encode(text));
    },
    async cancel() {
      await pieces.return();
    },
  });
}
