/** What one interface has counted since it came up, and what it could carry. */
export interface InterfaceCounters {
  readonly name: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Absent where neither the system nor the configuration tells. */
  readonly capacityBitsPerS?: number;
  /** Both directions share the capacity, as by radio. */
  readonly halfDuplex?: boolean;
}

export interface NetworkThresholds {
  readonly loadedPercent: number;
  /** The level is left only this far below its threshold, so that it does not flicker. */
  readonly hysteresisPercent: number;
}

export interface NetworkLevel {
  readonly loaded: boolean;
  /** In words; empty while it is not loaded. */
  readonly reason: string;
  /** The interface with the highest load; absent before the second look, or when no capacity is known. */
  readonly busiest?: InterfaceLoad;
}

export interface InterfaceLoad {
  readonly name: string;
  /** Smoothed, of the fuller direction, or of both where they share the link. */
  readonly percent: number;
  readonly bytesPerS: number;
  readonly capacityBitsPerS: number;
}

/** After this time a change of the load is seen to two thirds: one image does not count, a backup does. */
const smoothingMs = 5_000;

interface Track {
  readonly last: InterfaceCounters;
  readonly atMs: number;
  /** Absent at the first look. */
  readonly load?: InterfaceLoad;
}

/** How much of its links a machine uses (design §4): counters in, level out; it knows no clock and reads nothing. */
export class NetworkMeter {
  readonly #thresholds: NetworkThresholds;
  #tracks = new Map<string, Track>();
  #loaded = false;

  constructor(thresholds: NetworkThresholds) {
    this.#thresholds = thresholds;
  }

  /** Takes the counters of one look. Counters that ran backwards (a driver that was loaded again) begin anew. */
  add(counters: readonly InterfaceCounters[], nowMs: number): NetworkLevel {
    const tracks = new Map<string, Track>();
    let busiest: InterfaceLoad | undefined;
    for (const now of counters) {
      const before = this.#tracks.get(now.name);
      const track = follow(before, now, nowMs);
      const { load } = track;
      tracks.set(now.name, track);
      if (load !== undefined && (busiest === undefined || load.percent > busiest.percent)) busiest = load;
    }
    this.#tracks = tracks;
    const { loadedPercent, hysteresisPercent } = this.#thresholds;
    const threshold = this.#loaded ? loadedPercent - hysteresisPercent : loadedPercent;
    this.#loaded = busiest !== undefined && busiest.percent >= threshold;
    if (busiest === undefined) return { loaded: false, reason: "" };
    if (!this.#loaded) return { loaded: false, reason: "", busiest };
    return { loaded: true, reason: `${Math.floor(busiest.percent)} % of ${busiest.name} are used`, busiest };
  }
}

function follow(before: Track | undefined, now: InterfaceCounters, nowMs: number): Track {
  const { capacityBitsPerS, halfDuplex = false } = now;
  const first = { last: now, atMs: nowMs };
  if (before === undefined || capacityBitsPerS === undefined || capacityBitsPerS <= 0) return first;
  const elapsedMs = nowMs - before.atMs;
  if (elapsedMs <= 0) return before;
  const received = now.receivedBytes - before.last.receivedBytes;
  const sent = now.sentBytes - before.last.sentBytes;
  if (received < 0 || sent < 0) return first;
  const bytesPerS = ((halfDuplex ? received + sent : Math.max(received, sent)) * 1_000) / elapsedMs;
  // A link cannot be more than full; a configured capacity may be smaller than the link.
  const measured = Math.min(100, (bytesPerS * 8 * 100) / capacityBitsPerS);
  const old = before.load?.percent ?? measured;
  const percent = measured + (old - measured) * Math.exp(-elapsedMs / smoothingMs);
  return { ...first, load: { name: now.name, percent, bytesPerS, capacityBitsPerS } };
}
