import { serverApi } from "../client/api.ts";
import { type Spread, type StatisticsGroup, statisticsAnswerSchema } from "../protocol/statistics.ts";
import { historyQueryText } from "../spool/history-query.ts";
import { formatTime } from "./format.ts";
import { type FilterFlags, parseFilter } from "./history-rows.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";
import { type Column, formatTable } from "./table.ts";

export type StatsFlags = CommonFlags & FilterFlags;

const barColumns = 40;

/** What the history says about printers, clients and sources, and what may be done better. */
export async function runStats(flags: StatsFlags, io: Io): Promise<ExitCode> {
  const filter = parseFilter(flags, Date.now());
  const config = await loadSettings({ ...flags, printer: [] }, io);
  const answer = await serverApi(config).ask(
    "GET",
    `/api/statistics?${historyQueryText(filter)}`,
    statisticsAnswerSchema,
  );
  if (flags.json) {
    writeJson(io.stdout, answer);
    return exitCodes.done;
  }
  if (answer.total.jobs === 0) {
    io.stdout.write("nothing has been printed yet\n");
    return exitCodes.done;
  }
  const { fromMs, toMs } = filter;
  const span = [
    ...(fromMs === undefined ? [] : [`from ${formatTime(fromMs)}`]),
    ...(toMs === undefined ? [] : [`until ${formatTime(toMs)}`]),
  ];
  const table = (title: string, groups: readonly StatisticsGroup[]): string[] => [
    ...formatTable(columnsOf(title), groups, io.stdout.columns),
    "",
  ];
  const lines = [
    ...(span.length === 0 ? [] : [span.join(" "), ""]),
    ...table("PRINTER", answer.printers),
    ...table("CLIENT", answer.clients),
    ...table("CHOSEN SOURCE", answer.sources),
    ...table("ALL", [answer.total]),
    ...hourLines(answer.total.hours),
    "",
    ...(answer.advice.length === 0 ? ["Nothing stands out."] : answer.advice.map((sentence) => `* ${sentence}`)),
  ];
  io.stdout.write(`${lines.join("\n")}\n`);
  return exitCodes.done;
}

function columnsOf(title: string): Column<StatisticsGroup>[] {
  return [
    { title, value: ({ name }) => name, shrinkTo: 8 },
    { title: "JOBS", value: ({ jobs }) => String(jobs), align: "right" },
    { title: "PRINTED", value: ({ printed }) => String(printed), align: "right" },
    { title: "UNKNOWN", value: ({ indeterminate }) => String(indeterminate), align: "right" },
    { title: "CANCELED", value: ({ canceled }) => String(canceled), align: "right" },
    { title: "PAGES", value: ({ pages }) => String(pages), align: "right" },
    { title: "PAPER", value: ({ paperMm }) => `${(paperMm / 1_000).toFixed(2)} m`, align: "right" },
    { title: "BY CLIENT/SERVER", value: ({ sentBy }) => `${sentBy.client}/${sentBy.server}`, align: "right" },
    { title: "TAKEN OVER", value: ({ takenOver }) => String(takenOver.byClient + takenOver.byServer), align: "right" },
    { title: "WAIT 50/95 %", value: ({ wait }) => spreadText(wait), align: "right" },
    { title: "PRINT 50/95 %", value: ({ print }) => spreadText(print), align: "right" },
  ];
}

function spreadText(spread: Spread | undefined): string {
  return spread === undefined ? "-" : `${secondsText(spread.medianMs)}/${secondsText(spread.p95Ms)} s`;
}

function secondsText(ms: number): string {
  return ms < 9_950 ? (ms / 1_000).toFixed(1) : String(Math.round(ms / 1_000));
}

/** Jobs of each hour from the first to the last that has any. */
function hourLines(hours: readonly number[]): string[] {
  const busy = hours.flatMap((jobs, hour) => (jobs > 0 ? [hour] : []));
  const most = Math.max(...hours);
  return hours.flatMap((jobs, hour) => {
    if (hour < (busy[0] ?? 0) || hour > (busy.at(-1) ?? -1)) return [];
    const bar = "#".repeat(Math.ceil((barColumns * jobs) / most));
    return [`${String(hour).padStart(2, "0")} h  ${String(jobs).padStart(String(most).length)}  ${bar}`.trimEnd()];
  });
}
