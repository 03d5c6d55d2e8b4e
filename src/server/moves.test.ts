import { describe, expect, it } from "vitest";
import type { JobTicket, OutcomeRecord } from "../protocol/job.ts";
import type { Message, MessageOf, Peer } from "../protocol/messages.ts";
import { brief, jobIdOf, kitchen, only, recordOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { viewJob } from "./job-view.ts";
import { moveRefusal } from "./moves.ts";
import type { ServerEffect, ServerInput } from "./server-state.ts";
import { client, host, readyServer, TestServer } from "./test-server.ts";

const bar = { ...kitchen, name: "bar", hostIncarnation: "ledger00000b" };
const moved = { outcome: "canceled", evidence: "none", reason: "moved to bar" } as const;

function ready(): TestServer {
  const server = readyServer();
  server.hostReady(bar);
  server.says("host:bar", {
    type: "ledgerListed",
    hostIncarnation: bar.hostIncarnation,
    records: [],
    upTo: -1,
    complete: true,
  });
  return server;
}

function stored(server: TestServer, more: Partial<JobTicket> = {}): JobTicket {
  const ticket = ticketOf(1, { source: "server", ...more });
  server.request(ticket);
  server.imageStored(ticket);
  return ticket;
}

function move(server: TestServer, { jobId }: JobTicket, printer = "bar") {
  return server.give({ kind: "moveRequested", jobId, printer });
}

function refusal(server: TestServer, { jobId }: JobTicket, printer = "bar") {
  const job = server.machine.job(jobId);
  if (job === undefined) throw new Error("the job is gone");
  return moveRefusal(job, server.machine.printer(printer)?.row.attributes, server.machine.spoolLevel);
}

function copied(server: TestServer, effects: readonly ServerEffect[]) {
  const [compose] = only(effects, "composeReprint");
  if (compose === undefined) throw new Error("no copy is made");
  return server.give({ kind: "reprintComposed", jobId: compose.jobId, ticket: compose.ticket });
}

describe("a job that is moved", () => {
  it("is refused for ever by its own printer host first, then goes on elsewhere under a new id", () => {
    const server = ready();
    const ticket = stored(server, { priority: 70, title: "order 12" });
    const effects = move(server, ticket);
    expect(brief(effects)).toEqual([
      "persist put server_jobs",
      "persist put server_jobs",
      "persist put server_jobs",
      "outputCancelRequested to host",
    ]);
    expect(sent(effects, "outputCancelRequested")[0]).toMatchObject({ reason: "moved to bar", unlessStarted: true });
    const ended = server.outputEnds(ticket, moved);
    expect(only(ended, "composeReprint")[0]).toMatchObject({ marked: false });
    const last = copied(server, ended);
    expect(brief(last)).toContain("persist put history, delete server_jobs, put server_jobs");
    const [offer] = sent(last, "imageOffered", "host:bar");
    expect(offer?.ticket).toMatchObject({
      printer: "bar",
      hostIncarnation: bar.hostIncarnation,
      movedFrom: ticket.jobId,
      title: "order 12",
      priority: 70,
      sha256: ticket.sha256,
      requestedAtMs: ticket.requestedAtMs,
    });
    const copiedAs = offer?.ticket.jobId;
    expect(server.history(ticket.jobId)).toMatchObject({ resolution: "moved", copiedAs, outcome: moved });
    const record = recordOf(offer?.ticket ?? ticket, { sentBy: "server", hostIncarnation: bar.hostIncarnation });
    server.hostSays({ type: "outputEnded", record }, "bar");
    expect(server.history(copiedAs ?? "")).toMatchObject({ movedFrom: ticket.jobId, printer: "bar" });
    expect(server.machine.jobs).toEqual([]);
  });

  it("keeps what was changed meanwhile, and its time counts from the first request", () => {
    const server = ready();
    const ticket = stored(server, { expiresMs: 600_000 });
    server.after(60_000);
    const held = { priority: 90 };
    server.hostSays({ type: "offerRefused", jobId: ticket.jobId, epoch: 1, code: "ledger-full", detail: "" });
    server.give({ kind: "changeRequested", jobId: ticket.jobId, change: held });
    move(server, ticket);
    const before = server.row(ticket.jobId)?.requestedHereMs;
    copied(server, server.outputEnds(ticket, moved));
    const [job] = server.machine.jobs;
    expect(job?.row.ticket).toMatchObject({ priority: 90, expiresMs: 600_000 });
    expect(job?.row.requestedHereMs).toBe(before);
  });

  it("whose image only the client has: it is asked for first, and nothing is sent to the printer meanwhile", () => {
    const server = ready();
    const ticket = ticketOf(1, { spools: "client" });
    server.request(ticket);
    const { jobId } = ticket;
    const effects = move(server, ticket);
    expect(sent(effects, "jobChanged", client)[0]?.settings.spools).toBe("both");
    expect(sent(effects, "jobAccepted", client)[0]?.wantImage).toBe(true);
    expect(sent(effects, "outputCancelRequested")).toEqual([]);
    server.clientSays({ type: "senderHasNoImage", jobId, epoch: 1, reason: "host-unreachable" });
    expect(sent(server.after(600_000), "jobStarted")).toEqual([]);
    const job = server.machine.job(jobId);
    expect(job === undefined ? "" : viewJob(job).reason).toBe("is moved to bar: waits for the image from the client");
    server.restart();
    server.open(client);
    server.hostReady();
    expect(sent(server.imageStored(ticket), "outputCancelRequested", host)).toHaveLength(1);
  });

  it("whose client comes back: the copy that is wanted for the move is not given up", () => {
    const server = ready();
    const ticket = ticketOf(1, { spools: "client" });
    server.request(ticket);
    move(server, ticket);
    server.imageStored(ticket);
    const settings = { revision: 9, source: "client", spools: "client", priority: 50, held: false } as const;
    server.clientSays({ type: "jobRequested", ticket, clientKeepsImage: true, settings });
    expect(server.row(ticket.jobId)).toMatchObject({ imageStored: true, serverCopy: true });
  });

  it("waits for its printer host, and says so", () => {
    const server = ready();
    const ticket = stored(server);
    server.close(host);
    move(server, ticket);
    const job = server.machine.job(ticket.jobId);
    expect(job === undefined ? "" : viewJob(job).reason).toMatch(/waits for the printer host to confirm/);
    server.restart();
    server.open(client);
    expect(sent(server.hostAppears(), "outputCancelRequested", host)).toHaveLength(1);
  });
});

describe("comes too late, or is overruled", () => {
  it("printed meanwhile: it ends there", () => {
    const server = ready();
    const ticket = stored(server);
    move(server, ticket);
    expect(only(server.outputEnds(ticket), "composeReprint")).toEqual([]);
    expect(server.history(ticket.jobId)?.outcome.outcome).toBe("printed");
    expect(server.machine.jobs).toEqual([]);
  });

  it("nobody knows whether it is on paper: held for a person, and not moved", () => {
    const server = ready();
    const ticket = stored(server);
    move(server, ticket);
    const effects = server.outputEnds(ticket, { outcome: "indeterminate", evidence: "none", reason: "power" });
    expect(only(effects, "composeReprint")).toEqual([]);
    expect(server.row(ticket.jobId)?.heldReason).toBe("indeterminate: power");
    expect(server.row(ticket.jobId)?.moveTo).toBeUndefined();
  });

  it("a person at the client canceled it at the printer host first: that is the last word", () => {
    const server = ready();
    const ticket = stored(server);
    move(server, ticket);
    const effects = server.outputEnds(ticket, { ...moved, reason: "canceled before output" });
    expect(only(effects, "composeReprint")).toEqual([]);
    expect(server.machine.jobs).toEqual([]);
  });

  it("canceled while it is moved, at any point before its copy is there", () => {
    const server = ready();
    const waiting = stored(server);
    move(server, waiting);
    const effects = server.give({ kind: "cancelRequested", jobId: waiting.jobId });
    expect(sent(effects, "outputCancelRequested")[0]?.reason).toBeUndefined();
    expect(only(server.outputEnds(waiting, moved), "composeReprint")).toEqual([]);
    expect(server.machine.jobs).toEqual([]);

    const copying = ticketOf(2, { source: "server" });
    server.request(copying);
    server.imageStored(copying);
    move(server, copying);
    const ended = server.outputEnds(copying, moved);
    server.give({ kind: "cancelRequested", jobId: copying.jobId });
    const [compose] = only(ended, "composeReprint");
    expect(brief(copied(server, ended))).toEqual(["eraseImage"]);
    expect(server.machine.jobs).toEqual([]);
    expect(server.machine.copyOf(compose?.jobId ?? "")).toBeUndefined();
  });

  it("expired meanwhile: canceled, not moved", () => {
    const server = ready();
    const ticket = ticketOf(1, { spools: "client", expiresMs: 60_000 });
    server.request(ticket);
    move(server, ticket);
    server.after(3_600_000);
    expect(server.row(ticket.jobId)).toMatchObject({ cancelReason: expect.stringMatching(/^expired/) });
    expect(server.row(ticket.jobId)?.moveTo).toBeUndefined();
  });

  it("forgotten by the ledger: held, for it may be on paper", () => {
    const server = ready();
    const ticket = stored(server);
    move(server, ticket);
    const epoch = server.epoch(ticket.jobId);
    server.hostSays({ type: "offerRefused", jobId: ticket.jobId, epoch, code: "job-pruned", detail: "" });
    expect(server.row(ticket.jobId)?.heldReason).toMatch(/^job-pruned/);
    expect(server.machine.jobs).toHaveLength(1);
  });

  it("the copy cannot be made: held, and a retry goes on with the move", () => {
    const server = ready();
    const ticket = stored(server);
    move(server, ticket);
    server.outputEnds(ticket, moved);
    server.give({ kind: "reprintFailed", jobId: ticket.jobId, reason: "no disk" });
    const job = server.machine.job(ticket.jobId);
    expect(job === undefined ? undefined : viewJob(job)).toMatchObject({ state: "pending-held" });
    const [compose] = only(server.give({ kind: "retryRequested", jobId: ticket.jobId }), "composeReprint");
    expect(compose).toMatchObject({ marked: false, ticket: { printer: "bar" } });
  });
});

describe("is refused with what to do", () => {
  it.each([
    ["unknown printer", {}, "cellar", "printer-unknown"],
    ["the same printer", {}, "kitchen", "request-invalid"],
    ["another width", {}, "narrow", "image-wrong-width"],
  ] as const)("%s", (_, more, printer, code) => {
    const server = ready();
    server.hostReady({ ...kitchen, name: "narrow", widthDots: 384 });
    const ticket = stored(server, more);
    expect(refusal(server, ticket, printer)?.code).toBe(code);
    expect(move(server, ticket, printer)).toEqual([]);
  });

  it("a job that prints, is canceled, is moved already, or is held for its paper", () => {
    const late = (prepare: (server: TestServer, ticket: JobTicket) => void): string | undefined => {
      const server = ready();
      const ticket = stored(server);
      prepare(server, ticket);
      expect(move(server, ticket)).toEqual([]);
      return refusal(server, ticket)?.detail;
    };
    expect(late((server, ticket) => server.outputStarts(ticket, "server"))).toBe("it prints");
    expect(late((server, { jobId }) => server.give({ kind: "cancelRequested", jobId }))).toBe("it is being canceled");
    expect(late((server, ticket) => move(server, ticket))).toBe("it is on its way to bar");
    const power = { outcome: "indeterminate", evidence: "none" } as const;
    expect(late((server, ticket) => server.outputEnds(ticket, power))).toBe("nobody knows whether it is on paper");
    const other = { type: "offerRefused", jobId: jobIdOf(1), epoch: 1, code: "ledger-other", detail: "" } as const;
    expect(late((server) => server.hostSays(other))).toMatch(/^held: ledger-other/);
  });

  it("but a job that is held for its width may go to a printer that has it", () => {
    const server = ready();
    const ticket = stored(server);
    server.hostSays({ type: "offerRefused", jobId: ticket.jobId, epoch: 1, code: "image-wrong-width", detail: "" });
    expect(refusal(server, ticket)).toBeUndefined();
    expect(sent(move(server, ticket), "outputCancelRequested", host)).toHaveLength(1);
  });
});

class PowerCut extends Error {}

/** Server and two printer hosts; the power of the server goes before one of its effects is carried out. */
class MovingServer extends TestServer {
  readonly images = new Set<string>();
  readonly ledger = new Map<string, OutcomeRecord>();
  readonly paper: string[] = [];
  readonly todo: ServerInput[] = [];
  readonly clientsOnly: boolean;
  #effectsLeft: number;

  constructor(effectsLeft: number, clientsOnly: boolean) {
    super();
    this.#effectsLeft = effectsLeft;
    this.clientsOnly = clientsOnly;
  }

  protected override keep(effect: ServerEffect): void {
    if (this.#effectsLeft === 0) {
      this.#effectsLeft = -1;
      throw new PowerCut();
    }
    this.#effectsLeft -= 1;
    super.keep(effect);
    this.#perform(effect);
  }

  get crashed(): boolean {
    return this.#effectsLeft < 0;
  }

  #perform(effect: ServerEffect): void {
    if (effect.kind === "eraseImage") this.images.delete(effect.jobId);
    if (effect.kind === "composeReprint") {
      this.images.add(effect.ticket.jobId);
      this.todo.push({ kind: "reprintComposed", jobId: effect.jobId, ticket: effect.ticket });
    }
    if (effect.kind === "sendMessage") this.#hears(effect.to, effect.message);
  }

  #hears(to: Peer, message: Message): void {
    if (to === client && message.type === "jobAccepted" && message.wantImage) {
      this.images.add(message.jobId);
      this.todo.push({ kind: "imageStored", jobId: message.jobId });
    }
    if (message.type === "imageOffered") this.#offered(to, message);
    if (message.type === "outputCancelRequested") this.#ends(to, message.ticket, moved);
  }

  /** The kitchen has no paper; the bar prints at once. */
  #offered(to: Peer, { ticket, epoch }: MessageOf<"imageOffered">): void {
    const { jobId } = ticket;
    if (this.ledger.has(jobId)) return this.#ends(to, ticket, {});
    if (to === host) return this.#says(to, { type: "imageReceived", jobId, epoch, sentBy: "server" });
    expect(this.images.has(jobId)).toBe(true);
    this.paper.push(jobId);
    this.#ends(to, ticket, { sentBy: "server", hostIncarnation: bar.hostIncarnation });
  }

  #ends(to: Peer, ticket: JobTicket, more: Partial<OutcomeRecord>): void {
    const record = this.ledger.get(ticket.jobId) ?? recordOf(ticket, { sequence: this.ledger.size, ...more });
    this.ledger.set(ticket.jobId, record);
    this.#says(to, { type: "outputEnded", record });
  }

  #says(from: Peer, message: Message): void {
    this.todo.push({ kind: "messageReceived", from, message });
  }

  /** Both hosts and the client are there; their ledgers were read. */
  begin(): void {
    this.todo.length = 0;
    this.todo.push({ kind: "linkOpened", peer: client });
    const state = { state: "idle" as const, reasons: [] };
    for (const attributes of [kitchen, bar]) {
      const { name, hostIncarnation } = attributes;
      const peer: Peer = `host:${name}`;
      const records = [...this.ledger.values()].filter((record) => record.hostIncarnation === hostIncarnation);
      const upTo = Math.max(-1, ...records.map((record) => record.sequence));
      this.todo.push({ kind: "linkOpened", peer });
      this.#says(peer, { type: "printerChanged", attributes, state });
      this.#says(peer, { type: "ledgerListed", hostIncarnation, records, upTo, complete: true });
    }
  }

  /** A client repeats its request until it is answered. */
  clientReturns(ticket: JobTicket): void {
    if (this.history(ticket.jobId) === undefined)
      this.#says(client, { type: "jobRequested", ticket, clientKeepsImage: true });
  }
}

function runMove(effectsLeft: number, clientsOnly: boolean): MovingServer {
  const server = new MovingServer(effectsLeft, clientsOnly);
  const ticket = ticketOf(1, { source: "client", spools: clientsOnly ? "client" : "both" });
  let asked = false;
  server.begin();
  server.clientReturns(ticket);
  for (let steps = 0; steps < 200; steps++) {
    try {
      const next = server.todo.shift();
      if (next !== undefined) server.give(next);
      else if (!asked && server.machine.job(ticket.jobId) !== undefined) {
        asked = true;
        server.give({ kind: "moveRequested", jobId: ticket.jobId, printer: "bar" });
      } else server.after(1_000);
      // A person whose wish was not taken down asks again.
      if (server.row(ticket.jobId)?.moveTo !== undefined) asked = true;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      server.restart();
      asked = server.row(ticket.jobId)?.moveTo !== undefined || server.history(ticket.jobId) !== undefined;
      server.begin();
      server.clientReturns(ticket);
    }
  }
  return server;
}

describe.each([
  ["the server has the image", false],
  ["only the client has it", true],
])("a crash before any effect neither loses nor doubles it: %s", (_, clientsOnly) => {
  it("prints once, at the other printer", () => {
    let crashes = 0;
    for (let effects = 0; ; effects++) {
      const server = runMove(effects, clientsOnly);
      const at = `crash before effect ${effects}`;
      const old = server.history(jobIdOf(1));
      expect(server.paper, at).toHaveLength(1);
      expect(old, at).toMatchObject({ resolution: "moved", copiedAs: server.paper[0], outcome: moved });
      expect(server.history(server.paper[0] ?? "")?.outcome.outcome, at).toBe("printed");
      expect(server.machine.jobs, at).toEqual([]);
      if (!server.crashed) break;
      crashes += 1;
    }
    expect(crashes).toBeGreaterThan(20);
  });
});
