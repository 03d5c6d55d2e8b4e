import { type RawData, WebSocket } from "ws";
import { TwinspoolError } from "../protocol/errors.ts";
import { defaultTimers, limits } from "../protocol/limits.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** One end of a control connection while it lasts. */
export interface Link {
  readonly open: boolean;
  /** Sends one JSON message. False when it was dropped: closed, or too much waits already. Machines repeat. */
  send(message: unknown): boolean;
  /** Ends the connection in good order. A dialed link stays ended. */
  close(reason?: string): void;
}

export interface LinkHandlers<Message> {
  /** Checks what arrived; throwing closes the link (1008). */
  decode(value: unknown): Message;
  onMessage(message: Message, link: Link): void;
  /** Called once for each link that was open. */
  onClose(reason: string, link: Link): void;
}

export interface DialHandlers<Message> extends LinkHandlers<Message> {
  onOpen(link: Link): void;
  /** An attempt came to nothing; the next one follows by itself. */
  onUnreachable?(error: TwinspoolError): void;
}

export interface LinkOptions {
  readonly clock: Clock;
  readonly log?: Log | undefined;
  /** A silent peer is asked after this time and given up after three of them. Default 1.5 s. */
  readonly heartbeatMs?: number;
  /** Messages beyond this many unsent bytes are dropped. Default 4 MiB. */
  readonly queuedBytes?: number;
}

export interface DialerOptions extends LinkOptions {
  /** Uniform in [0, 1), for the jitter of reconnects. */
  readonly random: () => number;
  readonly key?: string | undefined;
  readonly retryFirstMs?: number;
  readonly retryLastMs?: number;
}

/** RFC 6455 §7.4.1. */
const closeCodes = { normal: 1000, unsupportedData: 1003, invalidPayload: 1007, policy: 1008 } as const;
/** Three periods of silence: 4.5 s, and so a dead peer is noticed before `serverSilentMs` has passed. */
const defaultHeartbeatMs = 1_500;
const silentPeriods = 3;
const closeGraceMs = 1_000;
const handshakeTimeoutMs = 5_000;

/** Makes an accepted WebSocket of `Listener.onControl` a link. */
export function acceptLink<Message>(socket: WebSocket, handlers: LinkHandlers<Message>, options: LinkOptions): Link {
  return new SocketLink(socket, handlers, options);
}

class SocketLink<Message> implements Link {
  readonly #socket: WebSocket;
  readonly #handlers: LinkHandlers<Message>;
  readonly #options: LinkOptions;
  #silent = 0;
  #closing = false;
  #reason: string | undefined;
  #cancelTimer: () => void = () => {};

  constructor(socket: WebSocket, handlers: LinkHandlers<Message>, options: LinkOptions) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#options = options;
    const heard = (): void => {
      this.#silent = 0;
    };
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("ping", heard);
    socket.on("pong", heard);
    // Always followed by "close".
    socket.on("error", (error) => {
      this.#reason ??= error.message;
    });
    socket.on("close", (code, reason) => this.#closed(code, reason.toString()));
    this.#beat();
  }

  get open(): boolean {
    return !this.#closing && this.#socket.readyState === WebSocket.OPEN;
  }

  send(message: unknown): boolean {
    if (!this.open) return false;
    const text = JSON.stringify(message);
    const bytes = Buffer.byteLength(text);
    if (bytes > limits.controlMessageBytes) {
      // The peer would close the link over it each time it is repeated: a fault here that must be seen here.
      throw new TwinspoolError("internal", `a control message of ${bytes} bytes`);
    }
    if (this.#socket.bufferedAmount + bytes > (this.#options.queuedBytes ?? 4 * 2 ** 20)) {
      this.#options.log?.debug({ bytes }, "a control message was dropped: the peer does not read");
      return false;
    }
    // A failed write closes the socket, and that is told by "close".
    this.#socket.send(text, () => {});
    return true;
  }

  close(reason = ""): void {
    this.#end(closeCodes.normal, reason);
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#silent = 0;
    if (this.#closing) return;
    if (isBinary) return this.#reject(closeCodes.unsupportedData, "a binary message");
    let value: unknown;
    try {
      value = JSON.parse(String(data));
    } catch {
      return this.#reject(closeCodes.invalidPayload, "a message that is not JSON");
    }
    let message: Message;
    try {
      message = this.#handlers.decode(value);
    } catch (error) {
      return this.#reject(closeCodes.policy, error instanceof Error ? error.message : String(error));
    }
    this.#handlers.onMessage(message, this);
  }

  #reject(code: number, reason: string): void {
    this.#options.log?.warn({ code, reason }, "the control link was closed over a message of the peer");
    this.#end(code, reason);
  }

  #end(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#reason ??= reason === "" ? "closed here" : reason;
    this.#cancelTimer();
    this.#socket.close(code, cutToBytes(reason, 123));
    this.#after(closeGraceMs, () => this.#socket.terminate());
  }

  /** Counts periods, not time: a process that was itself stopped for a minute must not blame its peer for it. */
  #beat(): void {
    const periodMs = this.#options.heartbeatMs ?? defaultHeartbeatMs;
    this.#after(periodMs, () => {
      this.#silent++;
      if (this.#silent >= silentPeriods) {
        this.#reason ??= `the peer has been silent for ${(silentPeriods * periodMs) / 1000} s`;
        this.#socket.terminate();
        return;
      }
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
      this.#beat();
    });
  }

  #after(ms: number, fn: () => void): void {
    const { clock } = this.#options;
    this.#cancelTimer = clock.setTimer(clock.now().monotonicMs + ms, fn);
  }

  #closed(code: number, reason: string): void {
    this.#cancelTimer();
    this.#closing = true;
    this.#handlers.onClose(this.#reason ?? `closed by the peer (${reason === "" ? code : `${code} ${reason}`})`, this);
  }
}

/** RFC 6455 §5.5: a control frame holds at most 125 bytes, two of them the code. */
function cutToBytes(text: string, bytes: number): string {
  let cut = text;
  while (Buffer.byteLength(cut) > bytes) cut = [...cut].slice(0, -1).join("");
  return cut;
}

/** Dials control links and dials again whenever they end, until they are closed here. */
export class Dialer {
  readonly #options: DialerOptions;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** `url` is http(s) or ws(s), with the path of the control link. */
  dial<Message>(url: string, handlers: DialHandlers<Message>): Link {
    return new DialedLink(url.replace(/^http/, "ws"), handlers, this.#options);
  }
}

class DialedLink<Message> implements Link {
  readonly #url: string;
  readonly #handlers: DialHandlers<Message>;
  readonly #options: DialerOptions;
  #attempts = 0;
  #connecting: WebSocket | undefined;
  #link: Link | undefined;
  #ended = false;
  #cancelRetry: () => void = () => {};

  constructor(url: string, handlers: DialHandlers<Message>, options: DialerOptions) {
    this.#url = url;
    this.#handlers = handlers;
    this.#options = options;
    this.#connect();
  }

  get open(): boolean {
    return this.#link?.open ?? false;
  }

  send(message: unknown): boolean {
    return this.#link?.send(message) ?? false;
  }

  close(reason?: string): void {
    this.#ended = true;
    this.#cancelRetry();
    this.#connecting?.terminate();
    this.#link?.close(reason);
  }

  #connect(): void {
    const { key } = this.#options;
    const socket = new WebSocket(this.#url, {
      maxPayload: limits.controlMessageBytes,
      perMessageDeflate: false,
      handshakeTimeout: handshakeTimeoutMs,
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });
    this.#connecting = socket;
    let failure: TwinspoolError | undefined;
    socket.once("unexpected-response", (_request, response) => {
      failure =
        response.statusCode === 401
          ? new TwinspoolError("key-wrong", this.#url)
          : new TwinspoolError("server-unreachable", `${this.#url} answered with HTTP status ${response.statusCode}`);
      socket.terminate();
    });
    const failed = (error: Error & { code?: string }): void => {
      failure ??= new TwinspoolError("server-unreachable", `${this.#url} (${error.code ?? error.message})`, {
        cause: error,
      });
    };
    const unreachable = (): void => {
      this.#connecting = undefined;
      if (this.#ended) return;
      this.#options.log?.debug({ url: this.#url, code: failure?.code }, "the peer cannot be reached");
      if (failure !== undefined) this.#handlers.onUnreachable?.(failure);
      this.#retry();
    };
    socket.on("error", failed);
    socket.once("close", unreachable);
    socket.once("open", () => {
      socket.off("error", failed);
      socket.off("close", unreachable);
      this.#opened(socket);
    });
  }

  #opened(socket: WebSocket): void {
    this.#connecting = undefined;
    const { decode, onMessage, onClose, onOpen } = this.#bound();
    this.#link = acceptLink<Message>(
      socket,
      {
        decode,
        onMessage: (message) => {
          // Only now: a peer that accepts and then refuses every hello must not be dialed twice a second.
          this.#attempts = 0;
          onMessage(message, this);
        },
        onClose: (reason) => {
          this.#link = undefined;
          onClose(reason, this);
          this.#retry();
        },
      },
      this.#options,
    );
    onOpen(this);
  }

  #bound(): DialHandlers<Message> {
    const handlers = this.#handlers;
    return {
      decode: (value) => handlers.decode(value),
      onOpen: (link) => handlers.onOpen(link),
      onMessage: (message, link) => handlers.onMessage(message, link),
      onClose: (reason, link) => handlers.onClose(reason, link),
    };
  }

  /** Exponential from `retryFirstMs` to `retryLastMs`, a quarter more or less, so that a restarted server meets no crowd. */
  #retry(): void {
    if (this.#ended) return;
    const { clock, random, retryFirstMs, retryLastMs } = { ...defaultTimers, ...this.#options };
    const baseMs = Math.min(retryLastMs, retryFirstMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts++;
    const delayMs = Math.min(retryLastMs, baseMs * (0.75 + random() / 2));
    this.#cancelRetry = clock.setTimer(clock.now().monotonicMs + delayMs, () => this.#connect());
  }
}
