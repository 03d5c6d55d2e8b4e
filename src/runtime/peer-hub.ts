import { createHash, timingSafeEqual } from "node:crypto";
import type { WebSocket } from "ws";
import { TwinspoolError } from "../protocol/errors.ts";
import { defaultTimers, limits } from "../protocol/limits.ts";
import {
  type Hello,
  helloAnswerSchema,
  helloSchema,
  type Message,
  messageSchema,
  type Peer,
} from "../protocol/messages.ts";
import type { Clock } from "./clock.ts";
import { acceptLink, Dialer, type Link } from "./link.ts";
import type { Log } from "./log.ts";
import type { LinkInput } from "./machine.ts";

export interface PeerHubOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly key: string | undefined;
  /** First pause before a peer that is away is dialed again. */
  readonly retryFirstMs?: number;
  /** Gets what happens on the links, in the shape machines take it. */
  readonly dispatch: (input: LinkInput) => void;
  /** What each side says of itself is kept for the life of the link. */
  readonly onHello?: (peer: Peer, hello: Hello) => void;
}

const helloTimeoutMs = 5_000;

/**
 * The control links of one process: hello with version and credentials, then messages. Knows each peer by its name;
 * a second link of the same peer replaces the first, since only a restarted or reconnected peer dials again.
 */
export class PeerHub {
  readonly #options: PeerHubOptions;
  readonly #links = new Map<Peer, Link>();
  readonly #dialed = new Map<Peer, Link>();
  readonly #dialer: Dialer;

  constructor(options: PeerHubOptions) {
    this.#options = options;
    const { clock, random, key, log, retryFirstMs = defaultTimers.retryFirstMs } = options;
    this.#dialer = new Dialer({ clock, random, key, log, retryFirstMs, retryLastMs: 5_000 });
  }

  get peers(): readonly Peer[] {
    return [...this.#links.keys()];
  }

  linked(peer: Peer): boolean {
    return this.#links.has(peer);
  }

  /** Sends when the link is up; drops silently otherwise, machines repeat. */
  send(peer: Peer, message: Message): void {
    this.#links.get(peer)?.send(message);
  }

  /** Takes an incoming WebSocket; `identify` names the peer or throws why it is not welcome. */
  accept(socket: WebSocket, identify: (hello: Hello) => Peer): void {
    const { clock, log } = this.#options;
    let peer: Peer | undefined;
    const cancelTimeout = clock.setTimer(clock.now().monotonicMs + helloTimeoutMs, () => link.close("no hello"));
    const link: Link = acceptLink<unknown>(
      socket,
      {
        decode: (value) => value,
        onMessage: (value) => {
          if (peer !== undefined) return this.#received(peer, link, value);
          cancelTimeout();
          try {
            const hello = this.#checkHello(value);
            peer = identify(hello);
            link.send({ type: "helloAccepted", version: limits.protocolVersion });
            this.#options.onHello?.(peer, hello);
            this.#opened(peer, link);
          } catch (error) {
            const { code, detail } = toTwinspoolError(error);
            log.warn({ code, detail }, "a peer was refused");
            link.send({ type: "helloRefused", code, detail: detail.slice(0, limits.reasonChars) });
            link.close(code);
          }
        },
        onClose: (reason) => {
          cancelTimeout();
          if (peer !== undefined) this.#closed(peer, link, reason);
        },
      },
      { clock, log },
    );
  }

  /** Keeps a link to a peer up until `hangUp`. `onRefused` hears why the peer will not have it; it is tried again. */
  dial(peer: Peer, url: string, hello: Hello, onRefused?: (error: TwinspoolError) => void): void {
    if (this.#dialed.has(peer)) return;
    const { key } = this.#options;
    const said: Hello = key === undefined ? hello : { ...hello, key };
    let welcome = false;
    const dialed = this.#dialer.dial<unknown>(url, {
      decode: (value) => value,
      onOpen: (link) => {
        welcome = false;
        link.send(said);
      },
      onMessage: (value, link) => {
        if (welcome) return this.#received(peer, link, value);
        const answer = helloAnswerSchema.parse(value);
        if (answer.type === "helloAccepted") {
          welcome = true;
          return this.#opened(peer, link);
        }
        this.#options.log.error({ peer, code: answer.code, detail: answer.detail }, "the peer refuses this process");
        onRefused?.(new TwinspoolError(answer.code, answer.detail));
      },
      onClose: (reason, link) => {
        if (welcome) this.#closed(peer, link, reason);
        welcome = false;
      },
      onUnreachable: (error) => onRefused?.(error),
    });
    this.#dialed.set(peer, dialed);
  }

  hangUp(peer: Peer): void {
    this.#dialed.get(peer)?.close("not needed any more");
    this.#dialed.delete(peer);
  }

  close(): void {
    for (const peer of [...this.#dialed.keys()]) this.hangUp(peer);
    for (const link of this.#links.values()) link.close("the process ends");
  }

  #checkHello(value: unknown): Hello {
    const version = (value as { version?: unknown } | null)?.version;
    if (version !== limits.protocolVersion) {
      throw new TwinspoolError("version-unsupported", `${String(version)}, this side speaks ${limits.protocolVersion}`);
    }
    const hello = helloSchema.parse(value);
    const { key } = this.#options;
    if (key !== undefined && !sameSecret(hello.key ?? "", key)) throw new TwinspoolError("key-wrong");
    return hello;
  }

  #opened(peer: Peer, link: Link): void {
    const older = this.#links.get(peer);
    if (older !== undefined) {
      this.#links.delete(peer);
      this.#options.dispatch({ kind: "linkClosed", peer });
      older.close("the peer has come again");
    }
    this.#links.set(peer, link);
    this.#options.log.info({ peer }, "link opened");
    this.#options.dispatch({ kind: "linkOpened", peer });
  }

  #closed(peer: Peer, link: Link, reason: string): void {
    if (this.#links.get(peer) !== link) return;
    this.#links.delete(peer);
    this.#options.log.info({ peer, reason }, "link closed");
    this.#options.dispatch({ kind: "linkClosed", peer });
  }

  #received(peer: Peer, link: Link, value: unknown): void {
    if (this.#links.get(peer) !== link) return;
    const message = messageSchema.safeParse(value);
    if (message.success) return this.#options.dispatch({ kind: "messageReceived", from: peer, message: message.data });
    const detail = message.error.issues[0]?.message ?? "";
    this.#options.log.warn({ peer, detail, path: message.error.issues[0]?.path }, "a message could not be understood");
    link.close("message-invalid");
  }
}

/** Digests first, so that neither length nor content shows in the time (timingSafeEqual wants equal lengths). */
function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function toTwinspoolError(error: unknown): TwinspoolError {
  if (error instanceof TwinspoolError) return error;
  return new TwinspoolError("message-invalid", error instanceof Error ? error.message : String(error));
}
