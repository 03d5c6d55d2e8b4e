import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findProfile, PROFILES } from "../profiles.ts";
import { type CampaignResult, type FailingStream, runCampaign, shrink } from "./campaign.ts";
import { Random } from "./random.ts";
import { differingSplit, everyNth, printInPieces, withQuestions } from "./splitting.ts";
import { printHostile } from "./trial.ts";

/*
 * `npm run fuzz -- --seed 7 --bytes 10000000`: hostile streams on every profile. A failing stream is made as short as
 * it can be, written to a file, and printed with the command that repeats it: `npm run fuzz -- --file F --profile P`.
 * `npm run fuzz -- --splits`: every stream of the corpus in two pieces, at every byte offset.
 */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    bytes: { type: "string", default: "1000000" },
    file: { type: "string" },
    profile: { type: "string" },
    splits: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const STREAMS = join(fileURLToPath(import.meta.url), "..", "..", "testdata", "streams");
/**
 * What any number of hostile bytes may leave behind. Glyphs, drawn characters, the last symbols and the frames of QR
 * codes are remembered across streams, within bounds that together come to this; whatever grows with the bytes, or
 * has no such bound, goes beyond it.
 */
const GROWTH_LIMIT_MB = 32;
const REPORT_EVERY_MS = 15_000;

/** Objects, and what array buffers hold outside of the heap. */
function livingMb(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function summary(result: CampaignResult): string {
  return (
    `${result.bytes} bytes in ${result.streams} streams, ${result.rows} rows of paper, ${result.replies} replies, ` +
    `${result.diagnostics} diagnostics; the slowest stream took ${Math.round(result.slowestMs)} ms`
  );
}

function report({ profile, seed: trialSeed, bytes, failure }: FailingStream): void {
  const short = shrink(bytes, (rest) => printHostile(rest, findProfile(profile), trialSeed).failure !== undefined);
  const file = `fuzz-${seed}-${trialSeed}.bin`;
  writeFileSync(file, short);
  say(`FAILED: ${failure}`);
  say(`${short.length} of ${bytes.length} bytes are enough; again with:`);
  say(`  npm run fuzz -- --file ${file} --profile ${profile} --seed ${trialSeed}`);
  process.exitCode = 1;
}

function repeat(file: string): void {
  const trial = printHostile(readFileSync(file), findProfile(values.profile), seed);
  say(JSON.stringify(trial, null, 1));
  if (trial.failure !== undefined) process.exitCode = 1;
}

function campaign(): void {
  say(`seed ${seed}`);
  const corpus = readdirSync(STREAMS).map((name) => readFileSync(join(STREAMS, name)));
  const profiles = values.profile === undefined ? PROFILES : [findProfile(values.profile)];
  // Fonts and tables are made on first use: they are no leak.
  runCampaign({ seed: seed ^ 0x5eed, bytes: 100_000, profiles, corpus });
  const before = livingMb();
  const startedMs = performance.now();
  let saidMs = startedMs;
  const result = runCampaign({
    seed,
    bytes: Number(values.bytes),
    profiles,
    corpus,
    progress: (so) => {
      if (performance.now() - saidMs < REPORT_EVERY_MS) return;
      saidMs = performance.now();
      say(`  ${summary(so)}; memory ${livingMb().toFixed(1)} MB`);
    },
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const after = livingMb();
  say(`${summary(result)}; ${seconds.toFixed(1)} s`);
  say(
    `memory ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after${globalThis.gc ? "" : " (without --expose-gc)"}`,
  );
  if (result.failing !== undefined) report(result.failing);
  else if (globalThis.gc !== undefined && after - before > GROWTH_LIMIT_MB) {
    say("FAILED: memory grew");
    process.exitCode = 1;
  }
}

/** Streams up to this length are cut at each offset of its own; longer ones at every 64th, in all 64 phases. */
const CUT_SINGLY_BYTES = 3000;
const PHASES = 64;
const SINGLE_CUTS = 100;

function differingSplits(bytes: Uint8Array): number | undefined {
  const profile = findProfile(values.profile);
  if (bytes.length <= CUT_SINGLY_BYTES) return differingSplit(bytes, everyNth(bytes.length, 1, 1), profile, true);
  const whole = JSON.stringify(printInPieces(bytes, [], profile, true));
  for (let phase = 0; phase < PHASES; phase += 1) {
    const printed = printInPieces(bytes, everyNth(bytes.length, PHASES, phase), profile, true);
    if (JSON.stringify(printed) !== whole) return phase;
  }
  const random = new Random(seed);
  const some = Array.from({ length: SINGLE_CUTS }, () => 1 + random.below(bytes.length - 1));
  return differingSplit(bytes, some, profile, true);
}

function splits(): void {
  say(`seed ${seed}`);
  for (const name of readdirSync(STREAMS)) {
    const bytes = withQuestions(readFileSync(join(STREAMS, name)));
    const startedMs = performance.now();
    const at = differingSplits(bytes);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    say(
      `${name}: ${bytes.length} bytes, ${at === undefined ? "all alike" : `differs when cut at ${at}`}, ${seconds} s`,
    );
    if (at !== undefined) process.exitCode = 1;
  }
}

if (values.file !== undefined) repeat(values.file);
else if (values.splits) splits();
else campaign();
