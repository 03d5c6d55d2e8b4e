import { describe, expect, it } from "vitest";
import { type Piece, WireParser } from "./wire-parser.ts";

/** A text frame of a client, masked (RFC 6455 §5.3), or of a server. */
function frame(value: unknown, mask?: readonly [number, number, number, number]): Buffer {
  const payload = Buffer.from(JSON.stringify(value));
  const bit = mask === undefined ? 0 : 0x80;
  const head =
    payload.length < 126
      ? Buffer.from([0x81, bit | payload.length])
      : Buffer.from([0x81, bit | 126, payload.length >> 8, payload.length & 0xff]);
  if (mask === undefined) return Buffer.concat([head, payload]);
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([head, Buffer.from(mask), masked]);
}

const upgrade = Buffer.from("GET /control HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
const switched = Buffer.from("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");

function happenings(pieces: readonly Piece[]): unknown[] {
  return pieces.flatMap(({ happening }) => (happening === undefined ? [] : [happening]));
}

describe("a direction of a connection", () => {
  const long = { type: "jobAccepted", detail: "x".repeat(300) };
  const streams: [string, Buffer, unknown[]][] = [
    [
      "a client's control link",
      Buffer.concat([upgrade, frame({ type: "hello" }, [1, 2, 3, 4]), frame(long, [9, 0, 255, 7])]),
      [
        { kind: "request", method: "GET", path: "/control" },
        { kind: "message", message: { type: "hello" } },
        { kind: "message", message: long },
      ],
    ],
    [
      "a server's side of it, with a ping",
      Buffer.concat([switched, Buffer.from([0x89, 0x00]), frame(long)]),
      [{ kind: "message", message: long }],
    ],
    [
      "an upload and the request after it",
      Buffer.from(
        "PUT /images/7 HTTP/1.1\r\nContent-Length: 27\r\n\r\nGET /looks HTTP/1.1\r\nlike\r\nGET /next HTTP/1.1\r\n\r\n",
      ),
      [
        { kind: "request", method: "PUT", path: "/images/7" },
        { kind: "request", method: "GET", path: "/next" },
      ],
    ],
  ];

  it.each(streams)("%s: the same however it is cut up, and nothing is lost", (_, bytes, expected) => {
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const parser = new WireParser("http");
      const pieces: Piece[] = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(...parser.push(bytes.subarray(at, at + size)));
      expect(happenings(pieces)).toEqual(expected);
      expect(Buffer.concat(pieces.map((piece) => piece.bytes))).toEqual(bytes);
    }
  });

  it("raw bytes pass at once", () => {
    const pieces = new WireParser("raw").push(Buffer.from([0x1b, 0x40]));
    expect(pieces).toEqual([{ bytes: Buffer.from([0x1b, 0x40]) }]);
  });
});
