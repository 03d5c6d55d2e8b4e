import { limits } from "../protocol/limits.ts";
import type { ServerCore } from "./server-core.ts";
import { type PrinterPause, type ServerPrinterRow, serverTables } from "./server-state.ts";

// A printer's queue that stands still until a person lets it go on. What is under way goes on: stopping paper in the
// middle would only make waste.

/** Durable: a restart does not resume it. A pause that is there keeps its time and its reason. */
export function pausePrinter(core: ServerCore, name: string, reason: string): void {
  const printer = core.printers.get(name);
  if (printer === undefined || printer.row.paused !== undefined) return;
  const sinceMs = Math.max(0, Math.floor(core.now.wallMs));
  const paused: PrinterPause = { reason: reason.slice(0, limits.reasonChars), sinceMs };
  core.note("printer-paused", undefined, `${name}: ${paused.reason}`);
  savePause(core, name, { ...printer.row, paused });
}

export function resumePrinter(core: ServerCore, name: string): void {
  const printer = core.printers.get(name);
  if (printer?.row.paused === undefined) return;
  const { paused: _, ...row } = printer.row;
  core.note("printer-resumed", undefined, name);
  savePause(core, name, row);
}

function savePause(core: ServerCore, name: string, row: ServerPrinterRow): void {
  const printer = core.printers.get(name);
  if (printer === undefined) return;
  printer.row = row;
  core.persist([{ op: "put", table: serverTables.printers, key: name, value: row }]);
  for (const job of core.queue.ofPrinter(name)) core.changed(job);
}
