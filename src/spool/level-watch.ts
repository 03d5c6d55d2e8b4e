import type { SpoolView } from "../protocol/api.ts";
import type { Config } from "../runtime/config-schema.ts";
import { type CapacityLevel, type CapacityThresholds, judgeCapacity, judgeImage, type SpoolUsage } from "./capacity.ts";
import { diskUsage } from "./disk-usage.ts";
import type { ImageStore } from "./image-store.ts";

const intervalMs = 2_000;
const hysteresisPercent = 2;

/** The fill of a spool as people see it. */
export type SpoolFill = Pick<
  SpoolView,
  "level" | "reason" | "images" | "usedBytes" | "quotaBytes" | "disk" | "thresholds"
>;

/** What happened to the spool's room; the level is the same when only room became free. */
export type LevelListener = (level: CapacityLevel, reason: string, isNew: boolean) => void;

/**
 * How full a spool is, judged now and every two seconds (design §4). The disk's percentage counts only when the disk
 * could not take the whole quota any more: 10 % of a terabyte is room enough.
 */
export class SpoolWatch {
  readonly #folder: string | undefined;
  readonly #images: ImageStore;
  readonly #quotaBytes: number;
  readonly #thresholds: CapacityThresholds;
  readonly #largestJobBytes: number;
  #usage: SpoolUsage;
  #level: CapacityLevel = "ok";
  #reason = "";
  #disk: SpoolUsage["disk"];
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #stopped = false;

  /** Without a folder there is no disk, only memory. */
  constructor(folder: string | undefined, images: ImageStore, config: Pick<Config, "spoolQuotaBytes" | "capacity">) {
    this.#folder = folder;
    this.#images = images;
    this.#quotaBytes = config.spoolQuotaBytes;
    this.#thresholds = { ...config.capacity, hysteresisPercent };
    this.#largestJobBytes = config.capacity.largestJobBytes;
    this.#usage = { usedBytes: images.usedBytes(), quotaBytes: this.#quotaBytes };
  }

  get level(): CapacityLevel {
    return this.#level;
  }

  get reason(): string {
    return this.#reason;
  }

  /** Tells every change of level, and when images have gone. */
  start(changed: LevelListener): void {
    this.#timer = setInterval(() => void this.look(changed), intervalMs);
    this.#timer.unref();
    void this.look(changed);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async look(changed: LevelListener): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      this.#disk = this.#folder === undefined ? undefined : await diskUsage(this.#folder).catch(() => undefined);
      if (this.#stopped) return;
      const before = this.#usage;
      this.#usage = this.#measure(0);
      const verdict = judgeCapacity(this.#usage, this.#level, this.#thresholds);
      const isNew = verdict.level !== this.#level;
      this.#level = verdict.level;
      this.#reason = verdict.reason;
      if (isNew || this.#usage.usedBytes < before.usedBytes) changed(this.#level, this.#reason, isNew);
    } finally {
      this.#busy = false;
    }
  }

  /** Why one more image does not fit beside what has been promised already; undefined when it does. */
  refusal(image: {
    readonly sizeBytes: number;
    readonly clientUsedBytes: number;
    readonly promisedBytes: number;
  }): string | undefined {
    const verdict = judgeImage(this.#measure(image.promisedBytes), image, this.#thresholds);
    return verdict.level === "ok" ? undefined : verdict.reason;
  }

  view(): SpoolFill {
    const { nearFullPercent, fullPercent, reserveBytes, clientSharePercent } = this.#thresholds;
    return {
      level: this.#level,
      reason: this.#reason,
      images: this.#images.count,
      usedBytes: this.#images.usedBytes(),
      quotaBytes: this.#quotaBytes,
      ...(this.#disk === undefined ? {} : { disk: this.#disk }),
      thresholds: {
        nearFullPercent,
        fullPercent,
        reserveBytes,
        clientSharePercent,
        largestJobBytes: this.#largestJobBytes,
      },
    };
  }

  #measure(promisedBytes: number): SpoolUsage {
    const { reserveBytes } = this.#thresholds;
    const tight = this.#disk !== undefined && this.#disk.availableBytes < this.#quotaBytes + reserveBytes;
    return {
      usedBytes: this.#images.usedBytes() + promisedBytes,
      quotaBytes: this.#quotaBytes,
      ...(tight && this.#disk !== undefined ? { disk: this.#disk } : {}),
    };
  }
}
