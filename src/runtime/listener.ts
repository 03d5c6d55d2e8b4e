import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type WebSocket, WebSocketServer } from "ws";
import { TwinspoolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";
import { accessCheck, type Refusal } from "./access.ts";
import { checkListen } from "./config.ts";
import { errorBody, errorStatus } from "./error-body.ts";
import type { Log } from "./log.ts";

export interface ListenerOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** When set, every request must carry it; without it only loopback addresses are listened on. */
  readonly key?: string | undefined;
  /** Names besides loopback that a Host header may hold while there is no key (a reverse proxy passes its own). */
  readonly hostNames?: readonly string[];
  readonly log?: Log;
  readonly maxConnections?: number;
}

export type ControlHandler = (socket: WebSocket, request: IncomingMessage) => void;
export type RawHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Where doors put their routes. */
export interface Routes {
  /** Ordinary requests. Hono takes no new routes after the first request: add them in `setup`. */
  readonly app: Hono<{ Bindings: HttpBindings }>;
  /** WebSockets of this exact path; see `acceptLink`. */
  onControl(path: string, handler: ControlHandler): void;
  /** Requests whose path begins so get the bare streams; the longest prefix wins, and all of them before `app`. */
  rawRoute(method: string, pathPrefix: string, handler: RawHandler): void;
}

export interface Listener extends Routes {
  /** How this machine reaches it, such as http://127.0.0.1:6310. */
  readonly url: string;
  readonly port: number;
  /** Stops listening; open requests and links get a second to end. */
  close(): Promise<void>;
}

interface RawRoute {
  readonly method: string;
  readonly pathPrefix: string;
  readonly handler: RawHandler;
}

const headersTimeoutMs = 10_000;
/** A whole image over a slow radio link; the silence of a sender is watched where its body is read. */
const requestTimeoutMs = 300_000;
const closeGraceMs = 1_000;

/**
 * Opens the one HTTP and WebSocket listener of a process. `setup` adds routes before the first request can come.
 * Throws `address-needs-key`, `port-in-use`, or `config-invalid` when the address is none of this machine.
 */
export async function startListener(options: ListenerOptions, setup?: (routes: Routes) => void): Promise<Listener> {
  checkListen({ listen: { address: options.address }, key: options.key });
  const raws: RawRoute[] = [];
  const controls = new Map<string, ControlHandler>();
  const routes: Routes = {
    app: new Hono<{ Bindings: HttpBindings }>(),
    onControl: (path, handler) => void controls.set(path, handler),
    rawRoute: (method, pathPrefix, handler) => {
      raws.push({ method, pathPrefix, handler });
      raws.sort((a, b) => b.pathPrefix.length - a.pathPrefix.length);
    },
  };
  const { log } = options;
  routes.app.onError((error, context) => {
    logError(log, error, context.req.method, context.req.path);
    return context.json(errorBody(error), errorStatus(error) as ContentfulStatusCode);
  });
  routes.app.notFound((context) =>
    context.json(errorBody(new TwinspoolError("request-invalid", `there is nothing at ${context.req.path}`)), 404),
  );
  setup?.(routes);

  const check = accessCheck(options);
  const serveApp = getRequestListener(routes.app.fetch);
  const server = createServer(
    { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs, connectionsCheckingInterval: 5_000 },
    (request, response) => {
      const refusal = check(request.headers);
      if (refusal !== undefined) return sendRefusal(response, refusal);
      const path = pathOf(request);
      const raw = raws.find((route) => route.method === request.method && path.startsWith(route.pathPrefix));
      if (raw === undefined) void serveApp(request, response);
      else void serveRaw(raw.handler, request, response, log);
    },
  );
  server.maxConnections = options.maxConnections ?? 256;
  // RFC 7692 compression costs memory per link and saves nothing on a LAN.
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.controlMessageBytes,
    perMessageDeflate: false,
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = check(request.headers);
    if (refusal !== undefined) return refuseUpgrade(socket, refusal);
    const handler = controls.get(pathOf(request));
    if (handler === undefined) {
      const error = new TwinspoolError("request-invalid", `there is no control link at ${pathOf(request)}`);
      return refuseUpgrade(socket, { status: 404, error });
    }
    sockets.handleUpgrade(request, socket, head, (link) => handler(link, request));
  });

  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return { ...routes, port, url: `http://${reachable(options.address)}:${port}`, close: () => close(server, sockets) };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

/** A wildcard address is no destination (RFC 1122 §3.2.1.3); an IPv6 address stands in brackets (RFC 3986 §3.2.2). */
function reachable(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return isIPv6(address) ? `[${address}]` : address;
}

async function serveRaw(handler: RawHandler, request: IncomingMessage, response: ServerResponse, log: Log | undefined) {
  // A body that its route left off reading would hold the connection, and hide that the peer has closed it.
  response.once("finish", () => request.resume());
  try {
    await handler(request, response);
  } catch (error) {
    logError(log, error, request.method ?? "", pathOf(request));
    sendError(response, error);
  }
}

/** Answers a raw route with an error as JSON; what has begun already is cut off instead, so that nobody takes it for whole. */
export function sendError(response: ServerResponse, error: unknown): void {
  sendRefusal(response, { status: errorStatus(error), error });
}

function sendRefusal(response: ServerResponse, { status, error, headers }: Refusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(errorBody(error));
  response.writeHead(status, {
    ...headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

function refuseUpgrade(socket: Duplex, { status, error, headers }: Refusal): void {
  const body = JSON.stringify(errorBody(error));
  const lines = Object.entries({
    ...headers,
    connection: "close",
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  // The peer may be gone already, and nobody else listens on this socket.
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join("")}\r\n${body}`);
}

function logError(log: Log | undefined, error: unknown, method: string, path: string): void {
  if (error instanceof TwinspoolError && error.code !== "internal") {
    log?.debug({ code: error.code, method, path }, error.message);
  } else {
    log?.error({ err: error, method, path }, "a request failed");
  }
}

async function listen(server: Server, { address, port }: ListenerOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: address, port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    if (code === "EADDRINUSE") throw new TwinspoolError("port-in-use", `${address} port ${port}`, { cause });
    const reasons: Record<string, string> = {
      EADDRNOTAVAIL: `listen.address ${address} is no address of this machine`,
      ENOTFOUND: `listen.address ${address} is no known name`,
      EACCES: `listen.port ${port} is kept for the system; take one above 1023`,
    };
    throw new TwinspoolError("config-invalid", reasons[code] ?? `cannot listen on ${address} port ${port} (${code})`, {
      cause,
    });
  }
}

async function close(server: Server, sockets: WebSocketServer): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // RFC 6455 §7.4.1: 1001, an endpoint is going away.
  for (const socket of sockets.clients) socket.close(1001, "the listener is closing");
  const grace = setTimeout(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
  }, closeGraceMs);
  await closed;
  clearTimeout(grace);
  sockets.close();
}
