import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readNetworkCounters } from "./network-counters.ts";
import { type InterfaceCounters, NetworkMeter } from "./network-load.ts";

/** 8 Mbit/s: a million bytes a second are all of it. */
const link = { name: "eth0", capacityBitsPerS: 8_000_000 };
const perSecond = 1_000_000;

describe("the load of a network", () => {
  let meter: NetworkMeter;
  let nowMs: number;
  let receivedBytes: number;
  let sentBytes: number;
  beforeEach(() => {
    meter = new NetworkMeter({ loadedPercent: 70, hysteresisPercent: 10 });
    nowMs = 0;
    receivedBytes = 0;
    sentBytes = 0;
  });

  /** Seconds of traffic, each a look; the last level. */
  function run(seconds: number, percent: number, more: Partial<InterfaceCounters> = {}) {
    let level = meter.add([{ ...link, receivedBytes, sentBytes, ...more }], nowMs);
    for (let second = 0; second < seconds; second++) {
      nowMs += 1_000;
      receivedBytes += (perSecond * percent) / 100;
      level = meter.add([{ ...link, receivedBytes, sentBytes, ...more }], nowMs);
    }
    return level;
  }

  it("says nothing at the first look, and the share of the link from the second on", () => {
    expect(run(0, 50)).toEqual({ loaded: false, reason: "" });
    expect(run(1, 50).busiest).toMatchObject({ name: "eth0", percent: 50, bytesPerS: 500_000 });
  });

  it("is loaded from the threshold on, and until ten points below", () => {
    expect(run(60, 69).loaded).toBe(false);
    expect(run(60, 71)).toMatchObject({ loaded: true, reason: expect.stringMatching(/^7\d % of eth0 are used$/) });
    expect(run(60, 61).loaded).toBe(true);
    expect(run(60, 59).loaded).toBe(false);
    expect(run(60, 69).loaded).toBe(false);
  });

  it("does not count one image, but a backup", () => {
    run(10, 5);
    expect(run(2, 100).loaded).toBe(false);
    expect(run(10, 100).loaded).toBe(true);
  });

  it("a capacity that was configured too small is full, not more than full, and empties soon", () => {
    expect(run(20, 5_000).busiest?.percent).toBe(100);
    expect(run(4, 0).loaded).toBe(false);
  });

  it("takes the fuller direction, or both where they share the link", () => {
    const both = (halfDuplex: boolean) => {
      const one = new NetworkMeter({ loadedPercent: 70, hysteresisPercent: 10 });
      one.add([{ ...link, receivedBytes: 0, sentBytes: 0, halfDuplex }], 0);
      return one.add([{ ...link, receivedBytes: 300_000, sentBytes: 500_000, halfDuplex }], 1_000).busiest?.percent;
    };
    expect([both(false), both(true)]).toEqual([50, 80]);
  });

  it("begins anew when counters run backwards, and knows no load where no capacity is known", () => {
    run(60, 90);
    receivedBytes = 0;
    nowMs += 1_000;
    expect(run(0, 0)).toEqual({ loaded: false, reason: "" });
    const unknown = new NetworkMeter({ loadedPercent: 70, hysteresisPercent: 10 });
    unknown.add([{ name: "eth0", receivedBytes: 0, sentBytes: 0 }], 0);
    expect(unknown.add([{ name: "eth0", receivedBytes: 9e9, sentBytes: 0 }], 1_000).busiest).toBeUndefined();
  });

  it("the fullest interface counts", () => {
    const at = (bytes: number) => [
      { ...link, receivedBytes: bytes, sentBytes: 0 },
      { ...link, name: "eth1", receivedBytes: bytes / 2, sentBytes: 0 },
    ];
    meter.add(at(0), 0);
    expect(meter.add(at(800_000), 1_000)).toMatchObject({ loaded: true, busiest: { name: "eth0", percent: 80 } });
  });
});

describe("counters of Linux", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "twinspool-network-"));
    const interfaces = { lo: ["772"], eth0: ["1", "1000", "full"], wlan0: ["1", ""], eth1: ["1", "-1"] };
    for (const [name, [type = "", speed, duplex]] of Object.entries(interfaces)) {
      mkdirSync(join(folder, name, "phy80211"), { recursive: true });
      writeFileSync(join(folder, name, "type"), `${type}\n`);
      if (speed !== undefined) writeFileSync(join(folder, name, "speed"), `${speed}\n`);
      if (duplex !== undefined) writeFileSync(join(folder, name, "duplex"), `${duplex}\n`);
    }
    writeFileSync(join(folder, "wlan0", "phy80211", "name"), "phy0\n");
    writeFileSync(
      join(folder, "dev"),
      `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0
  eth0:2974666542 75445 0 0 0 0 0 0 6193053 49124 0 0 0 0 0 0
 wlan0: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
  eth1: 1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0
`,
    );
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const read = (choice: Parameters<typeof readNetworkCounters>[0]) =>
    readNetworkCounters(choice, { counters: join(folder, "dev"), interfaces: folder });

  it("all but loopback, with the speed where it is told", async () => {
    expect(await read({})).toEqual([
      { name: "eth0", receivedBytes: 2974666542, sentBytes: 6193053, capacityBitsPerS: 1e9 },
      { name: "wlan0", receivedBytes: 7, sentBytes: 8, halfDuplex: true },
      { name: "eth1", receivedBytes: 1, sentBytes: 2 },
    ]);
  });

  it("the one that is configured, loopback too, with the capacity that is configured", async () => {
    const lo = { name: "lo", receivedBytes: 100, sentBytes: 100 };
    expect(await read({ interface: "lo", capacityMbit: 10 })).toEqual([{ ...lo, capacityBitsPerS: 1e7 }]);
    expect(await read({ interface: "eth9" })).toEqual([]);
  });
});
