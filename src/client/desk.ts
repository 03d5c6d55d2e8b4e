import { setMaxListeners } from "node:events";
import type { PrintEvent } from "../protocol/api.ts";
import type { Config } from "../runtime/config-schema.ts";
import { deferred } from "../runtime/deferred.ts";
import { findEndpoint } from "../runtime/endpoint-file.ts";
import type { PrintRequest } from "./print-request.ts";

/** Who takes documents for printing: the client process of this machine, or this process itself. */
export interface PrintDesk {
  /** True when this process is the client: its end is the end of the client. */
  readonly isOwnClient: boolean;
  /** Resolves when the document has been taken over and is durable. Throws why not. */
  print(order: PrintRequest, onEvent: (event: PrintEvent) => void, onGone: (error: unknown) => void): Promise<void>;
  /** Waits for what is still to be told or done before this process may end well. */
  finish(signal: AbortSignal): Promise<void>;
  /** Leaves: jobs go on where they are. */
  close(): Promise<void>;
}

export interface DeskOptions {
  readonly config: Config;
  /** Hears, a sentence each, what a person should know beside the events of the jobs. */
  readonly onNote: (text: string) => void;
  /** Lines of the log are for a person at a terminal. */
  readonly humanLog: boolean;
}

/** The running client process, else a client of our own. Throws `folder-in-use`, `database-corrupt`, `disk-*`. */
export async function openDesk(options: DeskOptions): Promise<PrintDesk> {
  const { config } = options;
  const endpoint = await findEndpoint(config.data, "client");
  if (endpoint !== undefined) return openCounter(endpoint.url, config.key);
  const { openOwnDesk } = await import("./own-desk.ts");
  const own = await openOwnDesk(options);
  // Another process became the client while this one was starting.
  return "url" in own ? openCounter(own.url, config.key) : own;
}

async function openCounter(url: string, key: string | undefined): Promise<PrintDesk> {
  const { uploadDocument } = await import("./document-upload.ts");
  const leaving = new AbortController();
  // Each document listens; Node takes more than ten for a leak.
  setMaxListeners(0, leaving.signal);
  const uploads = new Set<Promise<void>>();
  return {
    isOwnClient: false,
    print: (order, onEvent, onGone) => {
      const taken = deferred<void>();
      let isTaken = false;
      const upload = uploadDocument(
        url,
        key,
        order,
        (event) => {
          isTaken ||= event.event === "rendered" || event.event === "accepted";
          onEvent(event);
          // Whatever else is told first, the client process has it in its hands.
          taken.resolve();
        },
        leaving.signal,
      ).catch((error: unknown) => {
        if (leaving.signal.aborted) return;
        if (isTaken) onGone(error);
        else taken.reject(error);
      });
      uploads.add(upload);
      return taken.promise;
    },
    finish: () => Promise.resolve(),
    close: async () => {
      leaving.abort();
      await Promise.all(uploads);
    },
  };
}
