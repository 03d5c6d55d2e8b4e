import { describe, expect, it } from "vitest";
import { defaultTimers, limits } from "../../protocol/limits.ts";
import { brief, digestOf, jobIdOf, only, sent, ticketOf } from "../../runtime/test-machine.ts";
import { client, readyHost, server, TestHost } from "./test-host.ts";

describe("an image is offered (step 309)", () => {
  it("INTENT is durable before the first byte goes to the device, PRINTED before anyone hears of it (311)", () => {
    const host = readyHost();
    const ticket = ticketOf(1);
    const offered = host.offer(ticket);
    expect(brief(offered)).toEqual(["offerWaiting to client", "expectImage", "imageWanted to client"]);
    const received = host.receive(offered);
    expect(brief(received)).toEqual([
      "imageReceived to client",
      "imageReceived to server",
      "persist intent",
      "startOutput",
      "outputStarted to client",
      "outputStarted to server",
    ]);
    expect(host.machine.printing).toBe(ticket.jobId);
    const progress = host.give({ kind: "outputProgressed", jobId: ticket.jobId, rowsDone: 200 });
    expect(brief(progress)).toEqual(["outputProgressed to client", "outputProgressed to server"]);
    const finished = host.finish(ticket);
    expect(brief(finished)).toEqual(["persist printed", "dropImage", "outputEnded to client", "outputEnded to server"]);
    expect(sent(finished, "outputEnded", server)[0]?.record).toMatchObject({
      jobId: ticket.jobId,
      sha256: ticket.sha256,
      outcome: "printed",
      evidence: "process-id",
      sentBy: "client",
      title: "ticket 1",
      sequence: 1,
    });
    expect(host.machine.printing).toBeUndefined();
  });

  it("the process IDs of two records are never the same (GS ( H)", () => {
    const host = readyHost();
    const ids = [1, 2, 3].flatMap((sequence) => {
      const ticket = ticketOf(sequence);
      const [start] = only(host.load(ticket), "startOutput");
      host.finish(ticket);
      return start?.processIds ?? [];
    });
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
    for (const id of ids) expect(id).toMatch(/^[ -~]{4}$/);
  });

  it("again and again is answered from the ledger, and never printed again", () => {
    const host = readyHost();
    const ticket = ticketOf(1);
    host.load(ticket);
    expect(brief(host.offer(ticket, { epoch: 5, from: server }))).toEqual(["outputStarted to server"]);
    host.finish(ticket);
    const again = host.offer(ticket, { epoch: 9, from: server });
    expect(brief(again)).toEqual(["outputEnded to server"]);
    host.restart();
    host.open(server);
    host.deviceReady();
    expect(brief(host.offer(ticket, { epoch: 10, from: server }))).toEqual(["outputEnded to server"]);
  });

  it("with the epoch of an older order is refused; a newer order takes the place of the old", () => {
    const host = readyHost();
    const ticket = ticketOf(1);
    const offered = host.offer(ticket, { epoch: 2 });
    const refused = sent(host.offer(ticket, { epoch: 1, from: server }), "offerRefused", server);
    expect(refused[0]).toMatchObject({ code: "epoch-stale", epoch: 1 });
    const newer = host.offer(ticket, { epoch: 3, from: server });
    expect(brief(newer)).toEqual(["dropImage", "offerWaiting to server", "expectImage", "imageWanted to server"]);
    expect(host.receive(offered)).toEqual([]);
    const started = sent(host.receive(newer), "outputStarted", client);
    expect(started[0]).toMatchObject({ epoch: 3, sentBy: "server" });
  });

  it("with the same epoch by another sender waits; by the same sender is asked for again", () => {
    const host = readyHost();
    const ticket = ticketOf(1);
    const offered = host.offer(ticket);
    expect(brief(host.offer(ticket, { from: server }))).toEqual(["offerWaiting to server"]);
    expect(brief(host.offer(ticket))).toEqual(["expectImage", "imageWanted to client"]);
    expect(brief(host.receive(offered))).toContain("startOutput");
  });

  it("while it waits in the queue: older refused, other sender told, newer order takes its place", () => {
    const host = readyHost();
    host.deviceReady(false);
    host.load(ticketOf(1));
    const ticket = ticketOf(2);
    expect(sent(host.offer(ticket, { epoch: 2 }), "offerWaiting")[0]?.ahead).toBe(0);
    expect(sent(host.offer(ticket, { epoch: 1 }), "offerRefused")[0]?.code).toBe("epoch-stale");
    expect(brief(host.offer(ticket, { epoch: 2, from: server }))).toEqual(["offerWaiting to server"]);
    expect(sent(host.offer(ticketOf(3)), "offerWaiting")[0]?.ahead).toBe(1);
    host.offer(ticket, { epoch: 4, from: server });
    const [wanted] = sent(host.deviceReady(), "imageWanted", server);
    expect(wanted).toMatchObject({ jobId: ticket.jobId, epoch: 4 });
  });

  it("that is in memory already is told so", () => {
    const host = readyHost();
    host.deviceReady(false);
    const ticket = ticketOf(1);
    expect(brief(host.load(ticket)).slice(-2)).toEqual(["imageReceived to client", "imageReceived to server"]);
    expect(sent(host.offer(ticket, { epoch: 7, from: server }), "imageReceived", server)).toHaveLength(1);
    expect(sent(host.ask(ticket.jobId), "imageReceived", client)).toHaveLength(1);
    expect(brief(host.deviceReady())).toContain("startOutput");
  });
});

describe("an offer is refused", () => {
  it.each([
    ["printer-unknown", { printer: "bar" }],
    ["ledger-other", { hostIncarnation: "ledger000000" }],
    ["image-wrong-width", { widthDots: 384 }],
  ] as const)("%s", (code, more) => {
    const host = readyHost();
    const effects = host.offer(ticketOf(1, more), { epoch: 3 });
    expect(sent(effects, "offerRefused", client)).toEqual([
      { type: "offerRefused", jobId: jobIdOf(1), epoch: 3, code, detail: "" },
    ]);
    expect(brief(host.ask(jobIdOf(1)))).toEqual(["outcomesUnknown to client"]);
  });

  it("with another image under the same id: in the ledger, printing, loaded, coming in, or waiting", () => {
    const conflicts = (host: TestHost) =>
      sent(host.offer(ticketOf(1, { sha256: digestOf("another image") }), { epoch: 9 }), "offerRefused")[0]?.code;
    const receiving = readyHost();
    receiving.offer(ticketOf(1));
    expect(conflicts(receiving)).toBe("job-conflict");
    const printing = readyHost();
    printing.load(ticketOf(1));
    expect(conflicts(printing)).toBe("job-conflict");
    printing.finish(ticketOf(1));
    expect(conflicts(printing)).toBe("job-conflict");
    const loaded = readyHost();
    loaded.deviceReady(false);
    loaded.load(ticketOf(1));
    expect(conflicts(loaded)).toBe("job-conflict");
    const waiting = readyHost();
    waiting.deviceReady(false);
    waiting.load(ticketOf(2));
    waiting.offer(ticketOf(1));
    expect(conflicts(waiting)).toBe("job-conflict");
  });

  it.each([
    ["image-wrong-size", { sizeBytes: 4_999 }],
    ["image-wrong-digest", { sha256: digestOf("noise") }],
    ["image-invalid", { widthDots: undefined }],
    ["image-wrong-width", { widthDots: 384 }],
  ] as const)("what came in is not what was announced: %s", (code, seen) => {
    const host = readyHost();
    const effects = host.receive(host.offer(ticketOf(1)), seen);
    expect(brief(effects)).toEqual(["dropImage", "offerRefused to client"]);
    expect(sent(effects, "offerRefused")[0]?.code).toBe(code);
    expect(host.record(jobIdOf(1))).toBeUndefined();
    expect(brief(host.load(ticketOf(1)))).toContain("startOutput");
  });
});

describe("one image at a time, first come, first printed", () => {
  it("the next image comes in while the last one prints, and waits for the paper", () => {
    const host = readyHost();
    const tickets = [3, 1, 2].map((sequence) => ticketOf(sequence));
    let effects = tickets.flatMap((ticket) => host.offer(ticket));
    expect(only(effects, "expectImage")).toHaveLength(1);
    const printed: string[] = [];
    for (const ticket of tickets) {
      const received = host.receive(effects);
      const finished = host.finish(ticket);
      printed.push(...only([...received, ...finished], "startOutput").map((effect) => effect.jobId));
      effects = [...received, ...finished];
    }
    expect(printed).toEqual(tickets.map((ticket) => ticket.jobId));
  });

  it("a sender that falls silent loses its turn after the time-out; bytes keep it", () => {
    const host = readyHost();
    const offered = host.offer(ticketOf(1));
    host.offer(ticketOf(2));
    const { uploadId = "" } = only(offered, "expectImage")[0] ?? {};
    host.after(9_000);
    host.give({ kind: "imageProgressed", uploadId });
    host.give({ kind: "imageProgressed", uploadId: "of a former life" });
    expect(host.after(9_000)).toEqual([]);
    const effects = host.after(1_000);
    expect(brief(effects)).toEqual(["dropImage", "expectImage", "imageWanted to client"]);
    expect(only(effects, "expectImage")[0]?.ticket.jobId).toBe(jobIdOf(2));
  });

  it("an upload that fails gives its turn away; one that was not asked for is ignored", () => {
    const host = readyHost();
    const offered = host.offer(ticketOf(1));
    const { uploadId = "" } = only(offered, "expectImage")[0] ?? {};
    const failed = { kind: "imageFailed", jobId: jobIdOf(1), uploadId, reason: "cut" } as const;
    expect(host.give({ ...failed, uploadId: "another" })).toEqual([]);
    expect(brief(host.give(failed))).toEqual(["dropImage"]);
    expect(host.receive(offered)).toEqual([]);
    expect(brief(host.offer(ticketOf(1)))).toContain("imageWanted to client");
  });

  it("a sender whose link closes is forgotten with all it offered; what is loaded is printed", () => {
    const host = readyHost();
    host.deviceReady(false);
    host.load(ticketOf(1));
    host.offer(ticketOf(2));
    host.close(client);
    expect(only(host.deviceReady(), "startOutput")[0]?.jobId).toBe(jobIdOf(1));
    expect(only(host.finish(ticketOf(1)), "expectImage")).toEqual([]);
  });

  it("a sender whose link closes during its upload gives the turn away", () => {
    const host = readyHost();
    host.offer(ticketOf(1));
    host.offer(ticketOf(2), { from: server });
    expect(brief(host.close(client))).toEqual(["dropImage", "expectImage", "imageWanted to server"]);
  });
});

describe("an output that did not start", () => {
  const notStarted = { kind: "not-started", reason: "paper out" } as const;

  it("keeps its place at the front, and its INTENT, and starts again when the printer is ready", () => {
    const host = readyHost();
    const [first, second] = [ticketOf(1), ticketOf(2)];
    const loaded = host.load(first);
    const offered = host.offer(second);
    host.receive(offered);
    host.deviceReady(false);
    const effects = host.finish(first, notStarted);
    expect(brief(effects)).toEqual(["dropImage"]);
    expect(only(effects, "dropImage")[0]?.jobId).toBe(second.jobId);
    const again = host.deviceReady();
    expect(brief(again)).not.toContain("persist intent");
    const processIds = (of: typeof loaded) => only(of, "startOutput")[0]?.processIds;
    expect(processIds(again)).toEqual(processIds(loaded));
    expect(only(again, "expectImage")[0]?.ticket.jobId).toBe(second.jobId);
  });

  it("is not pushed out by an image that was still coming in (world seed 8126)", () => {
    const host = readyHost();
    const [first, second] = [ticketOf(1), ticketOf(2)];
    host.load(first);
    const offered = host.offer(second);
    host.deviceReady(false);
    host.finish(first, notStarted);
    host.receive(offered);
    const again = host.deviceReady();
    expect(only(again, "startOutput")[0]?.jobId).toBe(first.jobId);
    expect(only(again, "expectImage")[0]?.ticket.jobId).toBe(second.jobId);
    expect(host.record(first.jobId)?.state).toBe("intent");
  });

  it("keeps its place before an image that is coming in, which has to come again", () => {
    const host = readyHost();
    const [first, second] = [ticketOf(1), ticketOf(2)];
    host.load(first);
    const offered = host.offer(second);
    host.deviceReady(false);
    expect(only(host.finish(first, notStarted), "dropImage").map((effect) => effect.jobId)).toEqual([second.jobId]);
    expect(host.receive(offered)).toEqual([]);
    const again = host.deviceReady();
    expect(only(again, "startOutput").map((effect) => effect.jobId)).toEqual([first.jobId]);
    host.receive(again);
    expect(only(host.finish(first), "startOutput").map((effect) => effect.jobId)).toEqual([second.jobId]);
    expect(host.record(first.jobId)?.state).toBe("printed");
  });

  it("is canceled for good when someone wants that: before any byte", () => {
    const host = readyHost();
    host.load(ticketOf(1));
    host.deviceReady(false);
    host.finish(ticketOf(1), notStarted);
    expect(brief(host.cancel(ticketOf(1)))).toEqual([
      "persist canceled",
      "dropImage",
      "outputEnded to client",
      "outputEnded to server",
    ]);
    expect(only(host.deviceReady(), "startOutput")).toEqual([]);
  });

  it("was canceled meanwhile", () => {
    const host = readyHost();
    host.load(ticketOf(1));
    expect(brief(host.cancel(ticketOf(1)))).toEqual(["cancelOutput", "outputStarted to client"]);
    expect(brief(host.cancel(ticketOf(1)))).toEqual(["outputStarted to client"]);
    host.finish(ticketOf(1), notStarted);
    expect(host.record(jobIdOf(1))?.state).toBe("canceled");
  });

  it("a report for what does not print is ignored", () => {
    const host = readyHost();
    expect(host.finish(ticketOf(1))).toEqual([]);
    host.load(ticketOf(1));
    expect(host.finish(ticketOf(2))).toEqual([]);
  });
});

describe("an uncertain output", () => {
  it("is INDETERMINATE, with the reason", () => {
    const host = readyHost();
    host.load(ticketOf(1));
    const effects = host.finish(ticketOf(1), { kind: "uncertain", reason: "the link was cut" });
    expect(sent(effects, "outputEnded", server)[0]?.record).toMatchObject({
      outcome: "indeterminate",
      evidence: "none",
      reason: "the link was cut",
    });
  });
});

describe("after a restart", () => {
  function diedPrinting(): TestHost {
    const host = readyHost();
    host.load(ticketOf(1));
    host.restart();
    return host;
  }

  it("evidence comes first: nothing is taken in or printed before each INTENT is settled", () => {
    const host = diedPrinting();
    expect(brief(host.open(server))).toEqual(["printerChanged to server", "seekEvidence"]);
    host.open(client);
    host.deviceReady();
    expect(brief(host.offer(ticketOf(2)))).toEqual(["offerWaiting to client"]);
    expect(brief(host.offer(ticketOf(1)))).toEqual(["outputStarted to client"]);
    const effects = host.give({ kind: "evidenceSettled", jobId: jobIdOf(1), evidence: "process-id" });
    expect(brief(effects)).toEqual([
      "persist printed",
      "dropImage",
      "outputEnded to client",
      "outputEnded to server",
      "expectImage",
      "imageWanted to client",
    ]);
  });

  it("looks for the same process IDs that were printed", () => {
    const host = readyHost();
    const [started] = only(host.load(ticketOf(1)), "startOutput");
    host.restart();
    expect(only(host.open(server), "seekEvidence")[0]?.processIds).toEqual(started?.processIds);
    expect(only(host.open(client), "seekEvidence")).toEqual([]);
  });

  it("without evidence nobody knows, and that is recorded", () => {
    const host = diedPrinting();
    host.open(server);
    host.give({ kind: "evidenceSettled", jobId: jobIdOf(9), evidence: "process-id" });
    const effects = host.give({ kind: "evidenceSettled", jobId: jobIdOf(1), evidence: undefined });
    expect(sent(effects, "outputEnded")[0]?.record).toMatchObject({
      outcome: "indeterminate",
      reason: "the printer host stopped during the output",
    });
    host.restart();
    host.open(client);
    host.deviceReady();
    expect(sent(host.offer(ticketOf(1)), "outputEnded")[0]?.record.outcome).toBe("indeterminate");
  });

  it("a cancel cannot change what is undecided", () => {
    const host = diedPrinting();
    host.open(client);
    expect(brief(host.cancel(ticketOf(1)))).toEqual(["outputStarted to client"]);
  });

  it("uploads have names that no former life gave", () => {
    const host = readyHost();
    const before = only(host.offer(ticketOf(1)), "expectImage")[0]?.uploadId;
    host.restart();
    host.open(client);
    expect(only(host.offer(ticketOf(1)), "expectImage")[0]?.uploadId).not.toBe(before);
  });
});

describe("the server hears of the printer", () => {
  it("as soon as its link opens, again until it asks for the ledger, and at each change", () => {
    const host = new TestHost();
    expect(sent(host.open(server), "printerChanged")[0]).toMatchObject({
      attributes: { name: "kitchen", hostIncarnation: "ledger000001" },
      state: { state: "stopped", reasons: ["connecting-to-device"] },
    });
    expect(sent(host.after(4_000), "printerChanged", server)).toHaveLength(3);
    host.ledger();
    expect(host.after(60_000)).toEqual([]);
    expect(sent(host.deviceReady(), "printerChanged")[0]?.state.state).toBe("idle");
    host.open(server);
    host.close(server);
    expect(host.after(60_000)).toEqual([]);
  });

  it("a client that asks for the ledger does not answer for the server", () => {
    const host = new TestHost();
    host.open(server);
    host.open(client);
    host.clientSays({ type: "ledgerRequested", afterSequence: -1 });
    expect(sent(host.after(500), "printerChanged", server)).toHaveLength(1);
  });

  it("the ledger comes in pages, without jobs that have only an INTENT", () => {
    const pageRecords = limits.ledgerRecordsPerMessage;
    const host = readyHost(pageRecords * 2);
    for (let sequence = 1; sequence <= pageRecords + 10; sequence++) host.cancel(ticketOf(sequence));
    host.load(ticketOf(999));
    const [first] = sent(host.ledger(), "ledgerListed");
    expect(first).toMatchObject({ complete: false, upTo: pageRecords - 1 });
    expect(first?.records).toHaveLength(pageRecords);
    const [second] = sent(host.ledger(first?.upTo), "ledgerListed");
    expect(second).toMatchObject({ complete: true, upTo: pageRecords + 10 });
    expect(second?.records).toHaveLength(10);
    expect(sent(host.ledger(second?.upTo), "ledgerListed")[0]?.records).toEqual([]);
  });

  it("a message that nobody may send to a host is noted, no more", () => {
    const effects = readyHost().clientSays({ type: "jobUnknown", jobId: jobIdOf(1) });
    expect(effects).toEqual([{ kind: "note", event: "message-unexpected", detail: `jobUnknown from ${client}` }]);
  });
});

describe("a final record is announced", () => {
  it("to the server and all who asked, again with growing pauses, until each has acknowledged (312)", () => {
    const host = readyHost();
    host.load(ticketOf(1));
    host.finish(ticketOf(1));
    expect(sent(host.after(2_000), "outputEnded", server)).toHaveLength(2);
    host.says(server, { type: "outputAcknowledged", jobId: jobIdOf(1) });
    expect(sent(host.after(60_000), "outputEnded", server)).toEqual([]);
    host.clientSays({ type: "outputAcknowledged", jobId: jobIdOf(1) });
    expect(host.machine.nextWakeMs()).toBeUndefined();
  });

  it("not to who is not there: who comes back asks", () => {
    const host = readyHost();
    host.load(ticketOf(1));
    host.close(client);
    expect(brief(host.finish(ticketOf(1)))).toEqual(["persist printed", "dropImage", "outputEnded to server"]);
    host.close(server);
    expect(host.machine.nextWakeMs()).toBeUndefined();
    host.open(client);
    expect(brief(host.ask(jobIdOf(1)))).toEqual(["outputEnded to client"]);
  });

  it("to who asked about a job while it was printing", () => {
    const host = readyHost();
    host.load(ticketOf(1), { from: server });
    expect(brief(host.ask(jobIdOf(1)))).toEqual(["outputStarted to client"]);
    expect(sent(host.finish(ticketOf(1)), "outputEnded", client)).toHaveLength(1);
  });
});

describe("time", () => {
  it("a host with nothing to do asks for nothing", () => {
    expect(readyHost().machine.nextWakeMs()).toBeUndefined();
  });

  it("wakes for the sender's silence", () => {
    const host = readyHost();
    host.offer(ticketOf(1));
    expect(host.machine.nextWakeMs()).toBe(host.nowMs + defaultTimers.imageTransferTimeoutMs);
  });
});
