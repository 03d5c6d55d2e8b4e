import { type PrinterView, printersAnswerSchema } from "../protocol/api.ts";
import { askNearest } from "./api.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";
import { type Column, formatTable } from "./table.ts";

const columns: readonly Column<PrinterView>[] = [
  { title: "PRINTER", value: (printer) => printer.attributes.name },
  { title: "STATE", value: (printer) => stateOf(printer), shrinkTo: 12 },
  { title: "JOBS", value: (printer) => String(printer.queuedJobs), align: "right" },
  { title: "MODEL", value: (printer) => printer.attributes.model, shrinkTo: 8 },
  { title: "WIDTH", value: ({ attributes }) => `${attributes.widthDots} dots, ${attributes.resolutionDpi} dpi` },
  { title: "HOST", value: (printer) => printer.attributes.hostUrl, shrinkTo: 12 },
];

/** The printers that the server, or else the client of this machine, knows. */
export async function runPrinters(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  let isLive = true;
  const { printers } = await askNearest(config, io, (api) => {
    isLive = api.whose === "server";
    return api.ask("GET", "/api/printers", printersAnswerSchema);
  });
  if (flags.json) {
    writeJson(io.stdout, { printers });
    return exitCodes.done;
  }
  // A client remembers what printers are like, not how they are.
  const shown = isLive ? columns : columns.filter((column) => column.title !== "STATE");
  if (printers.length === 0) io.stdout.write("no printers; add one with: twinspool box --printer NAME=URI\n");
  else io.stdout.write(`${formatTable(shown, printers, io.stdout.columns).join("\n")}\n`);
  return exitCodes.done;
}

function stateOf({ state, linked, paused }: PrinterView): string {
  if (!linked) return "host away";
  // IPP says "none" where there is no reason (RFC 8011 §5.4.12).
  const reasons = state.reasons.filter((reason) => reason !== "none");
  if (paused !== undefined) return `paused: ${paused.reason}`;
  return reasons.length === 0 ? state.state : `${state.state}: ${reasons.join(", ")}`;
}
