import { describe, expect, it } from "vitest";
import { brief, clientId, digestOf, jobIdOf, kitchen, recordOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { client, host, readyServer, TestServer } from "./test-server.ts";

describe("a requested job (step 301)", () => {
  it("is durable before its client hears the yes, and is started at once", () => {
    const server = readyServer();
    const effects = server.request(ticketOf(1, { spools: "client" }));
    expect(brief(effects)).toEqual([
      "persist put server_jobs",
      "jobAccepted to client",
      "persist put server_jobs",
      "jobStarted to client",
    ]);
    expect(sent(effects, "jobAccepted")[0]?.wantImage).toBe(false);
  });

  it("that uses both spools has its image uploaded before it is printed (step 305)", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    const effects = server.request(ticket);
    expect(sent(effects, "jobAccepted")[0]?.wantImage).toBe(true);
    expect(server.phase(ticket.jobId)).toBe("waits-for-image");
    expect(brief(server.imageStored(ticket))).toEqual([
      "persist put server_jobs",
      "imageStored to client",
      "persist put server_jobs",
      "jobStarted to client",
    ]);
  });

  it("requested again is answered again and queued once", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    expect(brief(server.request(ticket))).toEqual(["jobAccepted to client"]);
    expect(server.machine.jobs).toHaveLength(1);
  });

  it("requested again says whether the client keeps its image now", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { spools: "client" });
    server.request(ticket, true);
    const effects = server.request(ticket, false);
    expect(server.row(ticket.jobId)).toMatchObject({ clientKeepsImage: false, serverCopy: true });
    expect(sent(effects, "jobAccepted")[0]?.wantImage).toBe(true);
  });

  it("keeps its place in the queue across a restart", () => {
    const server = new TestServer();
    server.open(client);
    server.hostReady();
    const tickets = [10, 9, 2].map((sequence) => ticketOf(sequence, { source: "server" }));
    for (const ticket of tickets) server.request(ticket);
    server.restart();
    expect(server.machine.jobs.map((job) => job.row.ticket.jobId)).toEqual([jobIdOf(10), jobIdOf(9), jobIdOf(2)]);
    server.open(client);
    server.request(ticketOf(11));
    expect(server.machine.jobs.at(-1)?.row).toMatchObject({ queueNumber: 3 });
  });
});

describe("a job is refused (S417, NG)", () => {
  const refusal = (server: TestServer, ...args: Parameters<TestServer["request"]>) => {
    const effects = server.request(...args);
    expect(server.machine.jobs).toHaveLength(0);
    expect(brief(effects)).toEqual(["jobRefused to client"]);
    return sent(effects, "jobRefused")[0];
  };

  it("for a printer nobody has told of", () => {
    const server = readyServer();
    expect(refusal(server, ticketOf(1, { printer: "bar" }))).toMatchObject({ code: "printer-unknown", detail: "bar" });
  });

  it("made for an older ledger of the printer's host", () => {
    const ticket = ticketOf(1, { hostIncarnation: "ledger000000" });
    expect(refusal(readyServer(), ticket)?.code).toBe("ledger-other");
  });

  it("made for a printer of another width", () => {
    const answer = refusal(readyServer(), ticketOf(1, { widthDots: 384 }));
    expect(answer).toMatchObject({ code: "image-wrong-width", detail: "384 dots, the printer has 576" });
  });

  it("when this spool is full and its copy is needed", () => {
    const server = readyServer();
    server.give({ kind: "spoolLevelChanged", level: "full", reason: "82 % of the spool's quota are used" });
    expect(refusal(server, ticketOf(1))?.code).toBe("spool-full");
    expect(refusal(server, ticketOf(1, { spools: "client" }), false)?.code).toBe("spool-full");
  });

  it("but not when a full spool is not needed for it", () => {
    const server = readyServer();
    server.give({ kind: "spoolLevelChanged", level: "full", reason: "82 % of the spool's quota are used" });
    const effects = server.request(ticketOf(1, { spools: "client" }));
    expect(sent(effects, "jobAccepted")[0]?.wantImage).toBe(false);
  });

  it("when its client has too many open, and taken when one has ended", () => {
    const server = readyServer({ maxOpenJobsPerClient: 2 });
    server.request(ticketOf(1));
    server.request(ticketOf(2));
    const [refused] = sent(server.request(ticketOf(3)), "jobRefused");
    expect(refused).toMatchObject({ code: "too-many-jobs", detail: "2 open, 2 allowed" });
    server.outputEnds(ticketOf(1));
    expect(sent(server.request(ticketOf(3)), "jobAccepted")).toHaveLength(1);
  });

  it("when its id is known with another image, open or ended", () => {
    const server = readyServer();
    const other = ticketOf(1, { sha256: digestOf("another image") });
    server.request(ticketOf(1));
    expect(sent(server.request(other), "jobRefused")[0]?.code).toBe("job-conflict");
    server.outputEnds(ticketOf(1));
    expect(refusal(server, other)?.code).toBe("job-conflict");
  });
});

describe("near-full narrows the spools", () => {
  it("to the client's, where the client has the image", () => {
    const server = readyServer();
    server.give({ kind: "spoolLevelChanged", level: "near-full", reason: "82 % of the spool's quota are used" });
    expect(sent(server.request(ticketOf(1)), "jobAccepted")[0]?.wantImage).toBe(false);
    expect(server.row(jobIdOf(1))?.serverCopy).toBe(false);
  });

  it("never to none: without the client's copy the wider choice stands", () => {
    const server = readyServer();
    server.give({ kind: "spoolLevelChanged", level: "near-full", reason: "82 % of the spool's quota are used" });
    expect(sent(server.request(ticketOf(1), false), "jobAccepted")[0]?.wantImage).toBe(true);
  });
});

describe("a job that has ended, requested again", () => {
  it("is answered from the history", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    server.outputEnds(ticket);
    const effects = server.request(ticket);
    expect(brief(effects)).toEqual(["jobClosed to client"]);
    expect(sent(effects, "jobClosed")[0]?.outcome?.outcome).toBe("printed");
  });

  it("completes the history of what a client printed alone", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { documentDateMs: 1_600_000_000_000 });
    server.outputEnds(ticket);
    expect(server.history(ticket.jobId)?.source).toBeUndefined();
    const effects = server.request(ticket);
    expect(brief(effects)).toEqual(["persist put history", "jobClosed to client"]);
    expect(server.history(ticket.jobId)).toMatchObject({ source: "client", documentDateMs: 1_600_000_000_000 });
  });

  it("is held when nobody knows whether it is on paper", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.outputEnds(ticket, { outcome: "indeterminate", reason: "power was lost" });
    const effects = server.request(ticket);
    expect(sent(effects, "jobHeld")[0]?.reason).toBe("indeterminate: power was lost");
    expect(server.row(ticket.jobId)?.outcome?.outcome).toBe("indeterminate");
  });

  it("is held again when its row was lost with a decision still open", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.clientSays({ type: "jobEnded", ticket, outcome: recordOf(ticket, { outcome: "indeterminate" }) });
    server.rows.commit([{ op: "delete", table: "server_jobs", key: ticket.jobId }]);
    server.restart();
    server.open(client);
    expect(sent(server.request(ticket), "jobHeld")).toHaveLength(1);
    expect(server.machine.jobs).toHaveLength(1);
  });
});

describe("a client that comes back lists its open jobs", () => {
  it("and hears of each where it stands", () => {
    const server = readyServer();
    const [open, ended] = [ticketOf(2), ticketOf(1)];
    server.request(ended);
    server.outputEnds(ended);
    server.request(open);
    const effects = server.listOpen([jobIdOf(1), jobIdOf(2), jobIdOf(3)], 1, 4);
    expect(sent(effects, "jobClosed").map((m) => m.jobId)).toEqual([jobIdOf(1)]);
    expect(sent(effects, "jobAccepted").map((m) => m.jobId)).toEqual([jobIdOf(2)]);
    expect(sent(effects, "jobUnknown").map((m) => m.jobId)).toEqual([jobIdOf(3)]);
  });

  it("and a held job is told as held", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    server.outputEnds(ticket, { outcome: "indeterminate" });
    const effects = server.listOpen([ticket.jobId], 1, 2);
    expect(brief(effects).slice(0, 2)).toEqual(["jobAccepted to client", "jobHeld to client"]);
  });

  it("is asked again for what only it knows of a job it printed alone", () => {
    const server = readyServer();
    server.outputEnds(ticketOf(1));
    expect(brief(server.listOpen([jobIdOf(1)], 1, 2))).toContain("jobUnknown to client");
  });

  it("abandons jobs that are not on the list and have no image here", () => {
    const server = readyServer();
    const [lost, stored, later] = [ticketOf(1), ticketOf(2), ticketOf(9)];
    for (const ticket of [lost, stored, later]) server.request(ticket);
    server.imageStored(stored);
    const effects = server.listOpen([], 1, 9);
    // Only the first: the second has an image here, the third was made after the list.
    expect(sent(effects, "outputCancelRequested", host).map((m) => m.ticket.jobId)).toEqual([lost.jobId]);
    server.outputEnds(lost, { outcome: "canceled", evidence: "none" });
    expect(server.machine.jobs.map((job) => job.row.ticket.jobId)).toEqual([stored.jobId, later.jobId]);
  });

  it("and jobs of other clients are left alone", () => {
    const server = readyServer();
    server.open("client:c22e47aa");
    const theirs = ticketOf(1, { jobId: "c22e47aa-life01-1" });
    server.says("client:c22e47aa", { type: "jobRequested", ticket: theirs, clientKeepsImage: true });
    server.listOpen([], 1, 100);
    expect(server.machine.job(theirs.jobId)?.row.cancelRequested).toBe(false);
  });

  it("lets each printer host forget what is closed, and says nothing twice", () => {
    const server = readyServer();
    const origins = [{ origin: `${clientId}-life01`, lowestOpen: 5 }];
    expect(sent(server.listOpen([], 5, 5), "openJobsKnown", host)).toEqual([{ type: "openJobsKnown", origins }]);
    expect(sent(server.listOpen([], 5, 6), "openJobsKnown")).toEqual([]);
    server.close(host);
    expect(sent(server.hostReady(), "openJobsKnown", host)[0]?.origins).toEqual(origins);
  });
});

describe("links", () => {
  it("a client hears of the printers when it comes, and when one has changed", () => {
    const server = new TestServer();
    expect(sent(server.open(client), "printersListed")[0]?.printers).toEqual([]);
    expect(sent(server.hostAppears(), "printersListed", client)[0]?.printers).toEqual([kitchen]);
    server.close(client);
    expect(sent(server.open(client), "printersListed")[0]?.printers).toEqual([kitchen]);
  });

  it("a message that no client may send is noted, no more", () => {
    const server = readyServer();
    const effects = server.clientSays({ type: "jobUnknown", jobId: jobIdOf(1) });
    expect(effects).toEqual([{ kind: "note", event: "message-unexpected", detail: `jobUnknown from ${client}` }]);
  });

  it("nobody else is listened to", () => {
    expect(readyServer().says("server", { type: "jobUnknown", jobId: jobIdOf(1) })).toEqual([]);
  });
});
