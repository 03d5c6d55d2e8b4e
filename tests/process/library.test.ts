import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConnectOptions, connect, type PrintDocument, submit, TwinspoolError } from "../../src/mod.ts";
import { findEndpoint } from "../../src/runtime/endpoint-file.ts";
import { InnerBox } from "./inner-box.ts";
import { history, jobs, until } from "./processes.ts";

let box: InnerBox;
let notes: string[];

beforeEach(async () => {
  box = await InnerBox.start();
  notes = [];
});
afterEach(() => box.close());

function options(name: string, server = box.url): ConnectOptions {
  const config = join(box.folder, "client.toml");
  writeFileSync(config, "[timers]\nserverSilentMs = 1500\nstartTimeoutMs = 1500\n");
  return { config, data: join(box.folder, name), name, server, onNote: (text) => notes.push(text) };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => new Error("resolved"),
    (reason: unknown) => reason,
  );
  return error instanceof TwinspoolError ? error.code : String(error);
}

function imagesOf(name: string): string[] {
  return readdirSync(join(box.folder, name, "client", "images")).filter((file) => file !== "quarantine");
}

describe("a program that is the client itself", () => {
  it("prints every kind of document, and leaves nothing behind", async () => {
    const twinspool = await connect(options("till"));
    const path = join(box.folder, "order.txt");
    writeFileSync(path, "from a path\n");
    const documents: [PrintDocument, string][] = [
      [path, "from a path"],
      [new URL(`file://${path}`), "from a path"],
      [{ text: "as a text\n" }, "as a text"],
      [Buffer.from("\x1b@raw bytes\n", "latin1"), "raw bytes"],
      [Readable.from(["a ", "stream\n"]), "a stream"],
      [new Blob(["the web's\n"]).stream(), "the web's"],
    ];
    const titles: string[] = [];
    for (const [document] of documents) {
      const job = await twinspool.submit(document, { printer: "kitchen" });
      await job.accepted;
      expect(await job.ended).toEqual({ jobId: job.id, outcome: "printed" });
      titles.push(job.title);
    }
    expect(await twinspool.close()).toEqual([]);
    expect(titles).toEqual(["order.txt", "order.txt", "document", "document", "document", "document"]);
    expect(box.simulator.paper).toHaveLength(documents.length);
    expect((await history(box.url)).map((row) => row.outcome.outcome)).toEqual(documents.map(() => "printed"));
    expect(imagesOf("till")).toEqual([]);
    // The folder is free again.
    expect(await findEndpoint(join(box.folder, "till"), "client")).toBeUndefined();
    const again = await connect(options("till"));
    await (await again.submit({ text: "again\n" })).ended;
    await again.close();
    expect(notes).toEqual([]);
  });

  it("hears what happens to its job, from the beginning, whenever it asks", async () => {
    const twinspool = await connect(options("till"));
    const job = await twinspool.submit({ text: "a\n" }, { title: "order 7", copies: 2, source: "client" });
    await job.ended;
    const seen: string[] = [];
    for await (const { event } of job) seen.push(event);
    expect(seen.filter((event) => event !== "progressed" && event !== "waiting")).toEqual([
      "rendered",
      "accepted",
      "started",
      "ended",
      "closed",
    ]);
    expect(await job.show()).toMatchObject({ history: { title: "order 7", pages: 2, source: "client" } });
    expect((await twinspool.history({ text: "ORDER" })).rows.map((row) => row.jobId)).toEqual([job.id]);
    expect((await twinspool.printers()).map(({ attributes }) => attributes.name)).toEqual(["kitchen"]);
    await twinspool.close();
  });

  it("holds, previews, changes, releases and cancels", async () => {
    const twinspool = await connect(options("till"));
    const job = await twinspool.submit({ text: "a\n" }, { held: true, spools: "both" });
    const other = await twinspool.submit({ text: "b\n" }, { held: true, priority: 10 });
    await Promise.all([job.accepted, other.accepted]);
    const preview = await job.preview();
    expect([preview.spool, ...preview.png.subarray(0, 4)]).toEqual(["client", 0x89, 0x50, 0x4e, 0x47]);
    expect((await job.change({ priority: 90 })).job?.priority).toBe(90);
    expect((await twinspool.jobs()).map(({ state }) => state)).toEqual(["pending-held", "pending-held"]);
    await other.cancel();
    expect((await other.ended).outcome).toBe("canceled");
    await job.release();
    expect((await job.ended).outcome).toBe("printed");
    expect(await codeOf(job.change({ priority: 1 }))).toBe("job-unknown");
    expect(await twinspool.close()).toEqual([]);
    expect(box.simulator.paper).toHaveLength(1);
  });

  it("says at once what cannot be printed", async () => {
    const twinspool = await connect(options("till"));
    const failing: [PrintDocument, Parameters<typeof twinspool.submit>[1], string][] = [
      [join(box.folder, "none.txt"), {}, "document-missing"],
      [{ text: "" }, {}, "document-invalid"],
      [Buffer.from("%PDF-1.7"), {}, "document-unknown"],
      [{ text: "a\n" }, { printer: "bar" }, "printer-unknown"],
      [{ text: "a\n" }, { spools: "server", source: "client" }, "spools-contradict"],
      [{ text: "a\n" }, { copies: 0 }, "request-invalid"],
    ];
    for (const [document, wish, code] of failing) expect(await codeOf(twinspool.submit(document, wish))).toBe(code);
    expect(await codeOf(connect({ ...options("till"), server: "nowhere" }))).toBe("config-invalid");
    expect(await twinspool.close()).toEqual([]);
    expect(await codeOf(twinspool.submit({ text: "late\n" }))).toBe("request-invalid");
  });

  it("goes when told to, and says who prints what is left", async () => {
    box.simulator.fail("paper-end");
    const twinspool = await connect(options("till"));
    const job = await twinspool.submit({ text: "left to the server\n" }, { title: "left" });
    await job.accepted;
    await until(
      () => jobs(box.url),
      (list) => list[0]?.held.server === true,
      "the server's copy",
    );
    const left = await twinspool.close({ signal: AbortSignal.abort() });
    expect(left).toEqual([{ jobId: job.id, title: "left", where: "server" }]);
    expect(await codeOf(job.ended)).toBe("request-invalid");
    box.simulator.fail("paper-loaded");
    expect((await box.simulator.printed()).heightDots).toBeGreaterThan(0);
    expect((await history(box.url))[0]?.jobId ?? job.id).toBe(job.id);
  });

  it("warns of a job that nobody has looked at when the connection is closed", async () => {
    const warning = new Promise<string>((resolve) => process.once("warning", ({ message }) => resolve(message)));
    const first = await connect(options("till"));
    const job = await first.submit({ text: "a\n" }, { held: true, title: "alone" });
    await until(
      () => jobs(box.url),
      (list) => list.length === 1,
      "the job",
    );
    await first.close();
    expect(await warning).toMatch(/^alone: .*the job goes on/);
    expect(job.state).toBe("open");
  });
});

describe("a program beside a client process", () => {
  it("hands its documents over, and need not wait", async () => {
    await box.startClient("till");
    box.simulator.fail("paper-end");
    const twinspool = await connect(options("till"));
    const job = await twinspool.submit({ text: "handed over\n" }, { title: "over" });
    await job.accepted;
    expect(await twinspool.close()).toEqual([{ jobId: job.id, title: "over", where: "client-process" }]);
    box.simulator.fail("paper-loaded");
    await box.simulator.printed();
    await until(
      () => history(box.url),
      (rows) => rows[0]?.jobId === job.id,
      "the history",
    );
  });

  it("waits for the end when it wants to, and goes on by itself when the client process is gone", async () => {
    const client = await box.startClient("till");
    const twinspool = await connect(options("till"));
    expect((await (await twinspool.submit({ text: "one\n" })).ended).outcome).toBe("printed");
    await client.close();
    expect((await (await twinspool.submit({ text: "two\n" })).ended).outcome).toBe("printed");
    expect(await twinspool.close()).toEqual([]);
    expect(box.simulator.paper).toHaveLength(2);
  });

  it("loses sight of a job when the client process dies, and says that it goes on", async () => {
    const client = await box.startClient("till");
    box.simulator.fail("paper-end");
    const twinspool = await connect(options("till"));
    const job = await twinspool.submit({ text: "one\n" });
    await job.accepted;
    const ended = job.ended.catch((error: unknown) => String(error));
    await client.close();
    expect(await ended).toContain("what it took is in its spool");
    expect(job.state).toBe("open");
    await twinspool.close();
  });
});

it("one call prints one document, and ends by itself", async () => {
  const job = await submit({ text: "hello\n" }, { ...options("till"), title: "hello" });
  expect((await job.ended).outcome).toBe("printed");
  const gone = async () => (await findEndpoint(join(box.folder, "till"), "client")) === undefined;
  await until(gone, (isGone) => isGone, "the end of the client");
  expect(await codeOf(submit("/nowhere.txt", options("till")))).toBe("document-missing");
  const held = await submit({ text: "held\n" }, { ...options("till"), title: "held", held: true });
  await held.accepted;
  await until(
    () => Promise.resolve(notes),
    (list) => list.length > 0,
    "the note",
  );
  expect(notes.join()).toMatch(/^held \(.*\) is still open; (the server has its image|it is in this client's spool)/);
});

it("prints alone while the server is away", async () => {
  const first = await connect(options("till"));
  await (await first.submit({ text: "one\n" })).ended;
  await first.close();
  const alone = await connect(options("till", "http://127.0.0.1:9"));
  const job = await alone.submit({ text: "two\n" });
  expect((await job.ended).outcome).toBe("printed");
  expect(await codeOf(alone.submit({ text: "three\n" }, { spools: "server" }))).toBe("server-unreachable");
  expect(await alone.close()).toEqual([]);
  expect(notes.join("\n")).toMatch(/does not answer.*\n.*is told what was printed when a client runs again/);
  expect(box.simulator.paper).toHaveLength(2);
});
