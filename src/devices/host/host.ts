import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { readPrintImage } from "../../image/pwg-raster.ts";
import { TwinspoolError } from "../../protocol/errors.ts";
import type { JobTicket } from "../../protocol/job.ts";
import { limits } from "../../protocol/limits.ts";
import type { Hello, Peer } from "../../protocol/messages.ts";
import { nodeClock } from "../../runtime/clock.ts";
import type { Config, PrinterConfig } from "../../runtime/config-schema.ts";
import { newIncarnation, randomText } from "../../runtime/identity.ts";
import { receiveImage } from "../../runtime/image-transfer.ts";
import { type Routes, sendError } from "../../runtime/listener.ts";
import type { Log } from "../../runtime/log.ts";
import { MachineRunner } from "../../runtime/machine-runner.ts";
import { PeerHub } from "../../runtime/peer-hub.ts";
import type { Device } from "../device.ts";
import { openDevice } from "../open-device.ts";
import { HostMachine } from "./host-machine.ts";
import type { HostEffect, HostInput } from "./host-state.ts";
import { type LedgerFile, type OpenedLedger, openLedgerFile } from "./ledger-file.ts";

export interface HostOptions {
  readonly config: Config;
  readonly log: Log;
  /** A write that could not be made durable: the process has to end. Default: an uncaught error. */
  readonly onFatal?: (error: unknown) => void;
}

export interface HostUrls {
  /** How clients and server reach this process, such as http://192.168.0.7:6311. */
  readonly hostBaseUrl: string;
  readonly serverUrl: string;
}

export interface HostProcess {
  mount(routes: Routes): void;
  start(urls: HostUrls): void;
  close(): Promise<void>;
}

const closeGraceMs = 10_000;

type PersistRecords = Extract<HostEffect, { kind: "persist" }>;

/** Opens the ledgers of all configured printers. Throws `folder-in-use`, `disk-*`, `config-invalid`. */
export async function openHost(options: HostOptions): Promise<HostProcess> {
  const shells: HostShell[] = [];
  const closeAll = async (): Promise<void> => {
    for (const shell of shells) await shell.close();
  };
  try {
    for (const printer of options.config.printers) shells.push(await openPrinter(options, printer));
  } catch (error) {
    await closeAll();
    throw error;
  }
  return {
    mount: (routes) => {
      for (const shell of shells) shell.mount(routes);
    },
    start: (urls) => {
      for (const shell of shells) shell.start(urls);
    },
    close: closeAll,
  };
}

async function openPrinter(options: HostOptions, printer: PrinterConfig): Promise<HostShell> {
  const { config, log } = options;
  const path = join(config.data, "host", `${printer.name}.ledger`);
  const device = openDevice(printer.uri, printer.model === undefined ? {} : { modelName: printer.model });
  const slotCount = config.host.ledgerRecords;
  const opened = await openLedgerFile(path, { slotCount, makeIncarnation: newIncarnation });
  if (opened.replaced !== undefined) {
    log.error({ printer: printer.name, reason: opened.replaced }, "the ledger was damaged: a new one was begun");
  }
  return new HostShell(options, printer, device, opened);
}

/** The thin shell of one printer's host machine: ledger file, device, uploads, links. */
class HostShell {
  readonly #options: HostOptions;
  readonly #log: Log;
  readonly #printer: PrinterConfig;
  readonly #device: Device;
  readonly #ledger: LedgerFile;
  readonly #opened: OpenedLedger;
  readonly #bootId = randomText(8);
  readonly #hub: PeerHub;
  /** The hard bound of this process's memory: one image going out, one waiting. */
  readonly #images = new Map<string, Uint8Array>();
  #expected: { readonly ticket: JobTicket; readonly uploadId: string } | undefined;
  #runner: MachineRunner<HostInput, HostEffect, PersistRecords> | undefined;
  #output: AbortController | undefined;
  #printing: Promise<void> = Promise.resolve();

  constructor(options: HostOptions, printer: PrinterConfig, device: Device, opened: OpenedLedger) {
    this.#options = options;
    this.#printer = printer;
    this.#log = options.log.child({ printer: printer.name });
    this.#device = device;
    this.#ledger = opened.ledger;
    this.#opened = opened;
    this.#hub = new PeerHub({
      clock: nodeClock,
      random: Math.random,
      log: this.#log,
      key: options.config.key,
      retryFirstMs: options.config.timers.retryFirstMs,
      dispatch: (input) => this.#dispatch(input),
    });
  }

  get #path(): string {
    return `/hosts/${this.#printer.name}`;
  }

  mount(routes: Routes): void {
    routes.onControl(`${this.#path}/control`, (socket) => this.#hub.accept(socket, identify));
    routes.rawRoute("PUT", `${this.#path}/images/`, async (request, response) => {
      const uploadId = (request.url ?? "").slice(`${this.#path}/images/`.length);
      try {
        await this.#receive(uploadId, request);
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      } catch (error) {
        sendError(response, error);
      }
    });
  }

  start({ hostBaseUrl, serverUrl }: HostUrls): void {
    const { config, onFatal } = this.#options;
    const { name, from, spool } = this.#printer;
    const machine = new HostMachine(
      {
        printer: name,
        model: this.#device.model,
        widthDots: this.#device.widthDots,
        resolutionDpi: this.#device.resolutionDpi,
        hostUrl: `${hostBaseUrl}${this.#path}`,
        hostIncarnation: this.#ledger.incarnation,
        ledgerRecords: config.host.ledgerRecords,
        bootId: this.#bootId,
        timers: config.timers,
        errorPolicy: this.#printer.errorPolicy,
        indeterminate: this.#printer.indeterminate,
        ...(from === undefined && spool === undefined
          ? {}
          : { defaults: { ...(from && { from }), ...(spool && { spool }) } }),
      },
      this.#opened.records,
    );
    this.#runner = new MachineRunner(machine, {
      clock: nodeClock,
      isPersist: (effect): effect is PersistRecords => effect.kind === "persist",
      commit: (effects) => this.#ledger.append(effects.flatMap((effect) => effect.records)),
      perform: (effect) => this.#perform(effect),
      onFatal: (error) => {
        this.#log.fatal({ err: error }, "the printer host has to end");
        this.#output?.abort();
        if (onFatal !== undefined) onFatal(error);
        else
          setImmediate(() => {
            throw error;
          });
      },
    });
    this.#device.onStateChange(() => this.#deviceState());
    this.#device.open();
    this.#deviceState();
    this.#dispatch({ kind: "woke" });
    const hello: Hello = {
      type: "hello",
      version: limits.protocolVersion,
      role: "host",
      printer: name,
      hostIncarnation: this.#ledger.incarnation,
    };
    this.#hub.dial("server", `${serverUrl}/control`, hello);
  }

  async close(): Promise<void> {
    this.#hub.close();
    // An output under way may end; what lasts longer is cut off, its INTENT stays, the next start looks for evidence.
    const grace = new Promise<void>((resolve) => setTimeout(resolve, closeGraceMs).unref());
    await Promise.race([this.#printing, grace]);
    await this.#runner?.close();
    await this.#device.close();
    await this.#ledger.close();
  }

  #dispatch(input: HostInput): void {
    this.#runner?.dispatch(input);
  }

  #deviceState(): void {
    this.#dispatch({ kind: "deviceStateChanged", ready: this.#device.ready, state: this.#device.state });
  }

  #perform(effect: Exclude<HostEffect, PersistRecords>): void {
    switch (effect.kind) {
      case "sendMessage":
        return this.#hub.send(effect.to, effect.message);
      case "expectImage":
        this.#expected = { ticket: effect.ticket, uploadId: effect.uploadId };
        return;
      case "dropImage":
        this.#images.delete(effect.jobId);
        if (this.#expected?.ticket.jobId === effect.jobId) this.#expected = undefined;
        return;
      case "startOutput":
        this.#log.debug({ job: effect.jobId, step: 310 }, "the intent is durable, the output begins");
        this.#printing = this.#print(effect.jobId, effect.processIds);
        return;
      case "cancelOutput":
        return this.#output?.abort();
      case "seekEvidence":
        return void this.#seekEvidence(effect.jobId, effect.processIds);
      case "note":
        this.#log.info({ job: effect.jobId, detail: effect.detail }, effect.event);
        return;
    }
  }

  /** Only the upload that the machine waits for comes in, whole into memory, measured on the way. */
  async #receive(uploadId: string, request: IncomingMessage): Promise<void> {
    const expected = this.#expected;
    if (expected?.uploadId !== uploadId) throw new TwinspoolError("epoch-stale", "this upload is not waited for");
    this.#expected = undefined;
    const { ticket } = expected;
    const { jobId } = ticket;
    const hash = createHash("sha256");
    let sizeBytes = 0;
    try {
      const bytes = new Uint8Array(ticket.sizeBytes);
      for await (const chunk of receiveImage(request, ticket.sizeBytes)) {
        bytes.set(chunk, sizeBytes);
        sizeBytes += chunk.length;
        hash.update(chunk);
        this.#dispatch({ kind: "imageProgressed", uploadId });
      }
      const sha256 = hash.digest("hex");
      const widthDots = sha256 === ticket.sha256 ? widthOf(bytes) : undefined;
      this.#images.set(jobId, bytes);
      const measured = { jobId, uploadId, sha256, sizeBytes, ...(widthDots === undefined ? {} : { widthDots }) };
      this.#dispatch({ kind: "imageReceived", ...measured });
      if (sha256 !== ticket.sha256) throw new TwinspoolError("image-wrong-digest", jobId);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn({ job: jobId, reason }, "an image did not come in whole");
      this.#dispatch({ kind: "imageFailed", jobId, uploadId, reason });
      throw error;
    }
  }

  async #print(jobId: string, processIds: readonly [string, string]): Promise<void> {
    const image = this.#images.get(jobId);
    const output = new AbortController();
    this.#output = output;
    try {
      if (image === undefined) throw new Error("the image is not in memory");
      const request = { jobId, image, processIds };
      const progress = (rowsDone: number): void => this.#dispatch({ kind: "outputProgressed", jobId, rowsDone });
      const result = await this.#device.print(request, progress, output.signal);
      this.#dispatch({ kind: "outputFinished", jobId, result });
    } catch (error) {
      // Bytes may have left: an error of the device layer never counts as "not started".
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.error({ job: jobId, err: error }, "the output failed");
      this.#dispatch({ kind: "outputFinished", jobId, result: { kind: "uncertain", reason } });
    } finally {
      if (this.#output === output) this.#output = undefined;
    }
  }

  async #seekEvidence(jobId: string, processIds: readonly [string, string]): Promise<void> {
    const { evidenceTimeoutMs } = this.#options.config.timers;
    const evidence = await this.#device.seekEvidence(processIds, evidenceTimeoutMs).catch((error: unknown) => {
      this.#log.warn({ job: jobId, err: error }, "no evidence could be asked for");
      return undefined;
    });
    this.#dispatch({ kind: "evidenceSettled", jobId, evidence });
  }
}

function identify(hello: Hello): Peer {
  if (hello.role === "client") return `client:${hello.clientId}`;
  throw new TwinspoolError("message-invalid", "only clients call a printer host");
}

/** Width of the image when it is one this printer could print: PWG Raster, all pages equally wide. */
function widthOf(bytes: Uint8Array): number | undefined {
  try {
    const { pages } = readPrintImage(bytes);
    const widthDots = pages[0]?.widthDots;
    return pages.every((page) => page.widthDots === widthDots) ? widthDots : undefined;
  } catch {
    return undefined;
  }
}
