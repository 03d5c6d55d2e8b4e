import { type ClientEffect, type ClientJobRow, clientTables } from "../src/client/client-state.ts";
import type { HostEffect } from "../src/devices/host/host-state.ts";
import type { LedgerRecord } from "../src/devices/host/ledger-record.ts";
import { originKey, parseJobId } from "../src/protocol/ids.ts";
import type { HistoryRow } from "../src/protocol/job.ts";
import { settingsOf } from "../src/protocol/job-settings.ts";
import type { Message } from "../src/protocol/messages.ts";
import { type ServerEffect, type ServerJobRow, serverTables } from "../src/server/server-state.ts";
import type { ClientNode } from "../world/client-node.ts";
import type { HostNode } from "../world/host-node.ts";
import type { TraceEvent } from "../world/sim-node.ts";
import type { World } from "../world/world.ts";
import { printRules } from "./print-protocol.ts";
import { nothingYet, type PrintState } from "./print-state.ts";

const ledgerCodes = { intent: 1, printed: 2, indeterminate: 3, canceled: 4 } as const;
const rules = new Map(printRules.map((rule) => [rule.name, rule]));

/** A job as the specification sees it, and what the world has beyond it. */
interface Tracked {
  readonly state: PrintState;
  /** The host has refused the id for ever, or the server the job: there will be no record. */
  refused: boolean;
  /** Revisions under which each side said that it has a copy. */
  readonly clientSaid: Set<number>;
  readonly serverSaid: Set<number>;
}

/**
 * Holds everything that the nodes of a world do against the rules of the specification: code and specification cannot
 * drift apart. A step that no rule allows is a violation, named after the rule and its guard.
 */
export class TraceChecker {
  readonly violations: string[] = [];
  /** How often each rule was taken: a rule that no run ever takes checks nothing. */
  readonly taken = new Map<string, number>();
  readonly #world: World;
  readonly #jobs = new Map<string, Tracked>();

  constructor(world: World) {
    this.#world = world;
    for (const client of world.clients) client.onTrace = (event) => this.#client(client, event);
    world.server.onTrace = (event) => this.#server(event);
    for (const host of world.hosts) host.onTrace = (event) => this.#host(host, event);
  }

  #job(jobId: string): Tracked {
    const known = this.#jobs.get(jobId);
    if (known !== undefined) return known;
    const job: Tracked = { state: { ...nothingYet }, refused: false, clientSaid: new Set(), serverSaid: new Set() };
    this.#jobs.set(jobId, job);
    return job;
  }

  #violate(jobId: string, what: string): void {
    this.violations.push(`${jobId} at ${Math.round(this.#world.loop.nowMs)} ms: ${what}`);
  }

  #demand(jobId: string, holds: boolean, what: string): void {
    if (!holds) this.#violate(jobId, what);
  }

  /** Takes a rule of the specification, and says which guard forbids it. */
  #take(jobId: string, ...names: string[]): void {
    const { state } = this.#job(jobId);
    for (const name of names) {
      const rule = rules.get(name);
      if (rule === undefined) throw new Error(`the specification has no rule "${name}"`);
      const broken = Object.entries(rule.guards ?? {}).find(([, guard]) => !guard(state));
      if (broken !== undefined) this.#violate(jobId, `${name}: ${broken[0]}`);
      else if (!rule.when(state)) this.#violate(jobId, `${name}: not now ${describe(state)}`);
      rule.apply(state);
      this.taken.set(name, (this.taken.get(name) ?? 0) + 1);
    }
  }

  // ---- the client

  #client(client: ClientNode, event: TraceEvent<ClientEffect>): void {
    if (event.kind !== "done") return;
    const { effect } = event;
    if (effect.kind === "persist") {
      for (const write of effect.writes) {
        if (write.table !== clientTables.jobs) continue;
        if (write.op === "put") this.#clientRow(client, write.key, write.value as ClientJobRow);
        else this.#clientCloses(write.key);
      }
    } else if (effect.kind === "sendMessage") this.#clientSends(effect.message);
    else if (effect.kind === "reportJob" && effect.event === "accepted") this.#clientAccepts(effect.jobId);
    else if (effect.kind === "reportJob" && effect.event === "refused") this.#job(effect.jobId).refused = true;
    else if (effect.kind === "eraseImage") {
      const { state, refused } = this.#job(effect.jobId);
      const free = state.rowDisk === 3 || refused || state.image !== 2;
      this.#demand(effect.jobId, free, "client erases its image: the row is gone");
    }
  }

  #clientRow(client: ClientNode, jobId: string, row: ClientJobRow): void {
    const job = this.#job(jobId);
    const { state } = job;
    if (state.submitted === 0) {
      state.image = row.image === "stored" ? 2 : 1;
      this.#take(jobId, "client writes the row", "client commits");
    }
    const stored = client.spool.images.get(jobId) === row.ticket.sha256;
    if (row.image === "stored" && state.image !== 2) {
      this.#demand(jobId, stored, "client says stored: the image is there");
      state.image = 2;
    }
    if (row.image === "none" && state.image === 2) this.#clientGivesUp(jobId, row, stored);
    if (row.outcome === undefined || state.row !== 1) return;
    this.#take(jobId, "client hears the end", "client commits");
    const code = ledgerCodes[row.outcome.outcome];
    this.#demand(jobId, state.heard === code || state.pruned === 1, `client hears ${row.outcome.outcome}`);
  }

  #clientGivesUp(jobId: string, row: ClientJobRow, stored: boolean): void {
    const job = this.#job(jobId);
    const { spools, revision } = settingsOf(row);
    const confirmed = spools === "server" && job.serverSaid.has(revision);
    this.#demand(
      jobId,
      confirmed || !stored,
      "client gives its copy up: the server has its own, and knows these settings",
    );
    job.state.image = 0;
  }

  #clientAccepts(jobId: string): void {
    const { state } = this.#job(jobId);
    if (state.accepted === 1 || state.row !== 1) return;
    this.#take(jobId, state.image === 2 ? "client accepts on its own copy" : "client accepts on the server's copy");
  }

  #clientCloses(jobId: string): void {
    const job = this.#job(jobId);
    if (job.refused && job.state.closed === 0) {
      job.state.row = 3;
      job.state.rowDisk = 3;
    } else this.#take(jobId, "client closes", "client commits");
  }

  #clientSends(message: Message): void {
    switch (message.type) {
      case "jobRequested": {
        const { jobId } = message.ticket;
        const { state, clientSaid } = this.#job(jobId);
        if (state.requested === 0) this.#take(jobId, "client requests the job");
        if (message.clientKeepsImage) clientSaid.add(message.settings?.revision ?? 0);
        return;
      }
      case "imageOffered": {
        const { state } = this.#job(message.ticket.jobId);
        this.#demand(message.ticket.jobId, state.rowDisk === 1 && state.image > 0, "client offers: row and image");
        return;
      }
      case "jobEnded":
        return this.#demand(
          message.ticket.jobId,
          this.#job(message.ticket.jobId).state.rowDisk === 2,
          "client tells the end",
        );
      case "outputAcknowledged": {
        const { state } = this.#job(message.jobId);
        return this.#demand(message.jobId, state.rowDisk !== 1, "client acknowledges: the outcome is durable");
      }
    }
  }

  // ---- the server

  #server(event: TraceEvent<ServerEffect>): void {
    if (event.kind !== "done") return;
    const { effect } = event;
    if (effect.kind === "sendMessage") return this.#serverSends(effect.message);
    if (effect.kind === "eraseImage") return this.#serverErases(effect.jobId);
    if (effect.kind !== "persist") return;
    // One transaction: the history before the row that it replaces.
    for (const write of effect.writes) {
      if (write.table === serverTables.history && write.op === "put") this.#historyRow(write.value as HistoryRow);
    }
    for (const write of effect.writes) {
      if (write.table !== serverTables.jobs) continue;
      if (write.op === "put") this.#serverRow(write.key, write.value as ServerJobRow);
      else {
        const { state, refused } = this.#job(write.key);
        this.#demand(write.key, state.historyDisk > 0 || refused, "server removes the job: it is in the history");
      }
    }
  }

  #serverRow(jobId: string, row: ServerJobRow): void {
    const job = this.#job(jobId);
    const { state } = job;
    if (state.job === 0) {
      if ((row.ticket.reprintOf ?? row.ticket.movedFrom) !== undefined) state.requested = 1;
      this.#take(jobId, "server adds the job", "server commits");
    }
    const stored = this.#world.server.spool.images.get(jobId) === row.ticket.sha256;
    if (row.imageStored && state.copy !== 2) {
      this.#demand(jobId, stored, "server says stored: the image is there");
      state.copy = 2;
    }
    if (row.imageStored || state.copy === 0) return;
    const { spools, revision } = settingsOf(row);
    const confirmed = spools === "client" && job.clientSaid.has(revision);
    this.#demand(
      jobId,
      confirmed || !stored,
      "server gives its copy up: the client has its own, and knows these settings",
    );
    state.copy = 0;
  }

  #historyRow({ jobId, outcome }: HistoryRow): void {
    const { state } = this.#job(jobId);
    const code = ledgerCodes[outcome.outcome];
    if (state.job < 2 && state.pruned === 0) this.#take(jobId, "server records the history", "server commits");
    else if (state.job < 2) Object.assign(state, { job: 2, jobDisk: 2, history: code, historyDisk: code });
    this.#demand(jobId, state.history === code, `the history says ${outcome.outcome}`);
  }

  #serverErases(jobId: string): void {
    const { state, refused } = this.#job(jobId);
    const free = state.historyDisk > 0 || refused || state.copy === 0 || state.jobDisk === 0;
    this.#demand(jobId, free, "server erases its image: the history is durable");
    state.copy = 0;
  }

  #serverSends(message: Message): void {
    if (message.type === "jobAccepted") {
      const { state, serverSaid } = this.#job(message.jobId);
      this.#demand(message.jobId, state.jobDisk > 0, "server accepts: the row is durable");
      state.acknowledged = 1;
      if (message.hasImage !== true) return;
      if (state.stored === 0 && state.job === 1) this.#take(message.jobId, "server says that it is stored");
      serverSaid.add(message.revision ?? 0);
    } else if (message.type === "imageStored") {
      const { state, serverSaid } = this.#job(message.jobId);
      if (state.stored === 0 && state.job === 1) this.#take(message.jobId, "server says that it is stored");
      serverSaid.add(message.revision ?? 0);
    } else if (message.type === "jobStarted") this.#epochDurable(message.jobId, message.epoch);
    else if (message.type === "imageOffered") {
      const { jobId } = message.ticket;
      this.#demand(jobId, this.#job(jobId).state.copy === 2, "server offers: its image is durable");
      this.#epochDurable(jobId, message.epoch);
    } else if (message.type === "jobRefused") this.#job(message.jobId).refused = true;
    else if (message.type === "jobClosed") this.#serverCloses(message.jobId);
  }

  #serverCloses(jobId: string): void {
    const job = this.#job(jobId);
    if (job.refused && job.state.job < 2) job.state.closed = 1;
    if (job.state.closed === 0) this.#take(jobId, "server says that it is closed");
  }

  #epochDurable(jobId: string, epoch: number): void {
    const row = this.#world.server.rows.table(serverTables.jobs).get(jobId) as ServerJobRow | undefined;
    this.#demand(jobId, row === undefined || row.epoch >= epoch, "server orders: the epoch is durable");
  }

  // ---- the printer host

  #host(host: HostNode, event: TraceEvent<HostEffect>): void {
    if (event.kind === "started") {
      // A write that was torn may be there after all.
      for (const record of host.restored) this.#record(record);
      return;
    }
    if (event.kind !== "done") return;
    const { effect } = event;
    if (effect.kind === "persist") for (const record of effect.records) this.#record(record);
    else if (effect.kind === "startOutput") this.#starts(effect.jobId);
    else if (effect.kind === "sendMessage" && effect.message.type === "outputEnded") {
      const { jobId, outcome } = effect.message.record;
      const { state } = this.#job(jobId);
      // What is forgotten meanwhile was durable, and may be told until it is acknowledged.
      const durable = state.pruned === 1 || state.ledgerDisk === ledgerCodes[outcome];
      this.#demand(jobId, durable, `host tells ${outcome}: the record is durable`);
    } else if (effect.kind === "sendMessage" && effect.message.type === "offerRefused") {
      if (effect.message.code === "job-pruned" || effect.message.code === "job-conflict") {
        this.#job(effect.message.jobId).refused = true;
      }
    }
  }

  #starts(jobId: string): void {
    const begun = this.#job(jobId).state.output === 1;
    const copies = this.#world.checker.copiesOf(jobId);
    // The copy that this very start has begun lies there already.
    this.#demand(jobId, !begun || copies.length <= 1, "host starts again: no byte has gone out");
    if (begun) this.#take(jobId, "printer has taken no byte");
    this.#take(jobId, "host starts the output");
  }

  #record(record: LedgerRecord): void {
    if (record.kind === "horizon") return this.#horizon(record.origin, record.lowestOpen);
    const { jobId } = record;
    const { state } = this.#job(jobId);
    const code = ledgerCodes[record.state];
    if (state.ledgerDisk === code || state.pruned === 1) return;
    this.#demand(jobId, state.ledgerDisk < 2, `host records ${record.state}: nothing final is recorded yet`);
    const copies = this.#world.checker.copiesOf(jobId);
    if (record.state === "intent") {
      state.offered = 1;
      this.#take(jobId, "host receives the image", "host writes INTENT");
    } else if (record.state === "printed") {
      this.#demand(
        jobId,
        copies.some(({ complete }) => complete),
        "host records PRINTED: it is on paper",
      );
      state.ledger = code;
    } else if (record.state === "canceled") {
      // An INTENT of which the device says that no byte went out may still become CANCELED.
      this.#demand(jobId, copies.length === 0, "host records CANCELED: no byte has gone out");
      state.ledger = code;
    } else state.ledger = code;
    if (code !== 1) Object.assign(state, { loaded: 0, output: 0 });
    state.ledgerDisk = code;
  }

  #horizon(origin: string, lowestOpen: number): void {
    for (const [jobId, { state }] of this.#jobs) {
      const id = parseJobId(jobId);
      if (originKey(id) !== origin || id.sequence >= lowestOpen || state.pruned === 1 || state.ledgerDisk < 2) continue;
      // The server's own reprints have no client: it forgets what it has in its history.
      if (state.submitted === 1) this.#take(jobId, "host forgets the job");
      else this.#demand(jobId, state.historyDisk > 0, "host forgets the job: it is in the history");
      Object.assign(state, { pruned: 1, ledger: 0, ledgerDisk: 0 });
    }
  }
}

function describe(state: PrintState): string {
  const told = Object.entries(state).filter(([, value]) => value !== 0);
  return told.map(([name, value]) => `${name} ${value}`).join(", ");
}
