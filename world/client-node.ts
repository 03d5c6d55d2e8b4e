import { ClientMachine } from "../src/client/client-machine.ts";
import {
  type ClientEffect,
  type ClientInput,
  type ClientJobRow,
  type ClientMeta,
  clientTables,
} from "../src/client/client-state.ts";
import type { JobChange, JobTicket, PrinterAttributes } from "../src/protocol/job.ts";
import { defaultTimers } from "../src/protocol/limits.ts";
import { ImageDisk, RowDisk } from "./disks.ts";
import type { JobPlan } from "./faults.ts";
import { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

/** What the person in front of a client was told. */
export interface UserView {
  readonly plan: JobPlan;
  jobId: string | undefined;
  sha256: string;
  accepted: boolean;
  refused: boolean;
  outcome: string | undefined;
}

export class ClientNode extends SimNode<ClientInput, ClientEffect> {
  readonly rows = new RowDisk();
  readonly spool = new ImageDisk();
  readonly users: UserView[] = [];
  readonly #world: World;
  readonly #index: number;
  /** Images in this process's hands only: gone with its power. */
  readonly #volatile = new Map<string, string>();
  #networkLoaded = false;

  constructor(world: World, index: number) {
    super(`client-${index}`, `client:cl${String(index).padStart(6, "0")}`, world.loop, world.random);
    this.#world = world;
    this.#index = index;
  }

  get clientId(): string {
    return this.peer.slice("client:".length);
  }

  protected boot(): ClientMachine {
    const config = { clientId: this.clientId, nonce: "nonce1", name: this.name, timers: defaultTimers };
    const jobs = [...this.rows.table(clientTables.jobs).values()] as ClientJobRow[];
    const printers = [...this.rows.table(clientTables.printers).values()] as PrinterAttributes[];
    const meta = this.rows.table(clientTables.meta).get("meta") as ClientMeta | undefined;
    this.spool.sweep(new Set(jobs.map((row) => row.ticket.jobId)));
    return new ClientMachine(config, { meta, jobs, printers }, this.now.monotonicMs);
  }

  protected booted(): void {
    this.#world.network.want(this.name, "server", true);
  }

  protected powerLost(): void {
    this.#volatile.clear();
    if (this.#world.mutant === "spool-not-durable") this.spool.images.clear();
    this.#world.network.want(this.name, "host", false);
    this.#world.network.nodeDied(this.name);
  }

  protected writeLatencyMs(): number {
    return this.#world.plan.writeLatencyMs;
  }

  protected durable(effect: ClientEffect): (() => void) | undefined {
    if (effect.kind !== "persist") return undefined;
    return () => this.rows.commit(effect.writes);
  }

  submit(plan: JobPlan): void {
    if (!this.alive) return;
    const user: UserView = {
      plan,
      jobId: undefined,
      sha256: this.#world.makeDigest(),
      accepted: false,
      refused: false,
      outcome: undefined,
    };
    this.users.push(user);
    this.dispatch({ kind: "jobIdRequested", requestId: String(this.users.length - 1) });
  }

  /** A person changes a job; nobody answers when the process is not there. */
  change(jobId: string, change: JobChange): void {
    if (this.alive) this.dispatch({ kind: "changeRequested", jobId, change });
  }

  loadNetwork(loaded: boolean): void {
    this.#networkLoaded = loaded;
    if (this.alive) this.dispatch({ kind: "networkLevelChanged", loaded });
  }

  protected perform(effect: ClientEffect): void {
    const world = this.#world;
    switch (effect.kind) {
      case "sendMessage":
        return world.network.send(this, world.nameOf(effect.to), effect.message);
      case "grantJobId":
        return this.#makeImage(effect.jobId, this.users[Number(effect.requestId)]);
      case "uploadImage":
        return this.#transfer(effect.jobId, (digest) => world.server.receiveUpload(effect.jobId, digest), "server");
      case "fetchImage":
        return this.#fetch(effect.jobId);
      case "sendImage":
        return this.#transfer(
          effect.jobId,
          (digest) => world.host.receiveImage(effect.jobId, effect.uploadId, digest),
          "host",
        );
      case "eraseImage":
        this.spool.images.delete(effect.jobId);
        this.#volatile.delete(effect.jobId);
        return;
      case "openLink":
        return world.network.want(this.name, "host", true);
      case "closeLink":
        return world.network.want(this.name, "host", false);
      case "reportJob":
        return this.#report(effect);
      case "note":
      case "persist":
        return;
    }
  }

  /** Renders, stores (temp, fsync, rename), and only then hands the job to the machine. */
  #makeImage(jobId: string, user: UserView | undefined): void {
    if (user === undefined) return;
    const world = this.#world;
    this.later(this.random.next() * 100 + this.random.next() * this.writeLatencyMs(), () => {
      user.jobId = jobId;
      const store = user.plan.noSpool ? this.#volatile : this.spool.images;
      store.set(jobId, user.sha256);
      this.later(this.random.next() * 5, () => {
        const ticket = this.#ticket(jobId, user);
        const narrowed = this.#networkLoaded && !user.plan.noSpool ? { withoutServerCopy: "loaded" } : {};
        this.dispatch({ kind: "jobSubmitted", ticket, imageKept: !user.plan.noSpool, ...narrowed });
        const { cancelAfterMs, changes } = user.plan;
        if (cancelAfterMs !== undefined) {
          this.later(cancelAfterMs, () => this.dispatch({ kind: "cancelRequested", jobId }));
        }
        for (const { by, afterMs, change } of changes) {
          world.loop.after(afterMs, () => (by === "client" ? this : world.server).change(jobId, change));
        }
      });
    });
    world.submitted.set(jobId, this.#index);
  }

  #ticket(jobId: string, user: UserView): JobTicket {
    const { source, spools, priority, held, holdMs, expiresMs } = user.plan;
    return {
      jobId,
      printer: "kitchen",
      source,
      spools,
      title: `job ${jobId}`,
      clientName: this.name,
      requestedAtMs: this.now.wallMs,
      sizeBytes: 1_000,
      sha256: user.sha256,
      pages: 1,
      widthDots: 576,
      heightDots: 100,
      hostIncarnation: this.#world.host.incarnation,
      ...(priority === undefined ? {} : { priority }),
      ...(held ? { held } : {}),
      ...(holdMs === undefined ? {} : { holdMs }),
      ...(expiresMs === undefined ? {} : { expiresMs }),
    };
  }

  #transfer(jobId: string, arrived: (digest: string) => boolean, to: "server" | "host"): void {
    const world = this.#world;
    const digest = this.spool.images.get(jobId) ?? this.#volatile.get(jobId);
    const peer = to === "server" ? "server" : ("host:kitchen" as const);
    if (digest === undefined) return this.dispatch({ kind: "imageLost", jobId, reason: "no file" });
    world.transfer(this.name, to, digest, (received) => {
      const ok = received !== undefined && arrived(received);
      this.later(1, () =>
        this.dispatch({ kind: "imageTransferEnded", jobId, to: peer, ok, reason: "transfer failed" }),
      );
    });
  }

  #fetch(jobId: string): void {
    const world = this.#world;
    const sha256 = (this.rows.table(clientTables.jobs).get(jobId) as ClientJobRow | undefined)?.ticket.sha256;
    const digest = world.server.spool.images.get(jobId);
    const failed = (): void =>
      this.later(1, () => this.dispatch({ kind: "imageFetchFailed", jobId, reason: "transfer failed" }));
    if (digest === undefined || !world.server.alive) return failed();
    world.transfer("server", this.name, digest, (received) => {
      if (received === undefined || received !== sha256) return failed();
      this.later(this.random.next() * this.writeLatencyMs(), () => {
        this.spool.images.set(jobId, received);
        this.later(this.random.next() * 3, () => this.dispatch({ kind: "imageStored", jobId }));
      });
    });
  }

  #report(effect: Extract<ClientEffect, { kind: "reportJob" }>): void {
    const user = this.users.find((candidate) => candidate.jobId === effect.jobId);
    if (user === undefined) return;
    if (effect.event === "accepted") user.accepted = true;
    if (effect.event === "refused") user.refused = true;
    if (effect.event === "ended" || effect.event === "closed") user.outcome = effect.detail;
  }
}
