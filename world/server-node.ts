import type { HistoryRow, JobChange } from "../src/protocol/job.ts";
import { defaultTimers } from "../src/protocol/limits.ts";
import type { Peer } from "../src/protocol/messages.ts";
import { imagesWithRow } from "../src/server/kept-images.ts";
import { ServerMachine } from "../src/server/server-machine.ts";
import {
  type Admission,
  type KeptImageRow,
  type ServerEffect,
  type ServerInput,
  type ServerJobRow,
  type ServerMeta,
  type ServerPrinterRow,
  serverTables,
} from "../src/server/server-state.ts";
import { type Answer, cameAs } from "./client-node.ts";
import { ImageDisk, RowDisk } from "./disks.ts";
import { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

export class ServerNode extends SimNode<ServerInput, ServerEffect> {
  readonly peer = "server";
  readonly rows = new RowDisk();
  readonly spool = new ImageDisk();
  readonly #world: World;

  constructor(world: World) {
    super("server", world.loop, world.random);
    this.#world = world;
    this.rows.onWrite = (write) => {
      if (write.table === serverTables.history && write.op === "put") {
        world.checker.historyWritten(write.value as HistoryRow);
      }
    };
  }

  get #serverMachine(): ServerMachine | undefined {
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
    this.spool.sweep(new Set(imagesWithRow(jobs, kept)));
    const history = this.rows.table(serverTables.history);
    return new ServerMachine(
      {
        timers: defaultTimers,
        maxOpenJobsPerClient: 100,
        keepEndedMs: 0,
        indeterminatePolicy: () => plan.policy,
        findHistory: (jobId) => history.get(jobId) as HistoryRow | undefined,
        isBeside: () => plan.beside,
        admission: this.#admission(),
      },
      { meta, jobs, printers, kept },
    );
  }

  /** Of one seed in eight the quota is small, and a rule keeps copies out: the others stay as their failures were found. */
  #admission(): Admission {
    const { seed } = this.#world.plan;
    const mostImages = seed % 8 === 7 ? 2 : Number.POSITIVE_INFINITY;
    return {
      largestJobBytes: Number.POSITIVE_INFINITY,
      roomRefusal: ({ promisedBytes }) =>
        this.spool.images.size + Math.sign(promisedBytes) >= mostImages ? "the quota" : undefined,
      ruleNarrowing: ({ jobId }) => (seed % 16 === 7 && jobId.endsWith("1") ? "rule 1" : undefined),
    };
  }

  protected booted(): void {
    for (const row of [...this.rows.table(serverTables.jobs).values()] as ServerJobRow[]) {
      const { jobId } = row.ticket;
      if (!row.imageStored || this.spool.images.has(jobId)) continue;
      this.dispatch({ kind: "imageLost", jobId, reason: "no file at start" });
    }
    this.#world.network.nodeStarted(this);
  }

  protected powerLost(): void {
    this.#world.network.nodeDied(this);
  }

  protected writeLatencyMs(): number {
    return this.#world.plan.writeLatencyMs;
  }

  protected mayWait(effect: ServerEffect): boolean {
    return effect.kind === "sendMessage" || effect.kind === "jobChanged" || effect.kind === "note";
  }

  protected makeDurable(effects: readonly ServerEffect[]): void {
    for (const effect of effects) if (effect.kind === "persist") this.rows.commit(effect.writes);
  }

  /** Step 305: streamed to the disk and checked on the way. */
  receiveUpload(jobId: string, digest: string, answered: (answer: Answer) => void): void {
    const sha256 = this.#serverMachine?.job(jobId)?.row.ticket.sha256;
    if (sha256 === undefined) return answered("failed");
    if (!this.spool.images.has(jobId)) {
      if (digest !== sha256) return answered("wrong-digest");
      if (this.diskFull) return answered("failed");
    }
    this.later(this.random.next() * this.writeLatencyMs(), () => {
      if (!this.spool.images.has(jobId)) this.spool.images.set(jobId, digest);
      if (this.isQueued((effect) => effect.kind === "eraseImage" && effect.jobId === jobId)) return answered("failed");
      this.dispatch({ kind: "imageStored", jobId });
      answered("kept");
    });
  }

  /** A person changes a job; nobody answers when the process is not there. */
  change(jobId: string, change: JobChange): void {
    if (this.alive) this.dispatch({ kind: "changeRequested", jobId, change });
  }

  retry(jobId: string): void {
    if (this.alive) this.dispatch({ kind: "retryRequested", jobId });
  }

  move(jobId: string, printer: string): void {
    if (this.alive) this.dispatch({ kind: "moveRequested", jobId, printer });
  }

  pause(printer: string): void {
    if (this.alive) this.dispatch({ kind: "printerPauseRequested", printer, reason: "" });
  }

  resume(printer: string): void {
    if (this.alive) this.dispatch({ kind: "printerResumeRequested", printer });
  }

  isPaused(printer: string): boolean {
    const row = this.rows.table(serverTables.printers).get(printer) as ServerPrinterRow | undefined;
    return row?.paused !== undefined;
  }

  loadNetwork(loaded: boolean): void {
    if (this.alive) this.dispatch({ kind: "networkLevelChanged", loaded, reason: loaded ? "90 % of the link" : "" });
  }

  protected perform(effect: ServerEffect): void {
    switch (effect.kind) {
      case "sendMessage":
        return this.#world.send(this, effect.to, effect.message);
      case "sendImage":
        return this.#sendImage(effect.jobId, effect.to, effect.uploadId);
      case "eraseImage":
        this.spool.images.delete(effect.jobId);
        if (this.#world.plan.seed % 8 === 7) {
          this.later(2_000, () => this.dispatch({ kind: "spoolLevelChanged", level: "ok", reason: "" }));
        }
        return;
      case "composeReprint":
        return this.#compose(effect);
      case "note":
      case "jobChanged":
      case "persist":
        return;
    }
  }

  #sendImage(jobId: string, to: Peer, uploadId: string): void {
    const { network } = this.#world;
    const host = this.#world.hostOf(to);
    const ticket = this.#serverMachine?.job(jobId)?.row.ticket;
    const { life } = this;
    const ended = (ok: boolean): void =>
      this.later(1, () => this.dispatch({ kind: "imageTransferEnded", jobId, to, ok, reason: "transfer failed" }));
    if (ticket === undefined || host === undefined) return ended(false);
    const digest = this.spool.images.get(jobId);
    if (digest === undefined) return this.dispatch({ kind: "imageLost", jobId, reason: "no file" });
    network.transfer(
      this,
      host,
      ticket.sizeBytes,
      () => host.imageProgressed(uploadId),
      (arrival) => {
        const answer = arrival === "lost" ? "failed" : host.receiveImage(jobId, uploadId, cameAs(arrival, digest));
        if (!this.alive || this.life !== life) return;
        ended(answer === "kept");
        if (answer === "wrong-digest" && this.spool.quarantineUnless(jobId, ticket.sha256)) {
          this.later(2, () => this.dispatch({ kind: "imageLost", jobId, reason: "the file is damaged" }));
        }
      },
    );
  }

  #compose({ jobId, marked, ticket }: Extract<ServerEffect, { kind: "composeReprint" }>): void {
    const world = this.#world;
    this.later(this.random.next() * this.writeLatencyMs(), () => {
      const newJobId = ticket.jobId;
      const damaged = this.spool.quarantineUnless(jobId, ticket.sha256);
      if (damaged) this.dispatch({ kind: "imageLost", jobId, reason: "the file is damaged" });
      if (damaged || this.diskFull) {
        return this.dispatch({ kind: "reprintFailed", jobId, reason: "the copy could not be made" });
      }
      const sha256 = marked ? world.makeDigest() : ticket.sha256;
      this.spool.images.set(newJobId, sha256);
      world.checker.made(newJobId, sha256);
      this.later(1, () => this.dispatch({ kind: "reprintComposed", jobId, ticket: { ...ticket, sha256 } }));
    });
  }
}
