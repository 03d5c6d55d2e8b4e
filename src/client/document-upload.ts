import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { type IncomingMessage, request as openRequest } from "node:http";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { type PrintEvent, printEventSchema } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { deferred } from "../runtime/deferred.ts";
import { errorFromBody } from "../runtime/error-body.ts";
import type { PrintRequest } from "./print-request.ts";

const refusalBytes = 64 * 1024;

/**
 * Hands a document to the client process of this machine and tells what happens to it until the job has ended or the
 * signal says that nobody listens any more. Throws `document-missing`, the client's refusal, or `server-unreachable`
 * when the client process goes away.
 */
export async function uploadDocument(
  baseUrl: string,
  key: string | undefined,
  order: PrintRequest,
  onEvent: (event: PrintEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { size } = await stat(order.path).catch((cause: unknown) => {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new TwinspoolError("document-missing", `${order.name ?? order.path} (${code})`, { cause });
  });
  const url = `${baseUrl}/api/documents?${queryOf(order)}`;
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const headers = { ...authorization, "content-type": "application/octet-stream", "content-length": String(size) };
  const request = openRequest(url, { method: "PUT", headers, agent: false, signal });
  const answered = deferred<IncomingMessage>();
  request.once("response", (response) => answered.resolve(response));
  request.on("error", (cause: Error) => answered.reject(goneError(url, cause, signal)));
  try {
    // A refusal comes before the end of a large document, and then the rest has nowhere to go.
    const sent = pipeline(createReadStream(order.path), request);
    const unsent = sent.then(
      () => answered.promise,
      (cause: unknown) => answered.promise.catch(() => Promise.reject(goneError(url, cause, signal))),
    );
    const response = await Promise.race([answered.promise, unsent]);
    await readEvents(response, url, onEvent, signal);
  } finally {
    request.destroy();
  }
}

function queryOf(order: PrintRequest): URLSearchParams {
  const { title, printer, source, spools, copies, documentDateMs, name, priority, held, holdMs, expiresMs } = order;
  const query = new URLSearchParams({ title, copies: String(copies) });
  if (source !== undefined) query.set("source", source);
  if (spools !== undefined) query.set("spools", spools);
  if (printer !== undefined) query.set("printer", printer);
  if (name !== undefined) query.set("name", name);
  if (order.format !== undefined) query.set("format", order.format);
  if (documentDateMs !== undefined) query.set("documentDateMs", String(Math.max(0, Math.floor(documentDateMs))));
  if (held === true) query.set("held", "true");
  for (const [key, value] of Object.entries({ priority, holdMs, expiresMs })) {
    if (value !== undefined) query.set(key, String(Math.floor(value)));
  }
  return query;
}

async function readEvents(
  response: IncomingMessage,
  url: string,
  onEvent: (event: PrintEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  if (response.statusCode !== 200) throw errorFromBody(response.statusCode ?? 0, await readJson(response), url);
  let last: PrintEvent | undefined;
  // A reset of the connection is told by the missing last event, and on some versions of Node by the lines as well.
  response.on("error", () => {});
  try {
    for await (const line of createInterface({ input: response })) {
      last = parseEvent(line, url);
      onEvent(last);
    }
  } catch (error) {
    throw error instanceof TwinspoolError ? error : goneError(url, error, signal);
  }
  if (last !== undefined && ["closed", "refused", "failed"].includes(last.event)) return;
  throw goneError(url, undefined, signal);
}

function parseEvent(line: string, url: string): PrintEvent {
  try {
    return printEventSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new TwinspoolError("message-invalid", `an event of ${url}`, { cause });
  }
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > refusalBytes) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function goneError(url: string, cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  const detail = `the client process of this machine is gone${code}; what it took is in its spool`;
  return new TwinspoolError("server-unreachable", `${detail} [${new URL(url).origin}]`, { cause });
}
