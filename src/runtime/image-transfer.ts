import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";
import { TwinspoolError } from "../protocol/errors.ts";
import { defaultTimers, limits } from "../protocol/limits.ts";
import { errorFromBody } from "./error-body.ts";

export interface HttpAnswer {
  readonly status: number;
  /** The JSON of the response; undefined when it is empty or no JSON. */
  readonly body: unknown;
}

type Headers = Readonly<Record<string, string>>;

const smallAnswerBytes = 64 * 1024;
const largeAnswerBytes = 32 * 1024 * 1024;

/**
 * Streams an image of known size to a peer with back-pressure and returns its answer, which may come before the end
 * (refusals do). Throws `server-unreachable` when the peer cannot be reached or nothing moves for `timeoutMs`,
 * `image-wrong-size` when `chunks` are not `sizeBytes`, what `chunks` throws, and the reason of `signal`.
 */
export async function putImage(
  url: string,
  headers: Headers,
  chunks: AsyncIterable<Uint8Array>,
  sizeBytes: number,
  signal?: AbortSignal,
  timeoutMs: number = defaultTimers.imageTransferTimeoutMs,
): Promise<HttpAnswer> {
  const length = { "content-type": "application/octet-stream", "content-length": String(sizeBytes) };
  const request = await openRequest("PUT", url, { ...headers, ...length }, signal, timeoutMs);
  // A peer can refuse by the head alone, however long the source takes to give its first byte.
  request.flushHeaders();
  const answer = readAnswer(request, url, signal, smallAnswerBytes);
  // Settled or not, it is awaited below; until then its failure must not count as unhandled.
  answer.catch(() => {});
  try {
    await sendBody(request, chunks, sizeBytes);
    return await answer;
  } finally {
    request.destroy();
  }
}

/** Writes until all is sent or the request has been answered, has failed or was aborted; `readAnswer` tells which. */
async function sendBody(request: ClientRequest, chunks: AsyncIterable<Uint8Array>, sizeBytes: number): Promise<void> {
  let over = false;
  const end = new Promise<undefined>((resolve) => {
    const finish = (): void => {
      over = true;
      resolve(undefined);
    };
    request.once("response", finish);
    request.once("close", finish);
  });
  const iterator = chunks[Symbol.asyncIterator]();
  let sentBytes = 0;
  let whole = false;
  try {
    while (!over) {
      // A source that waits for ever must not hold a request that has ended.
      const step = await Promise.race([iterator.next(), end]);
      if (step === undefined) return;
      whole = step.done === true;
      if (whole) break;
      sentBytes += step.value.length;
      if (sentBytes > sizeBytes) break;
      if (!request.write(step.value)) {
        await Promise.race([new Promise<void>((resolve) => request.once("drain", resolve)), end]);
      }
    }
    if (over) return;
    if (sentBytes !== sizeBytes) {
      throw new TwinspoolError("image-wrong-size", `${whole ? sentBytes : `over ${sizeBytes}`} of ${sizeBytes} bytes`);
    }
    request.end();
  } finally {
    if (!whole) void iterator.return?.()?.catch(() => {});
  }
}

/**
 * Reads an image from a peer, chunk by chunk. Throws the peer's error when it has none, `image-wrong-size` when the
 * stream ends early, `server-unreachable` as `putImage` does.
 */
export async function* getImage(
  url: string,
  headers: Headers,
  signal?: AbortSignal,
  timeoutMs: number = defaultTimers.imageTransferTimeoutMs,
  onHeaders: (headers: IncomingHttpHeaders) => void = () => {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const request = await openRequest("GET", url, headers, signal, timeoutMs);
  try {
    const response = await responseOf(request, url, signal, () => request.end());
    const status = response.statusCode ?? 0;
    if (status !== 200) throw errorFromBody(status, parseJson(await collect(response, smallAnswerBytes, url)), url);
    request.setTimeout(0);
    onHeaders(response.headers);
    yield* bodyOf(response, limits.imageBytes, timeoutMs);
  } catch (error) {
    throw toTwinspoolError(error, url, signal);
  } finally {
    request.destroy();
  }
}

/**
 * Reads an image that a peer sends to a raw route. The request must announce its length. Throws `request-invalid`
 * without one, `image-too-large` over `limitBytes`, `image-wrong-size` when it ends early or nothing comes for
 * `timeoutMs`.
 */
export async function* receiveImage(
  request: IncomingMessage,
  limitBytes: number = limits.imageBytes,
  timeoutMs: number = defaultTimers.imageTransferTimeoutMs,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (request.headers["content-length"] === undefined) {
    throw new TwinspoolError("request-invalid", "the image comes without content-length");
  }
  yield* bodyOf(request, limitBytes, timeoutMs);
}

/** The silence is measured only while a chunk is wanted: a slow disk here is not a slow sender there. */
async function* bodyOf(message: IncomingMessage, limitBytes: number, timeoutMs: number) {
  const announced = message.headers["content-length"];
  const sizeBytes = announced === undefined ? undefined : Number(announced);
  if (sizeBytes !== undefined && sizeBytes > limitBytes) {
    throw new TwinspoolError("image-too-large", `${sizeBytes} bytes, the limit is ${limitBytes}`);
  }
  // A refusal halfway is still to be answered on this connection, so leaving off must not destroy it.
  const iterator: AsyncIterator<Uint8Array> = message.iterator({ destroyOnReturn: false });
  let gotBytes = 0;
  const so = (): string => `${gotBytes} of ${sizeBytes ?? "unknown"} bytes`;
  try {
    for (;;) {
      const timer = setTimeout(() => {
        message.destroy(new TwinspoolError("image-wrong-size", `silence after ${so()}`));
      }, timeoutMs);
      const step = await iterator.next().finally(() => clearTimeout(timer));
      if (step.done === true) break;
      gotBytes += step.value.length;
      if (gotBytes > limitBytes) throw new TwinspoolError("image-too-large", `the limit is ${limitBytes} bytes`);
      yield step.value;
    }
  } catch (cause) {
    if (cause instanceof TwinspoolError) throw cause;
    throw new TwinspoolError("image-wrong-size", `the connection ended after ${so()}`, { cause });
  } finally {
    await iterator.return?.();
  }
  if (sizeBytes !== undefined && gotBytes !== sizeBytes) throw new TwinspoolError("image-wrong-size", so());
}

export interface JsonRequestOptions {
  readonly key?: string | undefined;
  readonly headers?: Headers;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * One request of the command line. Returns the JSON of the answer, undefined when it is empty. Throws the peer's own
 * error, `server-unreachable` with the URL, or `message-invalid` for an answer that is no JSON.
 */
export async function requestJson(method: string, url: string, options: JsonRequestOptions = {}): Promise<unknown> {
  const { key, body, timeoutMs = 5_000, signal } = options;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    accept: "application/json",
    ...options.headers,
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(text === undefined
      ? {}
      : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }),
  };
  const request = await openRequest(method, url, headers, signal, timeoutMs);
  try {
    const response = await responseOf(request, url, signal, () => request.end(text));
    const answer = await collect(response, largeAnswerBytes, url);
    const value = parseJson(answer);
    const status = response.statusCode ?? 0;
    if (status >= 400) throw errorFromBody(status, value, url);
    if (value === undefined && answer !== "") throw new TwinspoolError("message-invalid", `${url} did not send JSON`);
    return value;
  } catch (error) {
    throw toTwinspoolError(error, url, signal);
  } finally {
    request.destroy();
  }
}

async function openRequest(
  method: string,
  url: string,
  headers: Headers,
  signal: AbortSignal | undefined,
  timeoutMs: number,
): Promise<ClientRequest> {
  signal?.throwIfAborted();
  const { request } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  const options: RequestOptions = {
    method,
    // A connection of its own: one out of a pool may be closed by the peer just as a body begins that cannot be resent.
    agent: false,
    // Yet not announced as the last request: a peer that refuses early would then reset the connection over the unread
    // rest, and the refusal could be lost with it (RFC 9112 §9.6).
    headers: { ...headers, connection: "keep-alive" },
    ...(signal === undefined ? {} : { signal }),
  };
  const opened = request(url, options);
  opened.setTimeout(timeoutMs, () => {
    const detail = `${url} has been silent for ${timeoutMs / 1000} s`;
    opened.destroy(new TwinspoolError("server-unreachable", detail));
  });
  return opened;
}

/** Waits for the head of the response. Later errors of the request surface in the reading of its body. */
function responseOf(
  request: ClientRequest,
  url: string,
  signal: AbortSignal | undefined,
  begin: () => void,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    // Stays: an error after the response (EPIPE of a refused upload) has been told by the response already.
    request.on("error", (error) => reject(toTwinspoolError(error, url, signal)));
    begin();
  });
}

async function readAnswer(
  request: ClientRequest,
  url: string,
  signal: AbortSignal | undefined,
  limitBytes: number,
): Promise<HttpAnswer> {
  try {
    const response = await responseOf(request, url, signal, () => {});
    return { status: response.statusCode ?? 0, body: parseJson(await collect(response, limitBytes, url)) };
  } catch (error) {
    throw toTwinspoolError(error, url, signal);
  }
}

async function collect(response: IncomingMessage, limitBytes: number, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw new TwinspoolError("message-invalid", `${url} sent more than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toTwinspoolError(error: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof TwinspoolError) return error;
  const seen = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return new TwinspoolError("server-unreachable", `${url} (${seen})`, { cause: error });
}
