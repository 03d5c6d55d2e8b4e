import { describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { startSimulator } from "./simulator.ts";
import { CUT, raster, stream, stripes } from "./test-bytes.ts";

async function print(profile: string, ...parts: (string | ArrayLike<number>)[]) {
  const clock = new VirtualClock();
  const sim = await startSimulator({ profile, clock });
  void sim.connect().write(stream(...parts));
  clock.runAll();
  const { headRow } = sim.state;
  await sim.close();
  return { headRow, cuts: sim.paper.length, diagnostics: sim.diagnostics.map(({ kind, name }) => `${kind} ${name}`) };
}

describe("clones of 58 mm", () => {
  it("zj-58 feeds ESC J in eighths of a millimetre, which are its dots", async () => {
    expect(await print("zj-58", "\x1bJ\x64")).toEqual({ headRow: 100, cuts: 0, diagnostics: [] });
  });

  it("nt-5890k ignores ESC J and swallows one line feed after a raster", async () => {
    expect(await print("nt-5890k", "\x1bJ\x64")).toMatchObject({ headRow: 0, diagnostics: ["ignored ESC J"] });
    expect(await print("nt-5890k", raster(stripes(8)), "\n")).toMatchObject({ headRow: 8 });
    expect(await print("zj-58", raster(stripes(8)), "\n")).toMatchObject({ headRow: 38 });
  });

  it("have no cutter", async () => {
    expect(await print("zj-58", "A\n", CUT)).toMatchObject({ cuts: 0, diagnostics: ["unsupported GS V"] });
  });
});
