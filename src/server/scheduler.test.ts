import { describe, expect, it } from "vitest";
import { recordOf, ticketOf } from "../runtime/test-machine.ts";
import { chooseSender, isActive, isPending } from "./scheduler.ts";
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
    lastRefusal: undefined,
    rowsDone: 0,
    ...more,
  };
}

// What the user chose, where the images are, who is there; and who sends.
const clientOnly = { spools: "client", clientKeepsImage: true, serverCopy: false, imageStored: false } as const;
const both = { spools: "both", clientKeepsImage: true, serverCopy: true, imageStored: true } as const;
const serverOnly = { spools: "server", clientKeepsImage: false, serverCopy: true, imageStored: true } as const;
const notUploaded = { spools: "both", clientKeepsImage: true, serverCopy: true, imageStored: false } as const;
const nowhere = { spools: "server", clientKeepsImage: false, serverCopy: true, imageStored: false } as const;

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
    const choice = chooseSender(job, { clientLinked: client, hostLinked: host });
    expect(choice.kind === "wait" ? choice.reason : choice.kind).toBe(expected);
  });

  it("a client without the image, and none wanted here: nobody can send", () => {
    const job = jobWith({ clientKeepsImage: false, serverCopy: false, imageStored: false });
    expect(chooseSender(job, { clientLinked: true, hostLinked: true })).toEqual({
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
