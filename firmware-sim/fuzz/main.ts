import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findProfile, PROFILES } from "../profiles.ts";
import { type CampaignResult, type FailingStream, runCampaign, shrink } from "./campaign.ts";
import { printHostile } from "./trial.ts";

/*
 * `npm run fuzz -- --seed 7 --bytes 10000000`: hostile streams on every profile. A failing stream is made as short as
 * it can be, written to a file, and printed with the command that repeats it: `npm run fuzz -- --file F --profile P`.
 */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    bytes: { type: "string", default: "1000000" },
    file: { type: "string" },
    profile: { type: "string" },
  },
});
const seed = Number(values.seed);
const STREAMS = join(fileURLToPath(import.meta.url), "..", "..", "testdata", "streams");
/** What a megabyte of hostile bytes may leave behind in the heap. */
const GROWTH_LIMIT_MB = 32;
const REPORT_EVERY_MS = 15_000;

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
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
  const before = heapMb();
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
      say(`  ${summary(so)}; heap ${heapMb().toFixed(1)} MB`);
    },
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const after = heapMb();
  say(`${summary(result)}; ${seconds.toFixed(1)} s`);
  say(
    `heap ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after${globalThis.gc ? "" : " (without --expose-gc)"}`,
  );
  if (result.failing !== undefined) report(result.failing);
  else if (globalThis.gc !== undefined && after - before > GROWTH_LIMIT_MB) {
    say("FAILED: memory grew");
    process.exitCode = 1;
  }
}

if (values.file === undefined) campaign();
else repeat(values.file);
