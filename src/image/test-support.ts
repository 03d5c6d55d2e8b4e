import { deflateSync } from "node:zlib";
import { expect } from "vitest";
import type { ErrorCode } from "../protocol/errors.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { pngSignature } from "./formats/png.ts";
import { pngChunk } from "./png-writer.ts";

/** The bytes in pieces of `size`. */
export async function* inChunks(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(Uint8Array.from(chunk));
  return Buffer.concat(all);
}

/** Repeatable random numbers (mulberry32): a function that gives integers below its argument. */
export function makeRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** The seed of a random test: TEST_SEED, or a fresh one; the test's own message must show it. */
export function pickSeed(): number {
  const given = process.env["TEST_SEED"];
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
}

/** The error code a promise is rejected with; the test fails when it is not a TwinspoolError. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | "resolved"> {
  try {
    await promise;
    return "resolved";
  } catch (error) {
    expect(error).toBeInstanceOf(TwinspoolError);
    return error instanceof TwinspoolError ? error.code : "resolved";
  }
}

export interface TestPng {
  readonly widthDots: number;
  readonly heightDots: number;
  readonly bitDepth: number;
  readonly colorType: number;
  readonly interlace?: number;
  /** Filtered rows, not yet deflated. */
  readonly data: Uint8Array;
  /** Chunks between IHDR and IDAT. */
  readonly before?: readonly Uint8Array[];
}

export function ihdr(png: Omit<TestPng, "data" | "before">): Uint8Array {
  const body = new Uint8Array(13);
  const view = new DataView(body.buffer);
  view.setUint32(0, png.widthDots);
  view.setUint32(4, png.heightDots);
  body.set([png.bitDepth, png.colorType, 0, 0, png.interlace ?? 0], 8);
  return pngChunk("IHDR", body);
}

/** A PNG of any kind, with its data cut into several IDAT chunks. */
export function makePng(png: TestPng): Uint8Array {
  const packed = deflateSync(png.data);
  const half = packed.length >> 1;
  return Buffer.concat([
    Uint8Array.from(pngSignature),
    ihdr(png),
    ...(png.before ?? []),
    pngChunk("IDAT", packed.subarray(0, half)),
    pngChunk("IDAT", packed.subarray(half)),
    pngChunk("IEND", new Uint8Array(0)),
  ]);
}
