import { describe, expect, it } from "vitest";
import type { JobTicket } from "../protocol/job.ts";
import { brief, jobIdOf, only, sent, ticketOf } from "../runtime/test-machine.ts";
import { client, host, readyServer, type TestServer } from "./test-server.ts";

const indeterminate = { outcome: "indeterminate", evidence: "none", reason: "power was lost" } as const;
const canceled = { outcome: "canceled", evidence: "none" } as const;

function stored(server: TestServer, more: Partial<JobTicket> = {}): JobTicket {
  const ticket = ticketOf(1, more);
  server.request(ticket);
  server.imageStored(ticket);
  return ticket;
}

function cancel(server: TestServer, { jobId }: JobTicket) {
  return server.give({ kind: "cancelRequested", jobId });
}

function retry(server: TestServer, { jobId }: JobTicket) {
  return server.give({ kind: "retryRequested", jobId });
}

function composed(server: TestServer, { jobId }: JobTicket, newJobId: string) {
  const ticket = ticketOf(0, { jobId: newJobId, source: "server", spools: "server", reprintOf: jobId });
  return server.give({ kind: "reprintComposed", jobId, ticket });
}

describe("cancel", () => {
  it("is durable, with a higher epoch, before the host hears it; the host has the final word", () => {
    const server = readyServer();
    const ticket = stored(server);
    const effects = cancel(server, ticket);
    expect(brief(effects)).toEqual(["persist put server_jobs", "outputCancelRequested to host"]);
    expect(sent(effects, "outputCancelRequested")[0]).toMatchObject({ ticket, epoch: 2 });
    expect(server.row(ticket.jobId)).toMatchObject({ cancelRequested: true, epoch: 2 });
    expect(brief(server.outputEnds(ticket, canceled))).toEqual([
      "persist put history, delete server_jobs",
      "eraseImage",
      "jobClosed to client",
      "outputAcknowledged to host",
    ]);
  });

  it("comes from the client as well", () => {
    const server = readyServer();
    const ticket = stored(server);
    const effects = server.clientSays({ type: "jobCancelRequested", jobId: ticket.jobId });
    expect(sent(effects, "outputCancelRequested", host)).toHaveLength(1);
  });

  it("is repeated until it is answered, and not recorded twice", () => {
    const server = readyServer();
    const ticket = stored(server);
    cancel(server, ticket);
    expect(sent(server.after(4_000), "outputCancelRequested")).toHaveLength(3);
    expect(brief(cancel(server, ticket))).toEqual(["outputCancelRequested to host"]);
    expect(server.epoch(ticket.jobId)).toBe(2);
  });

  it("waits for a host that is away, across a restart, and prints nothing meanwhile", () => {
    const server = readyServer();
    const ticket = stored(server);
    server.close(host);
    cancel(server, ticket);
    server.restart();
    server.open(client);
    expect(server.after(60_000)).toEqual([]);
    const effects = server.hostAppears();
    expect(sent(effects, "outputCancelRequested", host)).toHaveLength(1);
    expect(sent(server.ledgerEnds(), "imageOffered")).toEqual([]);
  });

  it("comes too late: what is on paper is printed", () => {
    const server = readyServer();
    const ticket = stored(server);
    server.outputStarts(ticket);
    cancel(server, ticket);
    server.outputEnds(ticket);
    expect(server.history(ticket.jobId)?.outcome.outcome).toBe("printed");
  });

  it("of a held job that may be on paper dismisses it without asking the host", () => {
    const server = readyServer();
    const ticket = stored(server);
    server.outputEnds(ticket, indeterminate);
    expect(brief(cancel(server, ticket))).toEqual([
      "persist put history, delete server_jobs",
      "eraseImage",
      "jobClosed to client",
    ]);
    expect(server.history(ticket.jobId)).toMatchObject({ resolution: "dismissed", outcome: indeterminate });
  });

  it("of a held job whose history row was forgotten meanwhile writes it again", () => {
    const server = readyServer();
    const ticket = stored(server);
    server.outputEnds(ticket, indeterminate);
    server.rows.commit([{ op: "delete", table: "history", key: ticket.jobId }]);
    server.restart();
    cancel(server, ticket);
    expect(server.history(ticket.jobId)).toMatchObject({ resolution: "dismissed", outcome: indeterminate });
  });

  it("of a job made for an older ledger: the present one says that nobody knows, and it is dismissed", () => {
    const server = readyServer();
    const ticket = stored(server, { source: "server" });
    server.hostSays({ type: "offerRefused", jobId: ticket.jobId, epoch: 1, code: "ledger-other", detail: "" });
    expect(server.row(ticket.jobId)?.heldReason).toMatch(/^ledger-other: /);
    expect(sent(cancel(server, ticket), "outputCancelRequested", host)).toHaveLength(1);
    server.outputEnds(ticket, { ...indeterminate, reason: "the job was made for an older ledger" });
    expect(server.history(ticket.jobId)?.resolution).toBe("dismissed");
  });

  it("of an unknown job does nothing, and its client is told so", () => {
    const server = readyServer();
    expect(cancel(server, ticketOf(9))).toEqual([]);
    const effects = server.clientSays({ type: "jobCancelRequested", jobId: jobIdOf(9) });
    expect(brief(effects)).toEqual(["jobUnknown to client"]);
  });

  it("of one job leaves the others to go on", () => {
    const server = readyServer();
    const first = stored(server);
    const second = ticketOf(2);
    server.request(second);
    server.imageStored(second);
    const effects = cancel(server, first);
    expect(sent(effects, "jobStarted", client)[0]?.jobId).toBe(second.jobId);
  });
});

describe("retry of a held job", () => {
  it("prints a marked duplicate in one transaction with the end of the old job", () => {
    const server = readyServer();
    const ticket = stored(server);
    server.outputEnds(ticket, indeterminate);
    const effects = retry(server, ticket);
    expect(brief(effects)).toEqual(["persist put server_jobs", "persist put server_meta", "composeReprint"]);
    expect(retry(server, ticket)).toEqual([]);
    const newJobId = only(effects, "composeReprint")[0]?.newJobId ?? "";
    const composedEffects = composed(server, ticket, newJobId);
    expect(brief(composedEffects)).toEqual([
      "persist put history, delete server_jobs, put server_jobs",
      "eraseImage",
      "jobClosed to client",
      "persist put server_jobs",
      "imageOffered to host",
    ]);
    expect(server.history(ticket.jobId)?.resolution).toBe("reprinted");
    expect(server.machine.jobs.map((job) => job.row.ticket.reprintOf)).toEqual([ticket.jobId]);
  });

  it("is not forgotten by a restart, and takes a new id then", () => {
    const server = readyServer();
    const ticket = stored(server);
    server.outputEnds(ticket, indeterminate);
    const [first] = only(retry(server, ticket), "composeReprint");
    server.restart();
    const [second] = only(server.give({ kind: "woke" }), "composeReprint");
    expect(second?.jobId).toBe(ticket.jobId);
    expect(second?.newJobId).not.toBe(first?.newJobId);
  });

  it("that cannot be composed stays held, and is tried again when a person asks", () => {
    const server = readyServer({ policy: "reprint-marked" });
    const ticket = stored(server);
    server.outputEnds(ticket, indeterminate);
    const failed = { kind: "reprintFailed", jobId: ticket.jobId, reason: "no disk" } as const;
    expect(brief(server.give(failed))).toEqual(["jobHeld to client"]);
    expect(server.after(60_000)).toEqual([]);
    expect(only(retry(server, ticket), "composeReprint")).toHaveLength(1);
    expect(brief(server.give({ ...failed, jobId: jobIdOf(9) }))).toEqual([]);
  });

  it("of a job made for an older ledger: that ledger's successor refuses it for ever, then it is reprinted", () => {
    const server = readyServer({ policy: "assume-printed" });
    const ticket = stored(server, { source: "server" });
    server.hostSays({ type: "offerRefused", jobId: ticket.jobId, epoch: 1, code: "ledger-other", detail: "" });
    const effects = retry(server, ticket);
    expect(brief(effects).at(-1)).toBe("outputCancelRequested to host");
    expect(only(server.outputEnds(ticket, indeterminate), "composeReprint")).toHaveLength(1);
  });

  it("that turns out to be printed ends there", () => {
    const server = readyServer();
    const ticket = stored(server, { source: "server" });
    server.hostSays({ type: "offerRefused", jobId: ticket.jobId, epoch: 1, code: "ledger-other", detail: "" });
    retry(server, ticket);
    expect(brief(server.outputEnds(ticket))).not.toContain("composeReprint");
    expect(server.machine.jobs).toHaveLength(0);
  });

  it("does nothing for a job that is not held, has no image here, or is unknown", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { spools: "client" });
    server.request(ticket);
    expect(retry(server, ticket)).toEqual([]);
    server.outputEnds(ticket, indeterminate);
    expect(retry(server, ticket)).toEqual([]);
    expect(retry(server, ticketOf(2))).toEqual([]);
  });

  it("a duplicate that nobody waits for any more is erased", () => {
    const server = readyServer();
    const orphan = "5e47e400-life01-7";
    expect(composed(server, ticketOf(5), orphan)).toEqual([{ kind: "eraseImage", jobId: orphan }]);
    const ticket = stored(server);
    expect(composed(server, ticket, orphan)).toEqual([{ kind: "eraseImage", jobId: orphan }]);
  });
});

describe("the person's last word counts", () => {
  it("cancel while the duplicate is being made: it is not printed", () => {
    const server = readyServer();
    const ticket = stored(server);
    server.outputEnds(ticket, indeterminate);
    const newJobId = only(retry(server, ticket), "composeReprint")[0]?.newJobId ?? "";
    cancel(server, ticket);
    expect(server.history(ticket.jobId)?.resolution).toBe("dismissed");
    expect(composed(server, ticket, newJobId)).toEqual([{ kind: "eraseImage", jobId: newJobId }]);
    expect(server.machine.jobs).toHaveLength(0);
  });

  it("cancel after a retry that the host has not answered: it is not printed", () => {
    const server = readyServer();
    const ticket = stored(server, { source: "server" });
    server.hostSays({ type: "offerRefused", jobId: ticket.jobId, epoch: 1, code: "ledger-other", detail: "" });
    server.close(host);
    retry(server, ticket);
    cancel(server, ticket);
    server.hostReady();
    expect(only(server.outputEnds(ticket, indeterminate), "composeReprint")).toEqual([]);
    expect(server.history(ticket.jobId)?.resolution).toBe("dismissed");
  });

  it("retry of a job that the host will never print is a new job, and not a cancel", () => {
    const server = readyServer();
    const ticket = stored(server, { source: "server" });
    server.hostSays({ type: "offerRefused", jobId: ticket.jobId, epoch: 1, code: "image-wrong-width", detail: "" });
    retry(server, ticket);
    const effects = server.outputEnds(ticket, { ...canceled, reason: "canceled before output" });
    const newJobId = only(effects, "composeReprint")[0]?.newJobId ?? "";
    composed(server, ticket, newJobId);
    expect(server.history(ticket.jobId)).toMatchObject({ resolution: "reprinted", outcome: canceled });
    expect(server.machine.jobs.map((job) => job.row.ticket.jobId)).toEqual([newJobId]);
  });

  it.each(["job-pruned", "job-conflict"] as const)("cancel of a job that the ledger refuses for ever: %s", (code) => {
    const server = readyServer();
    const ticket = stored(server, { source: "server" });
    const refused = { type: "offerRefused", jobId: ticket.jobId, code, detail: "" } as const;
    server.hostSays({ ...refused, epoch: 1 });
    cancel(server, ticket);
    const effects = server.hostSays({ ...refused, epoch: 2 });
    expect(brief(effects)).toEqual(["persist delete server_jobs", "eraseImage", "jobClosed to client"]);
    expect(server.machine.nextWakeMs()).toBeUndefined();
  });

  it("retry of a job that the ledger refuses for ever", () => {
    const server = readyServer();
    const ticket = stored(server, { source: "server" });
    const refused = { type: "offerRefused", jobId: ticket.jobId, code: "job-pruned", detail: "" } as const;
    server.hostSays({ ...refused, epoch: 1 });
    retry(server, ticket);
    const newJobId = only(server.hostSays({ ...refused, epoch: 2 }), "composeReprint")[0]?.newJobId ?? "";
    expect(brief(composed(server, ticket, newJobId)).slice(0, 3)).toEqual([
      "persist delete server_jobs, put server_jobs",
      "eraseImage",
      "jobClosed to client",
    ]);
  });

  it("a refusal told again while the duplicate is being made changes nothing", () => {
    const server = readyServer();
    const ticket = stored(server, { source: "server" });
    const refused = { type: "offerRefused", jobId: ticket.jobId, code: "job-pruned", detail: "" } as const;
    server.hostSays({ ...refused, epoch: 1 });
    retry(server, ticket);
    server.hostSays({ ...refused, epoch: 2 });
    expect(server.hostSays({ ...refused, epoch: 2 })).toEqual([]);
    server.give({ kind: "reprintFailed", jobId: ticket.jobId, reason: "no disk" });
    expect(brief(cancel(server, ticket))).toEqual(["persist delete server_jobs", "eraseImage", "jobClosed to client"]);
  });

  it("a late refusal of an offer is not the answer to the cancel", () => {
    const server = readyServer();
    const ticket = stored(server, { source: "server" });
    cancel(server, ticket);
    server.hostSays({ type: "offerRefused", jobId: ticket.jobId, epoch: 1, code: "job-conflict", detail: "" });
    expect(server.machine.jobs).toHaveLength(1);
    expect(sent(server.after(60_000), "outputCancelRequested").length).toBeGreaterThan(0);
  });
});
