/** What a piece of a connection says, as far as a fault may hang on it. */
export type Happening =
  | { readonly kind: "request"; readonly method: string; readonly path: string }
  | { readonly kind: "message"; readonly message: ControlMessage };

/** A control message as it stands on the wire; nothing but its type is taken for granted. */
export interface ControlMessage {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Bytes that go on together: nothing of them, or all. */
export interface Piece {
  readonly bytes: Buffer;
  readonly happening?: Happening;
}

const headEnd = Buffer.from("\r\n\r\n");
const textOpcode = 1;

/**
 * One direction of a connection, cut where a fault may fall: heads of HTTP/1.1 (RFC 9112) and, behind a switch of
 * protocols, the frames of a WebSocket (RFC 6455 §5.2). What it does not know goes through as it comes.
 */
export class WireParser {
  #mode: "head" | "body" | "frames" | "raw";
  #held: Buffer = Buffer.alloc(0);
  #bodyBytes = 0;

  constructor(protocol: "http" | "raw") {
    this.#mode = protocol === "http" ? "head" : "raw";
  }

  /** All pieces that are whole now. */
  push(chunk: Buffer): Piece[] {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const pieces: Piece[] = [];
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) pieces.push(piece);
    return pieces;
  }

  #next(): Piece | undefined {
    if (this.#held.length === 0) return undefined;
    switch (this.#mode) {
      case "head":
        return this.#nextHead();
      case "frames":
        return this.#nextFrame();
      case "body":
        return this.#nextBody();
      case "raw":
        return { bytes: this.#take(this.#held.length) };
    }
  }

  #take(length: number): Buffer {
    const bytes = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return bytes;
  }

  #nextHead(): Piece | undefined {
    const end = this.#held.indexOf(headEnd);
    if (end < 0) return undefined;
    const bytes = this.#take(end + headEnd.length);
    const text = bytes.toString("latin1");
    const [first = "", second = ""] = text.split(" ", 2);
    if (first.startsWith("HTTP/")) {
      // What follows an ordinary answer is not looked at: a connection of these programs carries one request.
      this.#mode = second === "101" ? "frames" : "raw";
      return { bytes };
    }
    this.#bodyBytes = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
    if (/^upgrade: *websocket/im.test(text)) this.#mode = "frames";
    else if (this.#bodyBytes > 0) this.#mode = "body";
    return { bytes, happening: { kind: "request", method: first, path: second } };
  }

  #nextBody(): Piece {
    const bytes = this.#take(Math.min(this.#held.length, this.#bodyBytes));
    this.#bodyBytes -= bytes.length;
    if (this.#bodyBytes === 0) this.#mode = "head";
    return { bytes };
  }

  #nextFrame(): Piece | undefined {
    const held = this.#held;
    if (held.length < 2) return undefined;
    const opcode = held.readUInt8(0) & 0x0f;
    const isMasked = (held.readUInt8(1) & 0x80) !== 0;
    const short = held.readUInt8(1) & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskAt = 2 + lengthBytes;
    const payloadAt = maskAt + (isMasked ? 4 : 0);
    if (held.length < payloadAt) return undefined;
    const length =
      lengthBytes === 0 ? short : lengthBytes === 2 ? held.readUInt16BE(2) : Number(held.readBigUInt64BE(2));
    if (held.length < payloadAt + length) return undefined;
    const bytes = this.#take(payloadAt + length);
    if (opcode !== textOpcode) return { bytes };
    const payload = Buffer.from(bytes.subarray(payloadAt));
    if (isMasked)
      for (let i = 0; i < length; i++) payload.writeUInt8(payload.readUInt8(i) ^ bytes.readUInt8(maskAt + (i % 4)), i);
    const message = parseMessage(payload.toString("utf8"));
    return message === undefined ? { bytes } : { bytes, happening: { kind: "message", message } };
  }
}

function parseMessage(text: string): ControlMessage | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isMessage = typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
    return isMessage ? (value as ControlMessage) : undefined;
  } catch {
    return undefined;
  }
}
