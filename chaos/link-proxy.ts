import { createConnection, createServer, type Server, type Socket } from "node:net";
import { type Happening, type Piece, WireParser } from "./wire-parser.ts";

/** Who speaks: the printer only ever to its host. */
export type Role = "client" | "server" | "host" | "printer";

export type LinkName = "client-server" | "client-host" | "server-host" | "host-printer";

/** Something that is about to pass from one process to another. */
export interface Passing {
  readonly link: LinkName;
  readonly from: Role;
  readonly to: Role;
  readonly happening: Happening;
}

/** Called before anything of interest passes, which then waits; what is returned is called when it has passed. */
export type Tap = (passing: Passing) => Promise<(() => void) | undefined> | undefined;

/** `reset`: connections break and none comes about. `stall`: nothing passes, and later everything, late. */
export type CutKind = "reset" | "stall";

/** One link of the network: all connections between two processes, however many ports they use. */
export class NetworkLink {
  readonly name: LinkName;
  readonly connections = new Set<Connection>();
  #cut: CutKind | undefined;
  #healed: (() => void)[] = [];

  constructor(name: LinkName) {
    this.name = name;
  }

  get isReset(): boolean {
    return this.#cut === "reset";
  }

  cut(kind: CutKind): void {
    this.#cut = kind;
    if (kind === "reset") for (const connection of this.connections) connection.destroy();
  }

  heal(): void {
    this.#cut = undefined;
    for (const resolve of this.#healed.splice(0)) resolve();
  }

  async passable(): Promise<void> {
    while (this.#cut === "stall") await new Promise<void>((resolve) => this.#healed.push(resolve));
  }
}

/** Which link a connection belongs to, and who dialed: known at once, or from its first request. */
export interface Route {
  readonly link: NetworkLink;
  readonly dialer: Role;
  readonly listener: Role;
}

export interface ProxyOptions {
  readonly targetPort: number;
  readonly protocol: "http" | "raw";
  /** Undefined: this connection is of no interest and passes. */
  route(first: Happening | undefined): Route | undefined;
  readonly tap: Tap;
}

/** A port in front of a process's port. */
export class LinkProxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  port = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, this.#options);
    this.#connections.add(connection);
    connection.closed.then(
      () => this.#connections.delete(connection),
      () => {},
    );
  }
}

class Connection {
  readonly closed: Promise<void>;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #options: ProxyOptions;
  #route: Route | undefined;

  constructor(near: Socket, options: ProxyOptions) {
    this.#near = near;
    this.#options = options;
    this.#far = createConnection({ host: "127.0.0.1", port: options.targetPort, noDelay: true });
    near.setNoDelay(true);
    for (const socket of [near, this.#far]) socket.on("error", () => this.destroy());
    if (options.protocol === "raw") this.#enter(options.route(undefined));
    this.closed = Promise.all([this.#pump(near, this.#far, true), this.#pump(this.#far, near, false)]).then(() => {
      this.#route?.link.connections.delete(this);
    });
  }

  destroy(): void {
    // A reset, not an end in good order.
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  #enter(route: Route | undefined): void {
    this.#route = route;
    route?.link.connections.add(this);
    if (route?.link.isReset === true) this.destroy();
  }

  async #pump(from: Socket, to: Socket, isFromDialer: boolean): Promise<void> {
    const parser = new WireParser(this.#options.protocol);
    try {
      for await (const chunk of from) {
        for (const piece of parser.push(chunk as Buffer)) await this.#pass(piece, to, isFromDialer);
      }
      to.end();
    } catch {
      this.destroy();
    }
  }

  async #pass({ bytes, happening }: Piece, to: Socket, isFromDialer: boolean): Promise<void> {
    if (happening?.kind === "request" && this.#route === undefined) this.#enter(this.#options.route(happening));
    const route = this.#route;
    let passed: (() => void) | undefined;
    if (happening !== undefined && route !== undefined) {
      const { link, dialer, listener } = route;
      const [sender, receiver] = isFromDialer ? [dialer, listener] : [listener, dialer];
      passed = await this.#options.tap({ link: link.name, from: sender, to: receiver, happening });
    }
    await route?.link.passable();
    if (to.destroyed) return;
    to.write(bytes);
    passed?.();
  }
}
