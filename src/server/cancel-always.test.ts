import { describe, expect, it } from "vitest";
import { kitchen, only, sent, ticketOf } from "../runtime/test-machine.ts";
import { viewJob } from "./job-view.ts";
import { client, host, readyServer, type TestServer } from "./test-server.ts";

const ticket = ticketOf(1, { source: "server" });
const { jobId } = ticket;
const both = (server: TestServer, more = ticket): void => {
  server.request(more);
  server.imageStored(more);
};
const fromClient = ticketOf(1);
const indeterminate = { outcome: "indeterminate", evidence: "none", reason: "power" } as const;

/** Every place where a job of the server can be when a person cancels it. */
const places: readonly (readonly [place: string, prepare: (server: TestServer) => void])[] = [
  [
    "waits for its turn",
    (server) => {
      both(server, ticketOf(9, { source: "server" }));
      both(server);
    },
  ],
  ["waits for its image", (server) => server.request(ticket)],
  [
    "waits for its client",
    (server) => {
      server.request(ticketOf(1, { spools: "client" }));
      server.close(client);
    },
  ],
  ["held by a person", (server) => both(server, { ...ticket, held: true })],
  ["held until its time", (server) => both(server, { ...ticket, holdMs: 3_600_000 })],
  [
    "its printer is paused",
    (server) => {
      server.give({ kind: "printerPauseRequested", printer: "kitchen", reason: "roll" });
      both(server);
    },
  ],
  [
    "waits for its next attempt",
    (server) => {
      both(server);
      server.hostSays({ type: "offerRefused", jobId, epoch: 1, code: "ledger-full", detail: "" });
    },
  ],
  ["the client is told to print", (server) => both(server, fromClient)],
  [
    "the client sends",
    (server) => {
      both(server, fromClient);
      server.clientSays({ type: "senderReady", jobId, epoch: 1 });
    },
  ],
  ["the server offers", (server) => both(server)],
  [
    "the server sends",
    (server) => {
      both(server);
      server.hostSays({ type: "imageWanted", jobId, epoch: 1, uploadId: "u" });
    },
  ],
  [
    "at the host",
    (server) => {
      both(server);
      server.hostSays({ type: "imageReceived", jobId, epoch: 1, sentBy: "server" });
    },
  ],
  [
    "prints",
    (server) => {
      both(server);
      server.outputStarts(ticket, "server");
    },
  ],
  [
    "held for what it is",
    (server) => {
      both(server);
      server.hostSays({ type: "offerRefused", jobId, epoch: 1, code: "image-wrong-width", detail: "" });
    },
  ],
  [
    "held for an older ledger",
    (server) => {
      both(server);
      server.hostSays({ type: "offerRefused", jobId, epoch: 1, code: "ledger-other", detail: "" });
    },
  ],
  [
    "is moved, the image is awaited",
    (server) => {
      server.request(ticketOf(1, { spools: "client" }));
      server.hostReady({ ...kitchen, name: "bar" });
      server.give({ kind: "moveRequested", jobId, printer: "bar" });
    },
  ],
  [
    "is moved, its host is asked",
    (server) => {
      both(server);
      server.hostReady({ ...kitchen, name: "bar" });
      server.give({ kind: "moveRequested", jobId, printer: "bar" });
    },
  ],
  [
    "is being canceled because it expired",
    (server) => {
      both(server, { ...ticket, expiresMs: 1 });
      server.after(10);
    },
  ],
  [
    "is being canceled by a person",
    (server) => {
      both(server);
      server.give({ kind: "cancelRequested", jobId });
    },
  ],
];

const cancel = (server: TestServer) => server.give({ kind: "cancelRequested", jobId });
const cancelAtHost = (server: TestServer) => sent(server.after(120_000), "outputCancelRequested", host);

describe.each(places)("a cancel of a job that %s", (_, prepare) => {
  const prepared = (): TestServer => {
    const server = readyServer();
    prepare(server);
    expect(server.row(jobId)).toBeDefined();
    return server;
  };

  it("ends canceled", () => {
    const server = prepared();
    cancel(server);
    expect(server.row(jobId)).toMatchObject({ cancelRequested: true });
    expect(server.row(jobId)?.cancelReason).toBeUndefined();
    expect(sent(server.after(60_000), "imageOffered").filter((offer) => offer.ticket.jobId === jobId)).toEqual([]);
    server.outputEnds(ticket, { outcome: "canceled", evidence: "none" });
    expect(server.row(jobId)).toBeUndefined();
    expect(server.history(jobId)?.outcome.outcome).toBe("canceled");
  });

  it("was too late: printed stays printed, and nobody knows stays so", () => {
    for (const outcome of ["printed", "indeterminate"] as const) {
      const server = prepared();
      cancel(server);
      server.outputEnds(ticket, { outcome, evidence: "none" });
      expect(server.row(jobId)).toBeUndefined();
      expect(server.history(jobId)?.outcome.outcome).toBe(outcome);
    }
  });

  it("waits for a host that is away, says so, and asks it when it is back, also after a restart", () => {
    const server = prepared();
    server.close(host);
    cancel(server);
    const job = server.machine.job(jobId);
    const reason = job === undefined ? "" : viewJob(job).reason;
    expect(reason).toMatch(/waits for the printer host to confirm the cancel/);
    server.restart();
    expect(cancelAtHost(server)).toEqual([]);
    expect(sent(server.hostAppears(), "outputCancelRequested", host)).not.toEqual([]);
  });

  it("needs no client", () => {
    const server = prepared();
    server.close(client);
    cancel(server);
    server.outputEnds(ticket, { outcome: "canceled", evidence: "none" });
    expect(server.row(jobId)).toBeUndefined();
  });
});

describe("a cancel of a job that the host has had its last word on needs nobody", () => {
  it.each<[string, (server: TestServer) => void]>([
    ["nobody knows whether it is on paper", () => undefined],
    ["its duplicate is being made", (server) => void server.give({ kind: "retryRequested", jobId })],
    [
      "its duplicate could not be made",
      (server) => {
        server.give({ kind: "retryRequested", jobId });
        server.give({ kind: "reprintFailed", jobId, reason: "no disk" });
      },
    ],
  ])("%s", (_, prepare) => {
    const server = readyServer();
    both(server);
    server.outputEnds(ticket, indeterminate);
    prepare(server);
    server.close(host);
    server.close(client);
    cancel(server);
    expect(server.machine.jobs).toEqual([]);
    expect(server.history(jobId)?.resolution).toBe("dismissed");
  });

  it("it is moved and its copy is being made", () => {
    const server = readyServer();
    server.hostReady({ ...kitchen, name: "bar" });
    both(server);
    server.give({ kind: "moveRequested", jobId, printer: "bar" });
    const moved = { outcome: "canceled", evidence: "none", reason: "moved to bar" } as const;
    const [compose] = only(server.outputEnds(ticket, moved), "composeReprint");
    cancel(server);
    expect(server.machine.jobs).toEqual([]);
    if (compose === undefined) throw new Error("no copy was made");
    server.give({ kind: "reprintComposed", jobId, ticket: compose.ticket });
    expect(server.machine.jobs).toEqual([]);
  });
});
