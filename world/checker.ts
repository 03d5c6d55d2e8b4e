import { type ClientJobRow, clientTables } from "../src/client/client-state.ts";
import type { JobRecord, LedgerRecord } from "../src/devices/host/ledger-record.ts";
import type { HistoryRow } from "../src/protocol/job.ts";
import { type ServerJobRow, serverTables } from "../src/server/server-state.ts";
import type { ClientNode, UserView } from "./client-node.ts";
import type { PaperCopy } from "./paper.ts";
import type { World } from "./world.ts";

/**
 * Safety, at any moment, faults or not: the invariants of design §3 read from the paper, the ledgers, the history, the
 * spools and what users were told. Nothing here asks a machine what it thinks.
 */
export class Checker {
  readonly violations: string[] = [];
  /** Every outcome that was ever durable in a ledger, also when it was pruned or the ledger was lost: per job, per ledger. */
  readonly records = new Map<string, Map<string, JobRecord>>();
  readonly #copies = new Map<string, PaperCopy[]>();
  readonly #digests = new Map<string, string>();
  readonly #canceled = new Set<string>();

  /** The image of a job was made. */
  made(jobId: string, sha256: string): void {
    if (!this.#digests.has(jobId)) this.#digests.set(jobId, sha256);
  }

  /** I1: at most one copy of each job, and of the image that was made for it. I3: none of what was canceled. */
  copyBegun(copy: PaperCopy): void {
    const { jobId, sha256 } = copy;
    const copies = this.#copies.get(jobId) ?? [];
    this.#copies.set(jobId, copies);
    copies.push(copy);
    if (copies.length > 1) this.violations.push(`I1 ${jobId} is on paper ${copies.length} times`);
    if (this.#digests.get(jobId) !== sha256) this.violations.push(`I1 wrong image on paper for ${jobId}: ${sha256}`);
    const canceled = [...(this.records.get(jobId)?.values() ?? [])].some((record) => record.state === "canceled");
    if (canceled || this.#canceled.has(jobId)) this.violations.push(`I3 ${jobId} was canceled and is printed`);
  }

  /** I2: PRINTED means on paper. I3: CANCELED means never on paper. */
  recorded(incarnation: string, record: LedgerRecord): void {
    if (record.kind !== "job") return;
    const { jobId, state } = record;
    const known = this.records.get(jobId) ?? new Map<string, JobRecord>();
    this.records.set(jobId, known);
    if ((known.get(incarnation)?.sequence ?? -1) >= record.sequence) return;
    known.set(incarnation, record);
    const copies = this.#copies.get(jobId) ?? [];
    if (state === "printed" && !copies.some((copy) => copy.complete && copy.sha256 === record.sha256)) {
      this.violations.push(`I2 ${jobId} is PRINTED and not on paper`);
    }
    if (state === "canceled" && copies.length > 0) this.violations.push(`I3 ${jobId} was canceled and printed`);
  }

  /** I3: a user who was told "canceled" never finds it on the paper. */
  toldCanceled(jobId: string): void {
    this.#canceled.add(jobId);
    if (this.#copies.has(jobId)) this.violations.push(`I3 ${jobId} is on paper and its user was told "canceled"`);
  }

  /** I5: the history says what the ledger says. */
  historyWritten({ jobId, outcome }: HistoryRow): void {
    const state = this.records.get(jobId)?.get(outcome.hostIncarnation)?.state;
    if (state !== outcome.outcome) {
      this.violations.push(`I5 ${jobId}: history ${outcome.outcome}, ledger ${state ?? "nothing"}`);
    }
  }

  copiesOf(jobId: string): readonly PaperCopy[] {
    return this.#copies.get(jobId) ?? [];
  }

  /** A ledger has the final word on it. */
  isFinal(jobId: string): boolean {
    for (const { state } of this.records.get(jobId)?.values() ?? []) if (state !== "intent") return true;
    return false;
  }
}

/** I4 accepted and unfinished: somebody has a durable copy. I6 what a client has erased is in the history. */
export function checkSpools(world: World): void {
  for (const client of world.clients) {
    for (const user of client.users) {
      if (!user.accepted || user.jobId === undefined) continue;
      if (historyOf(world, user.jobId) !== undefined) continue;
      checkCopies(world, client, user, user.jobId);
      checkErased(world, client, user, user.jobId);
    }
  }
  checkRows(world);
}

/** I4: what a row calls stored is in the folder; so also the copies that the server has made for itself. */
function checkRows(world: World): void {
  const { server, clients, rotten, checker } = world;
  const demand = (whose: string, jobId: string, held: string | undefined, sha256: string): void => {
    if (held !== sha256 && !rotten.has(jobId)) checker.violations.push(`I4 ${whose} row says that ${jobId} is stored`);
  };
  for (const row of server.rows.table(serverTables.jobs).values() as Iterable<ServerJobRow>) {
    const { jobId, sha256 } = row.ticket;
    if (row.imageStored) demand("the server's", jobId, server.spool.images.get(jobId), sha256);
  }
  for (const client of clients) {
    for (const row of client.rows.table(clientTables.jobs).values() as Iterable<ClientJobRow>) {
      const { jobId, sha256 } = row.ticket;
      if (row.image === "stored") demand("a client's", jobId, client.spool.images.get(jobId), sha256);
    }
  }
}

function checkCopies(world: World, client: ClientNode, user: UserView, jobId: string): void {
  // No protocol keeps an image that rots in the only place where it is.
  if (world.rotten.has(jobId) || world.checker.isFinal(jobId)) return;
  const atClient = clientRow(client, jobId) !== undefined && client.spool.images.get(jobId) === user.sha256;
  const atServer = serverRow(world, jobId) !== undefined && world.server.spool.images.get(jobId) === user.sha256;
  if (!atClient && !atServer) world.checker.violations.push(`I4 ${jobId} was accepted and has no durable copy`);
}

/** Or it was refused, with the user told. */
function checkErased(world: World, client: ClientNode, user: UserView, jobId: string): void {
  if (user.refused || user.forgotten || clientRow(client, jobId) !== undefined) return;
  world.checker.violations.push(`I6 ${jobId} is erased and not in the history`);
}

export function historyOf(world: World, jobId: string): HistoryRow | undefined {
  return world.server.rows.table(serverTables.history).get(jobId) as HistoryRow | undefined;
}

export function serverRow(world: World, jobId: string): ServerJobRow | undefined {
  return world.server.rows.table(serverTables.jobs).get(jobId) as ServerJobRow | undefined;
}

export function clientRow(client: ClientNode, jobId: string): ClientJobRow | undefined {
  return client.rows.table(clientTables.jobs).get(jobId) as ClientJobRow | undefined;
}
