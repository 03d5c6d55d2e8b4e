import { describe, expect, it } from "vitest";
import { brief, incarnation, jobIdOf, kitchen, only, recordOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { client, host, readyServer, TestServer } from "./test-server.ts";

const newLedger = { ...kitchen, hostIncarnation: "ledger000002" };

function cursor(server: TestServer): unknown {
  return server.machine.printers[0]?.row.cursor;
}

describe("a printer host that appears", () => {
  it("is asked for its ledger before anything is scheduled", () => {
    const server = new TestServer();
    server.open(client);
    expect(brief(server.hostAppears())).toEqual([
      "persist put server_printers",
      "printersListed to client",
      "ledgerRequested to host",
    ]);
    const ticket = ticketOf(1);
    server.request(ticket);
    expect(sent(server.imageStored(ticket), "jobStarted")).toEqual([]);
    expect(sent(server.ledgerEnds(), "jobStarted")).toHaveLength(1);
  });

  it("is asked again, with growing pauses, until the list has come", () => {
    const server = new TestServer();
    server.hostAppears();
    expect(sent(server.after(8_000), "ledgerRequested", host)).toHaveLength(4);
    server.ledgerEnds();
    expect(server.after(60_000)).toEqual([]);
  });

  it("is not asked while its link is down", () => {
    const server = new TestServer();
    server.hostAppears();
    server.close(host);
    expect(server.after(60_000)).toEqual([]);
  });

  it("tells page by page; the history is level with the ledger before the cursor says so", () => {
    const server = new TestServer();
    server.hostAppears();
    const records = [1, 2].map((sequence) => recordOf(ticketOf(sequence), { sequence }));
    const page = server.ledgerEnds(records, { complete: false });
    expect(brief(page)).toEqual([
      "persist put history",
      "persist put history",
      "persist put server_printers",
      "ledgerRequested to host",
    ]);
    expect(sent(page, "ledgerRequested")[0]?.afterSequence).toBe(2);
    expect(server.machine.printers[0]?.reconciled).toBe(false);
    expect(brief(server.ledgerEnds([recordOf(ticketOf(3), { sequence: 5 })]))).toEqual([
      "persist put history",
      "persist put server_printers",
    ]);
    expect(server.machine.printers[0]?.reconciled).toBe(true);
    server.restart();
    expect(cursor(server)).toEqual({ hostIncarnation: incarnation, sequence: 5 });
    expect(sent(server.hostAppears(), "ledgerRequested")[0]?.afterSequence).toBe(5);
    expect(brief(server.ledgerEnds([recordOf(ticketOf(2), { sequence: 2 })]))).toEqual([]);
  });

  it("is asked about what may be printing, and ends jobs of the queue by its ledger", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    server.imageStored(ticket);
    server.outputStarts(ticket);
    server.close(host);
    server.hostAppears();
    const asked = sent(server.ledgerEnds(), "outcomesRequested", host);
    expect(asked).toEqual([{ type: "outcomesRequested", jobIds: [ticket.jobId] }]);
    server.close(host);
    server.hostAppears();
    const ended = server.ledgerEnds([recordOf(ticket, { sequence: 9 })]);
    expect(sent(ended, "jobClosed", client)[0]?.jobId).toBe(ticket.jobId);
  });

  it("hears again of every cancel it has not answered", () => {
    const server = readyServer();
    server.request(ticketOf(1));
    server.request(ticketOf(2));
    server.give({ kind: "cancelRequested", jobId: jobIdOf(1) });
    server.close(host);
    const effects = server.hostAppears();
    expect(sent(effects, "outputCancelRequested", host).map((message) => message.ticket.jobId)).toEqual([jobIdOf(1)]);
  });

  it("that says the same again is not asked again", () => {
    const server = readyServer();
    const state = { state: "processing" as const, reasons: [] };
    expect(server.hostSays({ type: "printerChanged", attributes: kitchen, state })).toEqual([]);
    expect(server.machine.printers[0]?.state.state).toBe("processing");
  });

  it("with other attributes is told to the clients, and read anew", () => {
    const server = readyServer();
    server.open("host:bar");
    const attributes = { ...kitchen, hostUrl: "http://127.0.0.1:7000" };
    const effects = server.hostSays({ type: "printerChanged", attributes, state: { state: "idle", reasons: [] } });
    expect(brief(effects)).toEqual([
      "persist put server_printers",
      "printersListed to client",
      "ledgerRequested to host",
    ]);
  });

  it("with a new ledger begins its history at the first record", () => {
    const server = readyServer();
    server.ledgerEnds([recordOf(ticketOf(1), { sequence: 7 })]);
    server.close(host);
    expect(sent(server.hostAppears(newLedger), "ledgerRequested")[0]?.afterSequence).toBe(-1);
    expect(cursor(server)).toEqual({ hostIncarnation: "ledger000002", sequence: -1 });
    expect(server.ledgerEnds([recordOf(ticketOf(2))])).toEqual([]);
    expect(server.history(jobIdOf(2))).toBeUndefined();
  });

  it("cannot speak for another printer", () => {
    const server = new TestServer();
    server.open(host);
    const attributes = { ...kitchen, name: "bar" };
    expect(server.hostSays({ type: "printerChanged", attributes, state: { state: "idle", reasons: [] } })).toEqual([]);
    expect(server.machine.printers).toEqual([]);
  });

  it("is not believed a ledger before it has introduced its printer", () => {
    const server = new TestServer();
    server.open(host);
    expect(server.ledgerEnds([recordOf(ticketOf(1))])).toEqual([]);
  });

  it("closes its link before it has said who it is", () => {
    const server = new TestServer();
    server.open(host);
    expect(server.close(host)).toEqual([]);
  });

  it("a message that no host may send is noted, no more", () => {
    const effects = readyServer().hostSays({ type: "jobUnknown", jobId: jobIdOf(1) });
    expect(effects).toEqual([{ kind: "note", event: "message-unexpected", detail: `jobUnknown from ${host}` }]);
  });

  it("answers for a job that is not in the queue change nothing", () => {
    const server = readyServer();
    const [jobId, epoch] = [jobIdOf(1), 1];
    expect(server.hostSays({ type: "outputStarted", jobId, epoch, sentBy: "client" })).toEqual([]);
    const ticket = ticketOf(1);
    server.request(ticket);
    server.imageStored(ticket);
    server.outputEnds(ticket, { outcome: "indeterminate" });
    expect(server.hostSays({ type: "outputStarted", jobId, epoch, sentBy: "client" })).toEqual([]);
    expect(server.hostSays({ type: "offerRefused", jobId, epoch, code: "job-pruned", detail: "" })).toEqual([]);
  });
});

describe("a server that starts again", () => {
  it("knows printers and jobs, and that no host is there yet", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { source: "server" });
    server.request(ticket);
    server.imageStored(ticket);
    server.restart();
    expect(server.machine.printers).toMatchObject([
      { linked: false, reconciled: false, state: { state: "stopped", reasons: ["waits-for-printer-host"] } },
    ]);
    server.give({ kind: "woke" });
    expect(server.phase(ticket.jobId)).toBe("waits-for-printer-host");
  });

  it("goes on with a higher epoch than any it gave before", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { source: "server" });
    server.request(ticket);
    server.imageStored(ticket);
    expect(server.epoch(ticket.jobId)).toBe(1);
    server.restart();
    server.hostAppears();
    expect(sent(server.ledgerEnds(), "imageOffered", host)[0]?.epoch).toBe(2);
  });

  it("never uses the id of a duplicate twice", () => {
    const server = readyServer({ policy: "reprint-marked" });
    const ids = [1, 2].flatMap((sequence) => {
      const ticket = ticketOf(sequence);
      server.request(ticket);
      server.imageStored(ticket);
      const effects = server.outputEnds(ticket, { outcome: "indeterminate" });
      server.give({ kind: "reprintFailed", jobId: ticket.jobId, reason: "no disk" });
      return only(effects, "composeReprint").map((effect) => effect.newJobId);
    });
    expect(new Set(ids).size).toBe(2);
  });
});
