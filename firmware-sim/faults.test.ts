import { afterEach, describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { FAULT_KINDS, parseFault, parseTimedFault } from "./faults.ts";
import { LineNoise } from "./line-noise.ts";
import { findProfile } from "./profiles.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { hex, processId, raster, stream, stripes } from "./test-bytes.ts";

const open: Simulator[] = [];
const ID = "37224141414100";

afterEach(async () => {
  await Promise.all(open.splice(0).map((sim) => sim.close()));
});

async function start() {
  const clock = new VirtualClock();
  const sim = await startSimulator({ profile: { ...findProfile("tm-t88vi"), headToCutterDots: 0 }, clock });
  open.push(sim);
  const host = sim.connect();
  let received = "";
  host.onData((bytes) => {
    received += hex(bytes);
  });
  /** What came in answer to these parts, by the end of the time. */
  const ask = (ms: number, ...parts: (string | ArrayLike<number>)[]): string => {
    received = "";
    void host.write(stream(...parts));
    clock.advance(ms);
    return received;
  };
  return { sim, clock, ask };
}

const STATUS = "\x10\x04\x01\x10\x04\x02\x10\x04\x03";
const WELL = "121212";

describe("words", () => {
  it("reads every kind, with amounts and times", () => {
    for (const kind of FAULT_KINDS) expect(parseFault(kind)).toEqual({ kind });
    expect(parseTimedFault("cover-open@3s")).toEqual({ fault: { kind: "cover-open" }, afterMs: 3000 });
    expect(parseTimedFault("paper-end@12@500ms")).toEqual({ fault: { kind: "paper-end", atRow: 12 }, afterMs: 500 });
    expect(parseFault("lost-bytes=0.25")).toEqual({ kind: "lost-bytes", share: 0.25 });
    expect(parseFault("slow=4")).toEqual({ kind: "slow", times: 4 });
    for (const wrong of ["", "mute=1", "lost-bytes=2", "slow=0", "paper-end@1.5", "slow@4"])
      expect(() => parseFault(wrong), wrong).toThrow(/known: paper-end/);
  });

  it("come when their time has come, on the clock of the simulator", async () => {
    const { sim, clock } = await start();
    sim.fail("cover-open@3s");
    clock.advance(2999);
    expect(sim.state.online).toBe(true);
    clock.advance(1);
    expect(sim.state.online).toBe(false);
  });
});

describe("errors and what ends them", () => {
  it("hot head: stops, says auto-recovering, and recovers by itself when it has cooled down", async () => {
    const { sim, clock, ask } = await start();
    ask(10, raster(stripes(400)));
    sim.fail("hot-head");
    const { headRow } = sim.state;
    expect(ask(10, STATUS)).toBe("1a5252");
    // DLE ENQ does not cool anything.
    expect(ask(100, "\x10\x05\x01", STATUS)).toBe("1a5252");
    expect(sim.state.headRow).toBe(headRow);
    // From 80 to 60 degrees: 20 s times the logarithm of 55/35.
    clock.advance(8700);
    expect(sim.state.conditions.headHot).toBe(true);
    clock.advance(300);
    expect(ask(2000, STATUS)).toBe(WELL);
    expect(sim.state.headRow).toBe(400);
    sim.fail("hot-head");
    sim.fail("head-cooled");
    expect(sim.state).toMatchObject({ online: true, headTemperatureC: 25 });
  });

  it("paper jam: stays until it is cleared and the host recovers; ENQ 1 goes on where it was", async () => {
    const { sim, ask } = await start();
    ask(10, "\x1da\x04", raster(stripes(200)), processId("AAAA"));
    sim.fail("paper-jam");
    const { headRow } = sim.state;
    expect(ask(1000, STATUS)).toBe(`18040000${"1a5216"}`);
    expect(ask(1000, "\x10\x05\x01")).toBe("");
    sim.fail("jam-cleared");
    expect(sim.state).toMatchObject({ online: false, headRow });
    expect(ask(1000, "\x10\x05\x01")).toBe(`10000000${ID}`);
    expect(sim.state.headRow).toBe(200);
  });

  it("paper jam: cleared while the power is off it is gone at power on; not cleared it is not", async () => {
    const { sim, ask } = await start();
    for (const faults of [
      ["paper-jam", "power-cut", "jam-cleared", "power-on"],
      ["power-cut", "paper-jam", "jam-cleared", "power-on"],
    ] as const) {
      for (const fault of faults) sim.fail(fault);
      expect(sim.state.conditions.mechanicalError, faults.join()).toBe(false);
      expect(sim.state.online).toBe(true);
    }
    for (const fault of ["paper-jam", "power-cut", "power-on", "jam-cleared", "power-on"] as const) sim.fail(fault);
    expect(sim.state.conditions.mechanicalError).toBe(true);
    expect(ask(0)).toBe("");
  });

  it("paper jam: ENQ 2 throws the rest away", async () => {
    const { sim, ask } = await start();
    ask(10, raster(stripes(200)), processId("AAAA"));
    sim.fail("paper-jam");
    sim.fail("jam-cleared");
    const { headRow } = sim.state;
    expect(ask(1000, "\x10\x05\x02")).toBe("");
    expect(sim.state).toMatchObject({ online: true, headRow, idle: true });
  });

  it("unrecoverable error: only the power ends it", async () => {
    const { sim, clock, ask } = await start();
    sim.fail("unrecoverable-error");
    expect(ask(1000, "\x10\x05\x01\x10\x05\x02", STATUS)).toBe("1a5232");
    sim.fail("power-cut");
    sim.fail("power-on");
    void sim.connect().write(stream("back\n"));
    clock.runAll();
    expect(sim.text).toBe("back");
  });

  it("mute: prints and says nothing, not even afterwards", async () => {
    const { sim, ask } = await start();
    sim.fail("mute");
    expect(ask(1000, STATUS, "A\n", processId("AAAA"))).toBe("");
    sim.fail("unmute");
    expect(ask(1000, STATUS)).toBe(WELL);
    expect(sim.text).toBe("A");
  });

  it("slow: takes as many times longer", async () => {
    const { sim, clock, ask } = await start();
    sim.fail("slow=10");
    // 1000 rows of 1/180 inch at 35 mm/s: 4031 ms.
    ask(4020, raster(stripes(1000)));
    expect(sim.state.idle).toBe(false);
    clock.advance(20);
    expect(sim.state).toMatchObject({ idle: true, headRow: 1000 });
  });

  it("feed button: one line, offline meanwhile, and nothing while the cover is open", async () => {
    const { sim, clock, ask } = await start();
    ask(10, "\x1da\x42");
    sim.fail("feed-button");
    expect(ask(1, "\x10\x04\x01")).toBe("580000005a");
    expect(ask(1000)).toBe("10000000");
    expect(sim.state.headRow).toBe(30);
    sim.fail("cover-open");
    sim.fail("feed-button");
    clock.advance(1000);
    expect(sim.state.headRow).toBe(30);
  });

  it("drawer: its pin is reported", async () => {
    const { sim, ask } = await start();
    expect(ask(10, "\x1da\x01\x1dr2")).toBe("1000000000");
    sim.fail("drawer-opened");
    expect(ask(10, "\x10\x04\x01\x1dr2")).toBe("140000001601");
    sim.fail("drawer-closed");
    expect(ask(10, "\x1dr2")).toBe("1000000000");
  });
});

describe("a bad line", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, index) => index & 0xff);

  it("loses or changes the share it was told, the same bytes for the same seed in any pieces", () => {
    for (const kind of ["lost-bytes", "corrupted-bytes"] as const) {
      const [whole, pieces, other] = [new LineNoise(), new LineNoise(), new LineNoise()];
      for (const noise of [whole, pieces]) noise.become({ kind, share: 0.05, seed: 7 });
      other.become({ kind, share: 0.05, seed: 8 });
      const heard = whole.apply(bytes);
      const parts = [0, 1, 4000, 4001, 20_000].map((at, index, all) => bytes.subarray(all[index - 1] ?? 0, at));
      expect(Uint8Array.from(parts.flatMap((part) => [...pieces.apply(part)]))).toEqual(heard);
      expect(other.apply(bytes)).not.toEqual(heard);
      const damaged =
        kind === "lost-bytes" ? 20_000 - heard.length : heard.filter((byte, index) => byte !== bytes[index]).length;
      expect(damaged).toBeGreaterThan(800);
      expect(damaged).toBeLessThan(1200);
    }
  });

  it("is clean again on command", async () => {
    const { sim, ask } = await start();
    sim.fail({ kind: "lost-bytes", share: 1 });
    ask(100, "gone\n");
    sim.fail("line-clean");
    ask(1000, "here\n");
    expect(sim.text).toBe("here");
  });
});
