import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

/**
 * What the same disk gives a program that only appends and syncs: the limit that durable work is measured against.
 * Returns milliseconds per `fdatasync` of `bytes` appended, median over `rounds`.
 */
export async function fdatasyncMs(folder: string, bytes: number, rounds: number): Promise<number> {
  const inside = mkdtempSync(join(folder, "fdatasync-"));
  const file = await open(join(inside, "log"), "w");
  const chunk = Buffer.alloc(bytes, 0x55);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now();
    await file.write(chunk);
    await file.datasync();
    times.push(performance.now() - startedMs);
  }
  await file.close();
  rmSync(inside, { recursive: true });
  return median(times);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
