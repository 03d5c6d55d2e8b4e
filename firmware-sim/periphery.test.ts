import { afterEach, describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { findProfile, type Profile } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { hex, raster, stream, stripes } from "./test-bytes.ts";

const T88: Profile = { ...findProfile("tm-t88vi"), headToCutterDots: 0 };
const open: Simulator[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((sim) => sim.close()));
});

async function start(profile: Profile = T88) {
  const clock = new VirtualClock();
  const sim = await startSimulator({ profile, clock });
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

describe("drawer", () => {
  it("opens when what was sent before is on paper, and pulses do not overlap", async () => {
    const { sim, ask } = await start();
    ask(20, raster(stripes(100)), "\x1bp\x00\x19\x32\x1bp\x01\x0a\x0a");
    expect(sim.pulses).toEqual([]);
    ask(1000);
    const [first, second] = sim.pulses;
    expect(first).toMatchObject({ pin: 0, onMs: 50, offMs: 100 });
    expect(first?.atMs).toBeGreaterThan(40);
    expect(second).toMatchObject({ pin: 1, onMs: 20, offMs: 20 });
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeCloseTo(150, 6);
  });

  it("holds the paper while the solenoid pulls", async () => {
    const { sim, ask } = await start();
    ask(45, "\x1bp\x00\x19\x32", raster(stripes(10)));
    expect(sim.state.headRow).toBe(0);
    ask(100);
    expect(sim.state.headRow).toBe(10);
  });

  it("has its off time no shorter than its on time (ESC p)", async () => {
    const { sim, ask } = await start();
    ask(1000, "\x1bp\x00\x32\x05");
    expect(sim.pulses).toMatchObject([{ onMs: 100, offMs: 100 }]);
  });

  it("real-time pulses are left out during another one, and while there is an error", async () => {
    const { sim, ask } = await start();
    ask(10, "\x10\x14\x01\x00\x02", "\x10\x14\x01\x01\x02");
    expect(sim.pulses).toHaveLength(1);
    ask(500);
    sim.fail("unrecoverable-error");
    ask(10, "\x10\x14\x01\x00\x02");
    expect(sim.pulses).toHaveLength(1);
  });

  it("real-time pulses open it with the paper out and the cover open", async () => {
    const { sim, ask } = await start();
    sim.fail("paper-end");
    sim.fail("cover-open");
    ask(10, "\x10\x14\x01\x01\x01");
    expect(sim.pulses).toMatchObject([{ pin: 1, onMs: 100, offMs: 100 }]);
  });
});

describe("buzzer", () => {
  it("sounds patterns and beeps as ESC ( A says", async () => {
    const { sim, ask } = await start();
    ask(10, "\x1b(A\x04\x000\x31\x01\x0a", "\x1b(A\x03\x00a\x02\x03", "\x1b(A\x05\x00a\x64\x02\x01\x03");
    expect(sim.sounds).toMatchObject([
      { pattern: 0x31, times: 1, onMs: 1000 },
      { pattern: 2, times: 3 },
      { pattern: 100, times: 2, onMs: 100, offMs: 300 },
    ]);
    expect(sim.diagnostics).toEqual([]);
  });

  it("sounds in real time once GS ( D has armed it, ahead of everything that waits", async () => {
    const { sim, ask } = await start();
    const beep = "\x10\x14\x03\x01\x00\x02\x05\x05";
    ask(10, beep);
    expect(sim.sounds).toEqual([]);
    ask(10, "\x1d(D\x03\x00\x14\x03\x01");
    sim.fail("cover-open");
    ask(10, "text\n", beep);
    expect(sim.sounds).toMatchObject([{ pattern: 1, times: 2, onMs: 500, offMs: 500 }]);
  });

  it("is missing in the small clones, and says so", async () => {
    const { sim, ask } = await start(findProfile("zj-58"));
    ask(10, "\x1b(A\x03\x00a\x02\x03");
    expect(sim.sounds).toEqual([]);
    expect(sim.diagnostics).toMatchObject([{ kind: "unsupported", name: "ESC ( A" }]);
  });
});

describe("macros", () => {
  const MACRO = "\x1d:M\n\x1d:";

  it("wait t x 100 ms before each round (GS ^)", async () => {
    const { sim, ask } = await start();
    ask(100, MACRO, "\x1d^\x02\x05\x00", "end\n");
    const lines = () => sim.text.split("\n");
    expect(lines()).toEqual(["M"]);
    ask(500);
    expect(lines()).toEqual(["M", "M"]);
    ask(450);
    expect(lines()).toEqual(["M", "M"]);
    ask(200);
    expect(lines()).toEqual(["M", "M", "M", "end"]);
  });

  it("wait for the feed button with m = 1: offline, ENQ 0 is as good, and the paper is not fed", async () => {
    const { sim, ask } = await start();
    expect(ask(1000, "\x1da\x02", MACRO, "\x1bc5\x01", "\x1d^\x02\x03\x01", "end\n")).toBe("1000000018010000");
    expect(ask(10, "\x10\x04\x01")).toBe("3a");
    sim.fail("feed-button");
    // Between the rounds it is online for as long as the second one waits for its time.
    expect(ask(200)).toBe("10000000");
    expect(ask(300)).toBe("18010000");
    expect(sim.text.split("\n")).toEqual(["M", "M"]);
    expect(ask(1000, "\x10\x05\x00")).toBe("10000000");
    expect(sim.text.split("\n")).toEqual(["M", "M", "M", "end"]);
    expect(sim.state).toMatchObject({ idle: true, headRow: 4 * 30 });
  });

  it("are forgotten while they wait when the buffers are cleared", async () => {
    const { sim, ask } = await start();
    ask(1000, MACRO, "\x1d^\x02\x03\x01", "lost\n");
    expect(sim.state.online).toBe(false);
    expect(ask(1000, "\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08")).toBe("372500");
    sim.fail("feed-button");
    ask(1000, "kept\n");
    expect(sim.state.online).toBe(true);
    expect(sim.text.split("\n").filter((line) => line !== "")).toEqual(["M", "kept"]);
  });

  it("render without waiting", () => {
    expect(renderEscpos(stream(MACRO, "\x1d^\x02\xff\x01", "end\n"))[0]?.text).toBe("M\nM\nM\nend");
  });
});

describe("panel and sensors", () => {
  it("the feed button does nothing after ESC c 5 1, until ESC @", async () => {
    const { sim, ask } = await start();
    ask(10, "\x1bc5\x01");
    sim.fail("feed-button");
    ask(1000);
    expect(sim.state.headRow).toBe(0);
    ask(10, "\x1b@");
    sim.fail("feed-button");
    ask(1000);
    expect(sim.state.headRow).toBe(30);
  });

  it("paper near its end stops printing after ESC c 4, and goes on with a new roll", async () => {
    const { sim, ask } = await start();
    sim.fail("paper-near-end");
    expect(ask(1000, "A\n\x10\x04\x01")).toBe("12");
    expect(ask(1000, "\x1da\x02\x1bc4\x01B\n")).toBe("1000030018000300");
    expect(ask(10, "\x10\x04\x02")).toBe("32");
    expect(sim.text).toBe("A");
    sim.fail("paper-loaded");
    expect(ask(1000)).toBe("10000000");
    expect(sim.text).toBe("A\nB");
  });
});

describe("GS ( K", () => {
  const rows = (duty: number): number[][] =>
    Array.from({ length: 500 }, () => Array.from({ length: 64 }, (_, at) => (at < 64 * duty ? 0xff : 0)));
  const control = (fn: number, m: number): number[] => [0x1d, 0x28, 0x4b, 2, 0, fn, m];

  async function timeOf(...parts: (string | ArrayLike<number>)[]): Promise<number> {
    const { sim, clock, ask } = await start();
    ask(0, ...parts);
    while (sim.state.headRow < 500) clock.advance(1);
    return clock.nowMs();
  }

  it("slows printing down by its speed, until ESC @", async () => {
    const full = await timeOf(raster(rows(0)));
    const slow = await timeOf(control(50, 1), raster(rows(0)));
    expect(slow / full).toBeGreaterThan(10);
    expect(await timeOf(control(50, 0), raster(rows(0)))).toBe(full);
    expect(await timeOf(control(50, 1), "\x1b@", raster(rows(0)))).toBe(full);
  });

  it("takes longer for dark rows, not for light ones, the darker it is to print", async () => {
    const plain = await timeOf(raster(rows(0.5)));
    expect(await timeOf(control(49, 6), raster(rows(0.5)))).toBeGreaterThan(1.1 * plain);
    expect(await timeOf(control(49, 250), raster(rows(0.5)))).toBeLessThan(0.9 * plain);
    expect(await timeOf(control(49, 6), raster(rows(0.1)))).toBe(await timeOf(raster(rows(0.1))));
  });

  it("changes no dot", () => {
    const bytes = raster(stripes(40));
    const [plain] = renderEscpos(stream(bytes));
    expect(renderEscpos(stream(control(49, 6), control(50, 1), control(48, 2), control(97, 4), bytes))[0]).toEqual(
      plain,
    );
  });
});

describe("clearing the buffers", () => {
  it("leaves what commands set (DLE ENQ 2, DLE DC4 fn 8)", async () => {
    const { sim, ask } = await start();
    ask(1000, "\x1ba\x01\x1bLlost");
    ask(1000, "\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08");
    ask(1000, "kept\n");
    const page = sim.uncut;
    expect(page?.text.trim()).toBe("kept");
    expect(page?.rows.every((row) => row.slice(0, 16).every((byte) => byte === 0))).toBe(true);
  });
});
