import { describe, expect, it } from "vitest";
import { brief, only, recordOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { host, readyServer, serverId, type TestServer } from "./test-server.ts";

const keepEndedMs = 60_000;

function ended(): TestServer {
  const server = readyServer({ keepEndedMs });
  const ticket = ticketOf(1, { source: "server", documentDateMs: 1_600_000_000_000 });
  server.request(ticket);
  server.imageStored(ticket);
  server.outputEnds(ticket);
  return server;
}

const { jobId } = ticketOf(1);

function again(server: TestServer, unmarked = false) {
  return server.give({ kind: "reprintRequested", jobId, unmarked });
}

describe("an ended job whose image is kept", () => {
  it.each([
    [false, true],
    [true, false],
  ])("is printed again under a new id: unmarked %s, so with a mark %s", (unmarked, marked) => {
    const server = ended();
    const effects = again(server, unmarked);
    expect(brief(effects)).toEqual(["persist put server_meta", "composeReprint"]);
    const [compose] = only(effects, "composeReprint");
    expect(compose).toMatchObject({ jobId, marked, ticket: { reprintOf: jobId, source: "server", title: "ticket 1" } });
    expect(server.machine.copyOf(jobId)).toBe(compose?.newJobId);
    const ticket = compose?.ticket ?? ticketOf(1);
    expect(ticket.documentDateMs).toBe(1_600_000_000_000);
    const composed = server.give({ kind: "reprintComposed", jobId, ticket });
    expect(sent(composed, "imageOffered", host)[0]?.ticket.jobId).toBe(`${serverId}-life01-1`);
    server.hostSays({ type: "outputEnded", record: recordOf(ticket, { sequence: 9 }) });
    expect(server.history(ticket.jobId)).toMatchObject({ reprintOf: jobId, outcome: { outcome: "printed" } });
  });

  it("only while it is kept; of an unknown or an open job nothing", () => {
    const server = ended();
    server.after(keepEndedMs + 1);
    expect(again(server)).toEqual([]);
    expect(server.give({ kind: "reprintRequested", jobId: ticketOf(9).jobId, unmarked: false })).toEqual([]);
    const open = readyServer({ keepEndedMs });
    open.request(ticketOf(1));
    expect(again(open)).toEqual([]);
  });

  it("a copy that was being made when the server died is swept away, and its id is never used again", () => {
    const server = ended();
    const [first] = only(again(server), "composeReprint");
    server.restart();
    const orphan = first?.ticket ?? ticketOf(1);
    expect(brief(server.give({ kind: "reprintComposed", jobId, ticket: orphan }))).toEqual(["eraseImage"]);
    expect(only(again(server), "composeReprint")[0]?.newJobId).not.toBe(first?.newJobId);
  });

  it("that cannot be copied leaves nothing behind", () => {
    const server = ended();
    again(server);
    expect(brief(server.give({ kind: "reprintFailed", jobId, reason: "no disk" }))).toEqual([]);
    expect(server.machine.copyOf(jobId)).toBeUndefined();
  });
});

it("the host is not told that a copy's id is closed while the copy is being made", () => {
  const server = readyServer({ keepEndedMs });
  for (const n of [1, 2]) {
    const ticket = ticketOf(n, { source: "server" });
    server.request(ticket);
    server.imageStored(ticket);
    server.outputEnds(ticket);
  }
  const [slow] = only(again(server), "composeReprint");
  const two = ticketOf(2).jobId;
  const [quick] = only(server.give({ kind: "reprintRequested", jobId: two, unmarked: false }), "composeReprint");
  const effects = server.give({ kind: "reprintComposed", jobId: two, ticket: quick?.ticket ?? ticketOf(2) });
  expect(slow?.newJobId).toBe(`${serverId}-life01-1`);
  expect(sent(effects, "imageOffered", host)[0]).toMatchObject({ lowestOpen: 1 });
});
