import type { Profile } from "../profiles.ts";
import { hostileStream } from "./generator.ts";
import { Random } from "./random.ts";
import { printHostile } from "./trial.ts";

export interface CampaignOptions {
  readonly seed: number;
  readonly bytes: number;
  readonly profiles: readonly Profile[];
  readonly corpus: readonly Uint8Array[];
  /** Called after every stream. */
  readonly progress?: (result: CampaignResult) => void;
}

export interface FailingStream {
  readonly profile: string;
  readonly seed: number;
  readonly bytes: Uint8Array;
  readonly failure: string;
}

export interface CampaignResult {
  streams: number;
  bytes: number;
  rows: number;
  replies: number;
  diagnostics: number;
  slowestMs: number;
  slowestMsPerByte: number;
  failing: FailingStream | undefined;
}

const SHORTEST = 200;
const LONGEST = 6000;

/** Streams of one seed on all profiles in turn, until enough bytes were printed or one stream fails. */
export function runCampaign(options: CampaignOptions): CampaignResult {
  const random = new Random(options.seed);
  const result: CampaignResult = {
    streams: 0,
    bytes: 0,
    rows: 0,
    replies: 0,
    diagnostics: 0,
    slowestMs: 0,
    slowestMsPerByte: 0,
    failing: undefined,
  };
  while (result.bytes < options.bytes && result.failing === undefined) {
    const profile = random.pick(options.profiles);
    const seed = random.below(2 ** 31);
    const bytes = hostileStream(random, options.corpus, SHORTEST + random.below(LONGEST - SHORTEST));
    const trial = printHostile(bytes, profile, seed);
    result.streams += 1;
    result.bytes += bytes.length;
    result.rows += trial.rows;
    result.replies += trial.replies;
    result.diagnostics += trial.diagnostics;
    result.slowestMs = Math.max(result.slowestMs, trial.tookMs);
    result.slowestMsPerByte = Math.max(result.slowestMsPerByte, trial.tookMs / bytes.length);
    if (trial.failure !== undefined) {
      result.failing = { profile: profile.name, seed, bytes, failure: trial.failure };
    }
    options.progress?.(result);
  }
  return result;
}

/** Leaves out pieces, ever smaller ones, for as long as what is left still fails. */
export function shrink(bytes: Uint8Array, fails: (bytes: Uint8Array) => boolean, mostTrials = 400): Uint8Array {
  let smallest = bytes;
  let trials = 0;
  for (let size = smallest.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < smallest.length && trials < mostTrials; ) {
      const rest = Uint8Array.from([...smallest.subarray(0, at), ...smallest.subarray(at + size)]);
      trials += 1;
      if (rest.length > 0 && fails(rest)) smallest = rest;
      else at += size;
    }
  }
  return smallest;
}
