import { afterEach, describe, expect, it } from "vitest";
import { limits } from "../protocol/limits.ts";
import type { Hello, Peer } from "../protocol/messages.ts";
import { nodeClock } from "./clock.ts";
import { Dialer, type Link } from "./link.ts";
import { type Listener, startListener } from "./listener.ts";
import { createLog } from "./log.ts";
import type { LinkInput } from "./machine.ts";
import { PeerHub } from "./peer-hub.ts";

const log = createLog("silent", "test");
const hello: Hello = {
  type: "hello",
  version: limits.protocolVersion,
  role: "client",
  clientId: "aaaaaaaa",
  nonce: "nonce1",
  name: "till",
};

class Inputs {
  readonly seen: LinkInput[] = [];
  #waiters: (() => void)[] = [];
  readonly dispatch = (input: LinkInput): void => {
    this.seen.push(input);
    for (const wake of this.#waiters.splice(0)) wake();
  };
  async next(kind: LinkInput["kind"]): Promise<LinkInput> {
    for (;;) {
      const at = this.seen.findIndex((input) => input.kind === kind);
      const [found] = at < 0 ? [] : this.seen.splice(at, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}

describe("PeerHub", () => {
  const closers: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  function openHub(key?: string): { hub: PeerHub; inputs: Inputs } {
    const inputs = new Inputs();
    const hub = new PeerHub({ clock: nodeClock, random: () => 0.5, log, key, dispatch: inputs.dispatch });
    closers.push(() => hub.close());
    return { hub, inputs };
  }

  async function openServer(): Promise<{ hub: PeerHub; inputs: Inputs; listener: Listener }> {
    const { hub, inputs } = openHub();
    const listener = await startListener({ address: "127.0.0.1", port: 0 }, (routes) =>
      routes.onControl("/control", (socket) => hub.accept(socket, nameOf)),
    );
    closers.push(() => listener.close());
    return { hub, inputs, listener };
  }

  function dialRaw(url: string): { answer: Promise<unknown>; closed: Promise<string>; link: Promise<Link> } {
    const dialer = new Dialer({ clock: nodeClock, random: () => 0.5, retryFirstMs: 60_000 });
    let answered = (_: unknown): void => {};
    let ended = (_: string): void => {};
    let opened = (_: Link): void => {};
    const answer = new Promise<unknown>((resolve) => {
      answered = resolve;
    });
    const closed = new Promise<string>((resolve) => {
      ended = resolve;
    });
    const link = new Promise<Link>((resolve) => {
      opened = resolve;
    });
    const dialed = dialer.dial<unknown>(url, {
      decode: (value) => value,
      onOpen: (open) => opened(open),
      onMessage: (message) => answered(message),
      onClose: (reason) => ended(reason),
    });
    closers.push(() => dialed.close());
    return { answer, closed, link };
  }

  it("opens a link after a hello and carries messages both ways", async () => {
    const server = await openServer();
    const client = openHub();
    client.hub.dial("server", `${server.listener.url}/control`, hello);
    expect(await client.inputs.next("linkOpened")).toEqual({ kind: "linkOpened", peer: "server" });
    expect(await server.inputs.next("linkOpened")).toEqual({ kind: "linkOpened", peer: "client:aaaaaaaa" });
    client.hub.send("server", { type: "jobCancelRequested", jobId: "aaaaaaaa-nonce1-1" });
    expect(await server.inputs.next("messageReceived")).toMatchObject({
      from: "client:aaaaaaaa",
      message: { type: "jobCancelRequested", jobId: "aaaaaaaa-nonce1-1" },
    });
    server.hub.send("client:aaaaaaaa", { type: "jobUnknown", jobId: "aaaaaaaa-nonce1-1" });
    expect(await client.inputs.next("messageReceived")).toMatchObject({ from: "server" });
  });

  it.each([
    ["another version", { ...hello, version: 99 }, "version-unsupported"],
    ["no hello at all", { type: "jobUnknown", jobId: "aaaaaaaa-nonce1-1", version: 1 }, "message-invalid"],
    ["a client id that is a path", { ...hello, clientId: "../../et" }, "message-invalid"],
    ["a role that does not call here", { type: "hello", version: 1, role: "server" }, "message-invalid"],
  ])("refuses %s and says why", async (_, said, code) => {
    const server = await openServer();
    const raw = dialRaw(`${server.listener.url}/control`);
    (await raw.link).send(said);
    expect(await raw.answer).toMatchObject({ type: "helloRefused", code });
    await raw.closed;
    expect(server.inputs.seen).toEqual([]);
  });

  it("refuses a wrong key in the hello", async () => {
    const inputs = new Inputs();
    const hub = new PeerHub({
      clock: nodeClock,
      random: () => 0.5,
      log,
      key: "the right key, long",
      dispatch: inputs.dispatch,
    });
    closers.push(() => hub.close());
    const listener = await startListener({ address: "127.0.0.1", port: 0 }, (routes) =>
      routes.onControl("/control", (socket) => hub.accept(socket, nameOf)),
    );
    closers.push(() => listener.close());
    const raw = dialRaw(`${listener.url}/control`);
    (await raw.link).send({ ...hello, key: "the wrong key, long" });
    expect(await raw.answer).toMatchObject({ type: "helloRefused", code: "key-wrong" });
  });

  it("closes a link on a message that is none, and the machine hears of the end", async () => {
    const server = await openServer();
    const raw = dialRaw(`${server.listener.url}/control`);
    const link = await raw.link;
    link.send(hello);
    await server.inputs.next("linkOpened");
    link.send({ type: "jobStarted", jobId: "nonsense", epoch: -1 });
    expect(await raw.closed).toContain("message-invalid");
    expect(await server.inputs.next("linkClosed")).toEqual({ kind: "linkClosed", peer: "client:aaaaaaaa" });
  });

  it("replaces the older link of the same peer", async () => {
    const server = await openServer();
    const first = dialRaw(`${server.listener.url}/control`);
    (await first.link).send(hello);
    await server.inputs.next("linkOpened");
    const second = dialRaw(`${server.listener.url}/control`);
    (await second.link).send(hello);
    await server.inputs.next("linkClosed");
    await server.inputs.next("linkOpened");
    await first.closed;
    expect(server.hub.peers).toEqual(["client:aaaaaaaa"]);
  });
});

function nameOf(said: Hello): Peer {
  if (said.role !== "client") throw new Error("only clients here");
  return `client:${said.clientId}`;
}
