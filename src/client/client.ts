import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { mediaTypes } from "../image/media-types.ts";
import { renderDocument } from "../image/render.ts";
import type { PrintEvent, SpoolView } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import type { JobChange, JobTicket, PrinterAttributes, Spools } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import type { Hello } from "../protocol/messages.ts";
import { proofHeaders, publishProof } from "../runtime/client-proof.ts";
import { nodeClock } from "../runtime/clock.ts";
import type { Config } from "../runtime/config-schema.ts";
import { getImage } from "../runtime/image-transfer.ts";
import { type Choice, chooseSettings, findRule } from "../runtime/job-rules.ts";
import type { Routes } from "../runtime/listener.ts";
import type { Log } from "../runtime/log.ts";
import { isOnThisMachine } from "../runtime/loopback.ts";
import type { PersistEffect } from "../runtime/machine.ts";
import { MachineRunner } from "../runtime/machine-runner.ts";
import { type NetworkWatch, networkUnknown, watchNetwork } from "../runtime/network-watch.ts";
import { PeerHub } from "../runtime/peer-hub.ts";
import { type ImageStore, openImageStore } from "../spool/image-store.ts";
import type { JobStore } from "../spool/job-store.ts";
import { SpoolWatch } from "../spool/level-watch.ts";
import { memoryFileSystem } from "../spool/memory-file-system.ts";
import { ClientMachine } from "./client-machine.ts";
import type { ClientEffect, ClientInput, ClientJob } from "./client-state.ts";
import { type ClientIdentity, loadClientSnapshot, openClientStore } from "./client-store.ts";
import { type ClientBackend, mountClientDoor } from "./door.ts";
import { ImageTransfers, type OpenedFolder } from "./image-transfers.ts";
import { changeRefusal } from "./job-changes.ts";
import { decideKeeping, type Keeping, whyDiskless } from "./own-spool.ts";
import { mountPreviewDoor, type PreviewBackend } from "./preview-door.ts";
import type { PrintRequest } from "./print-request.ts";
import { mountSeenHistory, SeenHistory } from "./seen-history.ts";

export interface ClientOptions {
  readonly config: Config;
  readonly log: Log;
  /** A write that could not be made durable: the process has to end. Default: an uncaught error. */
  readonly onFatal?: (error: unknown) => void;
  /** The process ends when its jobs have: what only the server could keep is refused while the server is away. */
  readonly leavesSoon?: boolean;
}

export interface ClientProcess {
  /** Why this client keeps nothing, not even its own jobs; undefined when it has a disk. */
  readonly diskless: string | undefined;
  mount(routes: Routes): void;
  start(): void;
  close(): Promise<void>;
  readonly openJobs: number;
  /** True as soon as the server's printers are known, false when that takes longer. */
  waitForServer(timeoutMs: number): Promise<boolean>;
  /** Renders, stores and submits a document; resolves with the job id once the job is durable here. */
  print(request: PrintRequest, onEvent: (event: PrintEvent) => void): Promise<string>;
  cancel(jobId: string): void;
}

const firstServerMs = 3_000;

/** A print image in this process's hands. */
type MadeImage = Pick<JobTicket, "jobId" | "sizeBytes" | "sha256" | "pages" | "heightDots"> & {
  readonly mediaType: string;
};

type EventListener = (event: PrintEvent) => void;

/**
 * Opens the client's data folder. A folder that cannot be written makes a client without a disk: its images go to the
 * server at once, and each of its lives is a new client. Throws `folder-in-use`, `database-corrupt`, `disk-*`.
 */
export async function openClient(options: ClientOptions): Promise<ClientProcess> {
  const folder = join(options.config.data, "client");
  const diskless = await whyDiskless(folder);
  const { store, identity } = openClientStore(diskless === undefined ? join(folder, "client.db") : undefined);
  const { largestJobBytes: maxImageBytes } = options.config.capacity;
  const memory = diskless === undefined ? {} : { fileSystem: memoryFileSystem() };
  try {
    if (diskless === undefined) await publishProof(options.config.data, identity);
    const images = await openImageStore(join(folder, "images"), { maxImageBytes, ...memory });
    // Worth nothing after a restart: images of jobs that do not use this spool, and documents half taken.
    for (const name of diskless === undefined ? ["handover", "documents"] : []) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
    const handover = await openImageStore(join(folder, "handover"), { maxImageBytes, ...memory });
    const shell = new ClientShell(options, { folder, diskless, store, identity, images, handover });
    await images.sweep(shell.jobs.map((job) => job.row.ticket.jobId));
    return shell;
  } catch (error) {
    store.close();
    throw error;
  }
}

/** The thin shell of the client's machine. */
class ClientShell implements ClientProcess, ClientBackend, PreviewBackend {
  readonly #config: Config;
  readonly #log: Log;
  readonly #folder: string;
  readonly #store: JobStore;
  readonly #identity: ClientIdentity;
  readonly #images: ImageStore;
  /** Images of jobs that do not use this spool, until the server has them; worth nothing after a restart. */
  readonly #handover: ImageStore;
  readonly #machine: ClientMachine;
  readonly #runner: MachineRunner<ClientInput, ClientEffect, PersistEffect>;
  readonly #hub: PeerHub;
  readonly #seen: SeenHistory;
  readonly #transfers: ImageTransfers;
  readonly #listeners = new Map<string, EventListener>();
  readonly #grants = new Map<string, (jobId: string) => void>();
  #requests = 0;
  readonly diskless: string | undefined;
  readonly #leavesSoon: boolean;
  readonly #spool: SpoolWatch;
  #network: NetworkWatch | undefined;
  #serverWaiters: (() => void)[] = [];
  #printersListed = false;

  constructor(options: ClientOptions, opened: OpenedFolder) {
    const { config, log } = options;
    const { folder, store, identity, images, handover } = opened;
    this.diskless = opened.diskless;
    this.#leavesSoon = options.leavesSoon === true;
    this.#spool = new SpoolWatch(opened.diskless === undefined ? folder : undefined, images, config);
    this.#config = config;
    this.#log = log;
    this.#folder = folder;
    this.#store = store;
    this.#identity = identity;
    this.#images = images;
    this.#handover = handover;
    this.#seen = new SeenHistory({
      store,
      config,
      log,
      nowMs: () => nodeClock.now().wallMs,
      headers: proofHeaders(identity),
    });
    const snapshot = loadClientSnapshot(store);
    this.#machine = new ClientMachine(
      {
        ...identity,
        name: config.name,
        timers: config.timers,
        isBeside: isOnThisMachine,
        keepsImages: opened.diskless === undefined,
      },
      snapshot,
      nodeClock.now().monotonicMs,
    );
    this.#runner = new MachineRunner(this.#machine, {
      clock: nodeClock,
      isPersist: (effect): effect is PersistEffect => effect.kind === "persist",
      commit: (effects) => store.commit(effects.flatMap((effect) => effect.writes)),
      perform: (effect) => this.#perform(effect),
      mayWait: (effect) => effect.kind === "sendMessage" || effect.kind === "note",
      onFatal: (error) => {
        log.fatal({ err: error }, "the client has to end");
        if (options.onFatal === undefined) {
          setImmediate(() => {
            throw error;
          });
        } else options.onFatal(error);
      },
    });
    this.#transfers = new ImageTransfers({
      config,
      identity,
      machine: this.#machine,
      images,
      handover,
      spool: this.#spool,
      isErasing: (jobId) => this.#runner.isQueued((effect) => effect.kind === "eraseImage" && effect.jobId === jobId),
      dispatch: (input) => this.#runner.dispatch(input),
    });
    this.#hub = new PeerHub({
      clock: nodeClock,
      random: Math.random,
      log,
      key: config.key,
      retryFirstMs: config.timers.retryFirstMs,
      dispatch: (input) => {
        this.#runner.dispatch(input);
        if (input.kind === "messageReceived" && input.message.type === "printersListed") this.#serverSeen();
      },
    });
  }

  get jobs(): readonly ClientJob[] {
    return this.#machine.jobs;
  }

  get printers(): readonly PrinterAttributes[] {
    return this.#machine.printers;
  }

  get serverLinked(): boolean {
    return this.#hub.linked("server");
  }

  get openJobs(): number {
    return this.#machine.jobs.length;
  }

  mount(routes: Routes): void {
    const folder = this.diskless === undefined ? this.#folder : join(tmpdir(), `twinspool-${this.#identity.clientId}`);
    mountClientDoor(routes, this, { folder: join(folder, "documents"), documentBytes: this.#config.documentBytes });
    mountPreviewDoor(routes, this);
    mountSeenHistory(routes, this.#seen);
  }

  start(): void {
    for (const job of this.#machine.jobs) {
      const { jobId } = job.row.ticket;
      if (job.row.image !== "stored" || this.#images.has(jobId)) continue;
      this.#runner.dispatch({ kind: "imageLost", jobId, reason: "no file at start" });
    }
    this.#spool.start((level, reason, isNew) => {
      if (isNew) this.#log.warn({ spoolLevel: level, reason }, "the spool's level changed");
      if (this.diskless === undefined) this.#runner.dispatch({ kind: "spoolLevelChanged", level });
    });
    this.#network = watchNetwork(this.#config.network, (loaded, reason) => {
      this.#log.warn({ networkLoaded: loaded, reason }, "the network's load changed");
      this.#runner.dispatch({ kind: "networkLevelChanged", loaded });
    });
    const { secret } = this.#identity;
    this.#hub.dial("server", `${this.#config.server}/control`, { ...this.#hello(), secret });
    this.#runner.dispatch({ kind: "woke" });
  }

  async close(): Promise<void> {
    this.#seen.close();
    this.#spool.stop();
    this.#network?.stop();
    this.#hub.close();
    await this.#runner.close();
    this.#store.close();
  }

  waitForServer(timeoutMs: number): Promise<boolean> {
    if (this.#printersListed && this.serverLinked) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#serverWaiters.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  async print(request: PrintRequest, onEvent: EventListener): Promise<string> {
    // A client that has never seen a printer gives its server a moment: both may have been started just now.
    if (this.#machine.printers.length === 0) await this.waitForServer(firstServerMs);
    const printer = this.#findPrinter(request.printer ?? this.#config.defaultPrinter);
    // Contradictions first: a document may take long.
    this.#keeping(this.#choose(request, printer, {}).spools, 0);
    const { path, copies, format } = request;
    const source = { path, name: request.name ?? basename(path) };
    const rendered = await renderDocument(source, printer, {
      copies,
      maxDocumentBytes: this.#config.documentBytes,
      ...(format && { format }),
    });
    const mediaType = mediaTypes[rendered.format];
    try {
      const first = this.#keeping(this.#choose(request, printer, { mediaType }).spools, 0);
      const writer = await (first.keep ? this.#images : this.#handover).create();
      try {
        for await (const chunk of rendered.chunks) await writer.write(chunk);
        const jobId = await this.#grantId();
        try {
          const digest = await writer.finish(jobId);
          this.#log.debug({ job: jobId, step: 304 }, "the image is stored");
          const { pages, heightDots } = rendered;
          await this.#submit(request, printer, { jobId, ...digest, pages, heightDots, mediaType }, first.keep, onEvent);
        } catch (error) {
          await this.#erase(jobId);
          this.#runner.dispatch({ kind: "jobIdReturned", jobId });
          throw error;
        }
        return jobId;
      } finally {
        await writer.discard();
      }
    } finally {
      await rendered.close();
    }
  }

  /** The image is there and its size is known: what the rules about sizes say, and then the machine. */
  async #submit(
    request: PrintRequest,
    printer: PrinterAttributes,
    image: MadeImage,
    isKept: boolean,
    onEvent: EventListener,
  ): Promise<void> {
    const { jobId, mediaType, sizeBytes, heightDots } = image;
    const choice = this.#choose(request, printer, { mediaType, sizeBytes });
    const { keep, without } = this.#keeping(choice.spools, isKept ? 0 : sizeBytes);
    if (keep && !isKept) await this.#images.adopt(this.#handover, jobId);
    if (!keep && isKept) await this.#handover.adopt(this.#images, jobId);
    const load = this.#network?.view();
    const withoutServer =
      keep && choice.spools === "both" && load?.loaded ? `the client's network is loaded: ${load.reason}` : undefined;
    const differs = [
      choice.chosenBy,
      without === undefined ? undefined : `this client keeps no image: ${without}`,
      withoutServer === undefined ? undefined : `the server is to keep none: ${withoutServer}`,
    ].filter((part) => part !== undefined);
    onEvent({ event: "rendered", jobId, heightDots, ...(differs.length === 0 ? {} : { detail: differs.join("; ") }) });
    this.#listeners.set(jobId, onEvent);
    this.#runner.dispatch({
      kind: "jobSubmitted",
      ticket: this.#ticket(request, choice, printer, image),
      imageKept: keep,
      ...(withoutServer === undefined ? {} : { withoutServerCopy: withoutServer }),
      ...(without === undefined ? {} : { withoutOwnCopy: without }),
    });
  }

  change(jobId: string, change: JobChange): void {
    const job = this.#machine.job(jobId);
    if (job === undefined) throw new TwinspoolError("job-unknown", `${jobId} is no open job of this client`);
    if (change.spools === "client" && this.diskless !== undefined) {
      throw new TwinspoolError("spool-missing", this.diskless);
    }
    const refusal = changeRefusal(job, change);
    if (refusal !== undefined) throw new TwinspoolError(refusal.code, refusal.detail);
    this.#runner.dispatch({ kind: "changeRequested", jobId, change });
  }

  cancel(jobId: string): void {
    this.#runner.dispatch({ kind: "cancelRequested", jobId });
  }

  job(jobId: string): ClientJob | undefined {
    return this.#machine.job(jobId);
  }

  async image(jobId: string): Promise<Uint8Array> {
    const store = this.#images.has(jobId) ? this.#images : this.#handover;
    if (!store.has(jobId)) throw new TwinspoolError("image-missing", `this client has no image of ${jobId}`);
    return store.readAll(jobId, limits.imageBytes);
  }

  async download(path: string): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    const url = `${this.#config.server}${path}`;
    for await (const chunk of getImage(url, this.#transfers.serverHeaders)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  spool(): SpoolView {
    const fill = this.#spool.view();
    return {
      side: "client",
      name: this.#config.name,
      ...fill,
      ...(this.diskless === undefined ? {} : { level: "full", reason: `no disk: ${this.diskless}` }),
      promisedBytes: 0,
      network: this.#network?.view() ?? networkUnknown,
    };
  }

  // ---- making a job

  #findPrinter(name: string | undefined): PrinterAttributes {
    const { printers } = this.#machine;
    const known = printers.map((printer) => printer.name).join(", ");
    if (name !== undefined) {
      const found = printers.find((printer) => printer.name === name);
      if (found !== undefined) return found;
      if (printers.length === 0 && !this.serverLinked)
        throw new TwinspoolError("server-unreachable", this.#config.server);
      throw new TwinspoolError("printer-unknown", known === "" ? name : `${name}; there is: ${known}`);
    }
    const [only, ...others] = printers;
    if (only === undefined) {
      if (!this.serverLinked) throw new TwinspoolError("server-unreachable", this.#config.server);
      throw new TwinspoolError("printer-unknown", "no printer host has come to the server yet");
    }
    if (others.length > 0) throw new TwinspoolError("printer-unknown", `several are there, name one of: ${known}`);
    return only;
  }

  /** What the person left open is the rules' to say, then the configuration's, then the printer's. */
  #choose(
    request: PrintRequest,
    printer: PrinterAttributes,
    known: { readonly mediaType?: string; readonly sizeBytes?: number },
  ): Choice {
    const { rules, name: clientName } = this.#config;
    const met = findRule(rules, { title: request.title, clientName, printer: printer.name, ...known });
    return chooseSettings(request, met, this.#config, printer.defaults);
  }

  #keeping(spools: Spools, sizeBytes: number): Keeping {
    const { level, reason } = this.#spool;
    const { serverLinked } = this;
    const crowded = this.#spool.refusal({ sizeBytes, clientUsedBytes: 0, promisedBytes: 0 });
    const isDurable = this.diskless === undefined;
    const keeping = decideKeeping(spools, { isDurable, level, reason, crowded, serverLinked });
    if (!keeping.keep && this.#leavesSoon && !serverLinked) {
      const hint = isDurable ? "; --spool both needs no server to begin" : "; without a disk nothing can be kept here";
      throw new TwinspoolError("server-unreachable", `${this.#config.server}${hint}`);
    }
    return keeping;
  }

  #grantId(): Promise<string> {
    this.#requests += 1;
    const requestId = String(this.#requests);
    return new Promise((resolve) => {
      this.#grants.set(requestId, resolve);
      this.#runner.dispatch({ kind: "jobIdRequested", requestId });
    });
  }

  #ticket(request: PrintRequest, choice: Choice, printer: PrinterAttributes, image: MadeImage): JobTicket {
    const { documentDateMs, held, holdMs } = request;
    const { chosenBy, ...chosen } = choice;
    return {
      ...image,
      ...chosen,
      printer: printer.name,
      title: request.title.slice(0, limits.titleChars),
      clientName: this.#config.name.slice(0, limits.nameChars),
      requestedAtMs: Math.floor(nodeClock.now().wallMs),
      widthDots: printer.widthDots,
      hostIncarnation: printer.hostIncarnation,
      ...(documentDateMs === undefined ? {} : { documentDateMs: Math.floor(documentDateMs) }),
      ...(held === true ? { held } : {}),
      ...(holdMs === undefined ? {} : { holdMs }),
      ...(chosenBy === undefined ? {} : { chosenBy: chosenBy.slice(0, limits.reasonChars) }),
    };
  }

  // ---- effects

  #perform(effect: Exclude<ClientEffect, PersistEffect>): void | Promise<void> {
    switch (effect.kind) {
      case "sendMessage":
        return this.#hub.send(effect.to, effect.message);
      case "grantJobId":
        this.#grants.get(effect.requestId)?.(effect.jobId);
        this.#grants.delete(effect.requestId);
        return;
      case "uploadImage":
        return void this.#transfers.upload(effect.jobId);
      case "fetchImage":
        return void this.#transfers.fetch(effect.jobId);
      case "sendImage":
        return void this.#transfers.sendToHost(effect.jobId, effect.to, effect.uploadId);
      case "eraseImage":
        return this.#erase(effect.jobId);
      case "openLink":
        return this.#hub.dial(effect.peer, `${effect.url}/control`, this.#hello());
      case "closeLink":
        return this.#hub.hangUp(effect.peer);
      case "reportJob":
        return this.#report(effect);
      case "note":
        this.#log.info({ job: effect.jobId, detail: effect.detail }, effect.event);
        return;
    }
  }

  #hello(): Extract<Hello, { role: "client" }> {
    const { clientId, nonce } = this.#identity;
    const name = this.#config.name.slice(0, limits.nameChars);
    return { type: "hello", version: limits.protocolVersion, role: "client", clientId, nonce, name };
  }

  async #erase(jobId: string): Promise<void> {
    this.#log.debug({ job: jobId, step: 318 }, "the row is erased, the image goes");
    await this.#images.erase(jobId);
    await this.#handover.erase(jobId);
  }

  #report(effect: Extract<ClientEffect, { kind: "reportJob" }>): void {
    const { kind: _, ...event } = effect;
    if (effect.event !== "progressed")
      this.#log.info({ job: effect.jobId, detail: effect.detail }, `job ${effect.event}`);
    this.#listeners.get(effect.jobId)?.(event);
    if (effect.event === "closed" || effect.event === "refused") this.#listeners.delete(effect.jobId);
    if (effect.event === "closed") this.#seen.refreshSoon();
  }

  #serverSeen(): void {
    this.#printersListed = true;
    this.#seen.refreshSoon();
    for (const resolve of this.#serverWaiters.splice(0)) resolve();
  }
}
