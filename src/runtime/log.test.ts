import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createLog, humanLine } from "./log.ts";

function captured(human = false, level = "info") {
  const lines: string[] = [];
  const log = createLog(level, "server", { human, stream: { write: (line) => void lines.push(line) } });
  return { log, lines };
}

test("one JSON line per event, with the job id of the child on it", () => {
  const { log, lines } = captured();
  log.child({ job: "1f0c9a7e-k3x9q2-42" }).info({ epoch: 2 }, "job started");
  log.debug("below the level");
  expect(lines).toHaveLength(1);
  expect(lines[0]?.endsWith("}\n")).toBe(true);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "info",
    role: "server",
    pid: process.pid,
    job: "1f0c9a7e-k3x9q2-42",
    epoch: 2,
    msg: "job started",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
});

test("errors keep their stack, keys are never written", () => {
  const { log, lines } = captured();
  log.error(
    { err: new Error("boom"), key: "hush-hush", config: { key: "hush-hush" }, headers: { authorization: "hush-hush" } },
    "failed",
  );
  expect(JSON.parse(lines[0] ?? "").err.stack).toContain("boom");
  expect(lines[0]).not.toContain("hush");
});

test("the form for people is short and quotes what needs it", () => {
  const { log, lines } = captured(true);
  log.child({ job: "a-b-1" }).warn({ err: new Error("no paper"), title: "two words", pages: 3 }, "job held");
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d warn {2}job held job=a-b-1 err="no paper" title="two words" pages=3\n$/);
  expect(humanLine('{"level":"info","time":"x","role":"r"}')).toContain("info");
});

test("a log file is appended to, its folder made", async () => {
  const folder = await mkdtemp(join(tmpdir(), "twinspool-log-"));
  try {
    const file = join(folder, "deep", "twinspool.log");
    createLog("info", "host", { file }).info("first");
    createLog("info", "host", { file }).info("second");
    const lines = (await readFile(file, "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["first", "second"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
