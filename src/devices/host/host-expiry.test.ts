import { describe, expect, it } from "vitest";
import { brief, only, sent, ticketOf } from "../../runtime/test-machine.ts";
import { client, readyHost, type TestHost } from "./test-host.ts";

const hour = 3_600_000;

function offer(host: TestHost, sequence: number, expiresInMs: number) {
  const ticket = ticketOf(sequence);
  return host.says(client, { type: "imageOffered", ticket, epoch: 0, sentBy: "client", expiresInMs });
}

describe("a stale ticket does not print", () => {
  it("while it waits behind another one", () => {
    const host = readyHost();
    host.load(ticketOf(1));
    host.load(ticketOf(2));
    offer(host, 3, hour);
    expect(host.record(ticketOf(3).jobId)).toBeUndefined();
    host.after(hour + 1);
    expect(host.record(ticketOf(3).jobId)).toMatchObject({
      state: "canceled",
      reason: expect.stringMatching(/^expired/),
    });
  });

  it("when the printer comes back after the weekend with its image loaded, its sender gone", () => {
    const host = readyHost();
    host.deviceReady(false);
    host.receive(offer(host, 1, hour), ticketOf(1));
    host.close(client);
    const expired = host.after(60 * hour);
    expect(brief(expired)).toContain("dropImage");
    expect(only(host.deviceReady(), "startOutput")).toEqual([]);
    host.open(client);
    expect(sent(host.ask(ticketOf(1).jobId), "outputEnded")[0]?.record.outcome).toBe("canceled");
  });

  it("that is offered too late is answered at once", () => {
    const host = readyHost();
    expect(sent(offer(host, 1, 0), "outputEnded")[0]?.record.outcome).toBe("canceled");
  });

  it("but one that prints is let be", () => {
    const host = readyHost();
    host.receive(offer(host, 1, hour), ticketOf(1));
    host.after(2 * hour);
    expect(host.record(ticketOf(1).jobId)?.state).toBe("intent");
    const unlessStarted = {
      type: "outputCancelRequested",
      ticket: ticketOf(1),
      epoch: 1,
      unlessStarted: true,
    } as const;
    expect(only(host.says(client, unlessStarted), "cancelOutput")).toEqual([]);
    host.finish(ticketOf(1));
    expect(host.record(ticketOf(1).jobId)?.state).toBe("printed");
  });

  it("without room in the ledger it is given back, and nobody is woken for it again and again", () => {
    const host = readyHost(10);
    host.deviceReady(false);
    offer(host, 1, hour);
    for (let sequence = 2; sequence < 8; sequence++) host.cancel(ticketOf(sequence));
    host.after(hour + 1);
    expect(host.machine.nextWakeMs() ?? Number.POSITIVE_INFINITY).toBeGreaterThan(host.nowMs);
  });
});
