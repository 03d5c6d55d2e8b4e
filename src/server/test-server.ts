import {
  type HistoryRow,
  historyRowSchema,
  type IndeterminatePolicy,
  type JobTicket,
  type OutcomeRecord,
} from "../protocol/job.ts";
import { defaultTimers, limits } from "../protocol/limits.ts";
import type { Message, Peer } from "../protocol/messages.ts";
import { clientId, kitchen, MachineDriver, nonce, recordOf, TestRows } from "../runtime/test-machine.ts";
import { ServerMachine } from "./server-machine.ts";
import {
  type Admission,
  keptImageRowSchema,
  type ServerEffect,
  type ServerInput,
  type ServerJobRow,
  serverJobRowSchema,
  serverMetaSchema,
  serverPrinterRowSchema,
  serverTables,
} from "./server-state.ts";

export const client: Peer = `client:${clientId}`;
export const host: Peer = "host:kitchen";
export const serverId = "5e47e400";

export interface TestServerOptions {
  readonly policy?: IndeterminatePolicy;
  readonly keepEndedMs?: number;
  readonly maxOpenJobsPerClient?: number;
  readonly admission?: Partial<Admission>;
}

/** A spool that takes everything. */
export const openAdmission: Admission = {
  largestJobBytes: limits.imageBytes,
  roomRefusal: () => undefined,
  ruleNarrowing: () => undefined,
};

/** A server's machine with its rows: client, printer and spool are played by the test. */
export class TestServer extends MachineDriver<ServerInput, ServerEffect, ServerMachine> {
  readonly rows = new TestRows();
  readonly options: TestServerOptions;
  #ledgerSequence = 0;

  constructor(options: TestServerOptions = {}) {
    super();
    this.options = options;
    this.rows.commit([
      { op: "put", table: serverTables.meta, key: "meta", value: { clientId: serverId, nonce, nextSequence: 1 } },
    ]);
  }

  protected boot(): ServerMachine {
    return new ServerMachine(
      {
        timers: defaultTimers,
        maxOpenJobsPerClient: this.options.maxOpenJobsPerClient ?? 100,
        keepEndedMs: this.options.keepEndedMs ?? 0,
        indeterminatePolicy: () => this.options.policy ?? "hold",
        findHistory: (jobId) => this.history(jobId),
        isBeside: () => true,
        admission: { ...openAdmission, ...this.options.admission },
      },
      {
        meta: serverMetaSchema.parse(this.rows.get(serverTables.meta, "meta")),
        jobs: this.rows.all(serverTables.jobs).map((row) => serverJobRowSchema.parse(row)),
        printers: this.rows.all(serverTables.printers).map((row) => serverPrinterRowSchema.parse(row)),
        kept: this.rows.all(serverTables.kept).map((row) => keptImageRowSchema.parse(row)),
      },
    );
  }

  protected keep(effect: ServerEffect): void {
    if (effect.kind === "persist") this.rows.commit(effect.writes);
  }

  history(jobId: string): HistoryRow | undefined {
    const row = this.rows.get(serverTables.history, jobId);
    return row === undefined ? undefined : historyRowSchema.parse(row);
  }

  /** The durable row of a job. */
  row(jobId: string): ServerJobRow | undefined {
    const row = this.rows.get(serverTables.jobs, jobId);
    return row === undefined ? undefined : serverJobRowSchema.parse(row);
  }

  /** Where the job stands, as `phase` or `waiting: why`. */
  phase(jobId: string): string | undefined {
    const phase = this.machine.job(jobId)?.phase;
    return phase?.kind === "waiting" ? phase.reason : phase?.kind;
  }

  epoch(jobId: string): number {
    return this.machine.job(jobId)?.row.epoch ?? -1;
  }

  // ---- the printer host

  /** The host's link opens and it introduces its printer; its ledger has not been read yet. */
  hostAppears(attributes = kitchen): readonly ServerEffect[] {
    const opened = this.open(`host:${attributes.name}`);
    const state = { state: "idle" as const, reasons: [] };
    return [...opened, ...this.says(`host:${attributes.name}`, { type: "printerChanged", attributes, state })];
  }

  /** The whole ledger has been told. */
  ledgerEnds(records: readonly OutcomeRecord[] = [], more: { name?: string; complete?: boolean } = {}) {
    const { name = "kitchen", complete = true } = more;
    const upTo = Math.max(-1, ...records.map((record) => record.sequence));
    const { hostIncarnation } = kitchen;
    return this.hostSays({ type: "ledgerListed", hostIncarnation, records: [...records], upTo, complete }, name);
  }

  hostReady(attributes = kitchen): readonly ServerEffect[] {
    return [...this.hostAppears(attributes), ...this.ledgerEnds([], { name: attributes.name })];
  }

  hostSays(message: Message, name = "kitchen"): readonly ServerEffect[] {
    return this.says(`host:${name}`, message);
  }

  outputStarts(ticket: JobTicket, sentBy: "client" | "server" = "client"): readonly ServerEffect[] {
    return this.hostSays({ type: "outputStarted", jobId: ticket.jobId, epoch: this.epoch(ticket.jobId), sentBy });
  }

  outputEnds(ticket: JobTicket, more: Partial<OutcomeRecord> = {}): readonly ServerEffect[] {
    const record = recordOf(ticket, { sequence: this.#ledgerSequence++, ...more });
    return this.hostSays({ type: "outputEnded", record }, ticket.printer);
  }

  // ---- the client

  clientSays(message: Message): readonly ServerEffect[] {
    return this.says(client, message);
  }

  request(ticket: JobTicket, clientKeepsImage = true): readonly ServerEffect[] {
    return this.clientSays({ type: "jobRequested", ticket, clientKeepsImage });
  }

  /** Step 305 has ended: the image is durable in this spool. */
  imageStored(ticket: JobTicket): readonly ServerEffect[] {
    return this.give({ kind: "imageStored", jobId: ticket.jobId });
  }

  listOpen(jobIds: readonly string[], lowestOpen: number, nextSequence: number): readonly ServerEffect[] {
    return this.clientSays({ type: "openJobsListed", jobIds: [...jobIds], nonce, lowestOpen, nextSequence });
  }
}

/** Client and printer host are there, and nothing is queued. */
export function readyServer(options: TestServerOptions = {}): TestServer {
  const server = new TestServer(options);
  server.open(client);
  server.hostReady();
  return server;
}
