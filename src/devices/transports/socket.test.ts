import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { SocketTransport } from "./socket.ts";

const noEvents = { onData: () => undefined, onClose: () => undefined };
const open: { servers: Server[]; transports: SocketTransport[]; sockets: Socket[] } = {
  servers: [],
  transports: [],
  sockets: [],
};

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    open.sockets.push(socket);
    socket.on("error", () => socket.destroy());
    onSocket(socket);
  });
  open.servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

function transportTo(port: number, connectTimeoutMs = 5000): SocketTransport {
  const transport = new SocketTransport({ host: "127.0.0.1", port }, { connectTimeoutMs });
  open.transports.push(transport);
  return transport;
}

afterEach(async () => {
  for (const transport of open.transports.splice(0)) await transport.close();
  for (const socket of open.sockets.splice(0)) socket.destroy();
  for (const server of open.servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

describe("a socket to a raw port", () => {
  it("carries bytes both ways", async () => {
    const port = await listen((socket) => socket.on("data", (bytes) => socket.write(bytes)));
    const transport = transportTo(port);
    const echoed = new Promise<number[]>((resolve, reject) => {
      const heard: number[] = [];
      transport
        .open({
          onData: (bytes) => {
            heard.push(...bytes);
            if (heard.length === 3) resolve(heard);
          },
          onClose: () => undefined,
        })
        .then(() => transport.write(Uint8Array.of(0x10, 4, 1)))
        .catch(reject);
    });
    expect(await echoed).toEqual([0x10, 4, 1]);
  });

  it("says why a printer cannot be reached", async () => {
    const port = await listen(() => undefined);
    await new Promise((resolve) => open.servers.pop()?.close(resolve));
    await expect(transportTo(port).open(noEvents)).rejects.toMatchObject({
      code: "device-unavailable",
      message: expect.stringContaining("refuses the connection"),
    });
  });

  it("tells once that the printer ended the connection, and opens again", async () => {
    const port = await listen((socket) => socket.end());
    const transport = transportTo(port);
    const reasons: string[] = [];
    for (let round = 1; round <= 2; round++) {
      await new Promise<void>((resolve, reject) => {
        const onClose = (reason: string): void => {
          reasons.push(reason);
          resolve();
        };
        transport.open({ onData: () => undefined, onClose }).catch(reject);
      });
      expect(reasons.length).toBe(round);
    }
    expect(reasons[0]).toContain("closed the connection");
    await expect(transport.write(Uint8Array.of(1))).rejects.toMatchObject({ code: "device-unavailable" });
  });

  it("does not tell of its own close, and can be closed while it connects", async () => {
    const port = await listen(() => undefined);
    const transport = transportTo(port);
    let closes = 0;
    const opening = transport.open({ onData: () => undefined, onClose: () => closes++ });
    await transport.close();
    await expect(opening).rejects.toMatchObject({ code: "device-unavailable" });
    await transport.open({ onData: () => undefined, onClose: () => closes++ });
    await transport.close();
    expect(closes).toBe(0);
  });

  it("is held back by a printer that does not read", async () => {
    const read = new Promise<Socket>((resolve) => {
      void listen((socket) => {
        socket.pause();
        resolve(socket);
      }).then((port) => {
        const transport = transportTo(port);
        void transport.open(noEvents).then(() => writeAll(transport));
      });
    });
    let accepted = 0;
    let stalled: (() => void) | undefined;
    const stall = new Promise<void>((resolve) => {
      stalled = resolve;
    });
    const chunk = new Uint8Array(256 * 1024);
    async function writeAll(transport: SocketTransport): Promise<void> {
      for (let i = 0; i < 256; i++) {
        const write = transport.write(chunk);
        // A write the system cannot take stays open past any number of turns; ask after each.
        const winner = await Promise.race([write.then(() => "accepted"), turns(200)]);
        if (winner !== "accepted") {
          stalled?.();
          await write;
        }
        accepted++;
      }
    }
    const socket = await read;
    await stall;
    expect(accepted).toBeLessThan(256);
    const before = accepted;
    let received = 0;
    await new Promise<void>((resolve) => {
      socket.on("data", (bytes) => {
        received += bytes.length;
        if (received === 256 * chunk.length) resolve();
      });
      socket.resume();
    });
    expect(accepted).toBeGreaterThanOrEqual(before);
  });
});

async function turns(count: number): Promise<string> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
  return "pending";
}
