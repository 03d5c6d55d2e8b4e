import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LinkName, LinkProxy, NetworkLink, type Passing, type Role, type Route, type Tap } from "./link-proxy.ts";
import { type Line, Program } from "./program.ts";
import type { Random } from "./random.ts";
import type { Victim } from "./steps.ts";
import type { Happening } from "./wire-parser.ts";
import { Witness } from "./witness.ts";

const linksOfVictim: Readonly<Record<Victim, readonly LinkName[]>> = {
  client: ["client-server", "client-host"],
  server: ["client-server", "server-host"],
  host: ["client-host", "server-host", "host-printer"],
};

export function linksOf(victim: Victim): readonly LinkName[] {
  return linksOfVictim[victim];
}

/** What a run wants to hear while it lasts. */
export interface Listener {
  tap: Tap;
  onTrace(role: Victim, line: Line): void;
}

/** Below the ports that systems give to outgoing connections, so that a process finds its port again. */
const firstPort = 18_000;
const portCount = 14_000;

/** A client, a server, a host and a printer, all real, and every wire between them in the hands of the campaign. */
export class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), "twinspool-chaos-"));
  readonly witness: Witness;
  listener: Listener | undefined;
  readonly #links = new Map<LinkName, NetworkLink>();
  readonly #proxies: LinkProxy[] = [];
  readonly #programs = new Map<Victim, Program>();
  readonly #ports: Readonly<Record<Victim, number>>;
  #printer: Program | undefined;
  #frontPort = 0;
  #serverFor: Readonly<Record<"client" | "host", number>> = { client: 0, host: 0 };
  #printerPort = 0;
  /** Who uploads to the host under this id: as the host told it. */
  readonly #uploaders = new Map<string, Role>();
  readonly #story: string[] = [];
  #waiters: (() => void)[] = [];
  readonly #startedMs = performance.now();

  private constructor(ports: Readonly<Record<Victim, number>>) {
    this.#ports = ports;
    for (const name of ["client-server", "client-host", "server-host", "host-printer"] as const)
      this.#links.set(name, new NetworkLink(name));
    this.witness = new Witness({
      paper: join(this.folder, "paper"),
      server: join(this.folder, "server-data", "server"),
      client: join(this.folder, "client-data", "client"),
      ledger: join(this.folder, "host-data", "host", "kitchen.ledger"),
    });
  }

  /** Everything runs and knows each other when this resolves. */
  static async open(random: Random): Promise<Shop> {
    const ports = { client: await freePort(random), server: await freePort(random), host: await freePort(random) };
    const shop = new Shop(ports);
    try {
      await shop.#open();
      return shop;
    } catch (error) {
      await shop.close(true);
      throw error;
    }
  }

  async #open(): Promise<void> {
    const paper = ["--paper", join(this.folder, "paper")];
    const flags = ["sim", "--json", "--tcp", "0", "--profile", "tm-m30iii", "--speed", "real", ...paper];
    this.#printer = new Program(flags, join(this.folder, "printer-data"), (_, text) => this.#told("printer", text));
    const printerPort = Number((await this.#printer.ready).port);
    const { server, host } = this.#ports;
    this.#printerPort = await this.#proxy(printerPort, "raw", () => this.#route("host-printer", "host", "printer"));
    this.#serverFor = {
      client: await this.#proxy(server, "http", () => this.#route("client-server", "client", "server")),
      host: await this.#proxy(server, "http", () => this.#route("server-host", "host", "server")),
    };
    this.#frontPort = await this.#proxy(host, "http", (first) => this.#routeToHost(first));
    await this.start("server");
    await Promise.all([this.start("host"), this.start("client")]);
  }

  async #proxy(
    targetPort: number,
    protocol: "http" | "raw",
    route: (first: Happening | undefined) => Route | undefined,
  ): Promise<number> {
    const proxy = new LinkProxy({ targetPort, protocol, route, tap: (passing) => this.#tap(passing) });
    await proxy.listen();
    this.#proxies.push(proxy);
    return proxy.port;
  }

  #route(name: LinkName, dialer: Role, listener: Role): Route {
    return { link: this.link(name), dialer, listener };
  }

  /** One address for all: the control link is a client's, an upload belongs to whom the host gave its id. */
  #routeToHost(first: Happening | undefined): Route | undefined {
    if (first?.kind !== "request") return undefined;
    const { path } = first;
    if (path.endsWith("/control")) return this.#route("client-host", "client", "host");
    const uploader = this.#uploaders.get(path.slice(path.lastIndexOf("/") + 1));
    if (uploader === "server") return this.#route("server-host", "server", "host");
    return uploader === "client" ? this.#route("client-host", "client", "host") : undefined;
  }

  #tap(passing: Passing): ReturnType<Tap> {
    const { from, to, happening } = passing;
    const what =
      happening.kind === "message" ? JSON.stringify(happening.message) : `${happening.method} ${happening.path}`;
    this.note(`${from} -> ${to}: ${what.slice(0, 300)}`);
    if (happening.kind === "message" && happening.message.type === "imageWanted") {
      this.#uploaders.set(String(happening.message["uploadId"]), to);
    }
    return this.listener?.tap(passing);
  }

  #told(role: Role, text: string, line?: Line): void {
    this.note(`${role}: ${text}`);
    if (line !== undefined && role !== "printer") this.listener?.onTrace(role, line);
  }

  /** Into the story of this shop, which is kept when something is wrong. */
  note(text: string): void {
    this.#story.push(`${((performance.now() - this.#startedMs) / 1000).toFixed(3)} ${text}`);
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Until anything happens, or so long. */
  async somethingHappens(atMostMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
      timer = setTimeout(resolve, atMostMs);
    });
    clearTimeout(timer);
  }

  link(name: LinkName): NetworkLink {
    const link = this.#links.get(name);
    if (link === undefined) throw new Error(`no link ${name}`);
    return link;
  }

  program(role: Victim): Program {
    const program = this.#programs.get(role);
    if (program === undefined) throw new Error(`no ${role}`);
    return program;
  }

  /** Where a process is asked without a wire of the shop in between. */
  url(role: "client" | "server"): string {
    return `http://127.0.0.1:${this.#ports[role]}`;
  }

  /** Starts a process, or starts it again with the same data. */
  async start(role: Victim): Promise<void> {
    const flags: Readonly<Record<Victim, readonly string[]>> = {
      server: [],
      client: ["--name", "till", "--server", `http://127.0.0.1:${this.#serverFor.client}`],
      host: ["--server", `http://127.0.0.1:${this.#serverFor.host}`, "--config", this.#hostConfig()],
    };
    const args = [role, "--json", "--port", String(this.#ports[role]), ...flags[role]];
    const data = join(this.folder, `${role}-data`);
    const program = new Program(args, data, (line, text) => this.#told(role, text, line));
    this.#programs.set(role, program);
    await program.ready;
  }

  #hostConfig(): string {
    const path = join(this.folder, "host.toml");
    const printer = `[[printers]]\nname = "kitchen"\nuri = "socket://127.0.0.1:${this.#printerPort}"\nmodel = "tm-m30iii"\n`;
    writeFileSync(path, `[host]\nurl = "http://127.0.0.1:${this.#frontPort}"\n\n${printer}`);
    return path;
  }

  /** Processes first: what they leave behind is then read without them. */
  async endPrograms(): Promise<void> {
    for (const role of ["client", "host", "server"] as const) await this.#programs.get(role)?.end();
    await this.#printer?.end();
  }

  async close(keep: boolean): Promise<void> {
    await this.endPrograms();
    for (const proxy of this.#proxies) await proxy.close();
    if (keep) writeFileSync(join(this.folder, "story.log"), `${this.#story.join("\n")}\n`);
    else rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(random: Random): Promise<number> {
  for (;;) {
    const port = firstPort + random.below(portCount);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
