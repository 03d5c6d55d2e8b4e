import type { HistoryRow, JobChange } from "../src/protocol/job.ts";
import { defaultTimers } from "../src/protocol/limits.ts";
import { reprintTicket } from "../src/server/resolutions.ts";
import { ServerMachine } from "../src/server/server-machine.ts";
import {
  type KeptImageRow,
  type ServerEffect,
  type ServerInput,
  type ServerJobRow,
  type ServerMeta,
  type ServerPrinterRow,
  serverTables,
} from "../src/server/server-state.ts";
import { ImageDisk, RowDisk } from "./disks.ts";
import { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

export class ServerNode extends SimNode<ServerInput, ServerEffect> {
  readonly rows = new RowDisk();
  readonly spool = new ImageDisk();
  readonly #world: World;

  constructor(world: World) {
    super("server", "server", world.loop, world.random);
    this.#world = world;
  }

  get serverMachine(): ServerMachine | undefined {
    return this.machine instanceof ServerMachine ? this.machine : undefined;
  }

  protected boot(): ServerMachine {
    const { plan } = this.#world;
    const jobs = [...this.rows.table(serverTables.jobs).values()] as ServerJobRow[];
    const kept = [...this.rows.table(serverTables.kept).values()] as KeptImageRow[];
    const printers = [...this.rows.table(serverTables.printers).values()] as ServerPrinterRow[];
    const meta = (this.rows.table(serverTables.meta).get("meta") as ServerMeta | undefined) ?? {
      clientId: "server00",
      nonce: "nonce1",
      nextSequence: 1,
    };
    this.spool.sweep(new Set([...jobs.map((row) => row.ticket.jobId), ...kept.map((row) => row.jobId)]));
    const history = this.rows.table(serverTables.history);
    return new ServerMachine(
      {
        timers: defaultTimers,
        maxOpenJobsPerClient: 100,
        keepEndedMs: 0,
        indeterminatePolicy: () => plan.policy,
        findHistory: (jobId) => history.get(jobId) as HistoryRow | undefined,
        isBeside: () => true,
      },
      { meta, jobs, printers, kept },
    );
  }

  protected booted(): void {
    this.#world.network.nodeStarted(this.name);
  }

  protected powerLost(): void {
    this.#world.network.nodeDied(this.name);
  }

  protected writeLatencyMs(): number {
    return this.#world.plan.writeLatencyMs;
  }

  protected durable(effect: ServerEffect): (() => void) | undefined {
    if (effect.kind !== "persist") return undefined;
    return () => this.rows.commit(effect.writes);
  }

  /** Step 305: the stream was checked on the way; false when it was not the announced image. */
  receiveUpload(jobId: string, digest: string): boolean {
    const job = this.serverMachine?.job(jobId);
    if (job === undefined || job.row.ticket.sha256 !== digest) return false;
    this.later(this.random.next() * this.writeLatencyMs(), () => {
      this.spool.images.set(jobId, digest);
      this.later(this.random.next() * 3, () => this.dispatch({ kind: "imageStored", jobId }));
    });
    return true;
  }

  /** A person changes a job; nobody answers when the process is not there. */
  change(jobId: string, change: JobChange): void {
    if (this.alive) this.dispatch({ kind: "changeRequested", jobId, change });
  }

  protected perform(effect: ServerEffect): void {
    const world = this.#world;
    switch (effect.kind) {
      case "sendMessage":
        return world.network.send(this, world.nameOf(effect.to), effect.message);
      case "sendImage":
        return this.#sendImage(effect.jobId, effect.uploadId);
      case "eraseImage":
        this.spool.images.delete(effect.jobId);
        return;
      case "composeReprint":
        return this.#compose(effect.jobId, effect.newJobId);
      case "note":
      case "jobChanged":
      case "persist":
        return;
    }
  }

  #sendImage(jobId: string, uploadId: string): void {
    const world = this.#world;
    const digest = this.spool.images.get(jobId);
    if (digest === undefined) return this.dispatch({ kind: "imageLost", jobId, reason: "no file" });
    world.transfer(this.name, "host", digest, (received) => {
      const ok = received !== undefined && world.host.receiveImage(jobId, uploadId, received);
      const to = "host:kitchen" as const;
      this.later(1, () => this.dispatch({ kind: "imageTransferEnded", jobId, to, ok, reason: "transfer failed" }));
    });
  }

  #compose(jobId: string, newJobId: string): void {
    this.later(this.random.next() * this.writeLatencyMs(), () => {
      const job = this.serverMachine?.job(jobId);
      if (job === undefined) return;
      const sha256 = this.#world.makeDigest();
      this.spool.images.set(newJobId, sha256);
      const { ticket } = job.row;
      const hostIncarnation = this.#world.host.incarnation;
      const { sizeBytes, heightDots } = ticket;
      const requestedAtMs = this.now.wallMs;
      const image = { jobId: newJobId, sha256, sizeBytes, heightDots, requestedAtMs, hostIncarnation };
      this.later(1, () => this.dispatch({ kind: "reprintComposed", jobId, ticket: reprintTicket(ticket, image) }));
    });
  }
}
