import { describe, expect, it } from "vitest";
import type { ErrorPolicy } from "../protocol/job.ts";
import { kitchen, sent, ticketOf } from "../runtime/test-machine.ts";
import { viewJob, viewPrinter } from "./job-view.ts";
import { client, host, TestServer } from "./test-server.ts";

const [first, second] = [ticketOf(1, { source: "server" }), ticketOf(2, { source: "server" })];

/** Two jobs whose images are here; the first is offered. */
function serverWith(errorPolicy: ErrorPolicy): TestServer {
  const server = new TestServer();
  server.open(client);
  server.hostReady({ ...kitchen, errorPolicy });
  for (const ticket of [first, second]) {
    server.request(ticket);
    server.imageStored(ticket);
  }
  expect(server.phase(first.jobId)).toBe("offering");
  return server;
}

type Failure = (server: TestServer) => void;

const refused: Failure = (server) => {
  const { jobId } = first;
  server.hostSays({ type: "offerRefused", jobId, epoch: server.epoch(jobId), code: "ledger-full", detail: "" });
};

const notTransferred: Failure = (server) => {
  const { jobId } = first;
  server.hostSays({ type: "imageWanted", jobId, epoch: server.epoch(jobId), uploadId: "u1" });
  server.give({ kind: "imageTransferEnded", jobId, to: host, ok: false, reason: "cut" });
  server.after(500);
};

const failures = [
  ["the offer is refused", refused],
  ["the transfer fails", notTransferred],
] as const;

describe.each(failures)("%s", (_, fail) => {
  it("retry-job: others pass, this one goes again after a pause", () => {
    const server = serverWith("retry-job");
    fail(server);
    expect(server.phase(first.jobId)).toBe("waits-for-sender");
    expect(server.phase(second.jobId)).toBe("offering");
  });

  it("retry-current-job: nobody passes until it has gone", () => {
    const server = serverWith("retry-current-job");
    for (let times = 0; times < 3; times++) {
      fail(server);
      expect(server.phase(second.jobId)).toBe("waits-for-turn");
      server.after(server.machine.job(first.jobId)?.attempt?.delayMs ?? 0);
      expect(server.phase(first.jobId)).toBe("offering");
    }
    server.outputStarts(first, "server");
    expect(server.phase(second.jobId)).toBe("offering");
  });

  it("abort-job: canceled with the reason", () => {
    const server = serverWith("abort-job");
    fail(server);
    expect(server.row(first.jobId)).toMatchObject({
      cancelRequested: true,
      cancelReason: expect.stringMatching(/^aborted: the /),
    });
    expect(server.phase(second.jobId)).toBe("offering");
    server.outputEnds(first, { outcome: "canceled", evidence: "none" });
    expect(server.history(first.jobId)?.outcome.outcome).toBe("canceled");
  });

  it("stop-printer: paused until a person resumes it; the job keeps its place", () => {
    const server = serverWith("stop-printer");
    fail(server);
    expect([server.phase(first.jobId), server.phase(second.jobId)]).toEqual(["waits-for-turn", "waits-for-turn"]);
    const printer = server.machine.printer("kitchen");
    const view = printer === undefined ? undefined : viewPrinter(printer, 2);
    expect(view?.paused?.reason).toMatch(new RegExp(`^stopped by ${first.jobId}: the `));
    server.restart();
    server.open(client);
    server.hostReady({ ...kitchen, errorPolicy: "stop-printer" });
    expect(sent(server.after(60_000), "imageOffered")).toEqual([]);
    server.give({ kind: "printerResumeRequested", printer: "kitchen" });
    expect(server.phase(first.jobId)).toBe("offering");
  });
});

describe("is no failed attempt", () => {
  it("a transfer that ended with the link to the printer host", () => {
    const server = serverWith("abort-job");
    const { jobId } = first;
    server.hostSays({ type: "imageWanted", jobId, epoch: 1, uploadId: "u1" });
    server.give({ kind: "imageTransferEnded", jobId, to: host, ok: false, reason: "cut" });
    server.close(host);
    server.after(10_000);
    expect(server.row(jobId)?.cancelRequested).toBe(false);
  });

  it("an upload that the host does not wait for any more: offered again", () => {
    const server = serverWith("abort-job");
    const { jobId } = first;
    server.hostSays({ type: "imageWanted", jobId, epoch: 1, uploadId: "u1" });
    server.give({ kind: "imageTransferEnded", jobId, to: host, ok: false, code: "epoch-stale" });
    expect(sent(server.after(2_000), "imageOffered", host)).not.toEqual([]);
    expect(server.row(jobId)?.cancelRequested).toBe(false);
  });

  it("a printer without paper: its host has the image, and it prints when there is paper again", () => {
    const server = serverWith("stop-printer");
    server.hostSays({ type: "imageReceived", jobId: first.jobId, epoch: 1, sentBy: "server" });
    server.hostSays({
      type: "printerChanged",
      attributes: { ...kitchen, errorPolicy: "stop-printer" },
      state: { state: "stopped", reasons: ["media-empty"] },
    });
    server.after(3_600_000);
    expect(server.machine.printer("kitchen")?.row.paused).toBeUndefined();
    server.outputStarts(first, "server");
    expect(server.phase(first.jobId)).toBe("outputting");
  });
});

describe("a document that the printer host will never take", () => {
  it.each([
    ["retry-job", true, false, false],
    ["retry-current-job", true, false, false],
    ["abort-job", false, true, false],
    ["stop-printer", true, false, true],
  ] as const)("%s: held %s, canceled %s, printer stopped %s", (policy, held, canceled, stopped) => {
    const server = serverWith(policy);
    const { jobId } = first;
    server.hostSays({ type: "offerRefused", jobId, epoch: 1, code: "image-wrong-width", detail: "" });
    expect(server.row(jobId)?.heldReason !== undefined).toBe(held);
    expect(server.row(jobId)?.cancelRequested).toBe(canceled);
    expect(server.machine.printer("kitchen")?.row.paused !== undefined).toBe(stopped);
    expect(server.phase(second.jobId)).toBe(stopped ? "waits-for-turn" : "offering");
  });

  it("another ledger's job is held whatever the policy: it may be on paper", () => {
    const server = serverWith("abort-job");
    server.hostSays({ type: "offerRefused", jobId: first.jobId, epoch: 1, code: "ledger-other", detail: "" });
    expect(server.row(first.jobId)).toMatchObject({ cancelRequested: false });
    expect(server.row(first.jobId)?.heldReason).toMatch(/^ledger-other/);
  });
});

describe("the client's order fails", () => {
  const failed = (server: TestServer): void => {
    const { jobId } = ticketOf(1);
    const epoch = server.epoch(jobId);
    server.clientSays({ type: "senderHasNoImage", jobId, epoch, reason: "offer-refused", code: "ledger-full" });
  };
  const started = (spools: "client" | "both"): TestServer => {
    const server = new TestServer();
    server.open(client);
    server.hostReady({ ...kitchen, errorPolicy: "abort-job" });
    const ticket = ticketOf(1, { spools });
    server.request(ticket);
    if (spools === "both") server.imageStored(ticket);
    expect(server.phase(ticket.jobId)).toBe("starting");
    return server;
  };

  it("and the server has no copy: the policy decides", () => {
    const server = started("client");
    failed(server);
    expect(server.row(ticketOf(1).jobId)?.cancelReason).toMatch(/^aborted: the host's ledger has no free record/);
  });

  it("and the server has one: that one is tried first", () => {
    const server = started("both");
    failed(server);
    expect(server.phase(ticketOf(1).jobId)).toBe("offering");
  });
});

it("retry-current-job does not wait for a client that is away", () => {
  const server = new TestServer();
  server.open(client);
  server.hostReady({ ...kitchen, errorPolicy: "retry-current-job" });
  const alone = ticketOf(1, { spools: "client" });
  server.request(alone);
  const { jobId } = alone;
  server.clientSays({ type: "senderHasNoImage", jobId, epoch: 1, reason: "offer-refused", code: "ledger-full" });
  const other = ticketOf(2, { jobId: "0a0a0a0a-life01-1", source: "server" });
  server.says("client:0a0a0a0a", { type: "jobRequested", ticket: other, clientKeepsImage: false });
  server.imageStored(other);
  expect(server.phase(other.jobId)).toBe("waits-for-turn");
  server.close(client);
  server.after(1_000);
  expect(server.phase(jobId)).toBe("waits-for-client");
  expect(server.phase(other.jobId)).toBe("offering");
});

it("the host's policy for indeterminate jobs counts, whatever is configured here", () => {
  const server = new TestServer({ policy: "hold" });
  server.open(client);
  server.hostReady({ ...kitchen, indeterminate: "assume-printed" });
  server.request(first);
  server.outputEnds(first, { outcome: "indeterminate", evidence: "none" });
  expect(server.history(first.jobId)?.resolution).toBe("assumed-printed");
});

it("the queue says that it waits for a person, and why", () => {
  const server = serverWith("stop-printer");
  server.outputStarts(first, "server");
  server.give({ kind: "printerPauseRequested", printer: "kitchen", reason: "new roll" });
  server.after(1_000);
  const job = server.machine.job(second.jobId);
  const printer = server.machine.printer("kitchen");
  if (job === undefined || printer === undefined) throw new Error("the job is gone");
  server.hostSays({ type: "offerRefused", jobId: second.jobId, epoch: 1, code: "ledger-full", detail: "" });
  expect(viewJob(job, printer)).toMatchObject({
    state: "pending",
    reason: "waits until a person resumes the printer (new roll)",
  });
  expect(viewPrinter(printer, 2)).toMatchObject({
    state: { state: "stopped", reasons: ["paused"] },
    paused: { reason: "new roll" },
  });
});
