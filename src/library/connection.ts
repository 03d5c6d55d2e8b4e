import * as z from "zod";
import { type Api, askEither, clientApi, jobPath, serverApi } from "../client/api.ts";
import { openDesk, type PrintDesk } from "../client/desk.ts";
import { cutTitle, type PrintRequest } from "../client/print-request.ts";
import {
  type JobAnswer,
  type JobView,
  jobAnswerSchema,
  jobsAnswerSchema,
  type PrinterView,
  printersAnswerSchema,
} from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { type HistoryAnswer, historyAnswerSchema } from "../protocol/history.ts";
import type { JobChange, SourceChoice, Spools } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import { describeIssue } from "../protocol/schema-issue.ts";
import { checkSpools, loadConfig } from "../runtime/config.ts";
import type { Config } from "../runtime/config-schema.ts";
import { openDocumentFile, type PrintDocument } from "./document-file.ts";
import { type PrintJob, SubmittedJob } from "./submitted-job.ts";

/** Where the server is and who this client is. What is left out is as the command line has it: environment, file, default. */
export interface ConnectOptions {
  /** Such as http://192.168.0.5:6310. */
  readonly server?: string | undefined;
  /** The shared key. */
  readonly key?: string | undefined;
  /** Folder of the spool. One process at a time is the client of a folder; the others hand their documents to it. */
  readonly data?: string | undefined;
  /** Configuration file. */
  readonly config?: string | undefined;
  /** Display name of this client. */
  readonly name?: string | undefined;
  /** Hears, a sentence each, what a person should know beside the events of the jobs. Default: a warning of the process. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** How a document is printed; the same choices as `twinspool print`. */
export interface PrintOptions {
  /** Needed when there are several and the configuration names no default. */
  readonly printer?: string | undefined;
  /** In the lists; default: the name of the file. */
  readonly title?: string | undefined;
  /** Spool from which the image goes to the printer. */
  readonly source?: SourceChoice | undefined;
  /** Spools that keep the image. */
  readonly spools?: Spools | undefined;
  readonly copies?: number | undefined;
  /** 1 to 100, 100 goes first; default 50. */
  readonly priority?: number | undefined;
  /** Waits until it is released. */
  readonly held?: boolean | undefined;
  /** Not before this time from now, ms. */
  readonly holdMs?: number | undefined;
  /** Canceled when it has not begun by then, ms from now. */
  readonly expiresMs?: number | undefined;
  /** Raw ESC/POS bytes, whatever they begin with. */
  readonly format?: "escpos" | undefined;
  /** Default: when the file was changed last. */
  readonly documentDate?: Date | undefined;
}

export interface Preview {
  readonly png: Uint8Array;
  /** Where the image came from. */
  readonly spool: "client" | "server";
}

/** Rows that have all of these; see `twinspool history --help`. */
export interface HistoryWish {
  readonly printer?: string | undefined;
  readonly client?: string | undefined;
  readonly outcome?: "printed" | "indeterminate" | "canceled" | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** In the title. */
  readonly text?: string | undefined;
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly before?: string | undefined;
}

/** A job that was still open when its connection was closed: it goes on without this process, or waits for a client. */
export interface LeftJob {
  readonly jobId: string;
  readonly title: string;
  readonly where: "client-process" | "server" | "client-spool";
}

const leftSentences: Readonly<Record<LeftJob["where"], string>> = {
  "client-process": "it goes on in the client process of this machine",
  server: "the server has its image and goes on with it",
  "client-spool": "it is in this client's spool, and goes on when a client runs again",
};

const handOverAttempts = 5;

function wasRefused(error: unknown): boolean {
  const cause = error instanceof TwinspoolError ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}

const orderSchema = z.object({
  copies: z.int().min(1).max(limits.copies),
  priority: z.int().min(1).max(100).optional(),
  holdMs: z.int().min(0).max(limits.jobDelayMs).optional(),
  expiresMs: z.int().min(0).max(limits.jobDelayMs).optional(),
});

/** A program's way to both spools: through the client process of this machine, or as the client itself. */
export class Connection {
  readonly #config: Config;
  readonly #onNote: (text: string) => void;
  readonly #jobs = new Set<SubmittedJob>();
  #desk: Promise<PrintDesk> | undefined;
  #closed: Promise<readonly LeftJob[]> | undefined;

  private constructor(config: Config, onNote: (text: string) => void) {
    this.#config = config;
    this.#onNote = onNote;
  }

  /** Reads the configuration. Nothing else is opened before something is printed or asked. Throws `config-invalid`. */
  static async open(options: ConnectOptions = {}): Promise<Connection> {
    const { server, key, data, config: file, name, onNote } = options;
    const config = await loadConfig({ env: process.env, argvFlags: { config: file, server, key, data, name } });
    return new Connection(config, onNote ?? ((text) => process.emitWarning(text, "TwinspoolWarning")));
  }

  /** One document on a connection of its own, which is closed when the job has ended or waits for a person. */
  static async submit(document: PrintDocument, options: PrintOptions & ConnectOptions = {}): Promise<PrintJob> {
    const connection = await Connection.open(options);
    try {
      const job = await connection.#submit(document, options);
      const rested = options.held === true ? job.accepted.catch(() => {}) : job.rested;
      void rested.then(() => connection.#leave());
      return job;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /**
   * Resolves when the print image is durable in a spool of this machine, or handed to its client process. Throws why the
   * document cannot be printed: `document-*`, `printer-unknown`, `spools-contradict`, `server-unreachable`.
   */
  submit(document: PrintDocument, options: PrintOptions = {}): Promise<PrintJob> {
    return this.#submit(document, options);
  }

  async #submit(document: PrintDocument, options: PrintOptions): Promise<SubmittedJob> {
    if (this.#closed !== undefined) throw new TwinspoolError("request-invalid", "the connection is closed");
    const file = await openDocumentFile(document, this.#config.documentBytes);
    try {
      const order = this.#orderOf(file, options);
      const job = new SubmittedJob(order.title, this);
      this.#jobs.add(job);
      void job.over.then(() => this.#jobs.delete(job));
      const gone = (error: unknown): void => job.loseSight(error);
      await this.#handOver(order, job, gone).catch(gone);
      await job.taken;
      return job;
    } finally {
      await file.close();
    }
  }

  async #handOver(order: PrintRequest, job: SubmittedJob, onGone: (error: unknown) => void): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const desk = await this.#openDesk();
      try {
        return await desk.print(order, (event) => job.take(event), onGone);
      } catch (error) {
        // A client process that ends just now has not taken it. After any other failure nobody can know.
        if (!wasRefused(error) || attempt === handOverAttempts) throw error;
      }
    }
  }

  /** The open jobs, of all clients that this one may see. */
  async jobs(): Promise<readonly JobView[]> {
    return (await this.#ask(["server-unreachable"], (api) => api.ask("GET", "/api/jobs", jobsAnswerSchema))).jobs;
  }

  /** One job, open or in the history. Throws `job-unknown`. */
  job(jobId: string): Promise<JobAnswer> {
    return this.#askJob((api) => api.ask("GET", jobPath(jobId), jobAnswerSchema));
  }

  async printers(): Promise<readonly PrinterView[]> {
    const ask = (api: Api) => api.ask("GET", "/api/printers", printersAnswerSchema);
    return (await this.#ask(["server-unreachable"], ask)).printers;
  }

  /** What has ended, newest first, a page at a time. */
  history(wish: HistoryWish = {}): Promise<HistoryAnswer> {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(wish)) {
      if (value !== undefined) query.set(key, value instanceof Date ? value.toISOString() : String(value));
    }
    return serverApi(this.#config).ask("GET", `/api/history?${query}`, historyAnswerSchema);
  }

  cancel(jobId: string): Promise<JobAnswer> {
    return this.#askJob((api) => api.ask("POST", jobPath(jobId, "/cancel"), jobAnswerSchema));
  }

  change(jobId: string, change: JobChange): Promise<JobAnswer> {
    return this.#askJob((api) => api.ask("PATCH", jobPath(jobId), jobAnswerSchema, change));
  }

  /** Prints a held job again, marked as a duplicate. */
  retry(jobId: string): Promise<JobAnswer> {
    return serverApi(this.#config).ask("POST", jobPath(jobId, "/retry"), jobAnswerSchema);
  }

  /** The dots of a queued or kept job of any client. Throws `image-missing`. */
  async preview(jobId: string): Promise<Preview> {
    const api = (await clientApi(this.#config)) ?? serverApi(this.#config);
    const { bytes, spool } = await api.fetch(jobPath(jobId, "/preview.png"));
    return { png: bytes, spool };
  }

  /**
   * Ends well: when this process is the client, it stays until its jobs have ended, or are held. The signal lets it go
   * earlier. Resolves with the jobs that are still open, and where they go on. May be called more than once.
   */
  close(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly LeftJob[]> {
    this.#closed ??= this.#close(options.signal ?? new AbortController().signal);
    return this.#closed;
  }

  /** Nobody waits for this end: what there is to say is told as notes. */
  async #leave(): Promise<void> {
    try {
      for (const { jobId, title, where } of await this.close()) {
        this.#onNote(`${title} (${jobId}) is still open; ${leftSentences[where]}`);
      }
    } catch (error) {
      this.#onNote(error instanceof Error ? error.message : String(error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(signal: AbortSignal): Promise<readonly LeftJob[]> {
    const desk = await this.#desk?.catch(() => undefined);
    if (desk === undefined) return [];
    try {
      await desk.finish(signal);
      const open = [...this.#jobs].filter((job) => job.state === "open" || job.state === "held");
      return await Promise.all(open.map((job) => this.#whereIs(job, desk)));
    } finally {
      await desk.close();
      const closed = "the connection was closed before the job ended; the job goes on";
      for (const job of this.#jobs) job.loseSight(new TwinspoolError("request-invalid", closed));
    }
  }

  async #whereIs({ id, title }: SubmittedJob, desk: PrintDesk): Promise<LeftJob> {
    if (!desk.isOwnClient) return { jobId: id, title, where: "client-process" };
    const answer = await serverApi(this.#config)
      .ask("GET", jobPath(id), jobAnswerSchema)
      .catch(() => undefined);
    return { jobId: id, title, where: answer?.job?.held.server === true ? "server" : "client-spool" };
  }

  /** The desk of before, unless it was that of a client process that is gone. */
  async #openDesk(): Promise<PrintDesk> {
    const before = await this.#desk?.catch(() => undefined);
    if (before !== undefined && (before.isOwnClient || (await clientApi(this.#config)) !== undefined)) return before;
    await before?.close();
    this.#desk = openDesk({ config: this.#config, onNote: this.#onNote, humanLog: false });
    return this.#desk;
  }

  #orderOf(
    file: { readonly path: string; readonly name: string; readonly modifiedMs: number | undefined },
    options: PrintOptions,
  ): PrintRequest {
    const { printer, title = file.name, held, format } = options;
    const { source, spools } = options;
    const { copies = 1, priority, holdMs, expiresMs, documentDate } = options;
    if (source !== undefined && spools !== undefined) checkSpools(source, spools);
    const checked = orderSchema.safeParse({ copies, priority, holdMs, expiresMs });
    if (!checked.success) throw new TwinspoolError("request-invalid", describeIssue(checked.error));
    const documentDateMs = documentDate?.getTime() ?? file.modifiedMs;
    return {
      path: file.path,
      name: file.name,
      title: cutTitle(title),
      copies,
      ...(source === undefined ? {} : { source }),
      ...(spools === undefined ? {} : { spools }),
      ...(printer === undefined ? {} : { printer }),
      ...(format === undefined ? {} : { format }),
      ...(documentDateMs === undefined ? {} : { documentDateMs }),
      ...(priority === undefined ? {} : { priority }),
      ...(held === true ? { held } : {}),
      ...(holdMs === undefined ? {} : { holdMs }),
      ...(expiresMs === undefined ? {} : { expiresMs }),
    };
  }

  #askJob<T>(ask: (api: Api) => Promise<T>): Promise<T> {
    return this.#ask(["server-unreachable", "job-unknown"], ask);
  }

  #ask<T>(passOn: Parameters<typeof askEither>[2], ask: (api: Api) => Promise<T>): Promise<T> {
    return askEither(this.#config, ask, passOn);
  }
}

/** A way to both spools for as long as a program likes. Nothing is opened before something is printed or asked. */
export function connect(options: ConnectOptions = {}): Promise<Connection> {
  return Connection.open(options);
}

/**
 * Prints one document. Its connection is closed when the job has ended, or waits for a person; a process that prints more
 * than one, or shall end earlier, uses `connect`.
 */
export function submit(document: PrintDocument, options: PrintOptions & ConnectOptions = {}): Promise<PrintJob> {
  return Connection.submit(document, options);
}
