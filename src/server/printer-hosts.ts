import { limits } from "../protocol/limits.ts";
import type { MessageOf } from "../protocol/messages.ts";
import { endJob } from "./outcomes.ts";
import { cancelAtHost } from "./resolutions.ts";
import { isActive } from "./scheduler.ts";
import type { ServerCore } from "./server-core.ts";
import { type ServerPrinterRow, serverTables } from "./server-state.ts";

// What the server knows of each printer: its attributes and state, and how far the history follows its ledger.

export function printerChanged(core: ServerCore, name: string, message: MessageOf<"printerChanged">): void {
  const { attributes, state } = message;
  if (attributes.name !== name) return;
  const known = core.printers.get(name);
  if (known === undefined && !makeRoom(core))
    return core.note("printer-refused", undefined, `${name}: too many printers`);
  const same = JSON.stringify(known?.row.attributes) === JSON.stringify(attributes);
  const { hostIncarnation } = attributes;
  const cursor =
    known?.row.cursor.hostIncarnation === hostIncarnation ? known.row.cursor : { hostIncarnation, sequence: -1 };
  const paused = known?.row.paused;
  const row: ServerPrinterRow = { attributes, cursor, ...(paused === undefined ? {} : { paused }) };
  const reconciled = known?.linked === true && known.reconciled && same;
  core.printers.set(name, { row, state, linked: true, reconciled, ledgerRetry: known?.ledgerRetry });
  if (!same) {
    core.persist([{ op: "put", table: serverTables.printers, key: name, value: row }]);
    const printers = core.attributes();
    for (const peer of core.linked) {
      if (peer.startsWith("client:")) core.send(peer, { type: "printersListed", printers });
    }
  }
  if (!reconciled) askLedger(core, name);
  for (const job of core.queue.ofPrinter(name)) {
    if (job.row.cancelRequested && job.row.outcome === undefined) cancelAtHost(core, job);
  }
}

/** A printer that has no jobs and whose host is away makes room for a new one. */
function makeRoom(core: ServerCore): boolean {
  if (core.printers.size < limits.printersPerServer) return true;
  for (const [name, { linked }] of core.printers) {
    if (linked || [...core.queue.ofPrinter(name)].length > 0) continue;
    core.printers.delete(name);
    core.note("printer-forgotten", undefined, name);
    core.persist([{ op: "delete", table: serverTables.printers, key: name }]);
    return true;
  }
  return false;
}

export function printerUnlinked(core: ServerCore, name: string): void {
  const printer = core.printers.get(name);
  if (printer === undefined) return;
  printer.linked = false;
  printer.reconciled = false;
  printer.ledgerRetry = undefined;
  printer.state = { state: "stopped", reasons: ["waits-for-printer-host"] };
}

function askLedger(core: ServerCore, name: string): void {
  const printer = core.printers.get(name);
  if (printer === undefined) return;
  printer.ledgerRetry ??= core.firstRetry();
  core.send(`host:${name}`, { type: "ledgerRequested", afterSequence: printer.row.cursor.sequence });
}

/** Asks again where no list came. */
export function checkLedgerRetry(core: ServerCore, name: string): void {
  const printer = core.printers.get(name);
  if (printer?.ledgerRetry === undefined || printer.ledgerRetry.atMs > core.now.monotonicMs) return;
  printer.ledgerRetry = core.nextRetry(printer.ledgerRetry);
  if (printer.linked) askLedger(core, name);
}

/** Brings the history level with the ledger before anything is scheduled. */
export function ledgerListed(core: ServerCore, name: string, message: MessageOf<"ledgerListed">): void {
  const printer = core.printers.get(name);
  if (printer === undefined || printer.row.cursor.hostIncarnation !== message.hostIncarnation) return;
  for (const record of message.records) endJob(core, record, undefined, `host:${name}`);
  const { hostIncarnation } = message;
  // The cursor follows the rows in the same queue of durable writes, never ahead of them.
  if (message.upTo > printer.row.cursor.sequence) {
    printer.row = { ...printer.row, cursor: { hostIncarnation, sequence: message.upTo } };
    core.persist([{ op: "put", table: serverTables.printers, key: name, value: printer.row }]);
  }
  printer.ledgerRetry = undefined;
  if (!message.complete) return askLedger(core, name);
  printer.reconciled = true;
  tellOpenJobs(core, name, core.lowestOpen);
  const active = [...core.queue.ofPrinter(name)].filter(isActive);
  if (active.length === 0) return;
  const jobIds = active.map((job) => job.row.ticket.jobId);
  core.send(`host:${name}`, { type: "outcomesRequested", jobIds });
}

/** What clients have closed for good: the host may forget it when it needs the room. */
export function tellOpenJobs(core: ServerCore, printer: string, known: Iterable<readonly [string, number]>): void {
  const origins = [...known]
    .slice(0, limits.openJobsPerMessage)
    .map(([origin, lowestOpen]) => ({ origin, lowestOpen }));
  if (origins.length > 0) core.send(`host:${printer}`, { type: "openJobsKnown", origins });
}
