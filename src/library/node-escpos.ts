import { EventEmitter } from "node:events";
import type { PrinterView } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { Connection, type ConnectOptions, type PrintOptions } from "./connection.ts";
import type { PrintJob } from "./submitted-job.ts";

export interface TwinspoolAdapterOptions extends ConnectOptions, Omit<PrintOptions, "format"> {
  /** `close` calls back when the job is accepted (default): it will be printed whatever dies. Or when it has ended. */
  readonly waitFor?: "accepted" | "ended" | undefined;
  /** Gets the job of each document. */
  readonly onJob?: ((job: PrintJob) => void) | undefined;
}

type Done = (error: Error | null) => void;

/**
 * An adapter of @node-escpos/core that prints through both spools: `new TwinspoolAdapter({ printer: "kitchen" })` in the
 * place of `new Network("192.168.0.9")`. What is written between `open` and `close` is one document, drawn as the dots
 * that the printer would make of it. Drawer pulses, sounds and settings do not reach the printer.
 */
export class TwinspoolAdapter extends EventEmitter {
  readonly #options: TwinspoolAdapterOptions;
  #connection: Promise<Connection> | undefined;
  #chunks: Uint8Array[] = [];
  /** The first bytes of a question: core writes it byte by byte. */
  #begun: Uint8Array = new Uint8Array();
  #readers: ((data: Buffer) => void)[] = [];
  #questions: number[] = [];

  constructor(options: TwinspoolAdapterOptions = {}) {
    super();
    this.#options = options;
  }

  /** Begins a document. */
  open(callback?: Done): this {
    this.#chunks = [];
    this.#begun = new Uint8Array();
    this.#connection ??= Connection.open(this.#options);
    settle(
      this.#connection.then(() => void this.emit("connect", this)),
      callback,
      () => {
        this.#connection = undefined;
      },
    );
    return this;
  }

  /** Adds to the document. Questions for the printer's status (DLE EOT) are answered to `read`. */
  write(data: Buffer | string, callback?: Done): this {
    const isOpen = this.#connection !== undefined;
    if (isOpen) this.#add(Buffer.concat([this.#begun, Buffer.from(data)]));
    settle(isOpen ? Promise.resolve() : Promise.reject(notOpen()), callback);
    return this;
  }

  /** Typed as the emitter that core knows has it. */
  override listeners(event: string | symbol): ((...values: unknown[]) => void)[] {
    return super.listeners(event) as ((...values: unknown[]) => void)[];
  }

  /** Hears answers of the printer, as far as its host knows them. */
  read(callback?: (data: Buffer) => void): void {
    if (callback !== undefined) this.#readers.push(callback);
  }

  /** Ends the document and submits it. A document of no bytes is none. */
  close(callback?: Done): this {
    const opened = this.#connection;
    const document = Buffer.concat([...this.#chunks, this.#begun]);
    this.#connection = undefined;
    this.#chunks = [];
    this.#readers = [];
    settle(opened === undefined ? Promise.resolve() : this.#submit(document), callback);
    return this;
  }

  async #submit(document: Uint8Array): Promise<void> {
    try {
      if (document.length === 0) return;
      const { title = "receipt", waitFor, onJob, ...options } = this.#options;
      const job = await Connection.submit(document, { ...options, title, format: "escpos" });
      onJob?.(job);
      if (waitFor === "ended") await job.ended;
      else await job.accepted;
    } finally {
      this.emit("disconnect", this);
    }
  }

  #add(bytes: Uint8Array): void {
    const isQuestion = looksLikeQuestions(bytes);
    this.#begun = isQuestion && bytes.length < 3 ? bytes : new Uint8Array();
    if (!isQuestion) this.#chunks.push(bytes);
    else if (bytes.length % 3 === 0) this.#ask(bytes);
    else if (bytes.length > 3) this.#chunks.push(bytes);
  }

  /** All questions of one turn get one answer, as they would from a printer that is quick. */
  #ask(bytes: Uint8Array): void {
    const isFirst = this.#questions.length === 0;
    for (let at = 2; at < bytes.length; at += 3) this.#questions.push(bytes[at] ?? 1);
    if (!isFirst) return;
    void this.#printer().then((printer) => {
      const answer = Buffer.from(this.#questions.map((question) => statusByte(question, printer)));
      this.#questions = [];
      for (const read of this.#readers.splice(0)) read(answer);
    });
  }

  /** Undefined when nobody knows it: that is an offline printer. */
  async #printer(): Promise<PrinterView | undefined> {
    const printers = await this.#connection?.then((connection) => connection.printers()).catch(() => []);
    const { printer } = this.#options;
    return printer === undefined ? printers?.[0] : printers?.find(({ attributes }) => attributes.name === printer);
  }
}

function settle(work: Promise<void>, callback: Done | undefined, onError: () => void = () => {}): void {
  work.then(
    () => callback?.(null),
    (error: unknown) => {
      onError();
      const shown = error instanceof Error ? error : new Error(String(error));
      if (callback === undefined) process.emitWarning(shown.message, "TwinspoolWarning");
      else callback(shown);
    },
  );
}

function notOpen(): TwinspoolError {
  return new TwinspoolError("request-invalid", "the adapter is not open; call open() before write()");
}

/** Nothing but DLE EOT n, also the beginning of it: between other bytes the same three may be dots. */
function looksLikeQuestions(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.every((byte, at) => at % 3 === 2 || byte === [0x10, 0x04][at % 3]);
}

/** Bits 1 and 4 are fixed in every answer of DLE EOT. */
const fixedBits = 0x12;
const offlineBit = 0x08;

/** What each question asks of the printer-state-reasons: bits by reason. */
const statusBits: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  2: { "cover-open-error": 0x04, "media-empty-error": 0x20, "trimmer-jam-error": 0x40, "other-error": 0x40 },
  3: { "trimmer-jam-error": 0x08, "other-error": 0x20, "other-warning": 0x40 },
  4: { "media-low-warning": 0x0c, "media-empty-error": 0x6c },
};

function statusByte(question: number, printer: PrinterView | undefined): number {
  const isOnline = printer?.linked === true && printer.state.state !== "stopped";
  if (question === 1) return fixedBits | (isOnline ? 0 : offlineBit);
  const bits = statusBits[question] ?? {};
  return (printer?.state.reasons ?? []).reduce((byte, reason) => byte | (bits[reason] ?? 0), fixedBits);
}
