import { describe, expect, it } from "vitest";
import { defaultTimers, limits } from "../protocol/limits.ts";
import { brief, clientId, hostUrl, jobIdOf, kitchen, nonce, only, sent, ticketOf } from "../runtime/test-machine.ts";
import { host, readyClient, server, TestClient, told } from "./test-client.ts";

describe("the whole sequence of design §2, source client", () => {
  it("every write before what follows from it", () => {
    const client = readyClient();
    const ticket = ticketOf(1);
    const { jobId } = ticket;
    const story = [
      ...client.submit(ticket),
      ...client.accepted(ticket, true),
      ...client.give({ kind: "imageTransferEnded", jobId, to: server, ok: true }),
      ...client.serverSays({ type: "imageStored", jobId }),
      ...client.started(ticket),
      ...client.hostSays({ type: "imageWanted", jobId, epoch: 1, uploadId: "boot.1" }),
      ...client.give({ kind: "imageTransferEnded", jobId, to: host, ok: true }),
      ...client.hostSays({ type: "outputStarted", jobId, epoch: 1, sentBy: "client" }),
      ...client.hostSays({ type: "outputProgressed", jobId, rowsDone: 400 }),
      ...client.ended(ticket),
      ...client.serverSays({ type: "jobClosed", jobId }),
    ];
    expect(brief(story)).toEqual([
      "persist put client_jobs",
      "jobRequested to server",
      "openLink",
      "uploadImage",
      "reportJob accepted",
      "senderReady to server",
      "imageOffered to host",
      "sendImage",
      "reportJob started",
      "reportJob progressed",
      "persist put client_jobs",
      "reportJob ended",
      "jobEnded to server",
      "outputAcknowledged to host",
      "reportJob closed",
      "persist delete client_jobs",
      "eraseImage",
      "openJobsListed to server",
    ]);
    expect(client.rows.all("client_jobs")).toEqual([]);
  });
});

describe("job ids", () => {
  it("a number is durable before its first use, one write for many", () => {
    const client = readyClient();
    const first = client.give({ kind: "jobIdRequested", requestId: "a" });
    expect(brief(first)).toEqual(["persist put client_meta", "grantJobId"]);
    expect(only(first, "grantJobId")[0]).toMatchObject({ requestId: "a", jobId: jobIdOf(1) });
    for (let sequence = 2; sequence <= 32; sequence++) {
      expect(brief(client.give({ kind: "jobIdRequested", requestId: "b" }))).toEqual(["grantJobId"]);
    }
    expect(brief(client.give({ kind: "jobIdRequested", requestId: "c" }))).toEqual([
      "persist put client_meta",
      "grantJobId",
    ]);
  });

  it("a number that may have been used is never given again", () => {
    const client = readyClient();
    const before = new Set([client.takeId(), client.takeId()]);
    client.restart();
    expect(before.has(client.takeId())).toBe(false);
    client.restart();
    expect(client.takeId()).toBe(jobIdOf(65));
  });

  it("everything below the lowest open number is closed: granted, open and recorded jobs", () => {
    const client = readyClient();
    const lowest = () => {
      client.close(server);
      return sent(client.open(server), "openJobsListed")[0]?.lowestOpen;
    };
    expect(lowest()).toBe(1);
    const ids = [client.takeId(), client.takeId(), client.takeId()];
    expect(ids).toEqual([jobIdOf(1), jobIdOf(2), jobIdOf(3)]);
    expect(lowest()).toBe(1);
    client.give({ kind: "jobIdReturned", jobId: jobIdOf(1) });
    expect(lowest()).toBe(2);
    client.submit(ticketOf(2));
    client.submit(ticketOf(3));
    expect(lowest()).toBe(2);
    client.ended(ticketOf(2), { outcome: "indeterminate" });
    expect(lowest()).toBe(2);
    // Held by the server with its history: the ledger need not keep it for this client.
    client.serverSays({ type: "jobHeld", jobId: jobIdOf(2), reason: "indeterminate" });
    expect(lowest()).toBe(3);
    client.serverSays({ type: "jobClosed", jobId: jobIdOf(3) });
    expect(lowest()).toBe(4);
  });

  it("a job of a former life of this disk does not hold the present one back", () => {
    const client = readyClient();
    client.submit(ticketOf(0, { jobId: `${clientId}-life00-1` }));
    client.takeId();
    client.give({ kind: "jobIdReturned", jobId: jobIdOf(1) });
    client.close(server);
    expect(sent(client.open(server), "openJobsListed")[0]).toMatchObject({ lowestOpen: 2, nextSequence: 2, nonce });
  });

  it("a job submitted twice is one job", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    expect(client.submit(ticketOf(1))).toEqual([]);
    expect(client.machine.jobs).toHaveLength(1);
  });
});

describe("the link to the server", () => {
  it("opens: open jobs are listed and each is told again", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.submit(ticketOf(2));
    client.ended(ticketOf(2));
    client.submit(ticketOf(3));
    client.give({ kind: "cancelRequested", jobId: jobIdOf(3) });
    client.close(server);
    expect(client.machine.serverLinked).toBe(false);
    const effects = client.open(server);
    expect(client.machine.serverLinked).toBe(true);
    expect(brief(effects)).toEqual([
      "openJobsListed to server",
      "jobRequested to server",
      "jobEnded to server",
      "jobRequested to server",
      "jobCancelRequested to server",
    ]);
    expect(sent(effects, "openJobsListed")[0]?.jobIds).toEqual([jobIdOf(1), jobIdOf(2), jobIdOf(3)]);
  });

  it("is used to compare open jobs now and then, with server and host", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.accepted(ticketOf(1));
    client.serverSays({ type: "jobHeld", jobId: jobIdOf(1), reason: "job-conflict" });
    const effects = client.after(defaultTimers.statusIntervalMs);
    expect(brief(effects)).toEqual(["openJobsListed to server", "outcomesRequested to host"]);
  });

  it("more open jobs than one message holds are not listed", () => {
    const client = new TestClient();
    for (let sequence = 1; sequence <= limits.openJobsPerMessage + 1; sequence++) client.submit(ticketOf(sequence));
    expect(sent(client.open(server), "openJobsListed")).toEqual([]);
  });

  it("printers are kept, so that images can be made while the server is away", () => {
    const client = new TestClient();
    client.open(server);
    const listed = { type: "printersListed", printers: [kitchen, { ...kitchen, name: "bar" }] } as const;
    expect(brief(client.serverSays({ ...listed, printers: [...listed.printers] }))).toEqual([
      "persist put client_printers, put client_printers",
    ]);
    expect(client.serverSays({ ...listed, printers: [...listed.printers] })).toEqual([]);
    client.restart();
    expect(client.machine.printers.map((printer) => printer.name)).toEqual(["kitchen", "bar"]);
  });

  it("messages that nobody may send to a client are noted, no more", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    const unexpected = [
      client.serverSays({ type: "ledgerRequested", afterSequence: 1 }),
      client.serverSays({ type: "imageWanted", jobId: jobIdOf(1), epoch: 1, uploadId: "u" }),
      client.hostSays({ type: "jobUnknown", jobId: jobIdOf(1) }),
    ];
    expect(unexpected.map(brief)).toEqual([[], [], []]);
    expect(unexpected.flat().map((effect) => effect.kind === "note" && effect.event)).toEqual(
      Array.from({ length: 3 }, () => "message-unexpected"),
    );
  });
});

describe("the links to printer hosts", () => {
  it("to a host that has another address now: the old one is given up", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    const moved = { ...kitchen, hostUrl: "http://127.0.0.1:7000" };
    const effects = client.serverSays({ type: "printersListed", printers: [moved] });
    expect(brief(effects).filter((effect) => effect.endsWith("Link"))).toEqual(["closeLink", "openLink"]);
    expect(only(effects, "openLink")).toEqual([{ kind: "openLink", peer: host, url: moved.hostUrl }]);
    expect(only(client.serverSays({ type: "printersListed", printers: [moved] }), "openLink")).toEqual([]);
  });

  it("are opened for open jobs, and closed a while after the last", () => {
    const client = new TestClient();
    client.open(server);
    client.serverSays({ type: "printersListed", printers: [kitchen] });
    expect(only(client.submit(ticketOf(1)), "openLink")).toEqual([{ kind: "openLink", peer: host, url: hostUrl }]);
    expect(only(client.submit(ticketOf(2)), "openLink")).toEqual([]);
    client.open(host);
    for (const ticket of [ticketOf(1), ticketOf(2)]) {
      client.ended(ticket);
      client.serverSays({ type: "jobClosed", jobId: ticket.jobId });
    }
    expect(only(client.after(defaultTimers.statusIntervalMs - 1), "closeLink")).toEqual([]);
    expect(only(client.after(1), "closeLink")).toEqual([{ kind: "closeLink", peer: host }]);
    expect(client.machine.nextWakeMs()).toBeUndefined();
  });

  it("stay while the next job comes in time", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.ended(ticketOf(1));
    client.serverSays({ type: "jobClosed", jobId: jobIdOf(1) });
    client.after(20_000);
    expect(only(client.submit(ticketOf(2)), "openLink")).toEqual([]);
    expect(only(client.after(60_000), "closeLink")).toEqual([]);
  });

  it("a printer nobody has told of cannot be reached", () => {
    const client = readyClient();
    expect(only(client.submit(ticketOf(1, { printer: "bar" })), "openLink")).toEqual([]);
  });

  it("opens: asks what has ended, offers again, cancels again", () => {
    const client = readyClient();
    const [ordered, alone, canceled, ended, elsewhere] = [1, 2, 3, 4, 5].map((n) =>
      ticketOf(n, n === 5 ? { printer: "bar" } : {}),
    );
    for (const ticket of [ordered, alone, canceled, ended, elsewhere]) if (ticket !== undefined) client.submit(ticket);
    client.started(ticketOf(1), 4);
    client.give({ kind: "cancelRequested", jobId: jobIdOf(3) });
    client.ended(ticketOf(4));
    client.close(host);
    const effects = client.open(host);
    expect(brief(effects)).toEqual([
      "outcomesRequested to host",
      "senderReady to server",
      "imageOffered to host",
      "outputCancelRequested to host",
    ]);
    expect(sent(effects, "outcomesRequested")[0]?.jobIds).toEqual([jobIdOf(1), jobIdOf(2), jobIdOf(3)]);
    expect(sent(effects, "imageOffered")[0]).toMatchObject({ epoch: 4 });
  });

  it("closes during an upload: the image is sent anew", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.started(ticketOf(1));
    const wanted = { type: "imageWanted", jobId: jobIdOf(1), epoch: 1, uploadId: "boot.1" } as const;
    expect(only(client.hostSays(wanted), "sendImage")).toHaveLength(1);
    expect(only(client.hostSays(wanted), "sendImage")).toEqual([]);
    client.close(host);
    client.open(host);
    expect(only(client.hostSays(wanted), "sendImage")).toHaveLength(1);
  });
});

describe("a cancel that was asked for before a restart", () => {
  it("is repeated to the host until it has the final word, also when its first message is lost (world seed 2146921)", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.close(server);
    client.close(host);
    client.give({ kind: "cancelRequested", jobId: jobIdOf(1) });
    client.restart();
    expect(sent(client.open(host), "outputCancelRequested")).toHaveLength(1);
    expect(sent(client.after(5_000), "outputCancelRequested")).not.toEqual([]);
    client.ended(ticketOf(1), { outcome: "canceled", evidence: "none" });
    expect(sent(client.after(60_000), "outputCancelRequested")).toEqual([]);
  });
});

describe("alone: the server is silent", () => {
  it("the client says the yes itself, and offers without being asked", () => {
    const client = readyClient();
    client.close(server);
    client.after(4_000);
    const ticket = ticketOf(1);
    expect(told(client.submit(ticket))).toEqual([]);
    const effects = client.after(1_000);
    expect(told(effects)).toEqual(["accepted"]);
    expect(sent(effects, "imageOffered", host)).toEqual([
      { type: "imageOffered", ticket, epoch: 0, sentBy: "client", lowestOpen: 1 },
    ]);
    expect(sent(client.after(4_000), "imageOffered")).toHaveLength(3);
  });

  it("from its start, when no server was ever there", () => {
    const client = new TestClient();
    client.rows.commit([{ op: "put", table: "client_printers", key: "kitchen", value: kitchen }]);
    client.submit(ticketOf(1));
    client.open(host);
    expect(sent(client.after(defaultTimers.serverSilentMs), "imageOffered", host)).toHaveLength(1);
  });

  it("also when the link is up and nothing is answered", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    expect(sent(client.after(5_499), "imageOffered")).toEqual([]);
    expect(sent(client.after(1), "imageOffered", host)).toHaveLength(1);
  });

  it("what the server says ends it; what is offered stays offered", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.after(6_000);
    client.accepted(ticketOf(1));
    client.submit(ticketOf(2));
    client.accepted(ticketOf(2));
    const offered = sent(client.after(10_000), "imageOffered").map((message) => message.ticket.jobId);
    expect(new Set(offered)).toEqual(new Set([jobIdOf(1)]));
  });

  it("in the order of the ids, and neither what is held, canceled, ended, nor what only the server keeps", () => {
    const client = readyClient();
    for (const sequence of [1, 2, 3, 4, 5]) client.submit(ticketOf(sequence), sequence !== 4);
    client.started(ticketOf(1));
    client.hostSays({ type: "offerRefused", jobId: jobIdOf(1), epoch: 1, code: "ledger-other", detail: "" });
    client.give({ kind: "cancelRequested", jobId: jobIdOf(2) });
    client.close(server);
    const offered = () => sent(client.after(5_000), "imageOffered").map((message) => message.ticket.jobId);
    expect(offered().slice(0, 2)).toEqual([jobIdOf(3), jobIdOf(5)]);
    client.ended(ticketOf(3));
    client.ended(ticketOf(5));
    expect(offered()).toEqual([]);
  });
});

describe("cancel", () => {
  it("is durable, told to server and host, and repeated until there is a final word", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.accepted(ticketOf(1));
    const effects = client.give({ kind: "cancelRequested", jobId: jobIdOf(1) });
    expect(brief(effects)).toEqual([
      "persist put client_jobs",
      "reportJob canceling",
      "jobCancelRequested to server",
      "outputCancelRequested to host",
    ]);
    const again = client.after(2_000);
    expect(sent(again, "jobCancelRequested", server)).toHaveLength(2);
    expect(sent(again, "outputCancelRequested", host)).toHaveLength(2);
    expect(brief(client.give({ kind: "cancelRequested", jobId: jobIdOf(1) }))).not.toContain("persist put client_jobs");
    client.restart();
    client.open(server);
    expect(sent(client.open(host), "outputCancelRequested")).toHaveLength(1);
    client.ended(ticketOf(1), { outcome: "canceled" });
    expect(sent(client.after(20_000), "outputCancelRequested")).toEqual([]);
  });

  it("the job is not offered any more, nor its image sent", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.started(ticketOf(1));
    client.give({ kind: "cancelRequested", jobId: jobIdOf(1) });
    expect(client.hostSays({ type: "imageWanted", jobId: jobIdOf(1), epoch: 1, uploadId: "u" })).toEqual([]);
    expect(sent(client.started(ticketOf(1), 2), "senderHasNoImage")[0]).toMatchObject({ epoch: 2, reason: "no-image" });
    expect(sent(client.after(30_000), "imageOffered")).toEqual([]);
  });

  it("of a job that has ended is the server's matter", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.ended(ticketOf(1), { outcome: "indeterminate" });
    const effects = client.give({ kind: "cancelRequested", jobId: jobIdOf(1) });
    expect(sent(effects, "jobCancelRequested", server)).toHaveLength(1);
    expect(sent(effects, "outputCancelRequested")).toEqual([]);
  });

  it("of an unknown job does nothing", () => {
    expect(readyClient().give({ kind: "cancelRequested", jobId: jobIdOf(9) })).toEqual([]);
  });
});

describe("the image in the client's spool is lost", () => {
  it("the server is told, and asked whether it has one", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.accepted(ticketOf(1));
    client.started(ticketOf(1), 3);
    const effects = client.give({ kind: "imageLost", jobId: jobIdOf(1), reason: "damaged" });
    expect(brief(effects)).toEqual(["persist put client_jobs", "senderHasNoImage to server", "jobRequested to server"]);
    expect(sent(effects, "senderHasNoImage")[0]).toMatchObject({ epoch: 3, reason: "no-image" });
    expect(sent(effects, "jobRequested")[0]?.clientKeepsImage).toBe(false);
    expect(sent(client.after(3_000), "imageOffered")).toEqual([]);
  });

  it("the server has one: it goes on from there", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.give({ kind: "imageLost", jobId: jobIdOf(1), reason: "damaged" });
    client.accepted(ticketOf(1), false);
    expect(client.row(jobIdOf(1))).toMatchObject({ image: "none", serverHasImage: true });
    expect(sent(client.started(ticketOf(1)), "senderHasNoImage")).toHaveLength(1);
  });

  it("nobody has one, and the user was told yes: the job is held, and not taken back", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.accepted(ticketOf(1));
    client.give({ kind: "imageLost", jobId: jobIdOf(1), reason: "damaged" });
    client.restart();
    client.open(server);
    expect(told(client.accepted(ticketOf(1), true))).toEqual(["held"]);
    expect(client.row(jobIdOf(1))).toMatchObject({ cancelRequested: false, heldReason: "the image is lost" });
  });

  it("of a job that has ended does not matter any more, even when the server asks for it", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.ended(ticketOf(1), { outcome: "indeterminate" });
    const effects = client.give({ kind: "imageLost", jobId: jobIdOf(1), reason: "damaged" });
    expect(brief(effects)).toEqual(["persist put client_jobs"]);
    expect(brief(client.accepted(ticketOf(1), true))).toEqual([]);
    expect(client.row(jobIdOf(1))).toMatchObject({ cancelRequested: false });
  });

  it("of an unknown job does nothing", () => {
    expect(readyClient().give({ kind: "imageLost", jobId: jobIdOf(9), reason: "damaged" })).toEqual([]);
  });
});

describe("a client that starts again", () => {
  it("goes on with every job in the order of their ids, counted as accepted when a durable image exists", () => {
    const client = readyClient();
    for (const sequence of [10, 9, 2]) client.submit(ticketOf(sequence), sequence !== 2);
    client.restart();
    expect(client.machine.jobs.map((job) => job.row.ticket.jobId)).toEqual([jobIdOf(2), jobIdOf(9), jobIdOf(10)]);
    expect(client.machine.jobs.map((job) => job.row.accepted)).toEqual([false, true, true]);
    expect(client.machine.jobs.map((job) => job.imageAtHand)).toEqual([false, true, true]);
    expect(sent(client.open(server), "jobRequested").map((message) => message.clientKeepsImage)).toEqual([
      false,
      true,
      true,
    ]);
  });

  it("tells an outcome it heard and the server did not", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.close(server);
    client.ended(ticketOf(1));
    client.restart();
    expect(sent(client.open(server), "jobEnded")[0]?.outcome.outcome).toBe("printed");
    expect(sent(client.after(4_000), "jobEnded")).toHaveLength(3);
  });
});
