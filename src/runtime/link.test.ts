import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { TwinspoolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";
import { nodeClock } from "./clock.ts";
import { acceptLink, Dialer, type DialHandlers, type Link, type LinkOptions } from "./link.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What happened, one after the other; a test waits for the next thing instead of for time. */
class Events {
  readonly #seen: string[] = [];
  #waiter: ((event: string) => void) | undefined;

  add(event: string): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter === undefined) this.#seen.push(event);
    else waiter(event);
  }

  next(): Promise<string> {
    const event = this.#seen.shift();
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  get count(): number {
    return this.#seen.length;
  }
}

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Note {
  readonly text: string;
}

function decode(value: unknown): Note {
  if (typeof value === "object" && value !== null && "text" in value && typeof value.text === "string") {
    return { text: value.text };
  }
  throw new Error("expected a note");
}

function handlersOf(events: Events): DialHandlers<Note> {
  return {
    decode,
    onOpen: () => events.add("open"),
    onMessage: ({ text }) => events.add(`message ${text}`),
    onClose: (reason) => events.add(`close ${reason}`),
    onUnreachable: (error: TwinspoolError) => events.add(`unreachable ${error.code}`),
  };
}

/** An accepting side that can be closed and opened again at the same port. */
async function accepting(options: LinkOptions = { clock: nodeClock }, port = 0) {
  const events = new Events();
  const sockets: WebSocket[] = [];
  const links: Link[] = [];
  const server = new WebSocketServer({ host: "127.0.0.1", port, maxPayload: limits.controlMessageBytes });
  server.on("connection", (socket) => {
    sockets.push(socket);
    links.push(acceptLink(socket, handlersOf(events), options));
    events.add("accepted");
  });
  await once(server, "listening");
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  };
  cleanups.push(stop);
  const bound = (server.address() as AddressInfo).port;
  return { events, sockets, links, stop, port: bound, url: `http://127.0.0.1:${bound}/control` };
}

function dialing(url: string, options: Partial<ConstructorParameters<typeof Dialer>[0]> = {}) {
  const events = new Events();
  const link = new Dialer({ clock: nodeClock, random: () => 0.5, ...options }).dial(url, handlersOf(events));
  cleanups.push(() => link.close());
  return { events, link };
}

test("messages go both ways, in order", async () => {
  const peer = await accepting();
  const { events, link } = dialing(peer.url);
  expect(link.send({ text: "too early" })).toBe(false);
  expect(await events.next()).toBe("open");
  expect(await peer.events.next()).toBe("accepted");
  expect([link.send({ text: "1" }), link.send({ text: "2" })]).toEqual([true, true]);
  expect([await peer.events.next(), await peer.events.next()]).toEqual(["message 1", "message 2"]);
  peer.links[0]?.send({ text: "3" });
  expect(await events.next()).toBe("message 3");
});

test("a link closed at one side is closed at the other, with the reason", async () => {
  const peer = await accepting();
  const { events, link } = dialing(peer.url);
  await events.next();
  await peer.events.next();
  link.close("all done");
  expect(link.open).toBe(false);
  expect(link.send({ text: "late" })).toBe(false);
  expect(await peer.events.next()).toBe("close closed by the peer (1000 all done)");
  expect(await events.next()).toBe("close all done");
});

describe("messages that are none", () => {
  test.each<[string, string | Buffer, string]>([
    ["not JSON", "{", "a message that is not JSON"],
    ["not of the protocol", '{"text":1}', "expected a note"],
    ["binary", Buffer.from("{}"), "a binary message"],
    ["oversized", JSON.stringify({ text: "x".repeat(limits.controlMessageBytes) }), "Max payload size exceeded"],
  ])("%s closes the link", async (_name, data, reason) => {
    const peer = await accepting();
    const socket = new WebSocket(peer.url);
    const closed = once(socket, "close");
    await once(socket, "open");
    socket.send(data);
    socket.send('{"text":"ignored"}');
    await peer.events.next();
    expect(await peer.events.next()).toBe(`close ${reason}`);
    const [code] = await closed;
    expect([1003, 1007, 1008, 1009]).toContain(code);
  });

  test("a reason longer than a close frame is cut between characters", async () => {
    const peer = await accepting();
    const { events, link } = dialing(peer.url);
    await events.next();
    await peer.events.next();
    link.close("あ".repeat(100));
    expect(await peer.events.next()).toBe(`close closed by the peer (1000 ${"あ".repeat(41)})`);
  });

  test("one made here that no peer would take is a fault that is thrown", async () => {
    const peer = await accepting();
    const { events, link } = dialing(peer.url);
    await events.next();
    expect(() => link.send({ text: "x".repeat(limits.controlMessageBytes) })).toThrow(/control message/);
  });
});

test("beyond the bound of the queue messages are dropped", async () => {
  const peer = await accepting();
  const { events, link } = dialing(peer.url, { queuedBytes: 100_000 });
  await events.next();
  await peer.events.next();
  // The peer reads nothing, so what the system's buffers do not take stays in ours.
  (peer.sockets[0] as unknown as { _socket: Socket })._socket.pause();
  const message = { text: "x".repeat(50_000) };
  let sent = 0;
  while (link.send(message)) {
    sent++;
    expect(sent).toBeLessThan(10_000);
  }
  expect(link.open).toBe(true);
});

describe("reconnecting", () => {
  test("a lost link is dialed again, with growing pauses and jitter", async () => {
    const clock = new VirtualClock();
    const randoms = [0.5, 0, 0.999, 0.5, 0.5, 0.5, 0.5, 0.999];
    const first = await accepting();
    await first.stop();
    const { events } = dialing(first.url, { clock, random: () => randoms.shift() ?? 0.5 });
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      expect(await events.next()).toBe("unreachable server-unreachable");
      const pauseMs = (clock.nextTimerMs() ?? Number.NaN) - clock.now().monotonicMs;
      pauses.push(Math.round(pauseMs));
      if (attempt < 7) clock.advance(pauseMs);
    }
    expect(pauses).toEqual([500, 750, 2499, 4000, 8000, 16_000, 30_000, 30_000]);

    const second = await accepting(undefined, first.port);
    clock.advance(30_000);
    expect(await events.next()).toBe("open");
    await second.events.next();
    // A link that has not carried a message does not begin the pauses anew; one that has does.
    second.sockets[0]?.terminate();
    expect(await events.next()).toContain("close");
    expect((clock.nextTimerMs() ?? 0) - clock.now().monotonicMs).toBe(30_000);
    clock.advance(30_000);
    expect(await events.next()).toBe("open");
    await second.events.next();
    await second.events.next();
    second.links[1]?.send({ text: "hello" });
    expect(await events.next()).toBe("message hello");
    second.sockets[1]?.terminate();
    expect(await events.next()).toContain("close");
    expect((clock.nextTimerMs() ?? 0) - clock.now().monotonicMs).toBe(500);
  });

  test("a refused key is told, and tried again later", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.resume();
      socket.end("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    }) as Server;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    const clock = new VirtualClock();
    const { events } = dialing(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { clock });
    expect(await events.next()).toBe("unreachable key-wrong");
    expect(clock.nextTimerMs()).toBe(500);
  });

  test("closed here, it stays closed: before, during and after a connection", async () => {
    const clock = new VirtualClock();
    const peer = await accepting();
    const during = dialing(peer.url, { clock });
    during.link.close();
    const after = dialing(peer.url, { clock });
    expect(await after.events.next()).toBe("open");
    after.link.close();
    expect(await after.events.next()).toBe("close closed here");
    await peer.stop();
    const before = dialing(peer.url, { clock });
    await before.events.next();
    before.link.close();
    expect(clock.nextTimerMs()).toBeUndefined();
    expect(during.events.count).toBe(0);
  });
});

describe("heartbeat", () => {
  test("a peer from which no packet comes is given up after 4.5 s, at either side", async () => {
    const clock = new VirtualClock();
    const serverClock = new VirtualClock();
    const peer = await accepting({ clock: serverClock });
    const { events } = dialing(peer.url, { clock });
    await events.next();
    await peer.events.next();
    (peer.sockets[0] as unknown as { _socket: Socket })._socket.pause();
    clock.advance(4_499);
    expect(events.count).toBe(0);
    clock.advance(1);
    expect(await events.next()).toBe("close the peer has been silent for 4.5 s");
    serverClock.advance(4_500);
    expect(await peer.events.next()).toBe("close the peer has been silent for 4.5 s");
  });

  test("a peer that answers pings keeps an idle link", async () => {
    const clock = new VirtualClock();
    const peer = await accepting();
    const { events, link } = dialing(peer.url, { clock });
    await events.next();
    await peer.events.next();
    const socket = peer.sockets[0] as WebSocket;
    for (let period = 0; period < 10; period++) {
      const pinged = once(socket, "ping");
      clock.advance(1_500);
      await pinged;
      // What the peer sends after its pong arrives after it.
      peer.links[0]?.send({ text: "after the pong" });
      expect(await events.next()).toBe("message after the pong");
    }
    expect(link.open).toBe(true);
  });
});
