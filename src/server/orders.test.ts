import { describe, expect, it } from "vitest";
import type { JobTicket } from "../protocol/job.ts";
import { defaultTimers } from "../protocol/limits.ts";
import { brief, jobIdOf, kitchen, nonce, only, sent, ticketOf } from "../runtime/test-machine.ts";
import { client, host, readyServer, serverId, type TestServer } from "./test-server.ts";

/** A job with its image in both spools. */
function stored(server: TestServer, sequence: number, more: Partial<JobTicket> = {}): JobTicket {
  const ticket = ticketOf(sequence, more);
  server.request(ticket);
  server.imageStored(ticket);
  return ticket;
}

function senderReady(server: TestServer, { jobId }: JobTicket) {
  return server.clientSays({ type: "senderReady", jobId, epoch: server.epoch(jobId) });
}

describe("source client: the client is started (step 307)", () => {
  it("prints, and the job is closed: 307, 308, 311-317", () => {
    const server = readyServer();
    const ticket = stored(server, 1);
    expect(server.phase(ticket.jobId)).toBe("starting");
    senderReady(server, ticket);
    expect(server.phase(ticket.jobId)).toBe("client-sending");
    server.outputStarts(ticket);
    expect(server.phase(ticket.jobId)).toBe("outputting");
    server.hostSays({ type: "outputProgressed", jobId: ticket.jobId, rowsDone: 123 });
    expect(server.machine.job(ticket.jobId)?.rowsDone).toBe(123);
    expect(brief(server.outputEnds(ticket))).toEqual([
      "persist put history, delete server_jobs",
      "eraseImage",
      "jobClosed to client",
      "outputAcknowledged to host",
    ]);
    expect(server.machine.nextWakeMs()).toBeUndefined();
  });

  it("the epoch is durable before the order leaves", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    const effects = server.imageStored(ticket);
    const order = effects.findIndex((e) => e.kind === "sendMessage" && e.message.type === "jobStarted");
    const durable = only(effects.slice(0, order), "persist").at(-1)?.writes[0];
    expect(durable).toMatchObject({ op: "put", value: { epoch: 1 } });
  });

  it("repeats the order until it is answered", () => {
    const server = readyServer();
    stored(server, 1);
    expect(sent(server.after(4_000), "jobStarted", client)).toHaveLength(3);
  });

  it("an answer to an older order counts for nothing", () => {
    const server = readyServer();
    const { jobId } = stored(server, 1);
    server.clientSays({ type: "senderReady", jobId, epoch: 0 });
    server.clientSays({ type: "senderReady", jobId: jobIdOf(7), epoch: 1 });
    expect(server.phase(jobId)).toBe("starting");
  });
});

describe("takeover: the started client does not do it (S49, S410)", () => {
  it("no start acknowledgement in time: a higher epoch and the server's own copy", () => {
    const server = readyServer();
    const ticket = stored(server, 1);
    const effects = server.after(defaultTimers.startTimeoutMs);
    expect(sent(effects, "imageOffered", host)).toEqual([{ type: "imageOffered", ticket, epoch: 2, sentBy: "server" }]);
    expect(server.row(ticket.jobId)?.epoch).toBe(2);
  });

  it("the client said that it sends, and the host never said that it prints", () => {
    const server = readyServer();
    const ticket = stored(server, 1);
    server.after(3_000);
    senderReady(server, ticket);
    expect(sent(server.after(defaultTimers.startTimeoutMs - 1), "imageOffered")).toEqual([]);
    expect(sent(server.after(1), "imageOffered")).toHaveLength(1);
  });

  it("the client says at once that it has no image, or does not reach the host", () => {
    for (const reason of ["no-image", "host-unreachable"] as const) {
      const server = readyServer();
      const { jobId } = stored(server, 1);
      const effects = server.clientSays({ type: "senderHasNoImage", jobId, epoch: 1, reason });
      expect(sent(effects, "imageOffered", host)[0]).toMatchObject({ epoch: 2, sentBy: "server" });
      expect(server.row(jobId)?.clientKeepsImage).toBe(reason !== "no-image");
    }
  });

  it("the client's link closes", () => {
    const server = readyServer();
    const ticket = stored(server, 1);
    senderReady(server, ticket);
    expect(sent(server.close(client), "imageOffered", host)[0]).toMatchObject({ epoch: 2, sentBy: "server" });
  });

  it("without a copy here it can only wait, longer each time, and start the client again", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { spools: "client" });
    server.request(ticket);
    const startsMs: number[] = [];
    for (let ms = 0; ms < 20_000; ms += 100) {
      if (sent(server.after(100), "jobStarted").some((message) => message.epoch > startsMs.length + 1))
        startsMs.push(ms + 100);
    }
    expect(startsMs).toEqual([5_500, 11_500, 18_500]);
    expect(server.phase(ticket.jobId)).toBe("starting");
  });

  it("what the silent client sends after all is as good: the ledger decides", () => {
    const server = readyServer();
    const ticket = stored(server, 1);
    server.after(defaultTimers.startTimeoutMs);
    expect(server.phase(ticket.jobId)).toBe("offering");
    server.outputStarts(ticket, "client");
    server.outputEnds(ticket, { sentBy: "client" });
    expect(server.history(ticket.jobId)?.outcome.sentBy).toBe("client");
  });

  it("a refusal of an order that is no longer the last changes nothing", () => {
    const server = readyServer();
    const { jobId } = stored(server, 1);
    server.clientSays({ type: "senderHasNoImage", jobId, epoch: 0, reason: "host-unreachable" });
    server.clientSays({ type: "senderHasNoImage", jobId: jobIdOf(8), epoch: 1, reason: "no-image" });
    expect(server.phase(jobId)).toBe("starting");
    server.outputStarts(ticketOf(1));
    server.clientSays({ type: "senderHasNoImage", jobId, epoch: 1, reason: "host-unreachable" });
    expect(server.phase(jobId)).toBe("outputting");
  });

  it("the host's final refusal, heard from the client, holds the job; a newer order does not", () => {
    const server = readyServer();
    const { jobId } = stored(server, 1);
    const refused = { type: "senderHasNoImage", jobId, epoch: 1, reason: "offer-refused" } as const;
    server.clientSays({ ...refused, code: "epoch-stale" });
    expect(server.row(jobId)?.heldReason).toBeUndefined();
    server.clientSays({ ...refused, code: "job-pruned" });
    expect(server.row(jobId)?.heldReason).toBe("job-pruned: this job id is older than the host remembers");
    server.outputEnds(ticketOf(1), { outcome: "indeterminate", reason: "power" });
    server.clientSays({ ...refused, code: "job-pruned" });
    expect(server.row(jobId)?.heldReason).toBe("indeterminate: power");
  });
});

describe("source server: the server offers its own copy (step 309)", () => {
  it("sends the image when the host wants it, once", () => {
    const server = readyServer();
    const ticket = ticketOf(1, { source: "server" });
    server.request(ticket);
    const effects = server.imageStored(ticket);
    expect(sent(effects, "imageOffered", host)).toEqual([{ type: "imageOffered", ticket, epoch: 1, sentBy: "server" }]);
    const wanted = { type: "imageWanted", jobId: ticket.jobId, epoch: 1, uploadId: "boot.1" } as const;
    expect(server.hostSays({ ...wanted, epoch: 0 })).toEqual([]);
    const send = { kind: "sendImage", jobId: ticket.jobId, to: host, uploadId: "boot.1" };
    expect(server.hostSays(wanted)).toEqual([send]);
    expect(server.hostSays(wanted)).toEqual([]);
    server.give({ kind: "imageTransferEnded", jobId: ticket.jobId, to: host, ok: false, reason: "cut" });
    expect(server.hostSays({ ...wanted, uploadId: "boot.2" })).toEqual([{ ...send, uploadId: "boot.2" }]);
    server.give({ kind: "imageTransferEnded", jobId: ticket.jobId, to: host, ok: true });
    server.outputStarts(ticket, "server");
    expect(server.hostSays(wanted)).toEqual([]);
  });

  it("repeats the offer until it is answered, and asks for the outcome while it prints", () => {
    const server = readyServer();
    const ticket = stored(server, 1, { source: "server" });
    expect(sent(server.after(4_000), "imageOffered")).toHaveLength(3);
    expect(server.hostSays({ type: "offerWaiting", jobId: ticket.jobId, epoch: 1, ahead: 1 })).toEqual([]);
    server.outputStarts(ticket, "server");
    expect(server.outputStarts(ticket, "server")).toEqual([]);
    const asked = sent(server.after(4_000), "outcomesRequested", host);
    expect(asked.map((message) => message.jobIds)).toEqual([[ticket.jobId], [ticket.jobId], [ticket.jobId]]);
  });

  it("a host that knows nothing of it any more gets it again", () => {
    const server = readyServer();
    const ticket = stored(server, 1, { source: "server" });
    expect(server.hostSays({ type: "outcomesUnknown", jobIds: [ticket.jobId, jobIdOf(9)] })).toEqual([]);
    server.outputStarts(ticket, "server");
    const effects = server.hostSays({ type: "outcomesUnknown", jobIds: [ticket.jobId] });
    expect(sent(effects, "imageOffered", host)[0]?.epoch).toBe(2);
  });

  it("the host cannot take it now: tried again after a growing pause, with the reason at hand", () => {
    const server = readyServer();
    const { jobId } = stored(server, 1, { source: "server" });
    const pausesMs: number[] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      const epoch = server.epoch(jobId);
      server.hostSays({ type: "offerRefused", jobId, epoch, code: "ledger-full", detail: "" });
      expect(server.machine.job(jobId)?.lastFailure).toBe("the host's ledger has no free record");
      expect(server.phase(jobId)).toBe("waits-for-sender");
      pausesMs.push((server.machine.nextWakeMs() ?? 0) - server.nowMs);
      server.after(pausesMs.at(-1) ?? 0);
      expect(server.epoch(jobId)).toBe(epoch + 1);
    }
    expect(pausesMs).toEqual([500, 1_000, 2_000, 4_000]);
    server.outputStarts(ticketOf(1), "server");
    expect(server.machine.job(jobId)?.lastFailure).toBeUndefined();
  });

  it("a refusal of an older offer counts for nothing, a final one holds the job", () => {
    const server = readyServer();
    const { jobId } = stored(server, 1, { source: "server" });
    server.hostSays({ type: "offerRefused", jobId, epoch: 0, code: "epoch-stale", detail: "" });
    expect(server.phase(jobId)).toBe("offering");
    const refused = { type: "offerRefused", jobId, epoch: 1, code: "job-conflict", detail: "" } as const;
    const effects = server.hostSays(refused);
    expect(brief(effects)).toEqual(["persist put server_jobs", "jobHeld to client"]);
    expect(brief(server.hostSays(refused))).toEqual(["jobHeld to client"]);
    expect(server.machine.nextWakeMs()).toBeUndefined();
  });

  it("the image in this spool is gone: asks the client for it, or starts the client", () => {
    const server = readyServer();
    const { jobId } = stored(server, 1, { source: "server" });
    const effects = server.give({ kind: "imageLost", jobId, reason: "no file" });
    expect(sent(effects, "jobAccepted", client)[0]?.wantImage).toBe(true);
    expect(server.row(jobId)?.imageStored).toBe(false);
    expect(server.phase(jobId)).toBe("waits-for-image");
    expect(server.give({ kind: "imageLost", jobId: jobIdOf(5), reason: "no file" })).toEqual([]);
  });

  it("a transfer that ends when nobody waits for it any more is only noted", () => {
    const server = readyServer();
    const ended = { kind: "imageTransferEnded", jobId: jobIdOf(1), to: host } as const;
    expect(server.give({ ...ended, ok: true })).toEqual([]);
    const note = { kind: "note", event: "image-transfer-failed", jobId: jobIdOf(1), detail: "cut" };
    expect(server.give({ ...ended, ok: false, reason: "cut" })).toEqual([note]);
  });

  it("an upload for a job that is gone is erased", () => {
    expect(readyServer().imageStored(ticketOf(4))).toEqual([{ kind: "eraseImage", jobId: jobIdOf(4) }]);
  });

  it("tells the host with its own jobs what it has closed of them", () => {
    const server = readyServer({ policy: "reprint-marked" });
    const ticket = stored(server, 1, { source: "server" });
    const [compose] = only(server.outputEnds(ticket, { outcome: "indeterminate" }), "composeReprint");
    expect(compose).toMatchObject({ jobId: ticket.jobId, newJobId: `${serverId}-${nonce}-1`, marked: true });
    const reprint = ticketOf(1, { jobId: compose?.newJobId ?? "", source: "server", spools: "server" });
    const effects = server.give({ kind: "reprintComposed", jobId: ticket.jobId, ticket: reprint });
    expect(sent(effects, "imageOffered", host)[0]).toMatchObject({ ticket: reprint, lowestOpen: 1 });
  });

  it("and of a client's job what that client has told", () => {
    const server = readyServer();
    server.listOpen([], 4, 4);
    const ticket = ticketOf(4, { source: "server" });
    server.request(ticket);
    expect(sent(server.imageStored(ticket), "imageOffered")[0]?.lowestOpen).toBe(4);
  });
});

describe("takeover in the other direction", () => {
  it("the server does not reach the printer host, the client may: it is started", () => {
    const server = readyServer();
    server.close(host);
    const { jobId } = stored(server, 1, { source: "server" });
    expect(server.phase(jobId)).toBe("starting");
  });

  it("the host's link closes during the server's offer: the client is started", () => {
    const server = readyServer();
    const { jobId } = stored(server, 1, { source: "server" });
    const effects = server.close(host);
    expect(sent(effects, "jobStarted", client)).toEqual([{ type: "jobStarted", jobId, epoch: 2 }]);
    expect(server.machine.printers[0]).toMatchObject({ linked: false, state: { reasons: ["waits-for-printer-host"] } });
  });

  it("nobody reaches the host: waits for it, and goes on when it is back", () => {
    const server = readyServer();
    const { jobId } = stored(server, 1);
    server.close(client);
    server.close(host);
    expect(server.phase(jobId)).toBe("waits-for-printer-host");
    server.hostAppears();
    expect(server.phase(jobId)).toBe("waits-for-printer-host");
    expect(sent(server.ledgerEnds(), "imageOffered", host)[0]?.sentBy).toBe("server");
  });
});

describe("the host has the image and waits for the printer", () => {
  const received = { type: "imageReceived", jobId: jobIdOf(1), epoch: 1, sentBy: "client" } as const;

  it("nothing is due any more but a question now and then", () => {
    const server = readyServer();
    const { jobId } = stored(server, 1);
    server.hostSays(received);
    expect(server.phase(jobId)).toBe("at-host");
    expect(server.hostSays(received)).toEqual([]);
    expect(sent(server.after(8_000), "outcomesRequested", host)).toHaveLength(4);
    expect(server.epoch(jobId)).toBe(1);
    server.outputStarts(ticketOf(1));
    expect(server.hostSays(received)).toEqual([]);
    expect(server.phase(jobId)).toBe("outputting");
  });

  it("a host that has lost it gets it again", () => {
    for (const lose of [
      (server: TestServer) => server.hostSays({ type: "outcomesUnknown", jobIds: [jobIdOf(1)] }),
      (server: TestServer) => [...server.close(host), ...server.hostReady()],
    ]) {
      const server = readyServer();
      stored(server, 1);
      server.hostSays(received);
      expect(sent(lose(server), "jobStarted", client)[0]?.epoch).toBe(2);
    }
  });
});

describe("the queue of a printer", () => {
  it("lets the next image come to the host while the last one prints, and no third", () => {
    const server = readyServer();
    const [first, second, third] = [stored(server, 1), stored(server, 2), stored(server, 3)];
    const phases = () => [first, second, third].map(({ jobId }) => server.phase(jobId));
    expect(phases()).toEqual(["starting", "waits-for-turn", "waits-for-turn"]);
    server.outputStarts(first);
    expect(phases()).toEqual(["outputting", "starting", "waits-for-turn"]);
    server.outputStarts(second);
    expect(phases()).toEqual(["outputting", "outputting", "waits-for-turn"]);
    server.outputEnds(first);
    expect(phases()).toEqual([undefined, "outputting", "starting"]);
  });

  it("is first in, first out, one at a time", () => {
    const server = readyServer();
    const tickets = [3, 1, 2].map((sequence) => stored(server, sequence));
    const printed: string[] = [];
    for (const _ of tickets) {
      const active = server.machine.jobs.filter((job) => job.phase.kind !== "waiting");
      expect(active).toHaveLength(1);
      const ticket = active[0]?.row.ticket ?? ticketOf(99);
      printed.push(ticket.jobId);
      server.outputStarts(ticket);
      server.outputEnds(ticket);
    }
    expect(printed).toEqual(tickets.map((ticket) => ticket.jobId));
  });

  it("is first in, first out across clients, though their images come in any order", () => {
    const server = readyServer();
    const clients = ["0000000a", "0000000b", "0000000c"];
    for (const id of clients) server.open(`client:${id}`);
    const tickets = [0, 1, 2, 3].flatMap((round) =>
      clients.map((id) => ticketOf(1, { jobId: `${id}-life01-${round + 1}`, source: "server" })),
    );
    for (const ticket of tickets) {
      server.says(`client:${ticket.jobId.slice(0, 8)}`, { type: "jobRequested", ticket, clientKeepsImage: true });
    }
    for (const ticket of [...tickets].reverse()) {
      server.after(100);
      server.imageStored(ticket);
    }
    const printed: string[] = [];
    for (const _ of tickets) {
      const active = server.machine.jobs.find((job) => job.phase.kind === "offering");
      const ticket = active?.row.ticket ?? ticketOf(99);
      printed.push(ticket.jobId);
      server.outputStarts(ticket, "server");
      server.outputEnds(ticket);
    }
    expect(printed).toEqual(tickets.map(({ jobId }) => jobId));
  });

  it("lets a job pass that waits for its image too long, its client or its pause", () => {
    const server = readyServer();
    const waits = ticketOf(1);
    server.request(waits);
    const goes = stored(server, 2);
    expect(server.phase(waits.jobId)).toBe("waits-for-image");
    expect(server.phase(goes.jobId)).toBe("waits-for-turn");
    server.after(5_000);
    expect(server.phase(goes.jobId)).toBe("starting");
    server.close(client);
    expect(server.phase(goes.jobId)).toBe("offering");
    server.outputEnds(goes);
    expect(server.phase(waits.jobId)).toBe("waits-for-client");
  });

  it("does not hold up the queue of another printer", () => {
    const server = readyServer();
    server.hostReady({ ...kitchen, name: "bar" });
    const first = stored(server, 1);
    const second = stored(server, 2);
    const other = stored(server, 3, { printer: "bar" });
    expect([first, second, other].map(({ jobId }) => server.phase(jobId))).toEqual([
      "starting",
      "waits-for-turn",
      "starting",
    ]);
    server.close("host:bar");
    server.outputStarts(first);
    server.outputEnds(first);
    expect(server.phase(second.jobId)).toBe("starting");
  });

  it("reminds a client now and then that an image is missing", () => {
    const server = readyServer();
    const ticket = ticketOf(1);
    server.request(ticket);
    expect(sent(server.after(29_999), "jobAccepted")).toEqual([]);
    expect(sent(server.after(31_000), "jobAccepted").map((message) => message.wantImage)).toEqual([true, true]);
    server.close(client);
    expect(server.after(120_000)).toEqual([]);
  });
});
