import { describe, expect, it } from "vitest";
import { limits } from "../protocol/limits.ts";
import { brief, kitchen, recordOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { client, readyServer } from "./test-server.ts";

describe("what a hostile peer can make grow", () => {
  it("printers: as many as the limit; one that is away and has no jobs makes room", () => {
    const server = readyServer();
    for (let n = 1; n < limits.printersPerServer; n++) server.hostAppears({ ...kitchen, name: `p${n}` });
    expect(server.machine.printers).toHaveLength(limits.printersPerServer);
    expect(brief(server.hostAppears({ ...kitchen, name: "extra" }))).toEqual([]);
    expect(server.machine.printer("extra")).toBeUndefined();
    server.request(ticketOf(1));
    server.close("host:kitchen");
    expect(brief(server.hostAppears({ ...kitchen, name: "extra" }))).toEqual([]);
    server.close("host:p7");
    expect(brief(server.hostAppears({ ...kitchen, name: "extra" }))[0]).toBe("persist delete server_printers");
    expect(server.machine.printer("p7")).toBeUndefined();
    expect(server.machine.printer("kitchen")).toBeDefined();
    server.restart();
    expect(server.machine.printers).toHaveLength(limits.printersPerServer);
  });

  it("jobs in another client's name are refused, and nothing is said of them", () => {
    const server = readyServer();
    const stranger = "client:0a0a0a0a" as const;
    server.open(stranger);
    const ticket = ticketOf(1);
    const refused = server.says(stranger, { type: "jobRequested", ticket, clientKeepsImage: true });
    expect(sent(refused, "jobRefused", stranger)[0]).toMatchObject({ code: "job-conflict" });
    server.request(ticket);
    expect(brief(server.says(stranger, { type: "jobCancelRequested", jobId: ticket.jobId }))).toEqual([]);
    expect(brief(server.says(stranger, { type: "jobEnded", ticket, outcome: recordOf(ticket) }))).toEqual([]);
    expect(server.row(ticket.jobId)).toMatchObject({ cancelRequested: false });
  });

  it("origins: the one that was silent for longest is forgotten", () => {
    const server = readyServer();
    const many = limits.originsPerServer + 10;
    for (let n = 0; n < many; n++) {
      const nonce = n.toString(36).padStart(6, "0");
      server.says(client, { type: "openJobsListed", jobIds: [], nonce, lowestOpen: 2, nextSequence: 2 });
    }
    server.close("host:kitchen");
    server.hostAppears();
    const [known] = sent(server.ledgerEnds(), "openJobsKnown");
    expect(known?.origins.some(({ origin }) => origin.endsWith("-000000"))).toBe(false);
    expect(known?.origins.length).toBeLessThanOrEqual(limits.openJobsPerMessage);
  });
});
