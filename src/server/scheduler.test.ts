import { describe, expect, it } from "vitest";
import { recordOf, ticketOf } from "../runtime/test-machine.ts";
import { chooseSender, inTurn, isActive, isPending } from "./scheduler.ts";
import type { Phase, ServerJob, ServerJobRow } from "./server-state.ts";

function jobWith(row: Partial<ServerJobRow>, more: Partial<ServerJob> = {}): ServerJob {
  return {
    row: {
      ticket: ticketOf(1),
      clientKeepsImage: true,
      serverCopy: true,
      imageStored: true,
      epoch: 0,
      queueNumber: 0,
      cancelRequested: false,
      retryRequested: false,
      requestedHereMs: 0,
      clientRevision: 0,
      events: [],
      ...row,
    },
    client: "client:c11e47aa",
    host: "host:kitchen",
    phase: { kind: "waiting", reason: "waits-for-turn", notBeforeMs: 0 },
    attempt: undefined,
    cancelRetry: undefined,
    composing: false,
    composeFailed: false,
    refusedForEver: false,
    askAtMs: undefined,
    lastFailure: undefined,
    blocking: false,
    placeUntilMs: 0,
    rowsDone: 0,
    clientWay: undefined,
    ...more,
  };
}

// What the user chose, where the images are, who is there; and who sends.
const clientOnly = { spools: "client", clientKeepsImage: true, serverCopy: false, imageStored: false } as const;
const both = { spools: "both", clientKeepsImage: true, serverCopy: true, imageStored: true } as const;
const serverOnly = { spools: "server", clientKeepsImage: false, serverCopy: true, imageStored: true } as const;
const notUploaded = { spools: "both", clientKeepsImage: true, serverCopy: true, imageStored: false } as const;
const nowhere = { spools: "server", clientKeepsImage: false, serverCopy: true, imageStored: false } as const;

const quiet = { clientLinked: true, hostLinked: true, hostBeside: false, networkLoaded: false };
const large = { sizeBytes: 1_000_000 };

describe("auto picks by network load, image size and who holds the image, and says why", () => {
  it.each([
    [both, { hostBeside: true }, {}, "offer-own", "auto: the printer host is on its machine"],
    [both, { hostBeside: true, clientWay: "beside" }, {}, "offer-own", "auto: the printer host is on its machine"],
    [both, { clientWay: "beside" }, {}, "start-client", "auto: the printer host is on its machine"],
    [both, {}, {}, "offer-own", "auto: a small image, which the server sends without asking first"],
    [both, {}, large, "start-client", "auto: a large image, past the server's network"],
    [both, { networkLoaded: true }, {}, "start-client", "auto: the server's network is loaded"],
    [both, { clientWay: "loaded" }, large, "offer-own", "auto: the client's network is loaded"],
    [both, { clientWay: "loaded", networkLoaded: true }, large, "start-client", /both networks are loaded; a large/],
    [
      both,
      { networkLoaded: true, clientLinked: false },
      {},
      "offer-own",
      "auto: only the server can send: the client is away",
    ],
    [clientOnly, { hostBeside: true }, {}, "start-client", "auto: only the client can send: the server has no image"],
    [both, { hostBeside: true, hostLinked: false }, {}, "start-client", /the server does not reach the host/],
  ] as const)("images %j, surroundings %j, %j: %s, %s", (images, around, size, kind, why) => {
    const { spools, ...row } = images;
    const clientWay = "clientWay" in around ? around.clientWay : undefined;
    const job = jobWith({ ticket: ticketOf(1, { source: "auto", spools, ...size }), ...row }, { clientWay });
    const choice = chooseSender(job, { ...quiet, ...around });
    expect(choice).toEqual({ kind, why: typeof why === "string" ? why : expect.stringMatching(why) });
  });

  it("who named the source gets it, and the reason when not", () => {
    const job = jobWith({ ticket: ticketOf(1, { source: "client" }) });
    expect(chooseSender(job, quiet)).toEqual({ kind: "start-client", why: "as chosen" });
    expect(chooseSender(job, { ...quiet, clientLinked: false })).toEqual({
      kind: "offer-own",
      why: "client was chosen; the client is away",
    });
  });
});

describe("turns", () => {
  const queued = (queueNumber: number, priority?: number): ServerJob =>
    jobWith({ ticket: ticketOf(queueNumber, priority === undefined ? {} : { priority }), queueNumber });

  it("go first in, first out", () => {
    const jobs = [queued(1), queued(2), queued(3)];
    expect([...inTurn(() => jobs)]).toEqual(jobs);
  });

  it("by priority, and first in, first out within one", () => {
    const jobs = [queued(1), queued(2, 80), queued(3, 10), queued(4, 80), queued(5)];
    expect([...inTurn(() => jobs)].map(({ row }) => row.queueNumber)).toEqual([2, 4, 1, 5, 3]);
  });
});

describe("who sends the image", () => {
  it.each([
    ["client", both, true, true, "start-client"],
    ["client", both, true, false, "start-client"],
    ["client", both, false, true, "offer-own"],
    ["client", both, false, false, "waits-for-printer-host"],
    ["server", both, true, true, "offer-own"],
    ["server", both, false, true, "offer-own"],
    ["server", both, true, false, "start-client"],
    ["server", both, false, false, "waits-for-printer-host"],
    ["client", clientOnly, true, true, "start-client"],
    ["server", clientOnly, true, true, "start-client"],
    ["client", clientOnly, false, true, "waits-for-client"],
    ["server", serverOnly, true, true, "offer-own"],
    ["client", serverOnly, true, true, "offer-own"],
    ["server", serverOnly, true, false, "waits-for-printer-host"],
    ["client", notUploaded, true, true, "waits-for-image"],
    ["server", notUploaded, false, true, "waits-for-client"],
    ["server", nowhere, true, true, "waits-for-image"],
    ["server", nowhere, false, true, "waits-for-client"],
  ] as const)("source %s, images %j, client there %s, host there %s: %s", (source, images, client, host, expected) => {
    const { spools, ...row } = images;
    const job = jobWith({ ticket: ticketOf(1, { source, spools }), ...row });
    const choice = chooseSender(job, { ...quiet, clientLinked: client, hostLinked: host });
    expect(choice.kind === "wait" ? choice.reason : choice.kind).toBe(expected);
  });

  it("a client without the image, and none wanted here: nobody can send", () => {
    const job = jobWith({ clientKeepsImage: false, serverCopy: false, imageStored: false });
    expect(chooseSender(job, quiet)).toEqual({
      kind: "wait",
      reason: "waits-for-client",
    });
  });
});

describe("pending", () => {
  it("is a job with nothing but its turn before it", () => {
    expect(isPending(jobWith({}))).toBe(true);
    expect(isPending(jobWith({ heldReason: "job-conflict" }))).toBe(false);
    expect(isPending(jobWith({ cancelRequested: true }))).toBe(false);
    expect(isPending(jobWith({ outcome: recordOf(ticketOf(1)) }))).toBe(false);
    expect(isPending(jobWith({}, { composing: true }))).toBe(false);
  });
});

describe("active", () => {
  const retry = { atMs: 0, delayMs: 0 };
  const phases: Phase[] = [
    { kind: "starting", deadlineMs: 0, retry },
    { kind: "client-sending", deadlineMs: 0 },
    { kind: "offering", retry, sending: false },
    { kind: "outputting", retry, sentBy: "client" },
  ];

  it.each(phases)("is a job on its way to the paper: $kind", (phase) => {
    expect(isActive(jobWith({}, { phase }))).toBe(true);
    expect(isActive(jobWith({ heldReason: "job-conflict" }, { phase }))).toBe(false);
    expect(isActive(jobWith({ outcome: recordOf(ticketOf(1)) }, { phase }))).toBe(false);
  });

  it("is not one that waits", () => {
    expect(isActive(jobWith({}))).toBe(false);
  });
});
