import type { ReportBlock } from "../image/report.ts";
import { type HistoryFilter, paperMmOf, takenOverBy } from "../protocol/history.ts";
import type { HistoryRow, SourceChoice } from "../protocol/job.ts";
import { formatTime } from "./format.ts";
import { type HistoryWords, historyWords } from "./history-words.ts";
import type { Language } from "./language.ts";
import { printable, textWidth } from "./text-width.ts";

export interface HistoryDocument {
  readonly rows: readonly HistoryRow[];
  readonly filter: HistoryFilter;
  /** There are older rows that were not asked for. */
  readonly hasOlder: boolean;
  readonly language: Language;
  readonly madeAtMs: number;
}

/** The record log for paper: what was asked for, a block a job, totals. */
export function historyReport(document: HistoryDocument): ReportBlock[] {
  const { rows, hasOlder, language } = document;
  const words = historyWords[language];
  const body: ReportBlock[] = rows.flatMap((row, index) => [
    ...(index === 0 ? [] : [thinRule]),
    ...jobBlocks(row, words, document.filter.printer === undefined),
  ]);
  return [
    { kind: "banner", text: words.title },
    space,
    ...fieldBlocks([[words.made, formatTime(document.madeAtMs)], ...filterLines(document.filter, words)]),
    thickRule,
    ...(rows.length === 0 ? [{ kind: "line", text: words.empty } as const] : body),
    ...(hasOlder ? [thinRule, { kind: "line", text: words.older(rows.length) } as const] : []),
    thickRule,
    ...totalBlocks(rows, words),
    thickRule,
    space,
  ];
}

const space: ReportBlock = { kind: "space" };
const thickRule: ReportBlock = { kind: "rule", style: "thick" };
const thinRule: ReportBlock = { kind: "rule", style: "thin" };

type Field = readonly [name: string, value: string | undefined];

/** Names in one column, as wide as the widest of them. */
function fieldBlocks(fields: readonly Field[]): ReportBlock[] {
  const shown = fields.filter((field): field is readonly [string, string] => field[1] !== undefined);
  const nameColumns = Math.max(0, ...shown.map(([name]) => textWidth(name))) + 1;
  return shown.map(([name, value]) => ({ kind: "field", name, value: printable(value), nameColumns }));
}

function filterLines(filter: HistoryFilter, words: HistoryWords): Field[] {
  const { printer, client, source, sentBy, outcome, fromMs, toMs, text, job } = filter;
  const names = words.filters;
  return [
    [names.printer, printer],
    [names.client, client],
    [names.source, source && words.spools[source]],
    [names.sentBy, sentBy && words.spools[sentBy]],
    [names.outcome, outcome && words.outcomes[outcome]],
    [names.from, fromMs === undefined ? undefined : formatTime(fromMs)],
    [names.to, toMs === undefined ? undefined : formatTime(toMs)],
    [names.text, text],
    [names.job, job],
  ];
}

function jobBlocks(row: HistoryRow, words: HistoryWords, withPrinter: boolean): ReportBlock[] {
  const { outcome, resolution, requestedAtMs, documentDateMs } = row;
  const { startedAtMs, endedAtMs, reason } = outcome;
  const names = words.fields;
  return [
    { kind: "pair", left: printable(row.title), right: words.outcomes[outcome.outcome], bold: true },
    ...fieldBlocks([
      [names.requested, requestedAtMs === undefined ? undefined : formatTime(requestedAtMs)],
      startedAtMs === undefined
        ? [names.ended, formatTime(endedAtMs)]
        : [names.output, `${formatTime(startedAtMs)} - ${clockOf(startedAtMs, endedAtMs)}`],
      [names.client, row.clientName],
      [names.printer, withPrinter ? row.printer : undefined],
      [names.document, documentDateMs === undefined ? undefined : formatTime(documentDateMs)],
      [names.source, sourceText(row.source, outcome.sentBy, words)],
      [names.evidence, outcome.outcome === "printed" ? words.evidence[outcome.evidence] : undefined],
      [names.reason, reason],
      [names.decided, resolution && words.resolutions[resolution]],
      [names.paper, words.paper(row.pages, row.heightDots, paperMmOf(row))],
      [names.job, row.jobId],
    ]),
  ];
}

/** The time alone when the day is the same. */
function clockOf(startMs: number, endMs: number): string {
  const [startDay] = formatTime(startMs).split(" ");
  const [endDay, endClock = ""] = formatTime(endMs).split(" ");
  return startDay === endDay ? endClock : formatTime(endMs);
}

/** What was chosen, and what was used where that is something else. */
function sourceText(
  chosen: SourceChoice | undefined,
  used: "client" | "server" | undefined,
  words: HistoryWords,
): string {
  const usedText = used === undefined ? words.nobody : words.spools[used];
  return chosen === undefined || chosen === used ? usedText : `${words.spools[chosen]} → ${usedText}`;
}

function totalBlocks(rows: readonly HistoryRow[], words: HistoryWords): ReportBlock[] {
  const names = words.totals;
  const count = (test: (row: HistoryRow) => boolean): number => rows.filter(test).length;
  const printed = rows.filter((row) => row.outcome.outcome === "printed");
  const paperMm = printed.reduce((sum, row) => sum + (paperMmOf(row) ?? 0), 0);
  const outcomes = (["printed", "canceled", "indeterminate"] as const).flatMap((outcome) => {
    const jobs = count((row) => row.outcome.outcome === outcome);
    return jobs === 0 ? [] : [[`  ${words.outcomes[outcome]}`, String(jobs)] as const];
  });
  const lines: readonly (readonly [string, string])[] = [
    [names.jobs, String(rows.length)],
    ...outcomes,
    [names.pages, String(printed.reduce((sum, row) => sum + row.pages, 0))],
    [names.paper, paperMm < 1_000 ? `${paperMm} mm` : `${(paperMm / 1_000).toFixed(2)} m`],
    [names.fromClient, String(count((row) => row.outcome.sentBy === "client"))],
    [names.fromServer, String(count((row) => row.outcome.sentBy === "server"))],
    [names.takenOver, String(count((row) => takenOverBy(row) !== undefined))],
  ];
  return [
    { kind: "pair", left: names.title, right: "", bold: true },
    ...lines.map(([left, right]) => ({ kind: "pair", left, right }) as const),
  ];
}
