import { describe, expect, it } from "vitest";
import { brief, digestOf, jobIdOf, only, sent, ticketOf } from "../../runtime/test-machine.ts";
import { client, readyHost, server } from "./test-host.ts";

describe("cancel", () => {
  const closing = ["outputEnded to client", "outputEnded to server"];

  it("of a job never heard of: CANCELED for ever, so that a late offer does not print", () => {
    const host = readyHost();
    expect(brief(host.cancel(ticketOf(1)))).toEqual(["persist canceled", ...closing]);
    expect(sent(host.offer(ticketOf(1)), "outputEnded")[0]?.record).toMatchObject({
      outcome: "canceled",
      reason: "canceled before output",
    });
  });

  it("of a job that waits, comes in, or is loaded", () => {
    const host = readyHost();
    host.deviceReady(false);
    host.load(ticketOf(1));
    host.offer(ticketOf(2));
    expect(brief(host.cancel(ticketOf(2)))).toEqual(["persist canceled", ...closing]);
    expect(brief(host.cancel(ticketOf(1)))).toEqual(["dropImage", "persist canceled", ...closing]);
    host.offer(ticketOf(3));
    expect(brief(host.cancel(ticketOf(3)))).toEqual(["dropImage", "persist canceled", ...closing]);
    expect(only(host.deviceReady(), "startOutput")).toEqual([]);
  });

  it("of a job that prints stops the device; what became of it is for the device to say", () => {
    const host = readyHost();
    host.load(ticketOf(1));
    expect(brief(host.cancel(ticketOf(1)))).toEqual(["cancelOutput", "outputStarted to client"]);
    const effects = host.finish(ticketOf(1), { kind: "uncertain", reason: "canceled while printing" });
    expect(sent(effects, "outputEnded")[0]?.record.outcome).toBe("indeterminate");
  });

  it("of a job that has ended is answered with how it ended", () => {
    const host = readyHost();
    host.load(ticketOf(1));
    host.finish(ticketOf(1));
    expect(sent(host.cancel(ticketOf(1)), "outputEnded", client)[0]?.record.outcome).toBe("printed");
  });

  it("of a job made for an older ledger: it may be on paper, so it is not called canceled (I3)", () => {
    const host = readyHost();
    const effects = host.cancel(ticketOf(1, { hostIncarnation: "ledger000000" }));
    expect(sent(effects, "outputEnded", server)[0]?.record).toMatchObject({
      outcome: "indeterminate",
      reason: "the job was made for an older ledger",
    });
  });

  it("leaves another job of the same id alone, and is answered when that one has ended", () => {
    const other = ticketOf(1, { sha256: digestOf("another image") });
    const host = readyHost();
    host.deviceReady(false);
    host.load(ticketOf(1));
    expect(brief(host.cancel(other, { from: server }))).toEqual(["offerWaiting to server"]);
    host.deviceReady();
    expect(brief(host.cancel(other, { from: server }))).toEqual(["offerRefused to server"]);
    host.finish(ticketOf(1));
    expect(host.record(jobIdOf(1))?.state).toBe("printed");
    expect(sent(host.cancel(other), "offerRefused")[0]?.code).toBe("job-conflict");
  });
});
