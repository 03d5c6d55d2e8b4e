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
import type { Peer } from "../src/protocol/messages.ts";
import { ImageDisk, RowDisk } from "./disks.ts";
import type { Arrival } from "./network.ts";
import type { JobPlan } from "./plan.ts";
import { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

/** What the person in front of a client was told. */
export interface UserView {
  readonly plan: JobPlan;
  readonly sha256: string;
  jobId: string | undefined;
  accepted: boolean;
  refused: boolean;
  outcome: string | undefined;
  /** The client lost its disk, and everything it knew. */
  forgotten: boolean;
}

/** How an image came to its receiver, as the sender hears it. */
export type Answer = "kept" | "failed" | "wrong-digest";

export class ClientNode extends SimNode<ClientInput, ClientEffect> {
  readonly rows = new RowDisk();
  readonly spool = new ImageDisk();
  readonly users: UserView[] = [];
  readonly #world: World;
  readonly #index: number;
  readonly #diskless: boolean;
  readonly #byJob = new Map<string, UserView>();
  /** Images in this process's hands only: gone with its power. */
  readonly #volatile = new Map<string, string>();
  #disks = 0;
  #networkLoaded = false;
  #peer: Peer;

  constructor(world: World, index: number) {
    super(`client-${index}`, world.loop, world.random);
    this.#world = world;
    this.#index = index;
    this.#diskless = world.plan.diskless.includes(index);
    this.#peer = this.#makePeer();
    this.#learnPrinters();
  }

  get peer(): Peer {
    return this.#peer;
  }

  #makePeer(): Peer {
    this.#disks += 1;
    return `client:cl${this.#index}${String(this.#disks).padStart(5, "0")}`;
  }

  get #clientMachine(): ClientMachine | undefined {
    return this.machine instanceof ClientMachine ? this.machine : undefined;
  }

  protected boot(): ClientMachine {
    const identity = { clientId: this.peer.slice("client:".length), nonce: "nonce1", name: this.name };
    const config = { ...identity, timers: defaultTimers, isBeside: () => false, keepsImages: !this.#diskless };
    const jobs = [...this.rows.table(clientTables.jobs).values()] as ClientJobRow[];
    const printers = [...this.rows.table(clientTables.printers).values()] as PrinterAttributes[];
    const meta = this.rows.table(clientTables.meta).get("meta") as ClientMeta | undefined;
    this.spool.sweep(new Set(jobs.map((row) => row.ticket.jobId)));
    return new ClientMachine(config, { meta, jobs, printers }, this.now.monotonicMs);
  }

  protected booted(): void {
    const world = this.#world;
    for (const row of [...this.rows.table(clientTables.jobs).values()] as ClientJobRow[]) {
      const { jobId } = row.ticket;
      if (row.image !== "stored" || this.spool.images.has(jobId)) continue;
      this.dispatch({ kind: "imageLost", jobId, reason: "no file at start" });
    }
    world.network.want(this, world.server, true);
  }

  protected powerLost(): void {
    const world = this.#world;
    this.#volatile.clear();
    for (const host of world.hosts) world.network.want(this, host, false);
    world.network.nodeDied(this);
    if (this.#diskless) this.#loseDisk();
  }

  #loseDisk(): void {
    this.rows.clear();
    this.spool.images.clear();
    for (const user of this.users) user.forgotten = true;
    this.#peer = this.#makePeer();
    this.#learnPrinters();
  }

  /** The client has seen the printers once, in a better time. */
  #learnPrinters(): void {
    for (const { attributes } of this.#world.hosts) {
      this.rows.commit([{ op: "put", table: clientTables.printers, key: attributes.name, value: attributes }]);
    }
  }

  protected writeLatencyMs(): number {
    return this.#world.plan.writeLatencyMs;
  }

  protected mayWait(effect: ClientEffect): boolean {
    return effect.kind === "sendMessage" || effect.kind === "note";
  }

  protected makeDurable(effects: readonly ClientEffect[]): void {
    for (const effect of effects) if (effect.kind === "persist") this.rows.commit(effect.writes);
  }

  submit(plan: JobPlan): void {
    if (!this.alive) return;
    const sha256 = this.#world.makeDigest();
    const told = { accepted: false, refused: false, outcome: undefined, forgotten: false };
    this.users.push({ plan, sha256, jobId: undefined, ...told });
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

  freeSpool(): void {
    if (this.alive && this.#world.plan.seed % 8 === 7) this.dispatch({ kind: "spoolLevelChanged", level: "ok" });
  }

  protected perform(effect: ClientEffect): void {
    const world = this.#world;
    switch (effect.kind) {
      case "sendMessage":
        return world.send(this, effect.to, effect.message);
      case "grantJobId": {
        const user = this.users[Number(effect.requestId)];
        return user === undefined ? undefined : this.#makeImage(effect.jobId, user);
      }
      case "uploadImage":
        return this.#upload(effect.jobId);
      case "fetchImage":
        return this.#fetch(effect.jobId);
      case "sendImage":
        return this.#sendToHost(effect.jobId, effect.to, effect.uploadId);
      case "eraseImage":
        this.spool.images.delete(effect.jobId);
        this.#volatile.delete(effect.jobId);
        return;
      case "openLink":
      case "closeLink": {
        const host = world.hostOf(effect.peer);
        return host === undefined ? undefined : world.network.want(this, host, effect.kind === "openLink");
      }
      case "reportJob":
        return this.#report(effect);
      case "note":
      case "persist":
        return;
    }
  }

  // ---- making a job

  #makeImage(jobId: string, user: UserView): void {
    this.later(this.random.next() * 100 + this.random.next() * this.writeLatencyMs(), () => {
      if (this.diskFull) {
        user.refused = true;
        return this.dispatch({ kind: "jobIdReturned", jobId });
      }
      user.jobId = jobId;
      this.#byJob.set(jobId, user);
      this.#world.checker.made(jobId, user.sha256);
      this.#world.submitted.set(jobId, this.#index);
      const store = user.plan.noSpool ? this.#volatile : this.spool.images;
      store.set(jobId, user.sha256);
      this.later(this.random.next() * 5, () => this.#submitted(jobId, user));
    });
  }

  #submitted(jobId: string, user: UserView): void {
    const world = this.#world;
    const { noSpool, cancelAfterMs, retryAfterMs, changes, move } = user.plan;
    const narrowed = this.#networkLoaded && !noSpool ? { withoutServerCopy: "loaded" } : {};
    const full =
      noSpool && user.plan.spools === "both" && this.#world.plan.seed % 8 === 7 ? { withoutOwnCopy: "near-full" } : {};
    const ticket = this.#ticket(jobId, user);
    this.dispatch({ kind: "jobSubmitted", ticket, imageKept: !noSpool, ...narrowed, ...full });
    if (cancelAfterMs !== undefined) this.later(cancelAfterMs, () => this.dispatch({ kind: "cancelRequested", jobId }));
    if (retryAfterMs !== undefined) world.loop.after(retryAfterMs, () => world.server.retry(jobId));
    if (move !== undefined) {
      world.loop.after(move.afterMs, () => world.server.move(jobId, world.printerName(move.printer)));
    }
    for (const { by, afterMs, change } of changes) {
      world.loop.after(afterMs, () => (by === "client" ? this : world.server).change(jobId, change));
    }
  }

  #ticket(jobId: string, { plan, sha256 }: UserView): JobTicket {
    const { source, spools, priority, held, holdMs, expiresMs, sizeBytes } = plan;
    const printer = this.#world.printerName(plan.printer);
    const known = this.#clientMachine?.printers.find(({ name }) => name === printer);
    return {
      jobId,
      printer,
      source,
      spools,
      title: jobId,
      clientName: this.name,
      requestedAtMs: this.now.wallMs,
      sizeBytes,
      sha256,
      pages: 1,
      widthDots: 576,
      heightDots: 100,
      hostIncarnation: known?.hostIncarnation ?? "unknown00000",
      ...(priority === undefined ? {} : { priority }),
      ...(held ? { held } : {}),
      ...(holdMs === undefined ? {} : { holdMs }),
      ...(expiresMs === undefined ? {} : { expiresMs }),
    };
  }

  // ---- images

  #upload(jobId: string): void {
    const { server, network } = this.#world;
    this.#send(jobId, "server", (digest, sizeBytes, answered) =>
      network.transfer(this, server, sizeBytes, nothing, (arrival) => {
        if (arrival === "lost") return answered("failed");
        server.receiveUpload(jobId, cameAs(arrival, digest), answered);
      }),
    );
  }

  #sendToHost(jobId: string, to: Peer, uploadId: string): void {
    const { network } = this.#world;
    const host = this.#world.hostOf(to);
    if (host === undefined) return;
    this.#send(jobId, to, (digest, sizeBytes, answered) =>
      network.transfer(
        this,
        host,
        sizeBytes,
        () => host.imageProgressed(uploadId),
        (arrival) => {
          if (arrival === "lost") return answered("failed");
          answered(host.receiveImage(jobId, uploadId, cameAs(arrival, digest)));
        },
      ),
    );
  }

  /** What `client.ts` does with the answer of an upload. */
  #send(
    jobId: string,
    to: Peer,
    transfer: (digest: string, sizeBytes: number, answered: (answer: Answer) => void) => void,
  ): void {
    const ticket = this.#clientMachine?.job(jobId)?.row.ticket;
    const { life } = this;
    const ended = (ok: boolean): void =>
      this.later(1, () => this.dispatch({ kind: "imageTransferEnded", jobId, to, ok, reason: "transfer failed" }));
    if (ticket === undefined) return ended(false);
    const store = this.spool.images.has(jobId) ? this.spool.images : this.#volatile;
    const digest = store.get(jobId);
    if (digest === undefined) return this.dispatch({ kind: "imageLost", jobId, reason: "no file" });
    transfer(digest, ticket.sizeBytes, (answer) => {
      if (!this.alive || this.life !== life) return;
      ended(answer === "kept");
      if (answer !== "wrong-digest" || store !== this.spool.images) return;
      if (this.spool.quarantineUnless(jobId, ticket.sha256)) {
        this.later(2, () => this.dispatch({ kind: "imageLost", jobId, reason: "the file is damaged" }));
      }
    });
  }

  #fetch(jobId: string): void {
    const { server, network } = this.#world;
    const ticket = this.#clientMachine?.job(jobId)?.row.ticket;
    const digest = server.spool.images.get(jobId);
    const { life } = this;
    const failed = (): void =>
      this.later(1, () => this.dispatch({ kind: "imageFetchFailed", jobId, reason: "transfer failed" }));
    if (ticket === undefined || digest === undefined || !server.alive) return failed();
    network.transfer(server, this, ticket.sizeBytes, nothing, (arrival) => {
      if (!this.alive || this.life !== life) return;
      const whole = arrival === "whole" && digest === ticket.sha256;
      if (!this.spool.images.has(jobId) && (!whole || this.diskFull)) return failed();
      this.later(this.random.next() * this.writeLatencyMs(), () => {
        if (!this.spool.images.has(jobId)) this.spool.images.set(jobId, digest);
        if (this.isQueued((effect) => effect.kind === "eraseImage" && effect.jobId === jobId)) return failed();
        this.dispatch({ kind: "imageStored", jobId });
      });
    });
  }

  #report(effect: Extract<ClientEffect, { kind: "reportJob" }>): void {
    const user = this.#byJob.get(effect.jobId);
    if (user === undefined) return;
    if (effect.event === "accepted") user.accepted = true;
    if (effect.event === "refused") user.refused = true;
    if (effect.event !== "ended" && effect.event !== "closed") return;
    user.outcome = effect.detail;
    if (effect.detail === "canceled") this.#world.checker.toldCanceled(effect.jobId);
  }
}

/** The digest of what came in. */
export function cameAs(arrival: Exclude<Arrival, "lost">, digest: string): string {
  return arrival === "whole" ? digest : `damaged ${digest}`;
}

export function nothing(): void {
  // Nobody counts the bytes of this transfer.
}
