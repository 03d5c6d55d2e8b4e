import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import type { Page } from "./paper.ts";
import type { InProcessConnection } from "./ports/in-process.ts";
import { findProfile, type Profile } from "./profiles.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { CUT, hex, INITIALIZE, processId, raster, stream, stripes } from "./test-bytes.ts";

/** One row a millisecond, so that rows are milliseconds. */
const SLOW: Profile = {
  ...findProfile("tm-m30iii"),
  speedMmPerS: 25.4 / 203 / 0.001,
  drive: { ...findProfile("tm-m30iii").drive, accelerationMmPerS2: Number.POSITIVE_INFINITY },
  cutMs: 100,
  headToCutterDots: 0,
};

interface Bench {
  readonly sim: Simulator;
  readonly clock: VirtualClock;
  connect(): Host;
}

interface Host {
  readonly connection: InProcessConnection;
  /** Everything received so far, as hex. */
  received(): string;
  send(...parts: (string | ArrayLike<number>)[]): Promise<boolean>;
  closed(): boolean;
}

const open: Simulator[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((sim) => sim.close()));
});

async function start(profile: Profile | string = SLOW): Promise<Bench> {
  const clock = new VirtualClock();
  const sim = await startSimulator({ profile, clock });
  open.push(sim);
  return { sim, clock, connect: () => host(sim) };
}

function host(sim: Simulator): Host {
  const connection = sim.connect();
  let received = "";
  let closed = false;
  connection.onData((bytes) => {
    received += hex(bytes);
  });
  connection.onClose(() => {
    closed = true;
  });
  return {
    connection,
    received: () => received,
    send: (...parts) => connection.write(stream(...parts)),
    closed: () => closed,
  };
}

function columns(page: Page | undefined): number[] {
  return (page?.rows ?? []).map((row) => row[0] ?? 0);
}

const ID_A = "372241414141" + "00";
const ID_B = "372242424242" + "00";
const ONLINE_ASB = "10000000";
const PAPER_END_ASB = "18000f00";

describe("time", () => {
  it("prints behind interpretation, at the speed of the model", async () => {
    const { sim, clock, connect } = await start();
    void connect().send(raster(stripes(48)));
    clock.advance(0);
    expect(sim.state).toMatchObject({ bufferedBytes: 0, queuedRows: 48, headRow: 0 });
    clock.advance(10.5);
    expect(sim.state.headRow).toBe(10);
    clock.advance(100);
    expect(sim.state).toMatchObject({ headRow: 48, idle: true });
  });

  it("interprets no further ahead than the print queue allows, and holds the rest back", async () => {
    const { sim, clock, connect } = await start({ ...SLOW, bufferBytes: 64 });
    const written = connect().send(raster(stripes(600)));
    let taken = false;
    void written.then(() => {
      taken = true;
    });
    clock.advance(1);
    await Promise.resolve();
    expect(taken).toBe(false);
    expect(sim.state.queuedRows).toBeLessThan(SLOW.printQueueRows + 24);
    expect(sim.state.bufferedBytes).toBe(64);
    clock.advance(600);
    expect(await written).toBe(true);
    expect(columns(sim.uncut)).toEqual(stripes(600).flat());
  });
});

describe("GS ( H", () => {
  it("answers when the data just before are on paper, and after the cut when the cut is done", async () => {
    const { clock, connect } = await start();
    const pos = connect();
    await pos.send(raster(stripes(48)), processId("AAAA"), CUT, processId("BBBB"));
    clock.advance(47.5);
    expect(pos.received()).toBe("");
    clock.advance(1);
    expect(pos.received()).toBe(ID_A);
    clock.advance(99);
    expect(pos.received()).toBe(ID_A);
    clock.advance(1);
    expect(pos.received()).toBe(ID_A + ID_B);
  });

  it("answers at once when what came just before is no printing data", async () => {
    const { clock, connect } = await start();
    const pos = connect();
    await pos.send(raster(stripes(48)), "\x1ba\x00", processId("AAAA"));
    clock.advance(1);
    expect(pos.received()).toBe(ID_A);
  });

  it("waits for text that is still in the line buffer", async () => {
    const { clock, connect } = await start();
    const pos = connect();
    await pos.send("Hello", processId("AAAA"));
    clock.advance(1000);
    expect(pos.received()).toBe("");
    await pos.send("\n");
    clock.advance(30);
    expect(pos.received()).toBe("");
    clock.advance(10);
    expect(pos.received()).toBe(ID_A);
  });

  it("keeps only the latest for a host that is away, and gives it to the next one, before other responses", async () => {
    const { sim, clock, connect } = await start();
    await connect().send(raster(stripes(20)), processId("AAAA"), raster(stripes(20)), processId("BBBB"));
    clock.advance(1);
    sim.fail("link-cut");
    clock.advance(1000);
    expect(columns(sim.uncut)).toHaveLength(40);
    expect(() => sim.connect()).toThrow(/link/);
    sim.fail("link-restored");
    const next = connect();
    clock.advance(1);
    expect(next.received()).toBe(ID_B);
    const third = connect();
    clock.advance(1);
    expect(third.received()).toBe("");
  });

  it("does not exist on the clone, which consumes it", async () => {
    const { sim, clock, connect } = await start("xp-80");
    const pos = connect();
    await pos.send("A\n", processId("AAAA"), "B\n");
    clock.runAll();
    expect(pos.received()).toBe("");
    expect(sim.text).toBe("A\nB");
    expect(sim.diagnostics).toMatchObject([{ kind: "unsupported", name: "GS ( H" }]);
  });

  it("announces that it goes offline when asked to (fn 49)", async () => {
    const { sim, clock, connect } = await start();
    const pos = connect();
    await pos.send("\x1d(H\x03\x00101");
    clock.advance(1);
    sim.fail("cover-open");
    clock.advance(1);
    expect(pos.received()).toBe("372300");
  });
});

describe("paper end", () => {
  it("stops at the row, keeps what follows, and goes on with the very next row", async () => {
    const { sim, clock, connect } = await start({ ...SLOW, printQueueRows: 24 });
    const pos = connect();
    await pos.send("\x1da\x0f", raster(stripes(100)), processId("AAAA"), CUT, "\x1dr1");
    sim.fail("paper-end@40");
    clock.advance(39.5);
    expect(sim.state.online).toBe(true);
    clock.advance(1);
    expect(sim.state).toMatchObject({ online: false, headRow: 40 });
    clock.advance(5000);
    expect(columns(sim.uncut)).toEqual(stripes(100).flat().slice(0, 40));
    expect(pos.received()).toBe(ONLINE_ASB + PAPER_END_ASB);
    sim.fail("paper-loaded");
    clock.runAll();
    const page = await sim.printed();
    expect(columns(page)).toEqual(stripes(100).flat());
    expect(page.splices).toEqual([40]);
    // GS r waited behind the raster, and was answered when interpreted: before the last rows were on paper.
    expect(pos.received()).toBe(`${ONLINE_ASB}${PAPER_END_ASB}${ONLINE_ASB}00${ID_A}`);
  });

  it("answers real-time requests and buffers the rest meanwhile", async () => {
    const { sim, clock, connect } = await start();
    const pos = connect();
    sim.fail("paper-end");
    await pos.send("A\n\x1dr1\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04");
    clock.advance(100);
    expect(pos.received()).toBe("1a32127e");
    expect(sim.state.bufferedBytes).toBe(5);
    expect(sim.text).toBe("");
    sim.fail("paper-loaded");
    clock.runAll();
    expect(pos.received()).toBe("1a32127e00");
    expect(sim.text).toBe("A");
  });

  it("answers real-time requests of another host while the receive buffer is full", async () => {
    const { sim, clock, connect } = await start({ ...SLOW, bufferBytes: 32 });
    sim.fail("paper-end");
    const sent = connect().send("x".repeat(100), "\n");
    const other = connect();
    await other.send("\x10\x04\x01");
    clock.advance(1);
    expect(other.received()).toBe("1a");
    sim.fail("paper-loaded");
    clock.runAll();
    expect(await sent).toBe(true);
    expect(sim.text.replaceAll("\n", "")).toBe("x".repeat(100));
  });
});

describe("cover, cutter, drawer", () => {
  it("stands still under an open cover, within a row of where it was", async () => {
    const { sim, clock, connect } = await start();
    await connect().send(raster(stripes(100)));
    clock.advance(30.2);
    sim.fail("cover-open");
    clock.advance(1000);
    expect(sim.state.headRow).toBe(30);
    sim.fail("paper-end");
    sim.fail("cover-closed");
    clock.advance(1000);
    expect(sim.state.headRow).toBe(30);
    sim.fail("paper-loaded");
    clock.runAll();
    expect(columns(sim.uncut)).toEqual(stripes(100).flat());
  });

  it("fails at the cut until the blade is free and the host recovers (DLE ENQ 1)", async () => {
    const { sim, clock, connect } = await start();
    const pos = connect();
    sim.fail("cutter-jam");
    await pos.send(raster(stripes(10)), CUT, processId("AAAA"));
    clock.advance(1000);
    await pos.send("\x10\x04\x03\x10\x05\x01\x10\x04\x01");
    clock.advance(1000);
    expect(pos.received()).toBe("1a1a");
    sim.fail("cutter-freed");
    await pos.send("\x10\x05\x01");
    clock.advance(1000);
    expect(pos.received()).toBe(`1a1a${ID_A}`);
    expect((await sim.printed()).heightDots).toBe(10);
  });

  it("drops everything with DLE ENQ 2", async () => {
    const { sim, clock, connect } = await start();
    const pos = connect();
    sim.fail("cutter-jam");
    await pos.send(CUT, "lost\n", processId("AAAA"));
    clock.advance(1000);
    sim.fail("cutter-freed");
    await pos.send("\x10\x05\x02kept\n");
    clock.runAll();
    expect(sim.text).toBe("kept");
    expect(pos.received()).toBe("");
  });

  it("pulses the drawer, buffered and in real time", async () => {
    const { sim, clock, connect } = await start();
    await connect().send("\x1bp\x01\x19\x32\x10\x14\x01\x00\x02");
    clock.runAll();
    expect(sim.pulses.map(({ pin, onMs, offMs }) => [pin, onMs, offMs])).toEqual([
      [0, 200, 200],
      [1, 50, 100],
    ]);
  });
});

describe("power cut", () => {
  it("loses buffers, the half-printed line and pending IDs; what is on paper stays", async () => {
    const { sim, clock, connect } = await start();
    const pos = connect();
    await pos.send(INITIALIZE, raster(stripes(100)), processId("AAAA"), "text\n");
    clock.advance(30.5);
    sim.fail("power-cut");
    expect(() => sim.connect()).toThrow(/power/);
    clock.advance(1000);
    expect(pos.closed()).toBe(true);
    expect(await pos.send("x")).toBe(false);
    expect(sim.state).toMatchObject({ power: false, online: false, bufferedBytes: 0, queuedRows: 0, headRow: 30 });
    sim.fail("power-on");
    const next = connect();
    await next.send("back\n", CUT);
    clock.runAll();
    const page = await sim.printed();
    expect(columns(page).slice(0, 30)).toEqual(stripes(30).flat());
    expect(page.heightDots).toBe(30 + 34);
    expect(page.text).toBe("back");
    expect(next.received()).toBe("");
  });

  it("forgets half a command", async () => {
    const { sim, clock, connect } = await start();
    await connect().send("\x1dv0\x00\x02\x00\xff\x00", "abc");
    clock.advance(1);
    sim.fail("power-cut");
    sim.fail("power-on");
    await connect().send("back\n");
    clock.runAll();
    expect(sim.text).toBe("back");
  });
});

describe("link cut", () => {
  it("drops connections; what the receive buffer holds still prints, what it had no room for does not", async () => {
    const { sim, clock, connect } = await start({ ...SLOW, bufferBytes: 32, printQueueRows: 1 });
    const pos = connect();
    const written = pos.send("0123456789\nabcdefghij\n", "X".repeat(200), "\n");
    clock.advance(0);
    sim.fail("link-cut");
    expect(await written).toBe(false);
    clock.runAll();
    expect(pos.closed()).toBe(true);
    expect(sim.text.startsWith("0123456789\nabcdefghij")).toBe(true);
    expect(sim.text).not.toContain("X".repeat(40));
  });

  it("leaves a half-received command waiting, which then swallows what comes next", async () => {
    const { sim, clock, connect } = await start();
    await connect().send("\x1dv0\x00\x01\x00\x05\x00ab");
    clock.advance(1);
    sim.fail("link-cut");
    sim.fail("link-restored");
    await connect().send("cdeT\n");
    clock.runAll();
    expect(columns(sim.uncut).slice(0, 5)).toEqual([0x61, 0x62, 0x63, 0x64, 0x65]);
    expect(sim.text).toBe("T");
  });
});

describe("automatic status back", () => {
  it("reports at once and on change, to those who asked, of what they asked for", async () => {
    const { sim, clock, connect } = await start();
    const [all, paper, none] = [connect(), connect(), connect()];
    await all.send("\x1da\xff");
    await paper.send("\x1da\x08");
    await none.send("\x1da\x00");
    clock.advance(1);
    expect([all.received(), paper.received(), none.received()]).toEqual([ONLINE_ASB, ONLINE_ASB, ""]);
    sim.fail("cover-open");
    sim.fail("cover-closed");
    sim.fail("paper-near-end");
    clock.advance(1);
    expect(all.received()).toBe(`${ONLINE_ASB}38000000${ONLINE_ASB}10000300`);
    expect(paper.received()).toBe(`${ONLINE_ASB}10000300`);
    expect(none.received()).toBe("");
    await all.send(INITIALIZE);
    clock.advance(1);
    sim.fail("paper-end");
    clock.advance(1);
    expect(all.received()).not.toContain(PAPER_END_ASB);
  });
});

describe("identity and status", () => {
  it("answers GS I and GS r", async () => {
    const { clock, connect } = await start("tm-t88vi");
    const pos = connect();
    await pos.send("\x1dI\x01\x1dI2\x1dIA\x1dIB\x1dIC\x1dI!\x1dr1\x1dr2");
    clock.runAll();
    const text = (value: string): string => Buffer.from(value).toString("hex");
    expect(pos.received()).toBe(
      `20025f${text("1.00 SIM")}005f${text("EPSON")}005f${text("TM-T88VI")}003d21${text("TM-T88VI")}000000`,
    );
  });
});

describe("real-time commands", () => {
  it("act inside image data without disturbing the picture", async () => {
    const { sim, clock, connect } = await start();
    const pos = connect();
    await pos.send(raster([[0x10], [0x04], [0x01], [0x55]]));
    clock.runAll();
    expect(pos.received()).toBe("12");
    expect(columns(sim.uncut)).toEqual([0x10, 0x04, 0x01, 0x55]);
  });

  it("are eaten as parameters inside another command", async () => {
    const { sim, clock, connect } = await start();
    const pos = connect();
    await pos.send("\x1b3\x10\x04\x01A\n");
    clock.runAll();
    expect(pos.received()).toBe("");
    expect(sim.state.headRow).toBe(24);
    expect(sim.diagnostics.map((diagnostic) => diagnostic.bytes)).toEqual([[0x04], [0x01]]);
  });

  it("leave no trace between commands, in any pieces", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }), async (sizes) => {
        const { sim, clock, connect } = await start();
        const pos = connect();
        const bytes = stream("A\x10\x04\x01B\x10\x04\x02\x10\x04\x06C\x10\x14\x07\x01\n");
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          await pos.connection.write(bytes.subarray(at, at + size));
          clock.advance(1);
          at += size;
        }
        clock.runAll();
        expect(sim.text).toBe("ABC");
        expect(pos.received()).toBe(`1212${ONLINE_ASB}`);
      }),
      { numRuns: 30 },
    );
  });

  it("clear the buffers on request; pending process IDs vanish (DLE DC4 fn 8)", async () => {
    const { sim, clock, connect } = await start();
    const pos = connect();
    await pos.send("\x1dv0\x00\x01\x00\x00\x04", stripes(200).flat());
    clock.advance(20.5);
    await pos.send("\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08");
    clock.advance(1);
    expect(pos.received()).toBe("372500");
    await pos.send("clean\n", processId("BBBB"));
    clock.runAll();
    expect(sim.uncut?.heightDots).toBe(20 + 34);
    expect(sim.text).toBe("clean");
    expect(pos.received()).toBe(`372500${ID_B}`);
  });

  it("go on while the printer is deselected (ESC =)", async () => {
    const { sim, clock, connect } = await start();
    const pos = connect();
    await pos.send("A\n\x1b=\x00hidden\n", raster(stripes(4)), "\x10\x04\x01\x1b=\x01B\n");
    clock.runAll();
    expect(sim.text).toBe("A\nB");
    expect(pos.received()).toBe("12");
  });
});

describe("random streams and faults", () => {
  it("never throw, and leave a printer that comes to rest online", async () => {
    const faults = fc.constantFrom(
      ...(["paper-end", "paper-loaded", "cover-open", "cover-closed", "power-cut", "power-on"] as const),
      ...(["link-cut", "link-restored", "cutter-jam", "cutter-freed"] as const),
    );
    const bytes = fc.uint8Array({ maxLength: 60 });
    const action = fc.oneof(faults, bytes, fc.integer({ min: 0, max: 50 }));
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const { sim, clock } = await start({ ...SLOW, bufferBytes: 32 });
        let pos: InProcessConnection | undefined;
        const marker = Uint8Array.of(0x0a, 0x1b, 0x40, 0xff);
        for (const step of actions) {
          if (typeof step === "string") sim.fail(step);
          else if (typeof step === "number") clock.advance(step);
          else {
            if ((pos === undefined || pos.closed) && sim.state.power && sim.state.link) pos = sim.connect();
            void pos?.write(step);
          }
        }
        void pos?.write(marker);
        for (const end of ["paper-loaded", "cover-closed", "cutter-freed", "power-on", "link-restored"] as const)
          sim.fail(end);
        void sim.connect().write(Uint8Array.of(0x10, 0x05, 0x01));
        clock.runAll();
        expect(sim.state).toMatchObject({ online: true, idle: true });
        await sim.close();
      }),
      { numRuns: 200, ...(process.env["SEED"] === undefined ? {} : { seed: Number(process.env["SEED"]) }) },
    );
  });
});
