import { setTimeout as pause } from "node:timers/promises";
import { jobsAnswerSchema } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import type { Config } from "../runtime/config-schema.ts";
import { type Endpoint, findEndpoint, publishEndpoint } from "../runtime/endpoint-file.ts";
import { requestJson } from "../runtime/image-transfer.ts";
import { type Listener, startListener } from "../runtime/listener.ts";
import { createLog } from "../runtime/log.ts";
import { type ClientProcess, openClient } from "./client.ts";
import type { DeskOptions, PrintDesk } from "./desk.ts";

const folderRetryMs = 100;
/** How long a client process that is just starting or ending may keep the folder without being reachable. */
const folderPatienceMs = 5_000;
/** How long the server may take to write the history of what has been printed. */
const closingPatienceMs = 3_000;

/**
 * This process as the client of the machine, for as long as its jobs take. It can be found like any client, so that
 * whoever prints meanwhile hands their documents over. Returns the endpoint of another when that was faster.
 */
export async function openOwnDesk(options: DeskOptions): Promise<PrintDesk | Endpoint> {
  const { config } = options;
  const opened = await openOrFind(options);
  if ("url" in opened) return opened;
  const { client, failed } = opened;
  let listener: Listener | undefined;
  try {
    listener = await startListener({ address: "127.0.0.1", port: config.clientPort, key: config.key }, (routes) =>
      client.mount(routes),
    );
    const { diskless } = client;
    if (diskless !== undefined) {
      options.onNote(`${diskless} cannot be written: this client keeps no image, only the server does`);
    }
    const unpublish =
      diskless === undefined
        ? await publishEndpoint(config.data, "client", { url: listener.url, pid: process.pid })
        : () => {};
    client.start();
    return new OwnDesk(options, client, listener, unpublish, failed);
  } catch (error) {
    await listener?.close();
    await client.close();
    throw error;
  }
}

interface OpenedClient {
  readonly client: ClientProcess;
  /** Rejects when a write could not be made durable. */
  readonly failed: Promise<never>;
}

async function openOrFind({ config, humanLog }: DeskOptions): Promise<OpenedClient | Endpoint> {
  // Lines of the log would break into the progress; who wants them asks for a file, or for all of them.
  const { level, file } = config.log;
  const shown = file !== undefined || level === "debug" || level === "trace" ? level : "silent";
  const log = createLog(shown, "client", { file, human: file === undefined && humanLog });
  let onFatal: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    onFatal = reject;
  });
  failed.catch(() => {});
  const giveUpAtMs = performance.now() + folderPatienceMs;
  for (;;) {
    try {
      return {
        client: await openClient({ config, log, onFatal: (error) => onFatal(error), leavesSoon: true }),
        failed,
      };
    } catch (error) {
      if (!(error instanceof TwinspoolError) || error.code !== "folder-in-use") throw error;
      const endpoint = await findEndpoint(config.data, "client");
      if (endpoint !== undefined) return endpoint;
      if (performance.now() > giveUpAtMs) throw error;
      await pause(folderRetryMs);
    }
  }
}

class OwnDesk implements PrintDesk {
  readonly isOwnClient = true;
  readonly #config: Config;
  readonly #note: (text: string) => void;
  readonly #client: ClientProcess;
  readonly #listener: Listener;
  readonly #unpublish: () => void;
  readonly #failed: Promise<never>;
  /** Jobs of earlier lives: they go on, but nobody here waits for them. */
  readonly #older: Promise<ReadonlySet<string>>;
  #serverKnown: Promise<boolean> | undefined;

  constructor(
    options: DeskOptions,
    client: ClientProcess,
    listener: Listener,
    unpublish: () => void,
    failed: Promise<never>,
  ) {
    this.#config = options.config;
    this.#note = options.onNote;
    this.#client = client;
    this.#listener = listener;
    this.#unpublish = unpublish;
    this.#failed = failed;
    this.#older = this.#jobs().then((jobs) => new Set(jobs.map((job) => job.jobId)));
  }

  async print(...[order, onEvent, onGone]: Parameters<PrintDesk["print"]>): Promise<void> {
    this.#failed.catch(onGone);
    this.#serverKnown ??= this.#waitForServer();
    await this.#serverKnown;
    await Promise.race([this.#client.print(order, onEvent), this.#failed]);
  }

  async #waitForServer(): Promise<boolean> {
    const answered = this.#client.waitForServer(this.#config.timers.serverSilentMs);
    const isKnown = await Promise.race([answered, refusalOf(this.#config)]);
    if (!isKnown && this.#client.diskless === undefined) {
      const { server } = this.#config;
      this.#note(`the server at ${server} does not answer; without it this client sends its image to the printer host`);
    }
    return isKnown;
  }

  /** Jobs of this life that are still to be done by someone. */
  async #ongoing(): Promise<number> {
    const older = await this.#older;
    const jobs = await this.#jobs();
    return jobs.filter((job) => !older.has(job.jobId) && job.state !== "pending-held" && job.state !== "ended").length;
  }

  /** Others may have handed their documents to this process: it stays for them. */
  async finish(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#ongoing()) > 0) await pause(folderRetryMs);
    // What has been printed is told to the server, so that its history has it and both spools are empty.
    const giveUpAtMs = performance.now() + closingPatienceMs;
    const older = await this.#older;
    for (;;) {
      const ended = (await this.#jobs()).filter((job) => job.state === "ended" && !older.has(job.jobId)).length;
      if (ended === 0 || signal.aborted) break;
      if (performance.now() > giveUpAtMs) {
        this.#note("the server is away; it is told what was printed when a client runs again");
        break;
      }
      await pause(folderRetryMs / 4);
    }
    if (older.size > 0 && this.#client.openJobs > 0) {
      const { openJobs } = this.#client;
      const count = openJobs === 1 ? "1 earlier job" : `${openJobs} earlier jobs`;
      this.#note(`${count} of this client still open; see: twinspool jobs`);
    }
  }

  async close(): Promise<void> {
    this.#unpublish();
    await this.#listener.close();
    await this.#client.close();
  }

  async #jobs() {
    const response = await this.#listener.app.request("/api/jobs");
    return jobsAnswerSchema.parse(await response.json()).jobs;
  }
}

/** Rejects when the server lets nobody in with this key, which looks like silence on a control link. */
function refusalOf({ server, key }: Config): Promise<never> {
  return new Promise((_, reject) => {
    requestJson("GET", `${server}/api/health`, key === undefined ? {} : { key }).catch((error: unknown) => {
      if (error instanceof TwinspoolError && error.code === "key-wrong") reject(error);
    });
  });
}
