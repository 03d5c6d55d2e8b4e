import type { JobTicket, OutcomeRecord } from "../protocol/job.ts";
import { defaultTimers } from "../protocol/limits.ts";
import type { Message, Peer } from "../protocol/messages.ts";
import { clientId, kitchen, MachineDriver, nonce, only, recordOf, TestRows } from "../runtime/test-machine.ts";
import { ClientMachine } from "./client-machine.ts";
import {
  type ClientEffect,
  type ClientInput,
  type ClientJobEvent,
  type ClientJobRow,
  clientJobRowSchema,
  clientMetaSchema,
  clientPrinterRowSchema,
  clientTables,
} from "./client-state.ts";

export const server: Peer = "server";
export const host: Peer = "host:kitchen";

/** A client's machine with its rows: server, printer host and spool are played by the test. */
export class TestClient extends MachineDriver<ClientInput, ClientEffect, ClientMachine> {
  readonly rows = new TestRows();

  protected boot(): ClientMachine {
    const meta = this.rows.get(clientTables.meta, "meta");
    return new ClientMachine(
      { clientId, nonce, name: "till", timers: defaultTimers, isBeside: () => false, keepsImages: true },
      {
        meta: meta === undefined ? undefined : clientMetaSchema.parse(meta),
        jobs: this.rows.all(clientTables.jobs).map((row) => clientJobRowSchema.parse(row)),
        printers: this.rows.all(clientTables.printers).map((row) => clientPrinterRowSchema.parse(row)),
      },
      this.nowMs,
    );
  }

  protected keep(effect: ClientEffect): void {
    if (effect.kind === "persist") this.rows.commit(effect.writes);
  }

  /** The durable row of a job. */
  row(jobId: string): ClientJobRow | undefined {
    const row = this.rows.get(clientTables.jobs, jobId);
    return row === undefined ? undefined : clientJobRowSchema.parse(row);
  }

  takeId(): string {
    const [grant] = only(this.give({ kind: "jobIdRequested", requestId: "r" }), "grantJobId");
    if (grant === undefined) throw new Error("no job id was granted");
    return grant.jobId;
  }

  submit(ticket: JobTicket, imageKept = true): readonly ClientEffect[] {
    return this.give({ kind: "jobSubmitted", ticket, imageKept });
  }

  serverSays(message: Message): readonly ClientEffect[] {
    return this.says(server, message);
  }

  hostSays(message: Message): readonly ClientEffect[] {
    return this.says(host, message);
  }

  accepted({ jobId }: JobTicket, wantImage = false): readonly ClientEffect[] {
    return this.serverSays({ type: "jobAccepted", jobId, wantImage });
  }

  started({ jobId }: JobTicket, epoch = 1): readonly ClientEffect[] {
    return this.serverSays({ type: "jobStarted", jobId, epoch });
  }

  ended(ticket: JobTicket, more: Partial<OutcomeRecord> = {}): readonly ClientEffect[] {
    return this.hostSays({ type: "outputEnded", record: recordOf(ticket, more) });
  }
}

/** What the person at the client is told. */
export function told(effects: readonly ClientEffect[]): ClientJobEvent[] {
  return only(effects, "reportJob").map((effect) => effect.event);
}

/** Server and printer host are there, the printer is known, and nothing is submitted. */
export function readyClient(): TestClient {
  const client = new TestClient();
  client.open(server);
  client.serverSays({ type: "printersListed", printers: [kitchen] });
  client.open(host);
  return client;
}
