import { connect, type Socket } from "node:net";
import { TwinspoolError } from "../../protocol/errors.ts";
import type { Transport, TransportEvents } from "./transport.ts";

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

export interface SocketOptions {
  readonly connectTimeoutMs?: number;
}

/** A silent peer is noticed by the system's keep-alive probes after this and some more. */
const keepAliveMs = 10_000;

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the printer refuses the connection; another program may hold it, or it listens on another port",
  ETIMEDOUT: "nothing answers at this address",
  EHOSTUNREACH: "there is no way to this address",
  EHOSTDOWN: "nothing answers at this address",
  ENETUNREACH: "there is no network to this address",
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name server does not answer",
  ECONNRESET: "the printer broke the connection",
  EPIPE: "the printer broke the connection",
};

function sentenceOf(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return sentences[code] ?? error.message;
}

/** TCP to a printer's raw port, usually 9100. */
export class SocketTransport implements Transport {
  readonly #address: SocketAddress;
  readonly #connectTimeoutMs: number;
  #socket: Socket | undefined;

  constructor(address: SocketAddress, options: SocketOptions = {}) {
    this.#address = address;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 5_000;
  }

  open(events: TransportEvents): Promise<void> {
    const { host, port } = this.#address;
    this.#socket?.destroy();
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      let opened = false;
      let reason = "the printer closed the connection";
      const timedOut = Object.assign(new Error("connect"), { code: "ETIMEDOUT" });
      socket.setTimeout(this.#connectTimeoutMs, () => socket.destroy(timedOut));
      socket.on("connect", () => {
        opened = true;
        socket.setTimeout(0);
        resolve();
      });
      socket.on("data", (bytes: Buffer) => {
        if (this.#socket === socket) events.onData(bytes);
      });
      socket.on("error", (error) => {
        reason = sentenceOf(error);
      });
      socket.on("close", () => {
        const current = this.#socket === socket;
        if (current) this.#socket = undefined;
        if (!opened) reject(new TwinspoolError("device-unavailable", `${host}:${port}: ${reason}`));
        else if (current) events.onClose(reason);
      });
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return Promise.reject(new TwinspoolError("device-unavailable", "no connection"));
    return new Promise((resolve, reject) => {
      // The callback comes when the system has taken all bytes, not when they wait in this process.
      socket.write(bytes, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(new TwinspoolError("device-unavailable", sentenceOf(error), { cause: error }));
      });
    });
  }

  close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined || socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      socket.once("close", () => resolve());
      socket.destroy();
    });
  }
}
