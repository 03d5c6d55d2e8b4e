import { join } from "node:path";
import { parsePwgHeader, pwgHeaderBytes } from "../image/pwg-header.ts";
import type { JobView, SpoolView } from "../protocol/api.ts";
import { type ErrorCode, errorTable, TwinspoolError } from "../protocol/errors.ts";
import type { HistoryRow, JobChange, JobTicket } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import type { Hello, Peer } from "../protocol/messages.ts";
import type { ClientProof } from "../runtime/client-proof.ts";
import { nodeClock } from "../runtime/clock.ts";
import type { Config } from "../runtime/config-schema.ts";
import { newClientId, newNonce } from "../runtime/identity.ts";
import { putImage, receiveImage } from "../runtime/image-transfer.ts";
import { findRule } from "../runtime/job-rules.ts";
import { type Routes, sendError } from "../runtime/listener.ts";
import type { Log } from "../runtime/log.ts";
import { isOnThisMachine } from "../runtime/loopback.ts";
import type { LinkInput, PersistEffect } from "../runtime/machine.ts";
import { MachineRunner } from "../runtime/machine-runner.ts";
import { type NetworkWatch, networkUnknown, watchNetwork } from "../runtime/network-watch.ts";
import { PeerHub } from "../runtime/peer-hub.ts";
import { historyIndex } from "../spool/history-table.ts";
import { type ImageStore, openImageStore } from "../spool/image-store.ts";
import { type JobStore, openJobStore } from "../spool/job-store.ts";
import { SpoolWatch } from "../spool/level-watch.ts";
import { ClientPins } from "./client-pins.ts";
import { type ApiBackend, mountApi } from "./doors/api.ts";
import { mountHistory } from "./doors/history.ts";
import { mountPreviews, type PreviewBackend } from "./doors/previews.ts";
import { mountVisibility, type VisibilityBackend } from "./doors/visibility.ts";
import { HistoryRoom } from "./history-room.ts";
import { changeRefusal } from "./job-changes.ts";
import { viewJob, viewPrinter } from "./job-view.ts";
import { imagesWithRow } from "./kept-images.ts";
import { moveRefusal } from "./moves.ts";
import { ServerMachine } from "./server-machine.ts";
import {
  type Admission,
  keptImageRowSchema,
  type ServerEffect,
  type ServerInput,
  type ServerJob,
  type ServerMeta,
  serverJobRowSchema,
  serverMetaSchema,
  serverPrinterRowSchema,
  serverTables,
} from "./server-state.ts";

export interface ServerOptions {
  readonly config: Config;
  readonly log: Log;
  /** A write that could not be made durable: the process has to end. Default: an uncaught error. */
  readonly onFatal?: (error: unknown) => void;
}

export interface ServerProcess {
  mount(routes: Routes): void;
  start(): void;
  close(): Promise<void>;
}

const notKept = "ended jobs keep theirs for retention.keepEndedMinutes; print the document again";
const houseKeepingMs = 3_600_000;

/** Opens the server's data folder: spool, queue and history. Throws `folder-in-use`, `database-corrupt`, `disk-*`. */
export async function openServer(options: ServerOptions): Promise<ServerProcess> {
  const folder = join(options.config.data, "server");
  const store = openJobStore(join(folder, "server.db"), Object.values(serverTables), {
    indexes: [historyIndex(serverTables.history)],
  });
  try {
    const images = await openImageStore(join(folder, "images"), { maxImageBytes: limits.imageBytes });
    const shell = new ServerShell(options, folder, store, images);
    await images.sweep(shell.knownImages);
    return shell;
  } catch (error) {
    store.close();
    throw error;
  }
}

/** The thin shell of the server's machine: carries its effects out on disk and network. */
class ServerShell implements ServerProcess, ApiBackend, PreviewBackend, VisibilityBackend {
  readonly #config: Config;
  readonly #log: Log;
  readonly #store: JobStore;
  readonly #history: HistoryRoom;
  readonly #images: ImageStore;
  readonly #pins: ClientPins;
  readonly #machine: ServerMachine;
  readonly #runner: MachineRunner<ServerInput, ServerEffect, PersistEffect>;
  readonly #hub: PeerHub;
  readonly #missing: readonly string[];
  /** Images that have a row; the others are swept into quarantine. */
  readonly knownImages: readonly string[];
  readonly #spool: SpoolWatch;
  #network: NetworkWatch | undefined;
  #houseKeeping: NodeJS.Timeout | undefined;

  constructor(options: ServerOptions, folder: string, store: JobStore, images: ImageStore) {
    const { config, log } = options;
    this.#config = config;
    this.#log = log;
    this.#store = store;
    this.#history = new HistoryRoom(store, () => this.#machine.printers.map(({ row }) => row.attributes.name));
    this.#images = images;
    this.#pins = new ClientPins(store);
    this.#spool = new SpoolWatch(folder, images, config);
    const jobs = store.loadChecked(serverTables.jobs, serverJobRowSchema).map((row) => row.value);
    const kept = store.loadChecked(serverTables.kept, keptImageRowSchema).map((row) => row.value);
    const printers = store.loadChecked(serverTables.printers, serverPrinterRowSchema).map((row) => row.value);
    for (const row of store.quarantined()) log.warn({ ...row, value: undefined }, "a row could not be read");
    this.knownImages = imagesWithRow(jobs, kept);
    this.#missing = jobs.filter((row) => row.imageStored && !images.has(row.ticket.jobId)).map((r) => r.ticket.jobId);
    const policies = new Map(config.printers.map((printer) => [printer.name, printer.indeterminate]));
    this.#machine = new ServerMachine(
      {
        timers: config.timers,
        maxOpenJobsPerClient: limits.openJobsPerClient,
        keepEndedMs: config.retention.keepEndedMinutes * 60_000,
        indeterminatePolicy: (printer) => policies.get(printer) ?? "hold",
        findHistory: (jobId) => this.#history.find(jobId),
        isBeside: isOnThisMachine,
        admission: this.#admission(),
      },
      { meta: loadMeta(store), jobs, printers, kept },
    );
    this.#runner = new MachineRunner(this.#machine, {
      clock: nodeClock,
      isPersist: (effect): effect is PersistEffect => effect.kind === "persist",
      commit: (effects) => store.commit(effects.flatMap((effect) => effect.writes)),
      perform: (effect) => this.#perform(effect),
      mayWait: (effect) => effect.kind === "sendMessage" || effect.kind === "jobChanged" || effect.kind === "note",
      onFatal: (error) => {
        log.fatal({ err: error }, "the server has to end");
        if (options.onFatal === undefined)
          setImmediate(() => {
            throw error;
          });
        else options.onFatal(error);
      },
    });
    this.#hub = new PeerHub({
      clock: nodeClock,
      random: Math.random,
      log,
      key: config.key,
      retryFirstMs: config.timers.retryFirstMs,
      dispatch: (input) => {
        if (this.#config.visibility === "own" && this.#isOfAnother(input)) {
          return log.warn({ input }, "a client spoke of a job that is not its own");
        }
        this.#runner.dispatch(input);
      },
    });
  }

  mount(routes: Routes): void {
    routes.onControl("/control", (socket) => this.#hub.accept(socket, (hello) => this.#identify(hello)));
    routes.rawRoute("PUT", "/images/", async (request, response) => {
      const jobId = (request.url ?? "").slice("/images/".length);
      try {
        await this.#receive(jobId, receiveImage(request));
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      } catch (error) {
        this.#log.warn({ job: jobId.slice(0, 60), err: error }, "an upload was refused");
        sendError(response, error);
      }
    });
    if (this.#config.visibility === "own") mountVisibility(routes, this);
    mountApi(routes, this);
    mountHistory(routes, this.#history);
    mountPreviews(routes, this);
  }

  start(): void {
    for (const jobId of this.#missing) this.#runner.dispatch({ kind: "imageLost", jobId, reason: "no file at start" });
    this.#spool.start((level, reason, isNew) => {
      if (isNew) this.#log.warn({ spoolLevel: level, reason }, "the spool's level changed");
      this.#runner.dispatch({ kind: "spoolLevelChanged", level, reason });
    });
    this.#network = watchNetwork(this.#config.network, (loaded, reason) => {
      this.#log.warn({ networkLoaded: loaded, reason }, "the network's load changed");
      this.#runner.dispatch({ kind: "networkLevelChanged", loaded, reason });
    });
    this.#houseKeeping = setInterval(() => this.#forgetHistory(), houseKeepingMs);
    this.#houseKeeping.unref();
    this.#forgetHistory();
    this.#runner.dispatch({ kind: "woke" });
  }

  async close(): Promise<void> {
    clearInterval(this.#houseKeeping);
    this.#spool.stop();
    this.#network?.stop();
    this.#hub.close();
    await this.#runner.close();
    this.#store.close();
  }

  // ---- who is who

  #identify(hello: Hello): Peer {
    this.#pins.checkHello(hello);
    return identify(hello);
  }

  checkProof(proof: ClientProof): void {
    this.#pins.check(proof);
  }

  ownerOf(jobId: string): string {
    const row = this.#machine.job(jobId)?.row.ticket ?? this.historyOf(jobId);
    // A duplicate has an id of the server's, and is whose the first one was.
    if (row?.reprintOf !== undefined && row.reprintOf !== jobId) return this.ownerOf(row.reprintOf);
    return jobId.split("-", 1)[0] ?? "";
  }

  #isOfAnother(input: LinkInput): boolean {
    if (input.kind !== "messageReceived" || !input.from.startsWith("client:")) return false;
    const { message } = input;
    const jobId = "jobId" in message ? message.jobId : "ticket" in message ? message.ticket.jobId : undefined;
    return jobId !== undefined && `client:${this.ownerOf(jobId)}` !== input.from;
  }

  // ---- the API door

  jobs() {
    return this.#machine.jobs.map((job) => this.#view(job));
  }

  job(jobId: string) {
    const job = this.#machine.job(jobId);
    return job === undefined ? undefined : this.#view(job);
  }

  #view(job: ServerJob): JobView {
    return viewJob(job, this.#machine.printer(job.row.ticket.printer));
  }

  printers() {
    const { jobs } = this.#machine;
    return this.#machine.printers.map((printer) =>
      viewPrinter(printer, jobs.filter((job) => job.row.ticket.printer === printer.row.attributes.name).length),
    );
  }

  spool(): SpoolView {
    return {
      side: "server",
      name: this.#config.name,
      ...this.#spool.view(),
      promisedBytes: this.#machine.promisedBytes,
      network: this.#network?.view() ?? networkUnknown,
    };
  }

  /** What the machine cannot know by itself: the disk, and the rules of this server's configuration. */
  #admission(): Admission {
    const { rules, capacity } = this.#config;
    return {
      largestJobBytes: capacity.largestJobBytes,
      roomRefusal: (image) => this.#spool.refusal(image),
      ruleNarrowing: (ticket) => {
        const met = findRule(rules, ticket);
        return met?.rule.spool === "client" ? met.name : undefined;
      },
    };
  }

  historyOf(jobId: string): HistoryRow | undefined {
    return this.#history.find(jobId);
  }

  cancel(jobId: string): void {
    this.#runner.dispatch({ kind: "cancelRequested", jobId });
  }

  change(jobId: string, change: JobChange): void {
    const job = this.#machine.job(jobId);
    if (job === undefined) throw new TwinspoolError("job-unknown", `${jobId} is not in the queue`);
    const refusal = changeRefusal(job, change);
    if (refusal !== undefined) throw new TwinspoolError(refusal.code, refusal.detail);
    this.#runner.dispatch({ kind: "changeRequested", jobId, change });
  }

  pausePrinter(printer: string, reason: string): void {
    this.#checkPrinter(printer);
    this.#runner.dispatch({ kind: "printerPauseRequested", printer, reason });
  }

  resumePrinter(printer: string): void {
    this.#checkPrinter(printer);
    this.#runner.dispatch({ kind: "printerResumeRequested", printer });
  }

  #checkPrinter(name: string): void {
    if (this.#machine.printer(name) === undefined) throw new TwinspoolError("printer-unknown", name.slice(0, 63));
  }

  retry(jobId: string): void {
    this.#runner.dispatch({ kind: "retryRequested", jobId });
  }

  reprint(jobId: string, unmarked: boolean): void {
    if (!this.#machine.isKept(jobId)) throw new TwinspoolError("image-missing", notKept);
    this.#runner.dispatch({ kind: "reprintRequested", jobId, unmarked });
  }

  copyOf(jobId: string): string | undefined {
    return this.#machine.copyOf(jobId);
  }

  move(jobId: string, printer: string): void {
    const job = this.#machine.job(jobId);
    if (job === undefined) {
      const outcome = this.historyOf(jobId)?.outcome.outcome;
      throw new TwinspoolError(outcome === undefined ? "job-unknown" : "job-not-movable", outcome ?? jobId);
    }
    const refusal = moveRefusal(job, this.#machine.printer(printer)?.row.attributes, this.#machine.spoolLevel);
    if (refusal !== undefined) throw new TwinspoolError(refusal.code, refusal.detail || printer.slice(0, 63));
    this.#runner.dispatch({ kind: "moveRequested", jobId, printer });
  }

  async image(jobId: string): Promise<Uint8Array> {
    if (!this.#images.has(jobId)) throw this.#noImage(jobId);
    return this.#images.readAll(jobId, limits.imageBytes);
  }

  #noImage(jobId: string): TwinspoolError {
    const row = this.#machine.job(jobId)?.row;
    if (row === undefined) {
      if (this.historyOf(jobId) === undefined) return new TwinspoolError("job-unknown", jobId);
      return new TwinspoolError("image-missing", "the job has ended and its image was erased");
    }
    const { clientName } = row.ticket;
    const where = row.clientKeepsImage ? `only the client ${clientName} has it` : "it is on its way from the client";
    return new TwinspoolError("image-missing", `the server has no image of ${jobId}; ${where}`);
  }

  // ---- effects

  #perform(effect: Exclude<ServerEffect, PersistEffect>): void | Promise<void> {
    switch (effect.kind) {
      case "sendMessage":
        return this.#hub.send(effect.to, effect.message);
      case "sendImage":
        return void this.#sendImage(effect.jobId, effect.to, effect.uploadId);
      case "eraseImage":
        return this.#erase(effect.jobId);
      case "composeReprint":
        return void this.#compose(effect);
      case "note":
        this.#log.info({ job: effect.jobId, detail: effect.detail }, effect.event);
        return;
      case "jobChanged":
        return;
    }
  }

  /** Step 305: streamed to the disk and checked on the way. */
  async #receive(jobId: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const ticket = this.#machine.job(jobId)?.row.ticket;
    if (ticket === undefined) throw new TwinspoolError("job-unknown", jobId.slice(0, 60));
    const { sizeBytes, sha256 } = ticket;
    if (!this.#images.has(jobId)) {
      // Its room was promised when the job was taken; others may have taken the disk since.
      const crowded = this.#spool.refusal({ sizeBytes, clientUsedBytes: 0, promisedBytes: 0 });
      if (crowded !== undefined) throw new TwinspoolError("spool-full", `the server: ${crowded}`);
      await this.#images.receive(jobId, chunks, { sizeBytes, sha256 }, (head) => checkHead(head, ticket));
      this.#log.debug({ job: jobId, step: 306 }, "the image is stored");
    }
    // A copy that was given up is there until its erase has been carried out: it must not be taken for a new one.
    if (this.#runner.isQueued((effect) => effect.kind === "eraseImage" && effect.jobId === jobId)) {
      throw new TwinspoolError("image-missing", `${jobId} is just being erased here: send it again`);
    }
    this.#runner.dispatch({ kind: "imageStored", jobId });
  }

  /** Its rows are durable already: steps 314 and 315 are one transaction. */
  async #erase(jobId: string): Promise<void> {
    this.#log.debug({ job: jobId, step: 315 }, "the history is written, the job is out of the queue");
    await this.#images.erase(jobId);
    this.#log.debug({ job: jobId, step: 316 }, "the image is erased");
  }

  async #sendImage(jobId: string, to: Peer, uploadId: string): Promise<void> {
    const ended = (ok: boolean, reason: string, code?: ErrorCode): void => {
      const more = code === undefined ? {} : { code };
      this.#runner.dispatch({ kind: "imageTransferEnded", jobId, to, ok, reason, ...more });
    };
    const ticket = this.#machine.job(jobId)?.row.ticket;
    const printer = this.#machine.printers.find((p) => `host:${p.row.attributes.name}` === to);
    if (ticket === undefined || printer === undefined) return ended(false, "the job or the printer is gone");
    if (!this.#images.has(jobId)) return this.#runner.dispatch({ kind: "imageLost", jobId, reason: "no file" });
    const { key } = this.#config;
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    try {
      const url = `${printer.row.attributes.hostUrl}/images/${uploadId}`;
      const { status, body } = await putImage(url, headers, this.#images.read(jobId), ticket.sizeBytes);
      if (status === 200) return ended(true, "");
      const { code } = (body ?? {}) as { code?: unknown };
      ended(false, `HTTP ${status} ${JSON.stringify(body)}`, isErrorCode(code) ? code : undefined);
      if (code === "image-wrong-digest") await this.#verify(jobId, ticket);
    } catch (error) {
      ended(false, error instanceof Error ? error.message : String(error));
    }
  }

  /** True when the image is what it was; what has rotted goes into quarantine. */
  async #verify(jobId: string, ticket: JobTicket): Promise<boolean> {
    if ((await this.#images.verify(jobId, ticket.sha256)) === "intact") return true;
    if (this.#images.has(jobId)) await this.#images.quarantine(jobId);
    this.#runner.dispatch({ kind: "imageLost", jobId, reason: "the file is damaged; it was moved into quarantine" });
    return false;
  }

  /** The image under a new id, marked or as it is; what the ticket says of it is measured. */
  async #compose({ jobId, marked, ticket }: Extract<ServerEffect, { kind: "composeReprint" }>): Promise<void> {
    try {
      // The copy gets a digest of its own: what has rotted by now, no host could tell any more.
      if (!(await this.#verify(jobId, ticket))) throw new TwinspoolError("image-missing", `${jobId} is damaged`);
      const image = marked ? await markedImage(this.#images.read(jobId)) : this.#images.read(jobId);
      const writer = await this.#images.create();
      try {
        for await (const chunk of image) await writer.write(chunk);
      } catch (error) {
        await writer.discard();
        throw error;
      }
      const { sizeBytes, sha256 } = await writer.finish(ticket.jobId);
      const { readPrintImage } = await import("../image/pwg-raster.ts");
      const { pages } = readPrintImage(await this.#images.readAll(ticket.jobId, limits.imageBytes));
      const heightDots = pages.reduce((sum, page) => sum + page.heightDots, 0);
      const widthDots = pages[0]?.widthDots ?? ticket.widthDots;
      const measured = { sizeBytes, sha256, heightDots, widthDots, pages: pages.length };
      this.#runner.dispatch({ kind: "reprintComposed", jobId, ticket: { ...ticket, ...measured } });
    } catch (error) {
      this.#log.error({ job: jobId, err: error }, "the copy could not be made");
      const reason = error instanceof Error ? error.message : String(error);
      this.#runner.dispatch({ kind: "reprintFailed", jobId, reason });
    }
  }

  #forgetHistory(): void {
    const rows = this.#history.forget(nodeClock.now().wallMs, this.#config.retention.historyDays);
    if (rows > 0) this.#log.info({ rows }, "old history was forgotten");
  }
}

async function markedImage(image: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const { markDuplicate } = await import("../image/marker.ts");
  return markDuplicate(image, "DUPLICATE / 再印刷");
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(errorTable, code);
}

function loadMeta(store: JobStore): ServerMeta {
  const known = serverMetaSchema.safeParse(store.get(serverTables.meta, "meta")).data;
  if (known !== undefined) return known;
  const meta: ServerMeta = { clientId: newClientId(), nonce: newNonce(), nextSequence: 1 };
  store.commit([{ op: "put", table: serverTables.meta, key: "meta", value: meta }]);
  return meta;
}

function identify(hello: Hello): Peer {
  if (hello.role === "client") return `client:${hello.clientId}`;
  if (hello.role === "host") return `host:${hello.printer}`;
  throw new TwinspoolError("message-invalid", "a server does not call a server");
}

function checkHead(head: Uint8Array, ticket: JobTicket): void {
  const header = parsePwgHeader(head.subarray(4, 4 + pwgHeaderBytes));
  if (!header.ok) throw new TwinspoolError("image-invalid", header.reason);
  if (header.header.widthDots !== ticket.widthDots) {
    throw new TwinspoolError("image-wrong-width", `${header.header.widthDots} dots`);
  }
}
