import type { NetworkView } from "../protocol/api.ts";
import type { Config } from "./config-schema.ts";
import { networkIsMeasurable, readNetworkCounters } from "./network-counters.ts";
import { type NetworkLevel, NetworkMeter } from "./network-load.ts";

const intervalMs = 1_000;
const hysteresisPercent = 10;

export interface NetworkWatch {
  view(): NetworkView;
  stop(): void;
}

/**
 * Measures the load of this machine's network once a second, and tells when it becomes loaded and when it has room
 * again (design §4). Where it cannot be measured the network counts as free, and the view says why.
 */
export function watchNetwork(
  config: Config["network"],
  changed: (loaded: boolean, reason: string) => void,
): NetworkWatch {
  const { loadedPercent } = config;
  const meter = new NetworkMeter({ loadedPercent, hysteresisPercent });
  let level: NetworkLevel = { loaded: false, reason: "" };
  let unmeasured = whyUnmeasured(config);
  const view = (): NetworkView => viewOf(level, unmeasured, loadedPercent);
  if (unmeasured !== undefined) return { view, stop: () => {} };
  let busy = false;
  let stopped = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      const counters = await readNetworkCounters(config);
      const before = level;
      level = meter.add(counters, performance.now());
      unmeasured = counters.some((one) => one.capacityBitsPerS !== undefined) ? undefined : whyNoCapacity(config);
      if (level.loaded !== before.loaded && !stopped) changed(level.loaded, level.reason);
    } catch (error) {
      unmeasured = error instanceof Error ? error.message : String(error);
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  void look();
  return {
    view,
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}

/** Before the first look. */
export const networkUnknown: NetworkView = {
  measured: false,
  loaded: false,
  reason: "not looked yet",
  loadedPercent: 0,
};

function whyUnmeasured({ off }: Config["network"]): string | undefined {
  if (off) return "not measured: network.off is set";
  return networkIsMeasurable ? undefined : "not measured: only Linux tells what an interface has carried";
}

function whyNoCapacity({ interface: name }: Config["network"]): string {
  if (name === undefined) return "no interface tells its speed; set network.capacityMbit";
  return `${name} is not there, or does not tell its speed; see network.interface and network.capacityMbit`;
}

function viewOf(level: NetworkLevel, unmeasured: string | undefined, loadedPercent: number): NetworkView {
  const { busiest } = level;
  return {
    measured: unmeasured === undefined && busiest !== undefined,
    loaded: level.loaded,
    reason: unmeasured ?? level.reason,
    loadedPercent,
    ...(busiest === undefined
      ? {}
      : {
          interface: busiest.name,
          percent: Math.round(busiest.percent * 10) / 10,
          bytesPerS: Math.round(busiest.bytesPerS),
          capacityMbit: busiest.capacityBitsPerS / 1_000_000,
        }),
  };
}
