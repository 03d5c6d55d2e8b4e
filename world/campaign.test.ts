import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
let folder: string;
let state: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twinspool-campaign-test-"));
  state = join(folder, "state.json");
});

afterEach(() => rm(folder, { recursive: true }));

/** Sends the signal as soon as the first task has been told. */
function run(to: number, signal?: NodeJS.Signals): Promise<{ code: number | null; said: string }> {
  const args = ["--import", "tsx", "world/campaign.ts", "--threads", "1", "--to", String(to), "--state", state];
  const child = spawn(process.execPath, args, { cwd: root });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (signal !== undefined && said.includes("seeds/s")) child.kill(signal);
    });
  }
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, said })));
}

it("goes on where it was stopped, and counts every seed once", async () => {
  const stopped = await run(1_000_000, "SIGINT");
  expect(stopped.said).toContain("stopped; the same command goes on from here");
  const { next, totals } = JSON.parse(await readFile(state, "utf8"));
  expect(totals.seeds).toBe(next - 1);
  const finished = await run(next + 29);
  expect(finished.said).toContain(`${next + 29} of ${next + 29} seeds, 0 violations`);
  expect(finished.said).toContain("done");
  expect(finished.code).toBe(0);
});

it("refuses the state of another version of the program, for the same seed may do something else there", async () => {
  await writeFile(state, JSON.stringify({ program: "another", from: 1, to: 10, next: 5, ahead: [] }));
  const { code, said } = await run(10);
  expect(code).toBe(1);
  expect(said).toContain("is of another version of the program");
});
