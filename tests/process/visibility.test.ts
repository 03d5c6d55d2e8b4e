import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { JobView } from "../../src/protocol/api.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { Message } from "../../src/protocol/messages.ts";
import { clientProofHeader } from "../../src/runtime/client-proof.ts";
import { viewerOf } from "../../src/server/doors/visibility.ts";
import { type ClientDoor, InnerBox, submitTo } from "./inner-box.ts";
import { history, jobs, until } from "./processes.ts";

let box: InnerBox;
let till: ClientDoor;
let bar: ClientDoor;

async function start(visibility: "all" | "own"): Promise<void> {
  box = await InnerBox.start({ visibility, "retention.keepEndedMinutes": 5 });
  till = await box.startClient("till");
  bar = await box.startClient("bar");
}

beforeEach(() => start("own"));
afterEach(() => box.close());

function proofOf({ config }: ClientDoor): { readonly clientId: string; readonly secret: string } {
  return JSON.parse(readFileSync(join(config.data, "client", "identity.json"), "utf8"));
}

function ask(path: string, { clientId, secret }: { clientId: string; secret: string }, init: RequestInit = {}) {
  return fetch(`${box.url}${path}`, { ...init, headers: { [clientProofHeader]: `${clientId} ${secret}` } });
}

async function jobsSeenBy(door: ClientDoor): Promise<string[]> {
  const { jobs: seen } = (await (await ask("/api/jobs", proofOf(door))).json()) as { jobs: JobView[] };
  return seen.map(({ jobId }) => jobId);
}

it("shows, previews and lets a client change only its own jobs", async () => {
  const [tillJob, barJob] = [
    await submitTo(till, "till\n", "title=till&held=true"),
    await submitTo(bar, "bar\n", "title=bar&held=true"),
  ];
  await until(
    () => jobs(box.url),
    (list) => list.length === 2 && list.every(({ held }) => held.server),
    "both copies",
  );
  expect([await jobsSeenBy(till), await jobsSeenBy(bar)]).toEqual([[tillJob], [barJob]]);
  const attempts: [string, RequestInit, number][] = [
    ["", {}, 404],
    ["/image", {}, 404],
    ["/preview.png", {}, 404],
    ["/cancel", { method: "POST" }, 404],
    ["", { method: "PATCH", body: '{"held":false}' }, 404],
    ["/retry", { method: "POST" }, 404],
    ["/move", { method: "POST", body: '{"printer":"kitchen"}' }, 404],
  ];
  for (const [rest, init, status] of attempts) {
    expect((await ask(`/api/jobs/${tillJob}${rest}`, proofOf(bar), init)).status).toBe(status);
  }
  expect((await fetch(`${bar.url}/api/jobs/${tillJob}/preview.png`)).status).toBe(404);
  expect((await ask(`/api/jobs/${tillJob}/preview.png`, proofOf(till))).status).toBe(200);
  expect((await ask("/api/printers", proofOf(bar))).status).toBe(200);
  expect((await ask("/api/printers/kitchen/pause", proofOf(bar), { method: "POST" })).status).toBe(403);
  expect((await ask("/api/anything", proofOf(bar))).status).toBe(403);
  // At the server's machine, without a client's header.
  expect((await jobs(box.url)).map(({ state }) => state)).toEqual(["pending-held", "pending-held"]);
  expect((await fetch(`${box.url}/api/jobs/${tillJob}/preview.png`)).status).toBe(200);
});

it("shows a client only its own history, in every form", async () => {
  const tillJob = await submitTo(till, "till\n", "title=till");
  const barJob = await submitTo(bar, "bar\n", "title=bar");
  await until(
    () => history(box.url),
    (rows) => rows.length === 2,
    "both rows",
  );
  const seen = async (path: string): Promise<string> => (await ask(path, proofOf(bar))).text();
  for (const name of ["history?limit=10", "history.csv", "history.ndjson", `history?job=${barJob.slice(0, 4)}`]) {
    const text = await seen(`/api/${name}`);
    expect([text.includes(barJob), text.includes(tillJob)]).toEqual([true, false]);
  }
  // Through its own door, which may keep what it sees, it sees no more.
  const through = await (await fetch(`${bar.url}/api/history`)).text();
  expect([through.includes(barJob), through.includes(tillJob)]).toEqual([true, false]);
  expect(JSON.parse(await seen(`/api/history?job=${tillJob}`))).toEqual({ rows: [] });
  expect((await ask(`/api/jobs/${tillJob}`, proofOf(bar))).status).toBe(404);
});

it("knows each client by the secret it came with first", async () => {
  const { clientId, secret } = proofOf(bar);
  const other = `${secret.slice(1)}${secret.startsWith("a") ? "b" : "a"}`;
  await until(
    () => ask("/api/jobs", { clientId, secret }),
    ({ status }) => status === 200,
    "the client",
  );
  expect((await ask("/api/jobs", { clientId, secret: other })).status).toBe(403);
  expect((await ask("/api/jobs", { clientId, secret: "short" })).status).toBe(403);
  const checkProof = (): void => {};
  expect(viewerOf({ checkProof }, undefined, "::ffff:127.0.0.1")).toBeUndefined();
  expect(() => viewerOf({ checkProof }, undefined, "192.168.0.9")).toThrow(/only its own jobs/);
  expect(() => viewerOf({ checkProof }, undefined, undefined)).toThrow(/only its own jobs/);
  expect(viewerOf({ checkProof }, `${clientId} ${secret}`, "192.168.0.9")).toBe(clientId);
  expect(await hello({ clientId, secret: other })).toMatchObject({ type: "helloRefused", code: "client-wrong" });
  expect(await hello({ clientId })).toMatchObject({ type: "helloRefused", code: "client-wrong" });
});

it("lets no client cancel another's job over its control link", async () => {
  const tillJob = await submitTo(till, "till\n", "title=till&held=true");
  const { clientId, secret } = proofOf(bar);
  await bar.close();
  const unknown = `${clientId}-aaaaaa-999`;
  const answer = await hello({ clientId, secret }, [
    { type: "jobCancelRequested", jobId: tillJob },
    { type: "jobCancelRequested", jobId: unknown },
  ]);
  expect(answer).toMatchObject({ type: "jobUnknown", jobId: unknown });
  expect((await jobs(box.url)).map(({ jobId, state }) => [jobId, state])).toEqual([[tillJob, "pending-held"]]);
});

it("shows everything to everyone when the setting is all", async () => {
  await box.close();
  await start("all");
  const tillJob = await submitTo(till, "till\n", "title=till&held=true");
  await until(
    () => jobsSeenBy(bar),
    (list) => list.includes(tillJob),
    "the other's job",
  );
});

/** Says hello, then the messages; resolves with the refusal, or with the first jobUnknown. */
function hello(who: { clientId: string; secret?: string }, messages: readonly Message[] = []): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${box.url.replace("http", "ws")}/control`);
    const say = (message: unknown): void => socket.send(JSON.stringify(message));
    socket.on("open", () => {
      say({
        type: "hello",
        version: limits.protocolVersion,
        role: "client",
        nonce: "aaaaaa",
        name: "impostor",
        ...who,
      });
    });
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as { type: string };
      if (message.type === "helloAccepted") for (const each of messages) say(each);
      if (message.type !== "helloRefused" && message.type !== "jobUnknown") return;
      socket.close();
      resolve(message);
    });
    socket.on("error", reject);
  });
}
