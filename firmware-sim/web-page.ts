import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import type { FaultText } from "./faults.ts";
import type { Page } from "./paper.ts";
import { pngPieces } from "./png.ts";
import type { Simulator } from "./simulator.ts";
import { NoteBook } from "./web-notes.ts";
import { faultGroups, profileLine, ticketView, webStateOf } from "./web-state.ts";

/** The live page of one simulator. */
export interface WebPage {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Only this computer: whoever sees the page can take the paper away. */
const HOST = "127.0.0.1";
const LOOK_MS = 150;
const REMEMBERED_TICKETS = 50;
const MAX_LISTENERS = 32;
const MAX_UNREAD_BYTES = 1024 * 1024;
const MAX_FAULT_BYTES = 64;
/** Uncut paper goes to the page in strips of so many rows, so that only its end is fetched while it grows. */
const STRIP_ROWS = 512;
/** How soon a page that lost its events asks again. */
const RETRY_MS = 1000;

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

const ASSETS: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["page.html", "text/html; charset=utf-8"],
  "/page.css": ["page.css", "text/css; charset=utf-8"],
  "/page.js": ["page.js", "text/javascript; charset=utf-8"],
};

/** The folder `web` stands beside this file, and beside the bundle or above its chunks. */
function assetFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "web", "page.html"))) return join(folder, "web");
    if (folder === dirname(folder)) throw new Error("the files of the live page were not found");
  }
}

class LivePage {
  private readonly simulator: Simulator;
  private readonly folder = assetFolder();
  private readonly run = randomUUID();
  private readonly tickets = new Map<number, Page>();
  private readonly notes = new NoteBook();
  private readonly listeners = new Set<ServerResponse>();
  private lastPage: Page | undefined;
  private count = 0;
  private lastState = "";
  private readonly timer: NodeJS.Timeout;
  port = 0;

  constructor(simulator: Simulator) {
    this.simulator = simulator;
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.timer.unref();
  }

  /** Tells the listeners what has changed since the last look. */
  private look(): void {
    const { paper } = this.simulator;
    const seen = this.lastPage === undefined ? -1 : paper.lastIndexOf(this.lastPage);
    for (const page of paper.slice(seen + 1)) {
      this.lastPage = page;
      this.count += 1;
      this.tickets.set(this.count, page);
      this.tickets.delete(this.count - REMEMBERED_TICKETS);
      this.tell("ticket", ticketView(this.count, page));
    }
    for (const note of this.notes.look(this.simulator)) this.tell("note", note);
    if (this.listeners.size === 0) return;
    const state = webStateOf(this.simulator);
    const text = JSON.stringify(state);
    if (text !== this.lastState) this.tell("state", state);
    this.lastState = text;
  }

  private tell(name: string, value: unknown, to: Iterable<ServerResponse> = this.listeners): void {
    for (const listener of to) {
      listener.write(`event: ${name}\ndata: ${JSON.stringify(value)}\n\n`);
      // Whoever stops reading must not cost memory; a live page connects again and gets everything anew.
      if (listener.writableLength > MAX_UNREAD_BYTES) listener.destroy();
    }
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const { host = "", origin } = request.headers;
    // A foreign page may point a name of its own at this address (DNS rebinding), or post across origins.
    if (![`${HOST}:${this.port}`, `localhost:${this.port}`].includes(host)) return refuse(response, 421, "wrong host");
    if (origin !== undefined && origin !== `http://${host}`) return refuse(response, 403, "another origin");
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/faults") return this.fail(request, response, origin);
    if (request.method !== "GET") return refuse(response, 405, "only GET");
    if (pathname === "/events") return this.listen(response);
    const asset = ASSETS[pathname];
    if (asset !== undefined) {
      response.setHeader("content-type", asset[1]).end(readFileSync(join(this.folder, asset[0])));
      return;
    }
    this.look();
    const [, kind, number] = /^\/(paper|uncut)\/(\d+)\.png$/.exec(pathname) ?? [];
    if (kind === undefined) return refuse(response, 404, "not here");
    const page = kind === "uncut" ? this.strip(Number(number)) : this.tickets.get(Number(number));
    // Cut while the page was asking for it, or long ago.
    if (page === undefined) return void response.writeHead(204).end();
    response.setHeader("content-type", "image/png");
    await pipeline(pngPieces(page), response);
  }

  private strip(number: number): Page | undefined {
    const { uncut } = this.simulator;
    const rows = uncut?.rows.slice(number * STRIP_ROWS, (number + 1) * STRIP_ROWS) ?? [];
    return uncut === undefined || rows.length === 0 ? undefined : { ...uncut, rows, heightDots: rows.length };
  }

  private listen(response: ServerResponse): void {
    if (this.listeners.size >= MAX_LISTENERS) return refuse(response, 503, "too many pages are open");
    this.look();
    response.writeHead(200, { "content-type": "text/event-stream" });
    const only = [response];
    response.write(`retry: ${RETRY_MS}\n\n`);
    const { profile, port } = this.simulator;
    const hello = { profile: profile.name, about: profileLine(profile), port: port ?? null, groups: faultGroups() };
    this.tell("hello", { run: this.run, stripRows: STRIP_ROWS, ...hello }, only);
    for (const [number, page] of this.tickets) this.tell("ticket", ticketView(number, page), only);
    for (const note of this.notes.notes) this.tell("note", note, only);
    this.tell("state", webStateOf(this.simulator), only);
    this.listeners.add(response);
    response.once("close", () => this.listeners.delete(response));
  }

  private async fail(request: IncomingMessage, response: ServerResponse, origin: string | undefined): Promise<void> {
    if (request.method !== "POST") return refuse(response, 405, "only POST");
    if (origin === undefined) return refuse(response, 403, "a fault comes from this page");
    let text = "";
    for await (const piece of request.setEncoding("utf8")) {
      text += piece;
      if (text.length > MAX_FAULT_BYTES) return refuse(response, 413, "too long for a fault");
    }
    try {
      this.simulator.fail(text as FaultText);
    } catch (error) {
      return refuse(response, 400, error instanceof Error ? error.message : String(error));
    }
    response.writeHead(204).end();
    this.tell("note", this.notes.add("fault", text));
    this.look();
  }

  close(): void {
    clearInterval(this.timer);
    for (const listener of this.listeners) listener.destroy();
  }
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" }).end(`${why}\n`);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Serves the live page on loopback; `port` 0 takes any free one. Rejects when the port is in use. */
export async function startWebPage(simulator: Simulator, port: number): Promise<WebPage> {
  const page = new LivePage(simulator);
  const server = createServer((request, response) => {
    page.handle(request, response).catch(() => response.destroy());
  });
  try {
    page.port = await listen(server, port);
  } catch (error) {
    page.close();
    throw error;
  }
  return {
    url: `http://${HOST}:${page.port}/`,
    port: page.port,
    close: async () => {
      page.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
