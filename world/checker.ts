import { type ClientJobRow, clientTables } from "../src/client/client-state.ts";
import type { JobRecord } from "../src/devices/host/ledger-record.ts";
import type { HistoryRow } from "../src/protocol/job.ts";
import { type ServerJobRow, serverTables } from "../src/server/server-state.ts";
import type { UserView } from "./client-node.ts";
import type { World } from "./world.ts";

/**
 * The invariants of design §3, read from the paper, the ledger, the history and the spools alone: nothing here asks a
 * machine what it thinks.
 */

/** Safety: at any moment, faults or not. */
export function checkNow(world: World): string[] {
  rememberLedger(world);
  return [...checkPaper(world), ...checkCopies(world), ...checkHistory(world), ...checkErased(world)];
}

/** Liveness and tidiness: after the faults have stopped and time has passed. */
export function checkEnd(world: World): string[] {
  rememberLedger(world);
  return [...checkEnded(world), ...checkSpoolsEmpty(world)];
}

function rememberLedger(world: World): void {
  for (const record of world.host.ledger.durable()) {
    if (record.kind !== "job") continue;
    const known = world.recorded.get(record.jobId);
    if (known === undefined || known.sequence < record.sequence) world.recorded.set(record.jobId, record);
  }
}

function recordOf(world: World, jobId: string): JobRecord | undefined {
  const record = world.recorded.get(jobId);
  return record?.kind === "job" ? record : undefined;
}

/** I1 at most one copy; I2 PRINTED means on paper; I3 CANCELED means never on paper. */
function checkPaper(world: World): string[] {
  const violations: string[] = [];
  const seen = new Map<string, number>();
  for (const copy of world.host.paper.copies) {
    seen.set(copy.jobId, (seen.get(copy.jobId) ?? 0) + 1);
    if (!/^[0-9a-f]{64}$/.test(copy.sha256))
      violations.push(`I1 wrong image on paper for ${copy.jobId}: ${copy.sha256}`);
  }
  for (const [jobId, count] of seen) if (count > 1) violations.push(`I1 ${jobId} is on paper ${count} times`);
  for (const record of world.recorded.values()) {
    if (record.kind !== "job") continue;
    const copies = world.host.paper.copies.filter((copy) => copy.jobId === record.jobId);
    if (record.state === "printed" && !copies.some((copy) => copy.complete && copy.sha256 === record.sha256)) {
      violations.push(`I2 ${record.jobId} is PRINTED and not on paper`);
    }
    if (record.state === "canceled" && copies.length > 0)
      violations.push(`I3 ${record.jobId} was canceled and printed`);
  }
  return violations;
}

/** I4 accepted and unfinished: somebody has a durable copy. */
function checkCopies(world: World): string[] {
  const violations: string[] = [];
  for (const { user, client } of users(world)) {
    const { jobId } = user;
    if (!user.accepted || jobId === undefined || historyOf(world, jobId) !== undefined) continue;
    if (finalState(world, jobId) !== undefined) continue;
    const mine = client.rows.table(clientTables.jobs).get(jobId) as ClientJobRow | undefined;
    const theirs = world.server.rows.table(serverTables.jobs).get(jobId) as ServerJobRow | undefined;
    const atClient = mine !== undefined && client.spool.images.get(jobId) === user.sha256;
    const atServer = theirs !== undefined && world.server.spool.images.get(jobId) === user.sha256;
    if (!atClient && !atServer) violations.push(`I4 ${jobId} was accepted and has no durable copy`);
  }
  return violations;
}

/** I5 the history says what the ledger says. */
function checkHistory(world: World): string[] {
  const violations: string[] = [];
  for (const [jobId, row] of world.server.rows.table(serverTables.history)) {
    const { outcome } = (row as HistoryRow).outcome;
    const state = finalState(world, jobId);
    if (state !== outcome) violations.push(`I5 ${jobId}: history ${outcome}, ledger ${state ?? "nothing"}`);
  }
  return violations;
}

/** I6 the client has forgotten the job: then the history has it (or it was refused, with the user told). */
function checkErased(world: World): string[] {
  const violations: string[] = [];
  for (const { user, client } of users(world)) {
    const { jobId } = user;
    if (jobId === undefined || !user.accepted || user.refused) continue;
    if (client.rows.table(clientTables.jobs).has(jobId)) continue;
    if (historyOf(world, jobId) === undefined) violations.push(`I6 ${jobId} is erased and not in the history`);
  }
  return violations;
}

/** I7 every durable row has ended, or waits for a person or for someone who is gone for good. */
function checkEnded(world: World): string[] {
  const violations: string[] = [];
  const { server, host } = world;
  for (const client of world.clients) {
    if (client.gone) continue;
    for (const [jobId, value] of client.rows.table(clientTables.jobs)) {
      const row = value as ClientJobRow;
      if (world.waitsForLedger.has(jobId)) continue;
      if (host.gone || row.heldReason !== undefined || isHeld(world, jobId)) continue;
      if (server.gone && (row.outcome !== undefined || row.image === "none")) continue;
      violations.push(`I7 client row of ${jobId} does not end: ${describe(row)}`);
    }
  }
  if (server.gone || host.gone) return violations;
  for (const [jobId, value] of server.rows.table(serverTables.jobs)) {
    const row = value as ServerJobRow;
    if (row.heldReason !== undefined || world.waitsForLedger.has(jobId)) continue;
    const client = world.clients[world.submitted.get(jobId) ?? -1];
    if (client?.gone === true && !row.imageStored) continue;
    violations.push(`I7 server row of ${jobId} does not end: ${describe(row)}`);
  }
  for (const [jobId, record] of world.recorded) {
    if (record.kind !== "job") continue;
    if (record.state === "intent") violations.push(`I7 INTENT of ${jobId} stays open`);
    else if (historyOf(world, jobId) === undefined)
      violations.push(`I7 ${jobId} is in the ledger and not in the history`);
  }
  return violations;
}

/** Both spools are empty but for held jobs. */
function checkSpoolsEmpty(world: World): string[] {
  const violations: string[] = [];
  const { server, host } = world;
  if (server.gone || host.gone) return violations;
  for (const jobId of server.spool.images.keys()) {
    const row = server.rows.table(serverTables.jobs).get(jobId);
    if (row === undefined) violations.push(`I7 the server's image of ${jobId} stays without a row`);
  }
  for (const client of world.clients) {
    if (client.gone) continue;
    for (const jobId of client.spool.images.keys()) {
      if (!client.rows.table(clientTables.jobs).has(jobId)) violations.push(`I7 the client's image of ${jobId} stays`);
    }
  }
  return violations;
}

function finalState(world: World, jobId: string): string | undefined {
  const state = recordOf(world, jobId)?.state;
  return state === "intent" ? undefined : state;
}

function historyOf(world: World, jobId: string): HistoryRow | undefined {
  return world.server.rows.table(serverTables.history).get(jobId) as HistoryRow | undefined;
}

function isHeld(world: World, jobId: string): boolean {
  const row = world.server.rows.table(serverTables.jobs).get(jobId) as ServerJobRow | undefined;
  return row?.heldReason !== undefined;
}

function* users(world: World): Iterable<{ user: UserView; client: World["clients"][number] }> {
  for (const client of world.clients) for (const user of client.users) yield { user, client };
}

function describe(row: object): string {
  const { ticket: _, ...rest } = row as { ticket?: unknown };
  return JSON.stringify(rest);
}
