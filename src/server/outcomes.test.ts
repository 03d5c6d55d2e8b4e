import { describe, expect, it } from "vitest";
import { brief, digestOf, jobIdOf, only, recordOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { client, host, readyServer, TestServer } from "./test-server.ts";

describe("the end of a job (steps 311-317)", () => {
  it("writes the history and takes the job out in one transaction, then erases, then tells the client", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { documentDateMs: 1_600_000_000_000 });
    server.request(ticket);
    server.imageStored(ticket);
    const effects = server.outputEnds(ticket);
    expect(only(effects, "persist").map(({ writes }) => writes.map(({ op, table }) => `${op} ${table}`))).toEqual([
      ["put history", "delete server_jobs"],
    ]);
    expect(brief(effects).slice(1)).toEqual(["eraseImage", "jobClosed to client", "outputAcknowledged to host"]);
    expect(server.history(ticket.jobId)).toMatchObject({
      title: "ticket 1",
      clientName: "till",
      source: "client",
      spools: "both",
      sizeBytes: 5_000,
      documentDateMs: 1_600_000_000_000,
      recordedAtMs: server.nowMs + server.wallOffsetMs,
      outcome: { outcome: "printed", evidence: "process-id" },
    });
  });

  it("says how long it waited and printed by clocks that are one each, and how much paper it took", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    server.after(2_500);
    server.outputStarts(ticket);
    server.after(900);
    server.outputEnds(ticket);
    const row = server.history(ticket.jobId);
    expect((row?.startedHereMs ?? 0) - (row?.requestedHereMs ?? 0)).toBe(2_500);
    expect(row).toMatchObject({ resolutionDpi: 203, heightDots: 400 });
    expect(row?.heldBack).toBeUndefined();
    expect(row?.events?.map(({ event }) => event)).toContain("prints");
  });

  it("says that a person kept it waiting, also when it was let go again", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { held: true });
    server.request(ticket);
    server.give({ kind: "changeRequested", jobId: ticket.jobId, change: { held: false } });
    server.outputEnds(ticket);
    expect(server.history(ticket.jobId)?.heldBack).toBe(true);
  });

  it("told again is acknowledged again and written once", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { spools: "client" });
    server.request(ticket);
    expect(brief(server.outputEnds(ticket))).not.toContain("eraseImage");
    expect(brief(server.outputEnds(ticket))).toEqual(["outputAcknowledged to host"]);
  });

  it("with another image under the same id is a conflict, and changes nothing", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    const effects = server.outputEnds(ticket, { sha256: digestOf("another image") });
    expect(effects).toContainEqual({
      kind: "note",
      event: "outcome-conflict",
      jobId: ticket.jobId,
      detail: `printed from ${host}`,
    });
    expect(brief(effects)).toEqual(["outputAcknowledged to host"]);
    expect(server.machine.jobs).toHaveLength(1);
  });

  it("may come from the client that heard it (step 313)", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    const ended = { type: "jobEnded", ticket, outcome: recordOf(ticket) } as const;
    expect(brief(server.clientSays(ended))).toEqual([
      "persist put history, delete server_jobs",
      "eraseImage",
      "jobClosed to client",
      "jobClosed to client",
    ]);
    expect(brief(server.clientSays(ended))).toEqual(["jobClosed to client"]);
  });

  it("is found before its transaction has reached the store", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    server.outputEnds(ticket);
    server.rows.commit([{ op: "delete", table: "history", key: ticket.jobId }]);
    expect(brief(server.request(ticket))).toEqual(["jobClosed to client"]);
  });

  it("of long ago is read from the store", () => {
    const server = readyServer();
    for (let sequence = 1; sequence <= 600; sequence++) server.outputEnds(ticketOf(sequence));
    const writes = server.rows.all("history");
    expect(writes).toHaveLength(600);
    expect(brief(server.outputEnds(ticketOf(1)))).toEqual(["outputAcknowledged to host"]);
  });
});

describe("a job a client printed alone, while the server was away", () => {
  it("is recorded with what the ledger knows, and completed by the client's ticket", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { reprintOf: jobIdOf(9) });
    expect(brief(server.outputEnds(ticket))).toEqual(["persist put history", "outputAcknowledged to host"]);
    expect(server.history(ticket.jobId)).not.toHaveProperty("source");
    const effects = server.clientSays({ type: "jobEnded", ticket, outcome: recordOf(ticket) });
    expect(brief(effects)).toEqual(["persist put history", "jobClosed to client"]);
    expect(server.history(ticket.jobId)).toMatchObject({ source: "client", reprintOf: jobIdOf(9) });
  });

  it("is recorded at once when the client tells first", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.clientSays({ type: "jobEnded", ticket, outcome: recordOf(ticket) });
    expect(server.history(ticket.jobId)?.source).toBe("client");
    expect(brief(server.outputEnds(ticket))).toEqual(["outputAcknowledged to host"]);
  });

  it("indeterminate: is held as soon as its client tells of it", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    const outcome = recordOf(ticket, { outcome: "indeterminate" });
    server.outputEnds(ticket, { outcome: "indeterminate" });
    expect(server.machine.jobs).toHaveLength(0);
    const effects = server.clientSays({ type: "jobEnded", ticket, outcome });
    expect(sent(effects, "jobHeld", client)[0]?.reason).toBe("indeterminate: nobody knows whether it is on paper");
    expect(brief(server.clientSays({ type: "jobEnded", ticket, outcome }))).toEqual(["jobHeld to client"]);
    server.give({ kind: "cancelRequested", jobId: ticket.jobId });
    expect(server.history(ticket.jobId)).toMatchObject({ resolution: "dismissed", source: "client" });
  });

  it("indeterminate: is held again when its client tells of it and its row is lost", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    const ended = { type: "jobEnded", ticket, outcome: recordOf(ticket, { outcome: "indeterminate" }) } as const;
    server.clientSays(ended);
    server.rows.commit([{ op: "delete", table: "server_jobs", key: ticket.jobId }]);
    server.restart();
    server.open(client);
    expect(brief(server.clientSays(ended))).toEqual([
      "persist put server_jobs",
      "persist put server_jobs",
      "jobHeld to client",
    ]);
  });

  it("indeterminate: counts as printed where that is the policy", () => {
    const server = readyServer({ policy: "assume-printed" });
    const ticket = ticketOf(1);
    server.outputEnds(ticket, { outcome: "indeterminate" });
    expect(server.history(ticket.jobId)?.resolution).toBe("assumed-printed");
    const effects = server.clientSays({
      type: "jobEnded",
      ticket,
      outcome: recordOf(ticket, { outcome: "indeterminate" }),
    });
    expect(brief(effects)).toEqual(["persist put history", "jobClosed to client"]);
    expect(server.history(ticket.jobId)).toMatchObject({ resolution: "assumed-printed", source: "client" });
  });
});

describe("an indeterminate job, by the printer's policy (design §3)", () => {
  const indeterminate = { outcome: "indeterminate", evidence: "none", reason: "power was lost" } as const;

  it("hold: in the history at once, in the queue until a person decides, and nothing goes on by itself", () => {
    const server = readyServer({ policy: "hold" });
    const ticket = ticketOf(1);
    server.request(ticket);
    server.imageStored(ticket);
    const effects = server.outputEnds(ticket, indeterminate);
    expect(brief(effects)).toEqual([
      "persist put history, put server_jobs",
      "jobHeld to client",
      "outputAcknowledged to host",
    ]);
    expect(sent(effects, "jobHeld")[0]?.reason).toBe("indeterminate: power was lost");
    expect(server.after(3_600_000)).toEqual([]);
    expect(brief(server.outputEnds(ticket, indeterminate))).toEqual(["outputAcknowledged to host"]);
    server.restart();
    server.open(client);
    server.hostReady();
    expect(server.row(ticket.jobId)?.heldReason).toBe("indeterminate: power was lost");
    expect(server.phase(ticket.jobId)).toBe("waits-for-turn");
  });

  it("hold: the jobs behind it go on", () => {
    const server = readyServer({ policy: "hold" });
    for (const ticket of [ticketOf(1), ticketOf(2)]) {
      server.request(ticket);
      server.imageStored(ticket);
    }
    server.outputEnds(ticketOf(1), indeterminate);
    expect(server.phase(jobIdOf(2))).toBe("starting");
  });

  it("assume-printed: closed, and the history says by what right", () => {
    const server = readyServer({ policy: "assume-printed" });
    const ticket = ticketOf(1);
    server.request(ticket);
    expect(brief(server.outputEnds(ticket, indeterminate))).toContain("jobClosed to client");
    expect(server.history(ticket.jobId)?.resolution).toBe("assumed-printed");
  });

  it("reprint-marked: a new job with an id of the server's own, durable before its first use", () => {
    const server = readyServer({ policy: "reprint-marked" });
    const ticket = ticketOf(1);
    server.request(ticket);
    server.imageStored(ticket);
    const effects = server.outputEnds(ticket, indeterminate);
    expect(brief(effects).slice(-2)).toEqual(["persist put server_meta", "composeReprint"]);
    expect(server.machine.job(ticket.jobId)?.composing).toBe(true);
  });

  it("reprint-marked: waits for the image when this spool has none", () => {
    const server = readyServer({ policy: "reprint-marked" });
    const ticket = ticketOf(1);
    server.request(ticket);
    expect(brief(server.outputEnds(ticket, indeterminate))).not.toContain("composeReprint");
    expect(brief(server.imageStored(ticket))).toContain("composeReprint");
  });

  it("a job that someone wanted canceled is dismissed, whatever the policy", () => {
    for (const policy of ["hold", "assume-printed", "reprint-marked"] as const) {
      const server = readyServer({ policy });
      const ticket = ticketOf(1);
      server.request(ticket);
      server.give({ kind: "cancelRequested", jobId: ticket.jobId });
      server.outputEnds(ticket, indeterminate);
      expect(server.history(ticket.jobId)?.resolution).toBe("dismissed");
      expect(server.machine.jobs).toHaveLength(0);
    }
  });
});

describe("kept images: completed jobs may be kept for a set time", () => {
  const keepEndedMs = 60_000;

  function printed(server: TestServer, sequence: number): void {
    const ticket = ticketOf(sequence);
    server.request(ticket);
    server.imageStored(ticket);
    server.outputEnds(ticket);
  }

  it("the image outlives the job by that time, across a restart", () => {
    const server = readyServer({ keepEndedMs });
    printed(server, 1);
    server.after(20_000);
    printed(server, 2);
    server.restart();
    server.open(client);
    expect(only(server.after(keepEndedMs - 21_001), "eraseImage")).toEqual([]);
    expect(brief(server.after(1))).toEqual(["persist delete server_kept_images", "eraseImage"]);
    expect(only(server.after(20_000), "eraseImage").map((effect) => effect.jobId)).toEqual([jobIdOf(2)]);
    expect(server.machine.nextWakeMs()).toBeUndefined();
    expect(server.give({ kind: "woke" })).toEqual([]);
  });

  it("a wall clock that jumps back only makes it wait longer", () => {
    const server = readyServer({ keepEndedMs });
    printed(server, 1);
    server.wallOffsetMs -= 3_600_000;
    server.give({ kind: "woke" });
    expect(only(server.after(keepEndedMs), "eraseImage")).toEqual([]);
    expect(only(server.after(3_600_000), "eraseImage")).toHaveLength(1);
  });

  it("a job without an image here keeps none", () => {
    const server = readyServer({ keepEndedMs });
    const ticket = ticketOf(1, { spools: "client" });
    server.request(ticket);
    server.outputEnds(ticket);
    expect(server.rows.all("server_kept_images")).toEqual([]);
  });
});

describe("a record whose printer nobody knows", () => {
  it("does not happen: a host names its own", () => {
    const server = new TestServer();
    server.open(host);
    const ticket = ticketOf(1);
    server.outputEnds(ticket);
    expect(server.history(ticket.jobId)?.printer).toBe("kitchen");
  });
});
