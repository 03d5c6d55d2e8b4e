import { expect, it } from "vitest";
import { startSimulator } from "../../firmware-sim/mod.ts";
import { describeState, openStatusLine } from "./sim-status.ts";
import { MemoryOutput, memoryIo } from "./test-support.ts";

it("says how the printer is, and why it is offline", async () => {
  const sim = await startSimulator();
  const told = (): string => describeState(sim.state, sim.profile.bufferBytes);
  expect(told()).toBe("online | paper ok | buffer 0 % | head 25 °C");
  sim.fail("paper-near-end");
  expect(told()).toContain("online | paper near end |");
  sim.fail("cover-open");
  sim.fail("paper-end");
  await sim.connect().write(new Uint8Array(sim.profile.bufferBytes / 2).fill(0x41));
  expect(told()).toMatch(/^offline \(cover open, paper end\) \| paper out \| buffer 50 % \| head 25 °C \| printing$/);
  sim.fail("link-cut");
  expect(told()).toContain("link cut");
  sim.fail("power-cut");
  expect(told()).toMatch(/^power off, link cut \|/);
  await sim.close();
});

it("stands below what is written, and leaves nothing behind", async () => {
  const out = new MemoryOutput(80);
  let asked = 0;
  let askedAgain = (): void => {};
  const drawn = new Promise<void>((resolve) => {
    askedAgain = resolve;
  });
  const status = openStatusLine({ ...memoryIo({ TERM: "xterm" }), stdout: out }, true, () => {
    asked += 1;
    if (asked === 2) askedAgain();
    return "online";
  });
  await drawn;
  status.io.stdout.write("ticket 1\n");
  status.close();
  expect(out.text).toBe("\ronline > \u001b[K\r\u001b[Kticket 1\n");
});

it.each([
  ["a pipe", memoryIo({ TERM: "xterm" }), true],
  ["a dumb terminal", { ...memoryIo({ TERM: "dumb" }), stdout: new MemoryOutput(80) }, true],
  ["--json", { ...memoryIo({ TERM: "xterm" }), stdout: new MemoryOutput(80) }, false],
])("is not there for %s", (_, io, isWanted) => {
  expect(openStatusLine(io, isWanted, () => "online").io).toBe(io);
});
