import { expect, it } from "vitest";
import { brief, kitchen, sent, ticketOf } from "../runtime/test-machine.ts";
import { client, readyServer, type TestServer } from "./test-server.ts";

const ticket = ticketOf(1, { source: "server" });

function pause(server: TestServer, reason = "new roll") {
  return server.give({ kind: "printerPauseRequested", printer: "kitchen", reason });
}

it("a paused printer takes no job, also after a restart, until it is resumed", () => {
  const server = readyServer();
  expect(brief(pause(server))).toEqual(["persist put server_printers"]);
  server.request(ticket);
  expect(sent(server.imageStored(ticket), "imageOffered")).toEqual([]);
  server.restart();
  server.open(client);
  server.hostReady();
  server.hostReady({ ...kitchen, model: "another" });
  expect(sent(server.after(60_000), "imageOffered")).toEqual([]);
  const effects = server.give({ kind: "printerResumeRequested", printer: "kitchen" });
  expect(brief(effects)).toEqual(["persist put server_printers", "persist put server_jobs", "imageOffered to host"]);
});

it("what is under way goes on to its end", () => {
  const server = readyServer();
  server.request(ticket);
  server.imageStored(ticket);
  pause(server);
  server.hostSays({ type: "imageWanted", jobId: ticket.jobId, epoch: 1, uploadId: "u1" });
  server.outputStarts(ticket, "server");
  server.outputEnds(ticket);
  expect(server.history(ticket.jobId)?.outcome.outcome).toBe("printed");
});

it("a second pause keeps the first one's reason; a resume of a printer that goes on does nothing", () => {
  const server = readyServer();
  pause(server);
  expect(pause(server, "another")).toEqual([]);
  expect(server.machine.printer("kitchen")?.row.paused?.reason).toBe("new roll");
  server.give({ kind: "printerResumeRequested", printer: "kitchen" });
  expect(server.give({ kind: "printerResumeRequested", printer: "kitchen" })).toEqual([]);
  expect(server.give({ kind: "printerPauseRequested", printer: "bar", reason: "?" })).toEqual([]);
});

it("the queue of another printer goes on", () => {
  const server = readyServer();
  server.hostReady({ ...kitchen, name: "bar" });
  pause(server);
  const bar = ticketOf(1, { source: "server", printer: "bar" });
  server.request(bar);
  expect(sent(server.imageStored(bar), "imageOffered", "host:bar")).toHaveLength(1);
});
