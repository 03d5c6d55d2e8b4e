import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Source } from "../src/protocol/job.ts";
import { fdatasyncMs, median, percentile } from "./disk-baseline.ts";
import { openPrintPath, type PrintPath, printOnce } from "./print-path.ts";

const idleMs = 5_000;
const jobs = Number(process.env["TWINSPOOL_BENCH_JOBS"] ?? 100);
const inFlight = 8;

/**
 * `npm run bench`: the print path as shipped, each figure beside a plain fdatasync loop on the same disk in the same
 * run. Times of a run differ from machine to machine and from day to day; the ratios are the result.
 */
const folder = mkdtempSync(join(tmpdir(), "twinspool-bench-"));
try {
  const path = await openPrintPath(folder);
  try {
    await pause(idleMs);
    const idle = path.residentBytes();
    console.log(`resident memory of an idle box: ${megabytes(idle)}`);
    for (const source of ["client", "server"] as const) await benchSource(path, source);
    console.log(`resident memory of the box after ${jobs * 4} jobs: ${megabytes(path.residentBytes())}`);
  } finally {
    await path.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function benchSource(path: PrintPath, source: Source): Promise<void> {
  await printOnce(path, source);
  const syncMs = await fdatasyncMs(folder, 2048, 200);
  const latencies: number[] = [];
  for (let job = 0; job < jobs; job++) {
    const firstByte = path.firstByteMs();
    const { submittedMs } = await printOnce(path, source);
    latencies.push((await firstByte) - submittedMs);
  }
  const startedMs = performance.now();
  let left = jobs;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await printOnce(path, source);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const perJobMs = (performance.now() - startedMs) / jobs;
  const again = await fdatasyncMs(folder, 2048, 200);
  const baselineMs = (syncMs + again) / 2;
  console.log(
    [
      `source ${source}:`,
      `  plain fdatasync of 2 KB: ${baselineMs.toFixed(2)} ms, ${Math.round(1000 / baselineMs)}/s`,
      `  end to end, ${inFlight} in flight: ${(1000 / perJobMs).toFixed(1)} jobs/s, ratio to fdatasync ${(baselineMs / perJobMs).toFixed(3)}`,
      `  submit to first byte at the printer: median ${median(latencies).toFixed(1)} ms, p95 ${percentile(latencies, 95).toFixed(1)} ms, ` +
        `ratio to fdatasync ${(median(latencies) / baselineMs).toFixed(1)}`,
    ].join("\n"),
  );
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined
    ? "not told by this system"
    : `${(bytes / 1e6).toFixed(1)} MB (${(bytes / 2 ** 20).toFixed(1)} MiB)`;
}
