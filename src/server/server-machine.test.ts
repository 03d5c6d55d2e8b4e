import { describe, expect, it } from "vitest";
import { defaultTimers } from "../protocol/limits.ts";
import { brief, jobIdOf, kitchen, nonce, recordOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { ServerMachine } from "./server-machine.ts";
import type { ServerInput } from "./server-state.ts";
import { client, host, openAdmission, readyServer, serverId, TestServer } from "./test-server.ts";

describe("the whole sequence of design §2", () => {
  it("both spools, source client: every message in its order, and every write before what follows from it", () => {
    const server = new TestServer();
    const ticket = ticketOf(1);
    const { jobId } = ticket;
    const story = [
      ...server.open(client),
      ...server.hostReady(),
      ...server.request(ticket),
      ...server.imageStored(ticket),
      ...server.clientSays({ type: "senderReady", jobId, epoch: 1 }),
      ...server.hostSays({ type: "offerWaiting", jobId, epoch: 1, ahead: 0 }),
      ...server.outputStarts(ticket),
      ...server.hostSays({ type: "outputProgressed", jobId, rowsDone: 400 }),
      ...server.outputEnds(ticket),
      ...server.clientSays({ type: "jobEnded", ticket, outcome: recordOf(ticket) }),
      ...server.listOpen([], 2, 2),
    ];
    expect(brief(story)).toEqual([
      "printersListed to client",
      "persist put server_printers",
      "printersListed to client",
      "ledgerRequested to host",
      "persist put server_jobs",
      "jobAccepted to client",
      "persist put server_jobs",
      "imageStored to client",
      "persist put server_jobs",
      "jobStarted to client",
      "persist put history, delete server_jobs",
      "eraseImage",
      "jobClosed to client",
      "outputAcknowledged to host",
      "jobClosed to client",
      "openJobsKnown to host",
    ]);
    expect(server.machine.nextWakeMs()).toBeUndefined();
  });

  it("a printing client dies after the host has the image: the output ends, and the client hears it later", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    server.imageStored(ticket);
    server.outputStarts(ticket);
    server.close(client);
    expect(server.phase(ticket.jobId)).toBe("outputting");
    server.outputEnds(ticket);
    server.open(client);
    expect(sent(server.listOpen([ticket.jobId], 1, 2), "jobClosed", client)).toHaveLength(1);
  });

  it("a message is never sent to who is not there", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    server.close(client);
    expect(brief(server.imageStored(ticket))).toEqual([
      "persist put server_jobs",
      "persist put server_jobs",
      "imageOffered to host",
    ]);
    server.close(host);
    expect(brief(server.give({ kind: "cancelRequested", jobId: ticket.jobId }))).toEqual(["persist put server_jobs"]);
  });
});

describe("a queue of a thousand jobs", () => {
  const jobs = 1_000;

  function longQueue(length: number): TestServer {
    const server = readyServer({ maxOpenJobsPerClient: length });
    for (let sequence = 1; sequence <= length; sequence++) server.request(ticketOf(sequence, { spools: "client" }));
    return server;
  }

  /** The fastest of many, so that a busy machine does not count. */
  function wokeMs(server: TestServer): number {
    let fastest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 200; i++) {
      const startedMs = performance.now();
      server.machine.handle({ kind: "woke" }, { monotonicMs: server.nowMs, wallMs: 0 });
      server.machine.nextWakeMs();
      fastest = Math.min(fastest, performance.now() - startedMs);
    }
    return fastest;
  }

  it("keeps its order, and one job under way", () => {
    const server = longQueue(jobs);
    expect(server.machine.jobs.map((job) => job.row.queueNumber)).toEqual(Array.from({ length: jobs }, (_, i) => i));
    expect(server.machine.jobs.filter((job) => job.phase.kind !== "waiting")).toHaveLength(1);
    server.outputEnds(ticketOf(1));
    expect(server.phase(jobIdOf(2))).toBe("starting");
  });

  it("costs an input no more than its length, with the host there or not", () => {
    const [short, long] = [longQueue(jobs / 10), longQueue(jobs)];
    // Ten times the jobs: ten times the walk, and a hundred times if every job looked at every other one.
    expect(wokeMs(long) / wokeMs(short)).toBeLessThan(40);
    for (const server of [short, long]) {
      server.close(host);
      server.close(client);
    }
    expect(wokeMs(long) / wokeMs(short)).toBeLessThan(40);
  });
});

describe("restored state", () => {
  const snapshot = { meta: { clientId: serverId, nonce, nextSequence: 1 }, jobs: [], printers: [], kept: [] };
  const config = {
    timers: defaultTimers,
    maxOpenJobsPerClient: 1,
    keepEndedMs: 0,
    indeterminatePolicy: () => "hold" as const,
    findHistory: () => undefined,
    isBeside: () => true,
    admission: openAdmission,
  };

  it("nothing restored, nothing to do", () => {
    const machine = new ServerMachine(config, snapshot);
    expect(machine.nextWakeMs()).toBeUndefined();
    const harmless: ServerInput[] = [{ kind: "woke" }, { kind: "linkClosed", peer: client }];
    for (const input of harmless) expect(machine.handle(input, { monotonicMs: 0, wallMs: 0 })).toEqual([]);
    expect(machine.jobs).toEqual([]);
    expect(machine.printers).toEqual([]);
  });

  it("rows come in any order, the queue does not", () => {
    const printers = [{ attributes: kitchen, cursor: { hostIncarnation: kitchen.hostIncarnation, sequence: -1 } }];
    const rowOf = (sequence: number, queueNumber: number) => ({
      ticket: ticketOf(sequence),
      clientKeepsImage: true,
      serverCopy: false,
      imageStored: false,
      epoch: 0,
      queueNumber,
      cancelRequested: false,
      retryRequested: false,
      requestedHereMs: 0,
      clientRevision: 0,
      events: [],
    });
    const jobs = [rowOf(1, 7), rowOf(2, 3)];
    const machine = new ServerMachine(config, { ...snapshot, printers, jobs });
    expect(machine.jobs.map((job) => job.row.queueNumber)).toEqual([3, 7]);
    machine.handle({ kind: "linkOpened", peer: client }, { monotonicMs: 0, wallMs: 0 });
    expect(machine.job(jobIdOf(2))?.phase.kind).toBe("starting");
  });
});
