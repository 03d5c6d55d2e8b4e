import { type ClientJobRow, clientTables } from "../src/client/client-state.ts";
import { type ServerJobRow, serverTables } from "../src/server/server-state.ts";
import { clientRow, historyOf, serverRow } from "./checker.ts";
import type { World } from "./world.ts";

/**
 * Liveness and tidiness (I7), after the faults have stopped and time has passed: every durable row has ended, or waits
 * visibly for a person or for someone who is gone for good, and the spools hold nothing else.
 */
export function checkEnd(world: World): string[] {
  return [...clientRows(world), ...serverRows(world), ...ledgers(world), ...spools(world)];
}

function clientRows(world: World): string[] {
  const violations: string[] = [];
  for (const client of world.clients) {
    if (client.gone) continue;
    for (const [jobId, value] of client.rows.table(clientTables.jobs)) {
      const row = value as ClientJobRow;
      if (waitsForPrinter(world, row.ticket.printer)) continue;
      if (row.heldReason !== undefined || serverRow(world, jobId)?.heldReason !== undefined) continue;
      if (world.server.gone && (row.outcome !== undefined || row.image === "none")) continue;
      violations.push(`I7 client row of ${jobId} does not end: ${describe(row)}`);
    }
  }
  return violations;
}

function serverRows(world: World): string[] {
  if (world.server.gone) return [];
  const violations: string[] = [];
  for (const [jobId, value] of world.server.rows.table(serverTables.jobs)) {
    const row = value as ServerJobRow;
    if (row.heldReason !== undefined || waitsForPrinter(world, row.ticket.printer)) continue;
    if (!row.imageStored && waitsForImage(world, jobId)) continue;
    violations.push(`I7 server row of ${jobId} does not end: ${describe(row)}`);
  }
  return violations;
}

/** The only copy is with a client that does not come back, or that shows its user that it is lost. */
function waitsForImage(world: World, jobId: string): boolean {
  const client = world.clients[world.submitted.get(jobId) ?? -1];
  if (client === undefined) return world.rotten.has(jobId);
  const forgotten = client.users.some((user) => user.jobId === jobId && user.forgotten);
  return client.gone || forgotten || clientRow(client, jobId)?.heldReason !== undefined;
}

function ledgers(world: World): string[] {
  if (world.server.gone) return [];
  const violations: string[] = [];
  for (const host of world.hosts) {
    if (host.gone) continue;
    for (const [jobId, records] of world.checker.records) {
      const record = records.get(host.ledger.incarnation);
      if (record === undefined) continue;
      if (record.state === "intent") violations.push(`I7 INTENT of ${jobId} stays open`);
      else if (historyOf(world, jobId) === undefined) {
        violations.push(`I7 ${jobId} is in the ledger and not in the history`);
      }
    }
  }
  return violations;
}

function spools(world: World): string[] {
  const violations: string[] = [];
  for (const jobId of world.server.gone ? [] : world.server.spool.images.keys()) {
    if (serverRow(world, jobId) === undefined) violations.push(`I7 the server's image of ${jobId} stays without a row`);
  }
  for (const client of world.clients) {
    for (const jobId of client.gone ? [] : client.spool.images.keys()) {
      if (clientRow(client, jobId) === undefined) violations.push(`I7 the client's image of ${jobId} stays`);
    }
  }
  return violations;
}

function waitsForPrinter(world: World, printer: string): boolean {
  return world.fullLedgers.has(printer) || world.hostOf(`host:${printer}`)?.gone !== false;
}

function describe(row: object): string {
  const { ticket: _, events: __, ...rest } = row as { ticket?: unknown; events?: unknown };
  return JSON.stringify(rest);
}
