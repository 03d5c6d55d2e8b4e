import { TwinspoolError } from "../protocol/errors.ts";
import { type HistoryAnswer, type HistoryQuery, historyAnswerSchema } from "../protocol/history.ts";
import type { HistoryRow } from "../protocol/job.ts";
import type { Config } from "../runtime/config-schema.ts";
import { requestJson } from "../runtime/image-transfer.ts";
import type { Routes } from "../runtime/listener.ts";
import type { Log } from "../runtime/log.ts";
import { historyQueryText, parseHistoryQuery } from "../spool/history-query.ts";
import { HistoryTable } from "../spool/history-table.ts";
import type { JobStore } from "../spool/job-store.ts";
import { seenHistoryTables } from "./client-store.ts";

export interface SeenHistoryOptions {
  readonly store: JobStore;
  readonly config: Pick<Config, "server" | "key">;
  readonly log: Log;
  /** Wall clock of this machine. */
  readonly nowMs: () => number;
  /** Most rows that are kept here; the oldest go. */
  readonly rowsKept?: number;
  /** Of every request to the server. */
  readonly headers?: Readonly<Record<string, string>>;
}

const rowsAtOnce = 200;
/** Jobs often come together, and then cost one write together. */
const soonMs = 10_000;
const againMs = 300_000;

/** The server's history as this client has seen it last, for the time when the server is away. */
export class SeenHistory {
  readonly #store: JobStore;
  readonly #table: HistoryTable;
  readonly #config: Pick<Config, "server" | "key">;
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #rowsKept: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #closing = new AbortController();
  #seenAtMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ store, config, log, nowMs, rowsKept = 500, headers = {} }: SeenHistoryOptions) {
    this.#headers = headers;
    this.#store = store;
    this.#table = new HistoryTable(store, seenHistoryTables.rows);
    this.#config = config;
    this.#log = log;
    this.#nowMs = nowMs;
    this.#rowsKept = rowsKept;
    const seenAtMs = store.get(seenHistoryTables.meta, "seenAtMs");
    if (typeof seenAtMs === "number") this.#seenAtMs = seenAtMs;
  }

  /**
   * The server's answer; when it is away, what was seen of it last, and how long ago. Throws the server's refusal, and
   * `server-unreachable` when nothing was ever seen.
   */
  async page(query: HistoryQuery): Promise<HistoryAnswer> {
    try {
      return await this.#ask(query);
    } catch (error) {
      if (!(error instanceof TwinspoolError) || error.code !== "server-unreachable") throw error;
      if (this.#seenAtMs === undefined) throw error;
      return { ...this.#table.page(query), seenMsAgo: Math.max(0, Math.floor(this.#nowMs() - this.#seenAtMs)) };
    }
  }

  /** There may be new rows: they are looked at in a moment, and from then on now and then. */
  refreshSoon(): void {
    clearTimeout(this.#timer);
    this.#wait(soonMs);
  }

  /** Reads what is new. A server that is away is no fault here. */
  async refresh(): Promise<void> {
    try {
      const knownMs = this.#table.page({ limit: 1 }).rows[0]?.recordedAtMs ?? 0;
      let before: string | undefined;
      for (let rows = 0; rows < this.#rowsKept; rows += rowsAtOnce) {
        const answer = await this.#ask({ limit: rowsAtOnce, ...(before === undefined ? {} : { before }) });
        before = answer.next;
        const oldest = answer.rows.at(-1)?.recordedAtMs ?? 0;
        if (before === undefined || oldest <= knownMs) return;
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#log.debug({ err: error }, "the server's history could not be read");
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closing.abort();
  }

  #wait(pauseMs: number): void {
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => void this.refresh().finally(() => this.#wait(againMs)), pauseMs);
    this.#timer.unref();
  }

  async #ask(query: HistoryQuery): Promise<HistoryAnswer> {
    const { server, key } = this.#config;
    const { signal } = this.#closing;
    const url = `${server}/api/history?${historyQueryText(query)}`;
    const answer = historyAnswerSchema.safeParse(
      await requestJson("GET", url, { key, headers: this.#headers, signal }),
    );
    signal.throwIfAborted();
    if (!answer.success) throw new TwinspoolError("message-invalid", `the answer of ${url}`, { cause: answer.error });
    try {
      this.#keep(answer.data.rows);
    } catch (error) {
      // Who only reads is not to suffer from it; whatever must be kept finds out for itself.
      this.#log.warn({ err: error }, "the history seen could not be kept");
    }
    return answer.data;
  }

  /** Written only when there is something new: reading costs the SD card nothing. */
  #keep(rows: readonly HistoryRow[]): void {
    const seenAtMs = Math.floor(this.#nowMs());
    const fresh = rows.filter((row) => JSON.stringify(this.#table.find(row.jobId)) !== JSON.stringify(row));
    const put = fresh.map((value) => ({ op: "put" as const, table: seenHistoryTables.rows, key: value.jobId, value }));
    if (put.length > 0 || this.#seenAtMs === undefined) {
      this.#store.commit([...put, { op: "put", table: seenHistoryTables.meta, key: "seenAtMs", value: seenAtMs }]);
    }
    this.#seenAtMs = seenAtMs;
    const excess = this.#store.count(seenHistoryTables.rows) - this.#rowsKept;
    if (put.length === 0 || excess <= 0) return;
    const old = this.#table.keysBefore(Number.MAX_SAFE_INTEGER, excess);
    this.#store.commit(old.map((key) => ({ op: "delete" as const, table: seenHistoryTables.rows, key })));
  }
}

/** The history at the client's door (`protocol/api.ts`). */
export function mountSeenHistory({ app }: Routes, seen: SeenHistory): void {
  app.get("/api/history", async (context) => context.json(await seen.page(parseHistoryQuery(context.req.query()))));
}
