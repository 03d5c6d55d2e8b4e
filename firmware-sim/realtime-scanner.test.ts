import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFraming } from "./interpreter.ts";
import { findProfile } from "./profiles.ts";
import { RealTimeScanner } from "./realtime-scanner.ts";
import { hex, raster, stream } from "./test-bytes.ts";

/** Pieces that begin, break off or hide real-time commands. */
const PIECES: readonly Uint8Array[] = [
  "\x10\x04\x01",
  "\x10\x04",
  "\x10",
  "\x10\x14\x01\x00\x01",
  "\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08",
  "\x10\x05\x02",
  "some text\n",
  "\x1ba",
  "\x1d(H\x06\x0000",
  "\x1d(k\x05\x001P0",
].map((piece) => stream(piece));

const anyStream = fc
  .array(
    fc.oneof(fc.constantFrom(...PIECES), fc.constant(raster([[0x10, 4, 1], [0x10]])), fc.uint8Array({ maxLength: 5 })),
  )
  .map((pieces) => Uint8Array.from(pieces.flatMap((piece) => [...piece])));

/** What comes of the bytes when `room` of them find a place in the receive buffer at a time. */
function scanned(bytes: Uint8Array, pieceSize: number, room: number, loses: boolean): string[] {
  const seen: string[] = [];
  let free = room;
  let lost = 0;
  const scanner = new RealTimeScanner(
    createFraming(findProfile()),
    {
      realTime: (command) => seen.push(JSON.stringify(command)),
      ordinary: (from, start, end) => {
        const taken = Math.min(free, end - start);
        free -= taken;
        for (const byte of from.subarray(start, start + taken)) seen.push(hex(Uint8Array.of(byte)));
        return taken;
      },
      overflow: (count) => {
        if (loses) lost += count;
        return loses;
      },
    },
    true,
  );
  for (let at = 0; at < bytes.length; at += pieceSize) {
    const piece = bytes.subarray(at, at + pieceSize);
    for (let done = 0; done < piece.length; ) {
      const taken = scanner.scan(piece, done);
      if (taken === 0) free = room;
      done += taken;
    }
  }
  return [...seen, `lost ${lost}`];
}

describe("the scanner for real-time commands", () => {
  it("finds the same in pieces of any size as in single bytes, whatever waits for room", () => {
    fc.assert(
      fc.property(anyStream, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 9 }), (bytes, size, room) => {
        expect(scanned(bytes, size, room, false)).toEqual(scanned(bytes, 1, 1000, false));
      }),
    );
  });

  it("loses the same bytes, where there is no room, in pieces of any size", () => {
    fc.assert(
      fc.property(anyStream, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 30 }), (bytes, size, room) => {
        expect(scanned(bytes, size, room, true)).toEqual(scanned(bytes, 1, room, true));
      }),
    );
  });
});
