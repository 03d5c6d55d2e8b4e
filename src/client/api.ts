import type { IncomingHttpHeaders } from "node:http";
import type * as z from "zod";
import { spoolHeader } from "../protocol/api.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { type ClientProof, proofHeaders, readProof } from "../runtime/client-proof.ts";
import type { Config } from "../runtime/config-schema.ts";
import { findEndpoint } from "../runtime/endpoint-file.ts";
import { getImage, requestJson } from "../runtime/image-transfer.ts";
import { isLoopback } from "../runtime/loopback.ts";

/** The HTTP API of one process. */
export class Api {
  readonly whose: "server" | "client";
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #proof: () => Promise<ClientProof | undefined>;

  constructor(
    whose: "server" | "client",
    url: string,
    key: string | undefined,
    proof: () => Promise<ClientProof | undefined> = () => Promise.resolve(undefined),
  ) {
    this.whose = whose;
    this.#url = url.replace(/\/+$/, "");
    this.#key = key;
    this.#proof = proof;
  }

  /** Throws the peer's error, `server-unreachable`, or `message-invalid`. */
  async ask<Schema extends z.ZodType>(
    method: "GET" | "POST" | "PATCH",
    path: string,
    schema: Schema,
    body?: unknown,
  ): Promise<z.output<Schema>> {
    const url = `${this.#url}${path}`;
    const parsed = schema.safeParse(
      await requestJson(method, url, {
        ...(this.#key && { key: this.#key }),
        headers: await this.#proofHeaders(),
        body,
      }),
    );
    if (!parsed.success) throw new TwinspoolError("message-invalid", `the answer of ${url}`, { cause: parsed.error });
    return parsed.data;
  }

  async #proofHeaders(): Promise<Readonly<Record<string, string>>> {
    const proof = await this.#proof();
    return proof === undefined ? {} : proofHeaders(proof);
  }

  /** Reads a file of at most 16 MiB into memory, and which spool it came from. */
  async fetch(path: string): Promise<{ readonly bytes: Uint8Array; readonly spool: "client" | "server" }> {
    const authorization = this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` };
    const headers = { ...authorization, ...(await this.#proofHeaders()) };
    const chunks: Uint8Array[] = [];
    let spool = this.whose;
    const onHeaders = (given: IncomingHttpHeaders): void => {
      const said = given[spoolHeader];
      if (said === "client" || said === "server") spool = said;
    };
    const url = `${this.#url}${path}`;
    for await (const chunk of getImage(url, headers, undefined, undefined, onHeaders)) chunks.push(chunk);
    return { bytes: Buffer.concat(chunks), spool };
  }
}

export function serverApi(config: Config): Api {
  // People at the server's machine see everything, also when a client has its folder there.
  const isHere = isLoopback(new URL(config.server).hostname);
  return new Api("server", config.server, config.key, isHere ? undefined : () => readProof(config.data));
}

/** The client process of this machine that keeps its data in this folder, or undefined when none runs. */
export async function clientApi(config: Config): Promise<Api | undefined> {
  const endpoint = await findEndpoint(config.data, "client");
  return endpoint === undefined ? undefined : new Api("client", endpoint.url, config.key);
}

/**
 * Asks the server, and the client process of this machine when the server's error is one of `passOn`; `onClient` hears
 * that it is the client that has answered.
 */
export async function askEither<T>(
  config: Config,
  ask: (api: Api) => Promise<T>,
  passOn: readonly ErrorCode[],
  onClient: (error: TwinspoolError) => void = () => {},
): Promise<T> {
  try {
    return await ask(serverApi(config));
  } catch (error) {
    if (!(error instanceof TwinspoolError) || !passOn.includes(error.code)) throw error;
    const client = await clientApi(config);
    if (client === undefined) throw error;
    try {
      const answer = await ask(client);
      onClient(error);
      return answer;
    } catch (second) {
      // Of two that know nothing, the server's word is the one that counts.
      if (second instanceof TwinspoolError && second.code !== "job-unknown") throw second;
      throw error;
    }
  }
}

/** A job id in a path, whatever the user typed. */
export function jobPath(jobId: string, rest = ""): string {
  return `/api/jobs/${encodeURIComponent(jobId)}${rest}`;
}
