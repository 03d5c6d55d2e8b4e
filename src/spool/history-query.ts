import { TwinspoolError } from "../protocol/errors.ts";
import { type HistoryFilter, type HistoryQuery, historyQuerySchema, historyRowsPerPage } from "../protocol/history.ts";
import { describeIssue } from "../protocol/schema-issue.ts";

const dayMs = 24 * 60 * 60 * 1000;
const datePattern = /^(\d{4})-(\d\d)-(\d\d)$/;
const dateTimePattern = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/;

/** Reads the query of a URL. Throws `request-invalid` with the field. */
export function parseHistoryQuery(query: Readonly<Record<string, string>>): HistoryQuery {
  const { limit: limitText, before, ...filter } = checkQuery(query);
  const { default: most, most: mostEver } = historyRowsPerPage;
  const limit = limitText === undefined ? most : Number(limitText);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostEver) {
    throw new TwinspoolError("request-invalid", `limit ${limitText}, allowed: 1 to ${mostEver}`);
  }
  return { ...toFilter(filter), limit, ...(before === undefined ? {} : { before }) };
}

/** Reads the filters of a URL that asks for all rows. Throws `request-invalid` with the field. */
export function parseHistoryFilter(query: Readonly<Record<string, string>>): HistoryFilter {
  const { limit, before, ...filter } = checkQuery(query);
  if (limit !== undefined || before !== undefined) {
    throw new TwinspoolError("request-invalid", "limit and before: here all rows come at once");
  }
  return toFilter(filter);
}

function checkQuery(query: Readonly<Record<string, string>>) {
  const parsed = historyQuerySchema.safeParse(query);
  if (!parsed.success) throw new TwinspoolError("request-invalid", describeIssue(parsed.error));
  return parsed.data;
}

function toFilter({ from, to, ...rest }: Omit<ReturnType<typeof checkQuery>, "limit" | "before">): HistoryFilter {
  const fromMs = from === undefined ? undefined : parseTime("from", from);
  const toMs = to === undefined ? undefined : parseTime("to", to);
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    throw new TwinspoolError("request-invalid", `from ${from} is not before to ${to}`);
  }
  const { printer, client, source, sentBy, outcome, text, job } = rest;
  return {
    ...(printer === undefined ? {} : { printer }),
    ...(client === undefined ? {} : { client }),
    ...(source === undefined ? {} : { source }),
    ...(sentBy === undefined ? {} : { sentBy }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(text === undefined ? {} : { text }),
    ...(job === undefined ? {} : { job }),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
  };
}

/** The query of a URL that `parseHistoryQuery` reads back. */
export function historyQueryText(query: Partial<HistoryQuery>): string {
  const { fromMs: from, toMs: to, ...rest } = query;
  const entries = Object.entries({ ...rest, from, to }).filter(([, value]) => value !== undefined);
  return new URLSearchParams(entries.map(([name, value]): [string, string] => [name, String(value)])).toString();
}

/**
 * A moment: ms since 1970, or ISO 8601, without a zone in the time of this machine. A date alone is its first moment,
 * and as the end of a span (`to`) its last. Throws `request-invalid`.
 */
export function parseTime(field: "from" | "to", text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const date = datePattern.exec(text);
  if (date !== null) {
    const [year = 0, month = 0, day = 0] = date.slice(1).map(Number);
    // Over the days, not over 24 hours: a day of the change to summer time is shorter.
    const start = new Date(year, month - 1, day);
    if (start.getMonth() === month - 1 && start.getDate() === day) {
      return field === "from" ? start.getTime() : new Date(year, month - 1, day + 1).getTime();
    }
  } else if (dateTimePattern.test(text)) {
    const ms = Date.parse(text.replace(" ", "T"));
    if (!Number.isNaN(ms) && ms >= -dayMs) return Math.max(0, ms);
  }
  const expected = "expected a time such as 2026-11-23, 2026-11-23T14:00 or 2026-11-23T14:00:00Z, or ms since 1970";
  throw new TwinspoolError("request-invalid", `${field} ${text.slice(0, 40)}: ${expected}`);
}
