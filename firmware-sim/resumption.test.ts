import { afterEach, describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { findProfile } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { hex, processId, raster, stream, stripes } from "./test-bytes.ts";

const PROFILE = { ...findProfile("tm-t88vi"), headToCutterDots: 0 };
const open: Simulator[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((sim) => sim.close()));
});

async function start() {
  const clock = new VirtualClock();
  const sim = await startSimulator({ profile: PROFILE, clock });
  open.push(sim);
  const connect = () => {
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
    return { host, ask };
  };
  return { sim, clock, connect };
}

function id(text: string): string {
  return `3722${Buffer.from(text).toString("hex")}00`;
}

describe("a page in page mode that the paper ends in", () => {
  const PAGE = ["\x1bL", "\x1d$\x20\x00first\n", "\x1d$\xc8\x00second\n", "\x0c"];

  it("goes on in the row where it stopped, on the new roll", async () => {
    const { sim, connect } = await start();
    const { ask } = connect();
    sim.fail({ kind: "paper-end", atRow: 60 });
    expect(ask(5000, ...PAGE, processId("AAAA"))).toBe("");
    expect(sim.state).toMatchObject({ headRow: 60, online: false });
    sim.fail("paper-loaded");
    expect(ask(5000)).toBe(id("AAAA"));
    const [whole] = renderEscpos(stream(...PAGE), { profile: PROFILE });
    expect(sim.uncut?.rows).toEqual(whole?.rows);
    expect(sim.uncut?.splices).toEqual([60]);
  });

  it("goes on after the cover was open, and after a jam with DLE ENQ 1", async () => {
    const { sim, connect } = await start();
    const { ask } = connect();
    ask(30, ...PAGE);
    sim.fail("cover-open");
    const { headRow } = sim.state;
    ask(1000);
    expect(sim.state.headRow).toBe(headRow);
    sim.fail("cover-closed");
    ask(10);
    sim.fail("paper-jam");
    sim.fail("jam-cleared");
    ask(5000, "\x10\x05\x01");
    const [whole] = renderEscpos(stream(...PAGE), { profile: PROFILE });
    expect(sim.uncut?.rows).toEqual(whole?.rows);
  });

  it("is gone with DLE ENQ 2, and the printer is back in standard mode", async () => {
    const { sim, connect } = await start();
    const { ask } = connect();
    ask(30, ...PAGE, "\x1bLlost");
    sim.fail("paper-jam");
    sim.fail("jam-cleared");
    ask(1000, "\x10\x05\x02");
    const { headRow } = sim.state;
    ask(1000, "standard\n");
    expect(sim.state.headRow).toBe(headRow + 30);
  });
});

describe("responses whose host is away", () => {
  it("are kept, the latest process ID only, and come once", async () => {
    const { sim, clock, connect } = await start();
    const first = connect();
    first.ask(
      1,
      "\x1d(H\x03\x00\x31\x30\x02",
      raster(stripes(200)),
      processId("AAAA"),
      raster(stripes(50)),
      processId("BBBB"),
    );
    first.host.close();
    clock.advance(5000);
    const second = connect();
    expect(second.ask(10)).toBe(id("BBBB"));
    expect(second.ask(10)).toBe("");
    expect(sim.state.idle).toBe(true);
  });

  it("of data that the clear response threw away never come", async () => {
    const { connect } = await start();
    const { ask } = connect();
    expect(ask(5, raster(stripes(400)), processId("AAAA"))).toBe("");
    expect(ask(5000, "\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08")).toBe("372500");
    expect(ask(1000, processId("BBBB"))).toBe(id("BBBB"));
  });
});

describe("one colour of paper", () => {
  it("takes GS ( N for black on white, and says of everything else that it cannot", () => {
    const details: (string | undefined)[] = [];
    const pages = renderEscpos(
      stream("\x1d(N\x02\x0001\x1d(N\x02\x0010\x1d(N\x03\x00200A\n\x1d(N\x02\x0002\x1d(N\x02\x0011B\n"),
      { onDiagnostic: ({ name, kind }) => details.push(`${name} ${kind}`) },
    );
    expect(pages[0]?.text).toBe("A\nB");
    expect(details).toEqual(["GS ( N unsupported", "GS ( N unsupported"]);
  });
});
