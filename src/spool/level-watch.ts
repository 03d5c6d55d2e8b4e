import { type CapacityLevel, defaultThresholds, judgeCapacity } from "./capacity.ts";
import { diskUsage } from "./disk-usage.ts";
import type { ImageStore } from "./image-store.ts";

const intervalMs = 2_000;

/**
 * Judges the fill of a spool now and every two seconds, and tells every change of level (design §4). The disk's
 * percentage counts only when the disk could not take the whole quota any more: 10 % of a terabyte is room enough.
 * Returns how to stop it.
 */
export function watchSpoolLevel(
  folder: string,
  images: ImageStore,
  quotaBytes: number,
  changed: (level: CapacityLevel, reason: string) => void,
): () => void {
  let level: CapacityLevel = "ok";
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      const disk = await diskUsage(folder);
      const tight = disk.availableBytes < quotaBytes + defaultThresholds.reserveBytes;
      const usage = { usedBytes: images.usedBytes(), quotaBytes, ...(tight ? { disk } : {}) };
      const verdict = judgeCapacity(usage, level);
      if (verdict.level !== level) {
        level = verdict.level;
        changed(level, verdict.reason);
      }
    } catch {
      // A system that does not tell its disk's fill: the quota was judged when images came, ENOSPC is handled there.
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  void look();
  return () => clearInterval(timer);
}
