import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { RenderTarget } from "../image/print-image.ts";
import { encodePwg } from "../image/pwg-raster.ts";
import { drawReport } from "../image/report.ts";
import { printersAnswerSchema } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import type { HistoryFilter } from "../protocol/history.ts";
import type { HistoryRow, PrinterAttributes } from "../protocol/job.ts";
import type { Config } from "../runtime/config-schema.ts";
import { askNearest } from "./api.ts";
import type { HistoryFlags } from "./history.ts";
import { historyReport } from "./history-document.ts";
import { readHistory } from "./history-rows.ts";
import { historyWords } from "./history-words.ts";
import type { ExitCode, Io } from "./io.ts";
import { chooseLanguage } from "./language.ts";

/** Rows that fit on the longest print image, with room for long titles. */
const rowsAtMost = 500;

/** The record log as a document like any other: in the queue, in the history, with a preview. */
export async function printHistory(
  { filter, limit }: { readonly filter: HistoryFilter; readonly limit: number },
  config: Config,
  flags: HistoryFlags,
  io: Io,
): Promise<ExitCode> {
  const language = chooseLanguage(flags.lang, config, io.env);
  const { printers } = await askNearest(config, io, (api) => api.ask("GET", "/api/printers", printersAnswerSchema));
  const name = flags.on ?? flags.printer ?? config.defaultPrinter;
  const printer = choosePrinter(
    printers.map(({ attributes }) => attributes),
    name,
  );
  const shown = Math.min(limit, rowsAtMost);
  const rows: HistoryRow[] = [];
  // One more tells whether there are more.
  for await (const row of readHistory(config, filter, shown + 1, io)) rows.push(row);
  const hasOlder = rows.length > shown;
  const blocks = historyReport({ rows: rows.slice(0, shown), filter, hasOlder, language, madeAtMs: Date.now() });
  const folder = await mkdtemp(join(tmpdir(), "twinspool-history-"));
  try {
    const file = join(folder, "history.pwg");
    const { widthDots, resolutionDpi }: RenderTarget = printer;
    const page = await drawReport(blocks, { widthDots, resolutionDpi });
    await pipeline(encodePwg([page], 1), createWriteStream(file, { mode: 0o600 }));
    const { config: configFile, data, server, key, json } = flags;
    const common = { config: configFile, data, server, key, json };
    const given = Object.fromEntries(Object.entries(common).filter(([, value]) => value !== undefined));
    const { runPrint } = await import("./print.ts");
    const { title } = historyWords[language];
    return await runPrint([file], { ...given, printer: printer.name, title, shownAs: title, wait: true }, io);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The document is made for the width of its paper, so it must be known which printer it is. */
function choosePrinter(printers: readonly PrinterAttributes[], name: string | undefined): PrinterAttributes {
  const known = printers.map((printer) => printer.name).join(", ");
  const [only, ...others] = printers;
  const found = name === undefined ? (others.length === 0 ? only : undefined) : printers.find((p) => p.name === name);
  if (found !== undefined) return found;
  if (name !== undefined)
    throw new TwinspoolError("printer-unknown", known === "" ? name : `${name}; there is: ${known}`);
  if (only === undefined) throw new TwinspoolError("printer-unknown", "no printer host has come to the server yet");
  throw new TwinspoolError("printer-unknown", `several are there, name one with --on: ${known}`);
}
