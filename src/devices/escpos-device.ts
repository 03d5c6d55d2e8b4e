import { readPrintImage } from "../image/pwg-raster.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import type { Evidence, PrinterState } from "../protocol/job.ts";
import type { Clock } from "../runtime/clock.ts";
import { nodeClock } from "../runtime/clock.ts";
import { MachineRunner } from "../runtime/machine-runner.ts";
import type { Device, OutputRequest, OutputResult } from "./device.ts";
import { EscposOutputMachine } from "./escpos/escpos-output-machine.ts";
import type { PrinterModel } from "./escpos/models.ts";
import type { OutputEffect, OutputInput, OutputMachineOptions } from "./escpos/output-protocol.ts";
import type { Transport } from "./transports/transport.ts";

export interface EscposDeviceOptions extends OutputMachineOptions {
  readonly clock?: Clock;
}

const sentenceOf = (error: unknown): string =>
  error instanceof TwinspoolError && error.detail !== "" ? error.detail : String((error as Error).message ?? error);

/** An ESC/POS printer behind a transport: carries out what the output machine wants, and decides nothing itself. */
export class EscposDevice implements Device {
  readonly model: string;
  readonly widthDots: number;
  readonly resolutionDpi: number;
  readonly #transport: Transport;
  readonly #runner: MachineRunner<OutputInput, OutputEffect, never>;
  readonly #listeners: (() => void)[] = [];
  readonly #seeks = new Map<number, (evidence: Evidence | undefined) => void>();
  #nextSeekId = 1;
  #output:
    | { readonly onProgress: (rowsDone: number) => void; readonly settle: (result: OutputResult) => void }
    | undefined;
  #ready = false;
  #state: PrinterState = { state: "stopped", reasons: ["shutdown"] };
  #closing = Promise.resolve();
  #failed: string | undefined;

  constructor(model: PrinterModel, transport: Transport, options: EscposDeviceOptions = {}) {
    this.model = model.title;
    this.widthDots = model.widthDots;
    this.resolutionDpi = model.resolutionDpi;
    this.#transport = transport;
    this.#runner = new MachineRunner<OutputInput, OutputEffect, never>(new EscposOutputMachine(model, options), {
      clock: options.clock ?? nodeClock,
      isPersist: (_effect): _effect is never => false,
      commit: () => undefined,
      perform: (effect) => this.#perform(effect),
      onFatal: (error) => this.#fail(error),
    });
  }

  get ready(): boolean {
    return this.#ready;
  }

  get state(): PrinterState {
    return this.#state;
  }

  onStateChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  open(): void {
    this.#runner.dispatch({ kind: "opened" });
  }

  async print(
    request: OutputRequest,
    onProgress: (rowsDone: number) => void,
    signal: AbortSignal,
  ): Promise<OutputResult> {
    if (this.#failed !== undefined) return { kind: "not-started", reason: this.#failed };
    if (this.#output !== undefined) return { kind: "not-started", reason: "another output is going on" };
    if (signal.aborted) return { kind: "not-started", reason: "canceled before printing" };
    let pages: ReturnType<typeof readPrintImage>["pages"];
    try {
      pages = readPrintImage(request.image).pages;
    } catch (error) {
      return { kind: "not-started", reason: (error as Error).message };
    }
    const cancel = (): void => this.#runner.dispatch({ kind: "outputCanceled" });
    const result = new Promise<OutputResult>((settle) => {
      this.#output = { onProgress, settle };
    });
    signal.addEventListener("abort", cancel, { once: true });
    this.#runner.dispatch({ kind: "outputRequested", pages, processIds: request.processIds });
    try {
      return await result;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  seekEvidence(processIds: readonly [string, string], timeoutMs: number): Promise<Evidence | undefined> {
    if (this.#failed !== undefined) return Promise.resolve(undefined);
    const seekId = this.#nextSeekId++;
    return new Promise((resolve) => {
      this.#seeks.set(seekId, resolve);
      this.#runner.dispatch({ kind: "evidenceSought", seekId, processIds, timeoutMs });
    });
  }

  async close(): Promise<void> {
    this.#runner.dispatch({ kind: "closed" });
    await this.#runner.close();
    await this.#closing;
    await this.#transport.close();
    await this.#transport.dispose?.();
  }

  #perform(effect: OutputEffect): void {
    switch (effect.kind) {
      case "connect":
        void this.#connect(effect.link);
        return;
      case "writeBytes":
        void this.#write(effect.link, effect.bytes);
        return;
      case "closeLink":
        this.#closing = this.#transport.close().catch(() => undefined);
        return;
      case "reportState":
        this.#ready = effect.ready;
        this.#state = effect.state;
        for (const listener of this.#listeners) listener();
        return;
      case "reportProgress":
        this.#output?.onProgress(effect.rowsDone);
        return;
      case "reportResult":
        this.#settleOutput(effect.result);
        return;
      case "reportEvidence":
        this.#seeks.get(effect.seekId)?.(effect.evidence);
        this.#seeks.delete(effect.seekId);
    }
  }

  async #connect(link: number): Promise<void> {
    await this.#closing;
    // A printer may send a late answer the moment it is connected; the machine must know the link first.
    let early: Uint8Array[] | undefined = [];
    try {
      await this.#transport.open({
        onData: (bytes) => {
          if (early === undefined) this.#runner.dispatch({ kind: "bytesReceived", link, bytes });
          else early.push(bytes);
        },
        onClose: (reason) => this.#runner.dispatch({ kind: "linkClosed", link, reason }),
      });
      this.#runner.dispatch({ kind: "linkOpened", link });
      for (const bytes of early) this.#runner.dispatch({ kind: "bytesReceived", link, bytes });
      early = undefined;
    } catch (error) {
      this.#runner.dispatch({ kind: "linkClosed", link, reason: sentenceOf(error) });
    }
  }

  async #write(link: number, bytes: Uint8Array): Promise<void> {
    try {
      await this.#transport.write(bytes);
      this.#runner.dispatch({ kind: "bytesWritten", link });
    } catch (error) {
      // How much of it got out is not known; only a new link has a known state.
      await this.#transport.close().catch(() => undefined);
      this.#runner.dispatch({ kind: "linkClosed", link, reason: sentenceOf(error) });
    }
  }

  #settleOutput(result: OutputResult): void {
    const output = this.#output;
    this.#output = undefined;
    output?.settle(result);
  }

  /** A bug here must not look like paper: what was under way is uncertain, and nothing is started any more. */
  #fail(error: unknown): void {
    this.#failed = `internal error: ${sentenceOf(error)}`;
    this.#ready = false;
    this.#state = { state: "stopped", reasons: ["other-error"] };
    this.#settleOutput({ kind: "uncertain", reason: this.#failed });
    for (const resolve of this.#seeks.values()) resolve(undefined);
    this.#seeks.clear();
    for (const listener of this.#listeners) listener();
  }
}
