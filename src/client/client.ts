import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { renderDocument } from "../image/render.ts";
import type { PrintEvent } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import type { JobChange, JobTicket, PrinterAttributes, Spools } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import type { Hello, Peer } from "../protocol/messages.ts";
import { proofHeaders, publishProof } from "../runtime/client-proof.ts";
import { nodeClock } from "../runtime/clock.ts";
import { checkSpools } from "../runtime/config.ts";
import type { Config } from "../runtime/config-schema.ts";
import { getImage, putImage } from "../runtime/image-transfer.ts";
import type { Routes } from "../runtime/listener.ts";
import type { Log } from "../runtime/log.ts";
import type { PersistEffect } from "../runtime/machine.ts";
import { MachineRunner } from "../runtime/machine-runner.ts";
import { PeerHub } from "../runtime/peer-hub.ts";
import type { CapacityLevel } from "../spool/capacity.ts";
import { type ImageStore, openImageStore } from "../spool/image-store.ts";
import type { JobStore } from "../spool/job-store.ts";
import { watchSpoolLevel } from "../spool/level-watch.ts";
import { ClientMachine } from "./client-machine.ts";
import type { ClientEffect, ClientInput, ClientJob } from "./client-state.ts";
import { type ClientIdentity, loadClientSnapshot, openClientStore } from "./client-store.ts";
import { type ClientBackend, mountClientDoor } from "./door.ts";
import { changeRefusal } from "./job-changes.ts";
import { mountPreviewDoor, type PreviewBackend } from "./preview-door.ts";
import type { PrintRequest } from "./print-request.ts";
import { mountSeenHistory, SeenHistory } from "./seen-history.ts";

export interface ClientOptions {
  readonly config: Config;
  readonly log: Log;
  /** A write that could not be made durable: the process has to end. Default: an uncaught error. */
  readonly onFatal?: (error: unknown) => void;
}

export interface ClientProcess {
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

type EventListener = (event: PrintEvent) => void;

/** Opens the client's data folder. Throws `folder-in-use`, `database-corrupt`, `disk-*`. */
export async function openClient(options: ClientOptions): Promise<ClientProcess> {
  const folder = join(options.config.data, "client");
  const { store, identity } = openClientStore(join(folder, "client.db"));
  try {
    await publishProof(options.config.data, identity);
    const images = await openImageStore(join(folder, "images"), { maxImageBytes: limits.imageBytes });
    // Worth nothing after a restart: images of jobs that do not use this spool, and documents half taken.
    for (const name of ["handover", "documents"]) await rm(join(folder, name), { recursive: true, force: true });
    const handover = await openImageStore(join(folder, "handover"), { maxImageBytes: limits.imageBytes });
    const shell = new ClientShell(options, folder, store, identity, images, handover);
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
  readonly #listeners = new Map<string, EventListener>();
  readonly #grants = new Map<string, (jobId: string) => void>();
  #requests = 0;
  #level: CapacityLevel = "ok";
  #stopLevel: () => void = () => {};
  #serverWaiters: (() => void)[] = [];
  #printersListed = false;

  constructor(
    options: ClientOptions,
    folder: string,
    store: JobStore,
    identity: ClientIdentity,
    images: ImageStore,
    handover: ImageStore,
  ) {
    const { config, log } = options;
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
      { ...identity, name: config.name, timers: config.timers },
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
    mountClientDoor(routes, this, this.#config, join(this.#folder, "documents"));
    mountPreviewDoor(routes, this);
    mountSeenHistory(routes, this.#seen);
  }

  start(): void {
    for (const job of this.#machine.jobs) {
      const { jobId } = job.row.ticket;
      if (job.row.image !== "stored" || this.#images.has(jobId)) continue;
      this.#runner.dispatch({ kind: "imageLost", jobId, reason: "no file at start" });
    }
    this.#stopLevel = watchSpoolLevel(this.#folder, this.#images, this.#config.spoolQuotaBytes, (level, reason) => {
      this.#level = level;
      this.#log.warn({ spoolLevel: level, reason }, "the spool's level changed");
    });
    const { secret } = this.#identity;
    this.#hub.dial("server", `${this.#config.server}/control`, { ...this.#hello(), secret });
    this.#runner.dispatch({ kind: "woke" });
  }

  async close(): Promise<void> {
    this.#stopLevel();
    this.#seen.close();
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
    checkSpools(request.source, request.spools);
    // A client that has never seen a printer gives its server a moment: both may have been started just now.
    if (this.#machine.printers.length === 0) await this.waitForServer(firstServerMs);
    const printer = this.#findPrinter(request.printer ?? this.#config.defaultPrinter);
    const keep = this.#keepsImage(request.spools);
    const { path, copies, format } = request;
    const source = { path, name: request.name ?? basename(path) };
    const rendered = await renderDocument(source, printer, {
      copies,
      maxDocumentBytes: this.#config.documentBytes,
      ...(format && { format }),
    });
    const writer = await (keep ? this.#images : this.#handover).create().catch(async (error: unknown) => {
      await rendered.close();
      throw error;
    });
    try {
      for await (const chunk of rendered.chunks) await writer.write(chunk);
      const jobId = await this.#grantId();
      const digest = await writer.finish(jobId).catch((error: unknown) => {
        this.#runner.dispatch({ kind: "jobIdReturned", jobId });
        throw error;
      });
      this.#log.debug({ job: jobId, step: 304 }, "the image is stored");
      const { pages, heightDots } = rendered;
      onEvent({ event: "rendered", jobId, heightDots });
      this.#listeners.set(jobId, onEvent);
      const ticket = this.#ticket(request, printer, { jobId, ...digest, pages, heightDots });
      this.#runner.dispatch({ kind: "jobSubmitted", ticket, imageKept: keep });
      return jobId;
    } finally {
      await writer.discard();
      await rendered.close();
    }
  }

  change(jobId: string, change: JobChange): void {
    const job = this.#machine.job(jobId);
    if (job === undefined) throw new TwinspoolError("job-unknown", `${jobId} is no open job of this client`);
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
    for await (const chunk of getImage(`${this.#config.server}${path}`, this.#serverHeaders())) chunks.push(chunk);
    return Buffer.concat(chunks);
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

  /** Which spools were chosen, narrowed by how full this one is; never to no copy at all (design §4). */
  #keepsImage(spools: Spools): boolean {
    if (spools === "server") return false;
    if (this.#level === "ok") return true;
    if (spools === "both") return false;
    if (this.#level === "full") throw new TwinspoolError("spool-full", "this client's spool");
    return true;
  }

  #grantId(): Promise<string> {
    this.#requests += 1;
    const requestId = String(this.#requests);
    return new Promise((resolve) => {
      this.#grants.set(requestId, resolve);
      this.#runner.dispatch({ kind: "jobIdRequested", requestId });
    });
  }

  #ticket(
    request: PrintRequest,
    printer: PrinterAttributes,
    image: { jobId: string; sizeBytes: number; sha256: string; pages: number; heightDots: number },
  ): JobTicket {
    const { documentDateMs, priority, held, holdMs, expiresMs } = request;
    return {
      ...image,
      printer: printer.name,
      source: request.source,
      spools: request.spools,
      title: request.title.slice(0, limits.titleChars),
      clientName: this.#config.name.slice(0, limits.nameChars),
      requestedAtMs: Math.floor(nodeClock.now().wallMs),
      widthDots: printer.widthDots,
      hostIncarnation: printer.hostIncarnation,
      ...(documentDateMs === undefined ? {} : { documentDateMs: Math.floor(documentDateMs) }),
      ...(priority === undefined ? {} : { priority }),
      ...(held === true ? { held } : {}),
      ...(holdMs === undefined ? {} : { holdMs }),
      ...(expiresMs === undefined ? {} : { expiresMs }),
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
        return void this.#send(effect.jobId, "server", `${this.#config.server}/images/${effect.jobId}`);
      case "fetchImage":
        return void this.#fetch(effect.jobId);
      case "sendImage":
        return void this.#sendToHost(effect.jobId, effect.to, effect.uploadId);
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

  #sendToHost(jobId: string, to: Peer, uploadId: string): Promise<void> {
    const printer = this.#machine.printers.find((candidate) => `host:${candidate.name}` === to);
    return this.#send(jobId, to, `${printer?.hostUrl ?? ""}/images/${uploadId}`);
  }

  /** The server's copy, streamed into this spool and checked on the way. */
  async #fetch(jobId: string): Promise<void> {
    const ticket = this.#machine.job(jobId)?.row.ticket;
    try {
      if (ticket === undefined) throw new TwinspoolError("job-unknown", jobId);
      const chunks = getImage(`${this.#config.server}/api/jobs/${jobId}/image`, this.#serverHeaders());
      if (!this.#images.has(jobId)) await this.#images.receive(jobId, chunks, ticket);
      this.#runner.dispatch({ kind: "imageStored", jobId });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#runner.dispatch({ kind: "imageFetchFailed", jobId, reason });
    }
  }

  #keyHeaders(): Readonly<Record<string, string>> {
    const { key } = this.#config;
    return key === undefined ? {} : { authorization: `Bearer ${key}` };
  }

  /** The secret is for the server alone. */
  #serverHeaders(): Readonly<Record<string, string>> {
    return { ...this.#keyHeaders(), ...proofHeaders(this.#identity) };
  }

  async #send(jobId: string, to: Peer, url: string): Promise<void> {
    const ended = (ok: boolean, reason: string): void =>
      this.#runner.dispatch({ kind: "imageTransferEnded", jobId, to, ok, reason });
    const ticket = this.#machine.job(jobId)?.row.ticket;
    if (ticket === undefined) return ended(false, "the job is gone");
    const store = this.#images.has(jobId) ? this.#images : this.#handover;
    if (!store.has(jobId)) return this.#runner.dispatch({ kind: "imageLost", jobId, reason: "no file" });
    try {
      const { status, body } = await putImage(url, this.#keyHeaders(), store.read(jobId), ticket.sizeBytes);
      if (status === 200) return ended(true, "");
      ended(false, `HTTP ${status} ${JSON.stringify(body)}`);
      if ((body as { code?: string } | undefined)?.code !== "image-wrong-digest") return;
      if ((await store.verify(jobId, ticket.sha256)) === "intact") return;
      if (store.has(jobId)) await store.quarantine(jobId);
      const reason = "the file is damaged; it was moved into quarantine";
      this.#runner.dispatch({ kind: "imageLost", jobId, reason });
    } catch (error) {
      ended(false, error instanceof Error ? error.message : String(error));
    }
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
