import { createServer, type Server, type Socket } from "node:net";
import type { HostConnection, HostLink } from "./port.ts";

export interface TcpPort {
  readonly port: number;
  /** Stops listening while power or link is away; `resume` listens on the same port again. */
  suspend(): void;
  resume(): void;
  close(): Promise<void>;
}

/** A relisten that finds its port taken tries again after this time. */
const RELISTEN_MS = 200;

function serve(socket: Socket, attach: (link: HostLink) => HostConnection): void {
  socket.setNoDelay(true);
  const connection = attach({
    send: (bytes) => {
      if (socket.destroyed || !socket.writable) return false;
      socket.write(bytes);
      return true;
    },
    drop: () => socket.destroy(),
    drained: () => socket.resume(),
  });
  // Not reading is TCP's own back pressure: the host's window closes while the receive buffer is full.
  socket.on("data", (bytes: Buffer) => {
    if (!connection.receive(new Uint8Array(bytes))) socket.pause();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => connection.closed());
}

/** Listens; rejects with a sentence when the port is in use. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(error.code === "EADDRINUSE" ? new Error(`TCP port ${port} of ${host} is already in use`) : error);
    };
    server.once("error", failed);
    server.listen({ port, host }, () => {
      server.off("error", failed);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Raw printing (TCP 9100) on `host`; `port` 0 takes any free one. Rejects when the port is in use. */
export async function listenTcp(
  port: number,
  host: string,
  attach: (link: HostLink) => HostConnection,
): Promise<TcpPort> {
  const sockets = new Set<Socket>();
  let wanted = true;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    if (!wanted) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, attach);
  });
  const actualPort = await listen(server, port, host);
  const relisten = (): void => {
    retry = undefined;
    if (closed || !wanted || server.listening) return;
    server.once("error", () => {
      retry = setTimeout(relisten, RELISTEN_MS);
    });
    server.listen({ port: actualPort, host }, () => server.removeAllListeners("error"));
  };
  return {
    port: actualPort,
    suspend: () => {
      wanted = false;
      clearTimeout(retry);
      if (server.listening) server.close();
    },
    resume: () => {
      wanted = true;
      // `close` of the server is only complete when the last socket is gone; listening again must wait for it.
      if (server.listening) return;
      setImmediate(relisten);
    },
    close: async () => {
      closed = true;
      clearTimeout(retry);
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
