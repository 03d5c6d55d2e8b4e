import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "./cli/program.ts";
import { TestProcess } from "./cli/test-process.ts";
import { memoryIo } from "./cli/test-support.ts";
import type { JobView } from "./protocol/api.ts";

/*
 * The program as processes: a simulated printer and a box for all tests, which run in their order. Verbs that end by
 * themselves run in this process; a signal needs one of its own.
 */

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const isWindows = process.platform === "win32";
let folder = "";
let sim: TestProcess;
let box: TestProcess;
let env: Record<string, string> = {};
let tickets = 0;
const processes = new Set<TestProcess>();

function start(argv: readonly string[], more: Record<string, string> = {}): TestProcess {
  const started = new TestProcess(main, argv, { ...env, ...more });
  processes.add(started);
  return started;
}

async function run(...argv: string[]) {
  const io = memoryIo(env);
  const code = await runProgram(argv, io, "0");
  return { code, out: io.stdout.text, err: io.stderr.text };
}

async function jobs(): Promise<JobView[]> {
  return (JSON.parse((await run("jobs", "--json")).out) as { jobs: JobView[] }).jobs;
}

/** Asks again until it is so; the test's own time limit ends it when that never comes. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

function nextTicket(): Promise<unknown> {
  tickets += 1;
  return sim.event("ticket", tickets);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twinspool-main-"));
  await writeFile(join(folder, "menu.txt"), "厨房オーダー票\n");
  env = { XDG_CONFIG_HOME: folder, APPDATA: folder, HOME: folder, TWINSPOOL_DATA: join(folder, "client") };
  sim = start(["sim", "--tcp", "0", "--speed", "fast", "--json", "--paper", join(folder, "paper")]);
  const { uri } = await sim.event("ready");
  const printer = ["--printer", `kitchen=${String(uri)}`, "--model", "tm-m30iii"];
  box = start(["box", "--port", "0", "--data", join(folder, "box"), "--json", ...printer]);
  const ready = await box.event("ready");
  expect(ready).toMatchObject({ role: "box", printers: ["kitchen"] });
  env = { ...env, TWINSPOOL_SERVER: String(ready["url"]) };
  await until(async () => (await run("printers")).out.includes("idle"));
});

afterAll(async () => {
  await Promise.all([...processes].map((started) => started.kill("SIGKILL")));
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

describe("print as its own client", () => {
  it("prints, tells it line by line, and leaves both spools empty", async () => {
    const { code, out, err } = await run("print", join(folder, "menu.txt"), "--title", "票 1");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const job = "\\([a-z0-9]{8}-[a-z0-9]{6}-1\\)";
    expect(out).toMatch(
      new RegExp(`menu\\.txt: is in the spool ${job}\n.*: accepted ${job}\n.*: printed ${job}\n$`, "s"),
    );
    expect(await nextTicket()).toMatchObject({ number: 1, widthDots: 576, heightDots: 30 });
    expect(await jobs()).toEqual([]);
    expect(await readdir(join(folder, "client", "client", "images"))).toEqual([]);
  });

  it("tells programs in JSON lines", async () => {
    const { code, out } = await run("print", join(folder, "menu.txt"), "--json", "--from", "server");
    expect(code).toBe(0);
    const events = out.trim().split("\n");
    expect(JSON.parse(events[0] ?? "")).toMatchObject({ event: "rendered", heightDots: 30 });
    expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ event: "closed", detail: "printed" });
    await nextTicket();
  });

  it("prints what it can, and fails for what it cannot", async () => {
    const { code, err } = await run("print", join(folder, "no.png"), join(folder, "menu.txt"));
    expect(code).toBe(1);
    expect(err).toMatch(/^twinspool: .*no\.png: the document cannot be opened: ENOENT.*\n$/);
    await nextTicket();
  });

  it("names the printers there are", async () => {
    const { code, err } = await run("print", join(folder, "menu.txt"), "--printer", "bar");
    expect(code).toBe(1);
    expect(err).toContain("there is no printer of this name: bar; there is: kitchen");
  });

  it.skipIf(isWindows)("leaves its jobs to the server on Ctrl-C, and says so", async () => {
    sim.write("paper-end");
    await until(async () => (await run("printers")).out.includes("media-empty"));
    const print = start(["print", join(folder, "menu.txt")]);
    await print.line("accepted");
    await until(async () => (await jobs())[0]?.held.server === true);
    expect(await print.kill("SIGINT")).toBe(0);
    expect(print.errors).toMatch(/menu\.txt: is left to the server, which has the image and prints it/);
    sim.write("paper-loaded");
    await nextTicket();
    await until(async () => (await jobs()).length === 0);
  });
});

describe("print through a client process", () => {
  let client: TestProcess;
  let jobId = "";

  beforeAll(async () => {
    client = start(["client"]);
    await client.line("client ready on http://127.0.0.1:");
    await until(async () => (await run("print", join(folder, "menu.txt"), "--wait")).code === 0);
    await nextTicket();
  });

  it("is done as soon as the job is accepted", async () => {
    sim.write("paper-end");
    await until(async () => (await run("printers")).out.includes("media-empty"));
    const { code, out } = await run("print", join(folder, "menu.txt"), "--title", "waits\u001b[31m");
    expect(code).toBe(0);
    jobId = /accepted \((.*)\)\n$/.exec(out)?.[1] ?? "";
    await until(async () => (await jobs())[0]?.held.server === true);
    expect((await run("jobs")).out).toContain("waits�[31m");
  });

  it("shows the same dots from either spool, and says from which", async () => {
    const [near, far] = [join(folder, "near.png"), join(folder, "far.png")];
    expect((await run("preview", jobId, "-o", near)).out).toContain("from this machine's client spool");
    const io = memoryIo({ ...env, TWINSPOOL_DATA: join(folder, "elsewhere") });
    expect(await runProgram(["preview", jobId, "-o", far], io, "0")).toBe(0);
    expect(io.stdout.text).toContain("from the server's spool");
    const { readFile } = await import("node:fs/promises");
    expect(await readFile(near)).toEqual(await readFile(far));
  });

  it.skipIf(isWindows)("leaves its jobs to the client process on Ctrl-C", async () => {
    const print = start(["print", join(folder, "menu.txt"), "--wait"]);
    await print.line("accepted");
    expect(await print.kill("SIGINT")).toBe(1);
    expect(print.errors).toMatch(/goes on in the client process of this machine/);
  });

  it("cancels what has not been printed, and knows when it is too late", async () => {
    const waiting = (await jobs()).find((job) => job.jobId !== jobId);
    if (waiting !== undefined) {
      expect((await run("cancel", waiting.jobId)).code).toBe(0);
      await until(async () => (await jobs()).every((job) => job.jobId !== waiting.jobId));
    }
    sim.write("paper-loaded");
    await nextTicket();
    await until(async () => (await jobs()).length === 0);
    const late = await run("cancel", jobId);
    expect(late.code).toBe(1);
    expect(late.err).toContain("too late, it has been printed");
  });

  it("retries only what is held, or whose image is kept", async () => {
    const { code, err } = await run("retry", jobId);
    expect(code).toBe(1);
    expect(err).toContain("ended jobs keep theirs for retention.keepEndedMinutes");
  });

  it.skipIf(isWindows)("ends cleanly on SIGTERM and takes its endpoint back", async () => {
    expect(await client.kill("SIGTERM")).toBe(0);
    expect(await readdir(join(folder, "client"))).not.toContain("client.endpoint.json");
  });
});

describe("the record log", () => {
  it("has every job once, newest first, also read in pages", async () => {
    const all = JSON.parse((await run("history", "--limit", "1000", "--json")).out) as { rows: { jobId: string }[] };
    expect(new Set(all.rows.map((row) => row.jobId)).size).toBe(all.rows.length);
    const few = JSON.parse((await run("history", "--limit", "2", "--json")).out) as { rows: unknown[] };
    expect(few.rows).toEqual(all.rows.slice(0, 2));
    const elsewhere = await run("history", "--printer", "bar");
    expect(elsewhere).toMatchObject({ out: "", err: expect.stringMatching(/bar.* there is: /) });
  });

  it("shows one of them whole", async () => {
    const { rows } = JSON.parse((await run("history", "--json")).out) as { rows: { jobId: string }[] };
    const { out } = await run("show", rows.at(-1)?.jobId ?? "");
    expect(out).toMatch(/^title +票 1$/m);
    expect(out).toMatch(/^evidence +process-id$/m);
  });
});

describe("a role", () => {
  it("refuses a data folder that is in use, and a port that is", async () => {
    const folderInUse = await run("box", "--port", "0", "--data", join(folder, "box"));
    expect(folderInUse).toMatchObject({ code: 1, out: "" });
    expect(folderInUse.err).toMatch(/^twinspool: another twinspool process uses this data folder: /);
    const port = new URL(env["TWINSPOOL_SERVER"] ?? "").port;
    const portInUse = await run("server", "--port", port, "--data", join(folder, "other"));
    expect(portInUse).toMatchObject({ code: 1, out: "" });
    expect(portInUse.err).toMatch(/^twinspool: the port is in use: /);
  });

  it("lets nobody print without its key, and says that it is the key", async () => {
    const key = { TWINSPOOL_KEY: "a-key-of-this-test" };
    const locked = start(["server", "--port", "0", "--json", "--data", join(folder, "locked")], key);
    const { url } = await locked.event("ready");
    const { code, err } = await run(
      "print",
      join(folder, "menu.txt"),
      "--server",
      String(url),
      "--data",
      join(folder, "x"),
    );
    expect(code).toBe(1);
    expect(err).toContain("menu.txt: the shared key is missing or wrong");
    expect((await run("jobs", "--server", String(url))).err).toContain("the shared key is missing or wrong");
    expect((await run("jobs", "--server", String(url), "--key", key.TWINSPOOL_KEY)).out).toBe("no open jobs\n");
    await locked.kill("SIGTERM");
  });

  it("listens beyond this machine only with a key", async () => {
    const { code, err } = await run("server", "--address", "0.0.0.0", "--port", "0", "--data", join(folder, "open"));
    expect(code).toBe(2);
    expect(err).toMatch(/needs a shared key/);
  });

  it.skipIf(isWindows)("ends cleanly on SIGINT and SIGTERM", async () => {
    expect(await box.kill("SIGINT")).toBe(0);
    expect(await sim.kill("SIGTERM")).toBe(0);
  });
});
