import { type Api, askEither } from "../client/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { type HistoryFilter, historyAnswerSchema, historyRowsPerPage } from "../protocol/history.ts";
import { type HistoryRow, outcomeSchema, sourceChoiceSchema, sourceSchema } from "../protocol/job.ts";
import type { Config } from "../runtime/config-schema.ts";
import { historyQueryText, parseTime } from "../spool/history-query.ts";
import { parseDuration } from "./duration.ts";
import { UsageError } from "./failure.ts";
import { agoText } from "./format.ts";
import { type Io, note } from "./io.ts";

/** Which rows; the same at `history` and `stats`. */
export interface FilterFlags {
  readonly since?: string;
  readonly until?: string;
  readonly printer?: string;
  readonly client?: string;
  readonly source?: string;
  readonly sentBy?: string;
  readonly outcome?: string;
  readonly text?: string;
  readonly job?: string;
}

/** Throws UsageError with the flag. */
export function parseFilter(flags: FilterFlags, nowMs: number): HistoryFilter {
  const { printer, client, text, job } = flags;
  if (job !== undefined && !/^[a-z0-9-]{1,40}$/.test(job))
    throw new UsageError(`--job ${job}: expected the beginning of a job id, such as 1f0c9a7e`);
  if (text === "") throw new UsageError("--text: expected what to look for in the titles");
  const source = word("--source", flags.source, sourceChoiceSchema.options);
  const sentBy = word("--sent-by", flags.sentBy, sourceSchema.options);
  const outcome = word("--outcome", flags.outcome, outcomeSchema.options);
  return {
    ...parseSpan(flags, nowMs),
    ...(printer === undefined ? {} : { printer }),
    ...(client === undefined ? {} : { client }),
    ...(text === undefined ? {} : { text }),
    ...(job === undefined ? {} : { job }),
    ...(source === undefined ? {} : { source }),
    ...(sentBy === undefined ? {} : { sentBy }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

function parseSpan({ since, until }: FilterFlags, nowMs: number): Pick<HistoryFilter, "fromMs" | "toMs"> {
  const fromMs = since === undefined ? undefined : parseWhen("--since", "from", since, nowMs);
  const toMs = until === undefined ? undefined : parseWhen("--until", "to", until, nowMs);
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs)
    throw new UsageError(`--since ${since} is not before --until ${until}`);
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
}

function parseWhen(flag: string, field: "from" | "to", text: string, nowMs: number): number {
  if (/^\d+[smhd]$/.test(text)) return nowMs - parseDuration(flag, text);
  const day = text === "today" ? 0 : text === "yesterday" ? -1 : undefined;
  if (day !== undefined) {
    const now = new Date(nowMs);
    const shift = field === "from" ? day : day + 1;
    return new Date(now.getFullYear(), now.getMonth(), now.getDate() + shift).getTime();
  }
  try {
    return parseTime(field, text);
  } catch (error) {
    if (!(error instanceof TwinspoolError)) throw error;
    const expected = "expected a time such as 2026-11-23, 2026-11-23T14:00, today, yesterday, or how long ago: 2h, 7d";
    throw new UsageError(`${flag} ${text}: ${expected}`);
  }
}

function word<const Word extends string>(
  flag: string,
  value: string | undefined,
  words: readonly Word[],
): Word | undefined {
  if (value === undefined) return undefined;
  const found = words.find((candidate) => candidate === value);
  if (found === undefined) throw new UsageError(`${flag} ${value}: expected one of ${words.join(", ")}`);
  return found;
}

/**
 * Rows as they come, newest first, with the next page asked for only when it is wanted. When the server is away, what the
 * client process of this machine has seen of them, saying how old it is.
 */
export async function* readHistory(
  config: Config,
  filter: HistoryFilter,
  limit: number,
  io: Io,
): AsyncGenerator<HistoryRow, void, undefined> {
  let left = limit;
  let before: string | undefined;
  let from: Api | undefined;
  do {
    const page = { limit: Math.min(historyRowsPerPage.most, left), ...(before === undefined ? {} : { before }) };
    const path = `/api/history?${historyQueryText({ ...filter, ...page })}`;
    const ask = async (api: Api) => ({ api, answer: await api.ask("GET", path, historyAnswerSchema) });
    // All pages come from one side: the client has not all the rows that the server has.
    const { api, answer } = await (from === undefined ? askEither(config, ask, ["server-unreachable"]) : ask(from));
    if (from === undefined && answer.seenMsAgo !== undefined) {
      note(
        io,
        `the server cannot be reached; this is what the client of this machine saw ${agoText(answer.seenMsAgo)}`,
      );
    }
    from = api;
    yield* answer.rows;
    left -= answer.rows.length;
    before = answer.next;
  } while (before !== undefined && left > 0);
}

/** What became of it, and what was decided about it later. */
export function outcomeOf({ outcome, resolution }: HistoryRow): string {
  return resolution === undefined ? outcome.outcome : `${outcome.outcome}, ${resolution}`;
}

/** The spool that was chosen, and the one that sent when that was another. */
export function senderOf({ source, outcome }: HistoryRow): string {
  const { sentBy } = outcome;
  if (sentBy === undefined) return source === undefined ? "-" : `${source} -> nobody`;
  return source === undefined || source === sentBy ? sentBy : `${source} -> ${sentBy}`;
}
