import { describe, expect, it } from "vitest";
import type { PrintEvent } from "../protocol/api.ts";
import { exitCodeOfAll, PrintTracker } from "./print-tracker.ts";

const jobId = "1f0c9a7e-k3x9q2-42";

function track(
  waitFor: "accepted" | "ended",
  events: readonly PrintEvent[],
): { tracker: PrintTracker; steps: string[] } {
  const tracker = new PrintTracker("receipt.png", waitFor);
  const steps = events.flatMap((event) => (tracker.take(event) ? [tracker.sentence] : []));
  return { tracker, steps };
}

async function isSettled(tracker: PrintTracker): Promise<boolean> {
  return Promise.race([tracker.settled.then(() => true), new Promise<boolean>((r) => setImmediate(() => r(false)))]);
}

describe("a document on its way", () => {
  it("is told step by step, each once however often the peers repeat it", () => {
    const { tracker, steps } = track("ended", [
      { event: "rendered", jobId, heightDots: 200 },
      { event: "accepted", jobId },
      { event: "waiting", jobId, detail: "0 ahead at the printer" },
      { event: "started", jobId, detail: "client" },
      { event: "progressed", jobId, rowsDone: 50 },
      { event: "started", jobId, detail: "client" },
      { event: "ended", jobId, detail: "printed" },
      { event: "closed", jobId, detail: "printed" },
    ]);
    expect(steps).toEqual(["is in the spool", "accepted", "is printed from the client's spool", "printed"]);
    expect(tracker).toMatchObject({ jobId, verdict: "done", accepted: true, taken: true });
  });

  it("shows how far it has come", () => {
    const { tracker } = track("ended", [
      { event: "rendered", jobId, heightDots: 200 },
      { event: "progressed", jobId, rowsDone: 50 },
    ]);
    expect(tracker.sentence).toBe("printing 25 %");
  });

  it("keeps nobody waiting after the accept, unless asked to", async () => {
    const events: PrintEvent[] = [
      { event: "rendered", jobId },
      { event: "accepted", jobId },
    ];
    expect(await isSettled(track("accepted", events.slice(0, 1)).tracker)).toBe(false);
    expect(await isSettled(track("accepted", events).tracker)).toBe(true);
    expect(await isSettled(track("ended", events).tracker)).toBe(false);
    expect(await isSettled(track("ended", [...events, { event: "held", jobId, detail: "why" }]).tracker)).toBe(true);
  });

  it("is done when it came out after all", () => {
    const { tracker } = track("ended", [
      { event: "held", jobId, detail: "why" },
      { event: "started", jobId, detail: "server" },
      { event: "closed", jobId, detail: "printed" },
    ]);
    expect(tracker.verdict).toBe("done");
  });
});

describe("the exit code", () => {
  it.each<[string, number, PrintEvent[]]>([
    ["accepted", 0, [{ event: "accepted" }]],
    ["printed", 0, [{ event: "closed", detail: "printed" }]],
    ["canceled", 1, [{ event: "ended", detail: "canceled" }]],
    ["refused", 1, [{ event: "refused", code: "spool-full", detail: "" }]],
    ["failed", 1, [{ event: "failed", code: "document-unknown", detail: "" }]],
    ["held", 3, [{ event: "held", detail: "why" }]],
    ["indeterminate", 3, [{ event: "ended", detail: "indeterminate" }]],
  ])("of a job that is %s is %i", (_, code, events) => {
    expect(exitCodeOfAll([track("ended", events).tracker])).toBe(code);
  });

  it("is that of the worst document", () => {
    const printed = track("ended", [{ event: "closed", detail: "printed" }]).tracker;
    const held = track("ended", [{ event: "held", detail: "why" }]).tracker;
    const failed = track("ended", [{ event: "refused", code: "spool-full" }]).tracker;
    expect(exitCodeOfAll([printed, held])).toBe(3);
    expect(exitCodeOfAll([printed, held, failed])).toBe(1);
  });
});

it("a refusal is told as the sentence of the error table", () => {
  const { tracker } = track("ended", [{ event: "refused", code: "spool-full", detail: "of the server" }]);
  expect(tracker.sentence).toMatch(/^the spool is full \(NG\): of the server\. What to do: /);
});
