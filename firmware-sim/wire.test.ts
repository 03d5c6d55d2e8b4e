import { afterEach, describe, expect, it } from "vitest";
import { BusySignal } from "./busy-signal.ts";
import { VirtualClock } from "./clock.ts";
import type { SerialSettings } from "./ports/serial-line.ts";
import { findProfile, type Profile, withOverflow, withSmallBuffer, withStrictRealTime } from "./profiles.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { hex, raster, stream } from "./test-bytes.ts";

const T88: Profile = findProfile("tm-t88vi");
/** BUSY for a full buffer only, and no word of its own about being offline. */
const FULL_ONLY: Profile = { ...T88, busyWhenOffline: false, supports: { ...T88.supports, asb: false } };
const open: Simulator[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((sim) => sim.close()));
});

async function start(profile: Profile, serial: SerialSettings) {
  const clock = new VirtualClock();
  const sim = await startSimulator({ profile, clock });
  open.push(sim);
  const connection = sim.connect({ serial });
  let received = "";
  connection.onData((bytes) => {
    received += hex(bytes);
  });
  return { sim, clock, connection, received: () => received };
}

/** 64 KiB of lines, no two alike. */
const TEXT = Array.from({ length: 2048 }, (_, line) => `${String(line).padStart(31, ".")}\n`).join("");

describe("BUSY", () => {
  it("comes at 128 bytes of room and goes at 256", () => {
    const busy = new BusySignal(T88);
    expect([129, 128, 255, 256, 129].map((free) => [busy.update(free, false), busy.isBusy])).toEqual([
      [false, false],
      [true, true],
      [false, true],
      [true, false],
      [false, false],
    ]);
  });

  it("comes at 16 and goes at 26 with the small buffer, and with a tiny one at all", () => {
    const small = new BusySignal(withSmallBuffer(T88));
    expect([17, 16, 25, 26].map((free) => small.update(free, false))).toEqual([false, true, false, true]);
    const tiny = new BusySignal({ ...T88, bufferBytes: 32 });
    expect([1, 32].map((free) => [tiny.update(free, false), tiny.isBusy])).toEqual([
      [true, true],
      [true, false],
    ]);
  });

  it("also means offline, unless the switch says otherwise", () => {
    expect(new BusySignal(T88).update(4096, true)).toBe(true);
    expect(new BusySignal(FULL_ONLY).update(4096, true)).toBe(false);
  });
});

describe("64 KiB into 4 KiB over a serial line", () => {
  it.each(["xon-xoff", "dtr-dsr"] as const)("loses nothing with %s", async (flowControl) => {
    const { sim, clock, connection, received } = await start(FULL_ONLY, { baudRate: 115_200, flowControl });
    sim.fail("paper-end");
    const written = connection.write(stream(TEXT));
    clock.advance(10_000);
    expect(sim.state.lostBytes).toBe(0);
    // XOFF needs the time of a byte to arrive, and the byte on the wire arrives as well.
    expect(4096 - sim.state.bufferedBytes).toBeLessThanOrEqual(128);
    expect(4096 - sim.state.bufferedBytes).toBeGreaterThanOrEqual(125);
    sim.fail("paper-loaded");
    clock.runAll();
    expect(await written).toBe(true);
    expect(`${sim.text}\n`).toBe(TEXT);
    expect([sim.state.lostBytes, received()]).toEqual([0, ""]);
  });

  it.each([
    ["none", {}],
    ["a host that ignores XOFF", { flowControl: "xon-xoff", hostObeys: false }],
  ] as const)("loses exactly the surplus with %s", async (_name, change) => {
    const { sim, clock, connection, received } = await start(FULL_ONLY, {
      baudRate: 115_200,
      flowControl: "none",
      ...change,
    });
    sim.fail("paper-end");
    void connection.write(stream(TEXT));
    clock.runAll();
    expect(sim.state).toMatchObject({ bufferedBytes: 4096, lostBytes: 65_536 - 4096 });
    sim.fail("paper-loaded");
    clock.runAll();
    expect(`${sim.text}\n`).toBe(TEXT.slice(0, 4096));
    expect(received()).toBe("hostObeys" in change ? "1311" : "");
  });

  it("stops the host while the printer is offline, when BUSY says so", async () => {
    const { sim, clock, connection } = await start(T88, { baudRate: 9600, flowControl: "xon-xoff" });
    void connection.write(stream(TEXT.slice(0, 3200)));
    clock.advance(100);
    sim.fail("cover-open");
    clock.advance(5);
    const { bufferedBytes } = sim.state;
    clock.advance(5000);
    expect(sim.state.bufferedBytes).toBe(bufferedBytes);
    sim.fail("cover-closed");
    clock.runAll();
    expect(`${sim.text}\n`).toBe(TEXT.slice(0, 3200));
  });

  it("blocks instead of losing where there is no line but a network", async () => {
    const clock = new VirtualClock();
    const sim = await startSimulator({ profile: T88, clock });
    open.push(sim);
    sim.fail("paper-end");
    const written = sim.connect().write(stream(TEXT));
    clock.runAll();
    expect(sim.state).toMatchObject({ bufferedBytes: 4096, lostBytes: 0 });
    sim.fail("paper-loaded");
    clock.runAll();
    expect(await written).toBe(true);
    expect(`${sim.text}\n`).toBe(TEXT);
  });
});

describe("what finds no room", () => {
  it.each([
    ["lost", 4096],
    ["waits", 65_536],
  ] as const)("is %s on any line, when the profile says so", async (overflow, printed) => {
    const clock = new VirtualClock();
    const sim = await startSimulator({ profile: withOverflow(FULL_ONLY, overflow), clock });
    open.push(sim);
    sim.fail("paper-end");
    const line = overflow === "lost" ? {} : { serial: { baudRate: 115_200, flowControl: "none" as const } };
    void sim.connect(line).write(stream(TEXT));
    clock.runAll();
    expect(sim.state).toMatchObject({ bufferedBytes: 4096, lostBytes: overflow === "lost" ? 65_536 - 4096 : 0 });
    sim.fail("paper-loaded");
    clock.runAll();
    expect(`${sim.text}\n`).toBe(TEXT.slice(0, printed));
  });
});

describe("baud rate", () => {
  it.each([9600, 19_200, 115_200])("%i: so many bytes a second, both ways", async (baudRate) => {
    const { sim, clock, connection, received } = await start(FULL_ONLY, { baudRate, flowControl: "none" });
    sim.fail("cover-open");
    void connection.write(stream("x".repeat(1000)));
    clock.advance((500.2 * 10_000) / baudRate);
    expect(sim.state.bufferedBytes).toBe(500);
    clock.advance((500.2 * 10_000) / baudRate);
    expect(sim.state.bufferedBytes).toBe(1000);
    void connection.write(stream("\x10\x04\x01"));
    clock.advance((3.9 * 10_000) / baudRate);
    expect(received()).toBe("");
    clock.advance((0.2 * 10_000) / baudRate);
    expect(received()).toBe("1a");
  });
});

describe("real-time commands within a picture", () => {
  it.each([
    ["are carried out as well, as the manual warns", T88, "12"],
    ["are dots only, where the printer is strict", withStrictRealTime(T88), ""],
  ] as const)("%s", async (_name, profile, answer) => {
    const { sim, clock, connection, received } = await start(profile, { baudRate: 115_200, flowControl: "none" });
    const dots = [0x10, 0x04, 0x01, 0x00];
    void connection.write(raster([dots]));
    clock.runAll();
    expect(received()).toBe(answer);
    expect([...(sim.uncut?.rows[0] ?? [])].slice(0, 4)).toEqual(dots);
  });
});
