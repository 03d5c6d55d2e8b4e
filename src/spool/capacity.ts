import { inMebibytes } from "../protocol/words.ts";
import type { DiskUsage } from "./disk-usage.ts";

/** near-full: this side keeps no image. full: this side takes no job (design §4). */
export type CapacityLevel = "ok" | "near-full" | "full";

export interface CapacityThresholds {
  readonly nearFullPercent: number;
  readonly fullPercent: number;
  /** A level is left only this far below its threshold, so that it does not flicker from job to job. */
  readonly hysteresisPercent: number;
  /** Disk space that stays free for the databases, whatever the percentages say. */
  readonly reserveBytes: number;
  /** Most of the quota that one client may take. */
  readonly clientSharePercent: number;
}

export const defaultThresholds: CapacityThresholds = {
  nearFullPercent: 80,
  fullPercent: 90,
  hysteresisPercent: 2,
  reserveBytes: 64 * 1024 * 1024,
  clientSharePercent: 20,
};

export interface SpoolUsage {
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** Absent where the system does not tell. */
  readonly disk?: DiskUsage;
}

export interface CapacityVerdict {
  readonly level: CapacityLevel;
  /** Why it is not ok, in words; empty when it is. */
  readonly reason: string;
}

const order: readonly CapacityLevel[] = ["ok", "near-full", "full"];

/**
 * How full a spool is, by its quota and by the disk: the worse of the two. `before` is the last verdict's level.
 * Percentages are of what is used.
 */
export function judgeCapacity(
  usage: SpoolUsage,
  before: CapacityLevel = "ok",
  thresholds: CapacityThresholds = defaultThresholds,
): CapacityVerdict {
  const quota = judge(percentOf(usage.usedBytes, usage.quotaBytes), "of the spool's quota", before, thresholds);
  const disk = usage.disk === undefined ? ok : judgeDisk(usage.disk, before, thresholds);
  return order.indexOf(disk.level) > order.indexOf(quota.level) ? disk : quota;
}

/**
 * Whether one more image fits: into the quota, beside the disk's reserve, and into the share of its client. The level
 * is `ok` or `full`.
 */
export function judgeImage(
  usage: SpoolUsage,
  image: { readonly sizeBytes: number; readonly clientUsedBytes: number },
  thresholds: CapacityThresholds = defaultThresholds,
): CapacityVerdict {
  const full = (reason: string): CapacityVerdict => ({ level: "full", reason });
  if (usage.usedBytes + image.sizeBytes > usage.quotaBytes) {
    return full(
      `${inMebibytes(image.sizeBytes)} more would exceed the spool's quota of ${inMebibytes(usage.quotaBytes)}`,
    );
  }
  const shareBytes = (usage.quotaBytes * thresholds.clientSharePercent) / 100;
  // A client without images gets its first one in, or a small quota would shut everyone out.
  if (image.clientUsedBytes > 0 && image.clientUsedBytes + image.sizeBytes > shareBytes) {
    return full(`this client's images would take more than its share of ${inMebibytes(shareBytes)}`);
  }
  if (usage.disk !== undefined && usage.disk.availableBytes < image.sizeBytes + thresholds.reserveBytes) {
    return full(`the disk has only ${inMebibytes(usage.disk.availableBytes)} left`);
  }
  return ok;
}

const ok: CapacityVerdict = { level: "ok", reason: "" };

function judgeDisk(disk: DiskUsage, before: CapacityLevel, thresholds: CapacityThresholds): CapacityVerdict {
  if (disk.availableBytes < thresholds.reserveBytes) {
    return { level: "full", reason: `the disk has only ${inMebibytes(disk.availableBytes)} left` };
  }
  return judge(percentOf(disk.totalBytes - disk.availableBytes, disk.totalBytes), "of the disk", before, thresholds);
}

function judge(percent: number, what: string, before: CapacityLevel, thresholds: CapacityThresholds): CapacityVerdict {
  const holds = (level: "near-full" | "full", threshold: number): boolean => {
    const reached = order.indexOf(before) >= order.indexOf(level);
    return percent >= threshold - (reached ? thresholds.hysteresisPercent : 0);
  };
  // Down, so that 100 % is never said of what has room.
  const reason = `${Math.floor(percent)} % ${what} are used`;
  if (holds("full", thresholds.fullPercent)) return { level: "full", reason };
  if (holds("near-full", thresholds.nearFullPercent)) return { level: "near-full", reason };
  return ok;
}

function percentOf(part: number, whole: number): number {
  return whole <= 0 ? 100 : (part / whole) * 100;
}
