import { describe, expect, it } from "vitest";
import type { JobChange, JobTicket } from "../protocol/job.ts";
import { changeSettings, firstSettings } from "../protocol/job-settings.ts";
import { brief, jobIdOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { changeRefusal } from "./job-changes.ts";
import { imagesWithRow } from "./kept-images.ts";
import { client, readyServer, type TestServer } from "./test-server.ts";

const hour = 3_600_000;

const ahead = ticketOf(9, { source: "server" });

/** Job 1 waits for its turn behind another one. */
function waitingServer(more: Partial<JobTicket> = {}): TestServer {
  const server = readyServer();
  server.request(ahead, false);
  server.imageStored(ahead);
  const ticket = ticketOf(1, more);
  server.request(ticket);
  server.imageStored(ticket);
  return server;
}

function change(server: TestServer, wanted: JobChange, sequence = 1) {
  return server.give({ kind: "changeRequested", jobId: jobIdOf(sequence), change: wanted });
}

function refusal(server: TestServer, wanted: JobChange): string | undefined {
  const job = server.machine.job(jobIdOf(1));
  return job === undefined ? "unknown" : changeRefusal(job, wanted)?.code;
}

describe("a change while the job waits", () => {
  it("is durable before the client hears of it", () => {
    const server = waitingServer();
    expect(brief(change(server, { source: "server", priority: 90 }))).toEqual([
      "persist put server_jobs",
      "jobChanged to client",
      "jobAccepted to client",
    ]);
    expect(server.row(jobIdOf(1))?.settings).toMatchObject({ source: "server", priority: 90, revision: 2 });
  });

  it("is told again until the client knows it", () => {
    const server = waitingServer();
    change(server, { priority: 90 });
    expect(sent(server.listOpen([jobIdOf(1)], 1, 2), "jobChanged")).toHaveLength(1);
    const settings = server.row(jobIdOf(1))?.settings;
    if (settings === undefined) throw new Error("no settings");
    server.clientSays({ type: "jobRequested", ticket: ticketOf(1), clientKeepsImage: true, settings });
    expect(sent(server.listOpen([jobIdOf(1)], 1, 2), "jobChanged")).toEqual([]);
  });

  it("survives a restart", () => {
    const server = waitingServer();
    change(server, { held: true });
    server.restart();
    server.open(client);
    server.hostReady();
    server.outputEnds(ahead);
    expect(server.phase(jobIdOf(1))).toBe("held-by-person");
  });

  it("that would leave no copy to print from is refused with the reason", () => {
    const server = waitingServer();
    expect(refusal(server, { spools: "server", source: "client" })).toBe("spools-contradict");
    expect(change(server, { spools: "server", source: "client" })).toEqual([]);
  });

  it("comes too late for a job on its way", () => {
    const server = readyServer();
    server.request(ticketOf(1));
    server.imageStored(ticketOf(1));
    expect(refusal(server, { priority: 1 })).toBe("job-processing");
  });

  it("by the client holds when it is newer", () => {
    const server = waitingServer();
    const settings = changeSettings(firstSettings(ticketOf(1)), { held: true }, "client");
    server.clientSays({ type: "jobRequested", ticket: ticketOf(1), clientKeepsImage: true, settings });
    expect(server.row(jobIdOf(1))?.settings).toEqual(settings);
    server.outputEnds(ahead);
    expect(server.phase(jobIdOf(1))).toBe("held-by-person");
  });

  it("by the client that comes too late is outranked by what the server does", () => {
    const server = readyServer();
    server.request(ticketOf(1));
    server.imageStored(ticketOf(1));
    const settings = changeSettings(firstSettings(ticketOf(1)), { held: true }, "client");
    const effects = server.clientSays({ type: "jobRequested", ticket: ticketOf(1), clientKeepsImage: true, settings });
    const [answer] = sent(effects, "jobChanged");
    expect(answer?.settings.held).toBe(false);
    expect(answer?.settings.revision).toBeGreaterThan(settings.revision);
  });
});

describe("which spools are used, changed while it waits", () => {
  it("the server gives its copy up only when the client has confirmed its own under these settings", () => {
    const server = waitingServer();
    expect(brief(change(server, { spools: "client" }))).not.toContain("eraseImage");
    const settings = server.row(jobIdOf(1))?.settings;
    if (settings === undefined) throw new Error("no settings");
    const old = { ...settings, revision: 0 };
    const stale = { type: "jobRequested", ticket: ticketOf(1), clientKeepsImage: true, settings: old } as const;
    expect(brief(server.clientSays(stale))).not.toContain("eraseImage");
    expect(brief(server.clientSays({ ...stale, clientKeepsImage: false, settings }))).not.toContain("eraseImage");
    expect(brief(server.clientSays({ ...stale, settings }))).toContain("eraseImage");
    expect(server.row(jobIdOf(1))).toMatchObject({ imageStored: false, serverCopy: false });
  });

  it("the server joins: the image is asked for", () => {
    const server = readyServer();
    server.request(ahead, false);
    server.imageStored(ahead);
    server.request(ticketOf(1, { spools: "client" }));
    expect(server.row(jobIdOf(1))?.serverCopy).toBe(false);
    expect(sent(change(server, { spools: "both" }), "jobAccepted")[0]?.wantImage).toBe(true);
  });
});

describe("narrowed and widened by itself", () => {
  it("a loaded network leaves the server's copy out where the client's exists, and asks for it later", () => {
    const server = readyServer();
    server.request(ahead, false);
    server.imageStored(ahead);
    server.give({ kind: "networkLevelChanged", loaded: true, reason: "81 % of 100 Mbit/s" });
    const accepted = sent(server.request(ticketOf(1)), "jobAccepted");
    expect(accepted[0]?.wantImage).toBe(false);
    expect(server.row(jobIdOf(1))?.narrowed).toEqual({
      by: "server",
      reason: "the network is loaded: 81 % of 100 Mbit/s",
    });
    expect(sent(server.request(ticketOf(2), false), "jobAccepted")[0]?.wantImage).toBe(true);
    const wider = server.give({ kind: "networkLevelChanged", loaded: false, reason: "" });
    expect(server.row(jobIdOf(1))?.narrowed).toBeUndefined();
    expect(sent(wider, "jobAccepted")[0]?.wantImage).toBe(true);
  });

  it("the client's own load counts as well, until it says otherwise", () => {
    const server = readyServer();
    server.close("host:kitchen");
    const ticket = ticketOf(1);
    const asked = { type: "jobRequested", ticket, clientKeepsImage: true, withoutServerCopy: "busy" } as const;
    server.clientSays(asked);
    expect(server.row(jobIdOf(1))?.narrowed).toEqual({ by: "client", reason: "busy" });
    const { withoutServerCopy: _, ...without } = asked;
    server.clientSays(without);
    expect(server.row(jobIdOf(1))?.narrowed).toBeUndefined();
  });
});

describe("when it may go", () => {
  it("held by a person it stands back, others pass, released it goes", () => {
    const server = readyServer();
    server.request(ticketOf(1, { held: true }), false);
    server.imageStored(ticketOf(1));
    expect(server.phase(jobIdOf(1))).toBe("held-by-person");
    server.request(ticketOf(2, { source: "server" }), false);
    server.imageStored(ticketOf(2));
    expect(server.phase(jobIdOf(2))).toBe("offering");
    server.outputEnds(ticketOf(2));
    change(server, { held: false });
    expect(server.phase(jobIdOf(1))).toBe("offering");
  });

  it("not before its time, counted from its request by this server's own clock", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { source: "server", holdMs: hour });
    server.clientSays({ type: "jobRequested", ticket, clientKeepsImage: false, ageMs: hour / 2 });
    server.imageStored(ticket);
    expect(server.phase(jobIdOf(1))).toBe("held-until");
    server.after(hour / 2 - 1_000);
    expect(server.phase(jobIdOf(1))).toBe("held-until");
    server.after(2_000);
    expect(server.phase(jobIdOf(1))).toBe("offering");
  });

  it("an expired job is canceled at the host, unless its output has begun", () => {
    const server = waitingServer({ expiresMs: hour });
    server.after(hour + 1_000);
    expect(server.row(jobIdOf(1))).toMatchObject({
      cancelRequested: true,
      cancelReason: expect.stringMatching(/60 min/),
    });
    const [asked] = sent(server.hostReady(), "outputCancelRequested");
    expect(asked).toMatchObject({ unlessStarted: true, reason: expect.stringMatching(/^expired/) });
    server.outputEnds(ticketOf(1), { outcome: "canceled", evidence: "none" });
    expect(server.history(jobIdOf(1))?.events?.map(({ event }) => event)).toContain("expired");
  });

  it("a job that prints does not expire", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { source: "server", expiresMs: hour });
    server.request(ticket, false);
    server.imageStored(ticket);
    server.outputStarts(ticket, "server");
    expect(sent(server.after(2 * hour), "outputCancelRequested")).toEqual([]);
  });

  it("the offer tells the host how long it is worth printing", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { source: "server", expiresMs: hour });
    server.request(ticket, false);
    const [offer] = sent(server.imageStored(ticket), "imageOffered");
    expect(offer?.expiresInMs).toBeGreaterThan(hour - 1_000);
    expect(offer?.expiresInMs).toBeLessThanOrEqual(hour);
  });
});

describe("the history says what was chosen, what happened, and why it differed", () => {
  it("for a takeover", () => {
    const server = readyServer();
    server.request(ticketOf(1));
    server.imageStored(ticketOf(1));
    server.after(6_000);
    server.outputStarts(ticketOf(1), "server");
    server.outputEnds(ticketOf(1), { sentBy: "server" });
    const row = server.history(jobIdOf(1));
    expect(row).toMatchObject({ source: "client", outcome: { sentBy: "server" } });
    expect(row?.events?.map(({ event, detail }) => `${event}: ${detail ?? ""}`)).toEqual([
      "accepted: ",
      "the server has a copy: ",
      "the client is to send: as chosen",
      "the server sends: takeover: the client was told to and does not",
      "prints: sent by the server",
      "printed: sent by the server, evidence process-id",
    ]);
  });

  it("a job with endless trouble keeps its beginning and its end", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { source: "server" });
    server.request(ticket, false);
    server.imageStored(ticket);
    for (let i = 0; i < 60; i++) {
      const epoch = server.epoch(jobIdOf(1));
      server.hostSays({ type: "offerRefused", jobId: jobIdOf(1), epoch, code: "ledger-full", detail: "" });
      server.after(31_000);
    }
    server.outputEnds(ticket);
    const events = server.history(jobIdOf(1))?.events ?? [];
    expect(events.length).toBeLessThanOrEqual(40);
    expect([events[0]?.event, events.at(-1)?.event]).toEqual(["accepted", "printed"]);
  });
});

it("power lost between giving up the copy and erasing its file: the next start sweeps the file away", () => {
  const server = readyServer();
  const ticket = ticketOf(1, { held: true });
  server.request(ticket);
  server.imageStored(ticket);
  const rows = () => server.machine.jobs.map(({ row }) => row);
  expect(imagesWithRow(rows(), [])).toEqual([ticket.jobId]);
  const settings = { revision: 1, source: "client", spools: "client", priority: 50, held: true } as const;
  server.clientSays({ type: "jobRequested", ticket, clientKeepsImage: true, settings });
  server.restart();
  expect(server.machine.jobs).toHaveLength(1);
  expect(imagesWithRow(rows(), [{ jobId: "kept", eraseAtMs: 0 }])).toEqual(["kept"]);
});
