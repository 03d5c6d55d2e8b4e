import { afterEach, describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { findProfile, type Profile } from "./profiles.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { hex, stream } from "./test-bytes.ts";

const T88: Profile = findProfile("tm-t88vi");
const open: Simulator[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((sim) => sim.close()));
});

async function start(profile: Profile = T88) {
  const clock = new VirtualClock();
  const sim = await startSimulator({ profile, clock });
  open.push(sim);
  const connect = (baudRate?: number) => {
    const connection = sim.connect(baudRate === undefined ? {} : { serial: { baudRate, flowControl: "none" } });
    let received = "";
    connection.onData((bytes) => {
      received += hex(bytes);
    });
    /** What came in answer to these parts, by the end of the time. */
    return (ms: number, ...parts: string[]): string => {
      received = "";
      void connection.write(stream(...parts));
      clock.advance(ms);
      return received;
    };
  };
  return { sim, clock, connect };
}

describe("blocks", () => {
  it("make the printer deaf to DLE EOT while they are on the line, and not afterwards", async () => {
    const { connect } = await start();
    const ask = connect(9600);
    const model = `5f${Buffer.from("TM-T88VI").toString("hex")}00`;
    expect(ask(100, "\x1dIC", "\x10\x04\x01")).toBe(model);
    expect(ask(100, "\x10\x04\x01")).toBe("12");
  });

  it("put off ASB, and make one report of many changes", async () => {
    const { sim, clock, connect } = await start();
    const ask = connect(9600);
    expect(ask(100, "\x1da\x0e")).toBe("10000000");
    expect(ask(4.5, "\x1dIC")).toBe("5f");
    sim.fail("cover-open");
    sim.fail("paper-near-end");
    sim.fail("cover-closed");
    clock.advance(1);
    expect(ask(100)).toBe(`${Buffer.from("M-T88VI").toString("hex")}0010000300`);
  });

  it("end at once where the line is as fast as the printer", async () => {
    const { connect } = await start();
    expect(connect()(1, "\x1dIC", "\x10\x04\x01")).toContain("12");
  });
});

describe("enabled or asked for", () => {
  it("extended ASB and offline response come on request, and extended ASB when it is turned on", async () => {
    const { sim, connect } = await start();
    const ask = connect();
    expect(ask(1, "\x1c(e\x02\x003\x08")).toBe("39004000");
    expect(ask(1, "\x1c(e\x02\x003\x00")).toBe("");
    expect(ask(1, "\x10\x14\x07\x02")).toBe("39004000");
    sim.fail("cover-open");
    expect(ask(1, "\x10\x14\x07\x04")).toBe("37234100");
    expect(sim.diagnostics).toEqual([]);
  });

  it("tells of going offline from the start where BUSY does not (GS a)", async () => {
    const { sim, connect } = await start({ ...T88, busyWhenOffline: false });
    const ask = connect();
    sim.fail("cover-open");
    expect(ask(1)).toBe("38000000");
    sim.fail("cover-closed");
    expect(ask(1, "\x1b@")).toBe("10000000");
    sim.fail("cover-open");
    expect(ask(1)).toBe("38000000");
  });

  it("reports to each connection what that one asked for", async () => {
    const { sim, connect } = await start();
    const [drawer, paper] = [connect(), connect()];
    expect([drawer(1, "\x1da\x01"), paper(1, "\x1da\x08")]).toEqual(["10000000", "10000000"]);
    sim.fail("drawer-opened");
    expect([drawer(1), paper(1)]).toEqual(["14000000", ""]);
  });
});

describe("GS ( D", () => {
  const OFF = "\x10\x14\x02\x01\x08";
  const arm = (fn: number, on: number): string => `\x1d(D\x03\x00\x14${String.fromCharCode(fn, on)}`;

  it("arms the power-off sequence, after which nothing helps but the power switch", async () => {
    const { sim, clock, connect } = await start();
    const ask = connect();
    expect(ask(100, OFF, "\x10\x04\x01")).toBe("12");
    expect(ask(100, arm(2, 1), "\x1b@")).toBe("");
    expect(ask(100, OFF)).toBe("");
    ask(100, arm(2, 49));
    expect(ask(100, OFF, "\x10\x04\x01lost\n")).toBe("3b3000");
    expect(sim.state).toMatchObject({ power: false, online: false, bufferedBytes: 0 });
    expect(ask(100, "\x10\x05\x02\x10\x04\x01lost\n")).toBe("");
    sim.fail("power-cut");
    sim.fail("power-on");
    expect(connect()(100, "\x10\x04\x01", OFF, "back\n")).toBe("12");
    clock.runAll();
    expect(sim.text).toBe("back");
  });

  it("stops and allows the pulse in real time", async () => {
    const { sim, connect } = await start();
    const ask = connect();
    ask(10, arm(1, 0));
    ask(10, "\x10\x14\x01\x00\x02");
    expect(sim.pulses).toHaveLength(0);
    ask(10, arm(1, 1));
    ask(10, "\x10\x14\x01\x00\x02");
    expect(sim.pulses).toHaveLength(1);
  });
});
