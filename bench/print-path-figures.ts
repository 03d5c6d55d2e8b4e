import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Source } from "../src/protocol/job.ts";
import type { Figures, Say } from "./bench.ts";
import { fdatasyncMs, median, percentile } from "./disk-baseline.ts";
import { openPrintPath, type PrintPath, printOnce } from "./print-path.ts";

const idleMs = 5_000;
const inFlight = 8;

/** The print path as shipped, each figure beside a plain fdatasync loop on the same disk in the same run. */
export async function benchPrintPath(say: Say): Promise<Figures> {
  const jobs = Number(process.env["TWINSPOOL_BENCH_JOBS"] ?? 100);
  const folder = mkdtempSync(join(tmpdir(), "twinspool-bench-"));
  try {
    const path = await openPrintPath(folder);
    try {
      await pause(idleMs);
      const idleBytes = path.residentBytes();
      say(`resident memory of an idle box: ${megabytes(idleBytes)}`);
      const client = await benchSource(path, "client", folder, jobs, say);
      const server = await benchSource(path, "server", folder, jobs, say);
      const usedBytes = path.residentBytes();
      say(`resident memory of the box after ${jobs * 4} jobs: ${megabytes(usedBytes)}`);
      return { jobs, inFlight, idleBytes, usedBytes, client, server };
    } finally {
      await path.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchSource(path: PrintPath, source: Source, folder: string, jobs: number, say: Say): Promise<Figures> {
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
  const fdatasync = (syncMs + again) / 2;
  const [medianMs, p95Ms] = [median(latencies), percentile(latencies, 95)];
  say(
    [
      `source ${source}:`,
      `  plain fdatasync of 2 KB: ${fdatasync.toFixed(2)} ms, ${Math.round(1000 / fdatasync)}/s`,
      `  end to end, ${inFlight} in flight: ${(1000 / perJobMs).toFixed(1)} jobs/s, ratio to fdatasync ${(fdatasync / perJobMs).toFixed(3)}`,
      `  submit to first byte at the printer: median ${medianMs.toFixed(1)} ms, p95 ${p95Ms.toFixed(1)} ms, ` +
        `ratio to fdatasync ${(medianMs / fdatasync).toFixed(1)}`,
    ].join("\n"),
  );
  return { fdatasyncMs: fdatasync, perJobMs, firstByteMedianMs: medianMs, firstByteP95Ms: p95Ms };
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined
    ? "not told by this system"
    : `${(bytes / 1e6).toFixed(1)} MB (${(bytes / 2 ** 20).toFixed(1)} MiB)`;
}
