import { describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { Drive, dutyOf, speedShare, THERMAL_DRIVE } from "./drive.ts";
import { findProfile, PROFILES } from "./profiles.ts";
import { startSimulator } from "./simulator.ts";
import { hex, raster } from "./test-bytes.ts";

const ROWS = 1500;

/** Rows with the given share of black dots, spread in whole bytes. */
function rowsOf(widthDots: number, duty: number, count = ROWS): number[][] {
  const bytes = widthDots / 8;
  const row = Array.from({ length: bytes }, (_, index) => (index < Math.round(bytes * duty) ? 0xff : 0));
  return Array.from({ length: count }, () => row);
}

describe("speed by duty", () => {
  it("is the sheet's: all of it to a quarter of the dots, 61 of 130 at a half, 38 at solid black", () => {
    const speeds = [0, 0.25, 0.375, 0.5, 0.75, 1].map((duty) => 130 * speedShare(THERMAL_DRIVE, duty));
    expect(speeds.map((speed) => Number(speed.toFixed(3)))).toEqual([130, 130, 95.5, 61, 49.5, 38]);
  });

  it.each(PROFILES.flatMap((profile) => [0, 0.25, 0.5, 0.75, 1].map((duty) => [profile.name, duty] as const)))(
    "%s at %f black takes its time within 1 %%",
    async (name, duty) => {
      const profile = findProfile(name);
      const clock = new VirtualClock();
      const sim = await startSimulator({ profile, clock });
      const rows = rowsOf(profile.widthDots, duty);
      const real = dutyOf(Uint8Array.from(rows[0] ?? []), profile.widthDots);
      void sim.connect().write(Uint8Array.from(raster(rows)));
      clock.runAll();
      expect(sim.state.headRow).toBe(ROWS);
      const mmPerS = ((ROWS * 25.4) / profile.dpi / clock.nowMs()) * 1000;
      // The one ramp at the beginning costs half of v/a.
      const wanted = profile.speedMmPerS * speedShare(profile.drive, real);
      const rampMs = (500 * wanted) / profile.drive.accelerationMmPerS2;
      const withoutRamp = (mmPerS * clock.nowMs()) / (clock.nowMs() - rampMs);
      expect(Math.abs(withoutRamp / wanted - 1)).toBeLessThan(0.01);
      await sim.close();
    },
  );

  it("begins from standstill and speeds up evenly", () => {
    const profile = findProfile("tm-t88vi");
    const drive = new Drive(profile);
    const rowMm = 25.4 / profile.dpi;
    expect(drive.rowMs(0)).toBeCloseTo(1000 * Math.sqrt((2 * rowMm) / 9000), 6);
    let ms = 0;
    let rows = 0;
    for (; drive.rowMs(0) > (1000 * rowMm) / profile.speedMmPerS + 1e-9; rows += 1) {
      ms += drive.rowMs(0);
      drive.passRow(0);
    }
    expect((rows * rowMm) / (profile.speedMmPerS ** 2 / (2 * 9000))).toBeCloseTo(1, 1);
    expect(ms / ((1000 * profile.speedMmPerS) / 9000)).toBeCloseTo(1, 1);
  });
});

describe("a change while the paper moves", () => {
  const DUTY = 0.5;

  function moving(): Drive {
    const drive = new Drive(findProfile("tm-t88vi"));
    for (let row = 0; row < 400; row += 1) drive.passRow(DUTY);
    return drive;
  }

  it.each([
    ["slowness", { slowness: 4 }, 4],
    ["the speed of GS ( K", { control: { speed: 0.125, density: 1 } }, 61 / 130 / 0.125],
    ["the density of GS ( K", { control: { speed: 1, density: 2 } }, 61 / 38],
  ])("of %s counts from the next row on, also when that is like the one before", (_what, change, times) => {
    const drive = moving();
    const before = drive.rowMs(DUTY);
    Object.assign(drive, change);
    expect(drive.rowMs(DUTY) / before).toBeCloseTo(times, 6);
    expect(drive.clone().rowMs(DUTY)).toBe(drive.rowMs(DUTY));
  });
});

describe("head temperature", () => {
  it("stops solid black after a while, reports it, and goes on by itself", async () => {
    const clock = new VirtualClock();
    const model = findProfile("tm-t88vi");
    const profile = { ...model, drive: { ...model.drive, heatingCPerS: 100 } };
    const sim = await startSimulator({ profile, clock });
    const pos = sim.connect();
    let received = "";
    pos.onData((bytes) => {
      received += hex(bytes);
    });
    void pos.write(Uint8Array.of(0x1d, 0x61, 0x0e));
    const rows = rowsOf(profile.widthDots, 1, 2000);
    void pos.write(Uint8Array.from(raster(rows)));
    while (sim.state.online && clock.nowMs() < 100_000) clock.advance(100);
    expect(sim.state.conditions).toMatchObject({ headHot: true });
    const stoppedMs = clock.nowMs();
    const row = sim.state.headRow;
    clock.advance(4900);
    expect(sim.state.headRow).toBe(row);
    // The first connection waits for room in the receive buffer, real-time commands and all.
    const other = sim.connect();
    other.onData((bytes) => {
      received += hex(bytes);
    });
    void other.write(Uint8Array.of(0x10, 0x04, 2, 0x10, 0x04, 3));
    clock.advance(300);
    expect(sim.state).toMatchObject({ online: true });
    expect(received).toBe("1000000018400000525210000000");
    expect(clock.nowMs() - stoppedMs).toBeLessThan(5400);
    clock.runAll();
    expect(sim.state.headRow).toBe(2000);
    await sim.close();
  });

  it("never stops what is a quarter black", () => {
    for (const profile of PROFILES) {
      const drive = new Drive(profile);
      for (let row = 0; row < 200_000; row += 1) drive.passRow(0.25);
      expect(drive.isHot).toBe(false);
      expect(drive.temperatureC).toBeGreaterThan(60);
    }
  });
});
