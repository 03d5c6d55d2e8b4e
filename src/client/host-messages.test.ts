import { describe, expect, it } from "vitest";
import { brief, digestOf, jobIdOf, only, sent, ticketOf } from "../runtime/test-machine.ts";
import { host, readyClient, server, type TestClient, told } from "./test-client.ts";

function offering(epoch = 1): TestClient {
  const client = readyClient();
  client.submit(ticketOf(1));
  client.accepted(ticketOf(1));
  client.started(ticketOf(1), epoch);
  return client;
}

function refused(client: TestClient, code: "ledger-full" | "epoch-stale" | "image-wrong-width") {
  return client.hostSays({ type: "offerRefused", jobId: jobIdOf(1), epoch: 1, code, detail: "" });
}

describe("the host answers an offer (step 309)", () => {
  it("wants the image: it is sent once at a time", () => {
    const client = offering();
    const wanted = { type: "imageWanted", jobId: jobIdOf(1), epoch: 1, uploadId: "boot.1" } as const;
    const send = { kind: "sendImage", jobId: jobIdOf(1), to: host, uploadId: "boot.1" };
    expect(client.hostSays(wanted)).toEqual([send]);
    expect(client.hostSays(wanted)).toEqual([]);
    client.give({ kind: "imageTransferEnded", jobId: jobIdOf(1), to: host, ok: false, reason: "cut" });
    expect(client.hostSays({ ...wanted, uploadId: "boot.2" })).toEqual([{ ...send, uploadId: "boot.2" }]);
  });

  it("the user hears how it goes", () => {
    const client = offering();
    const [jobId, epoch] = [jobIdOf(1), 1];
    const effects = [
      client.hostSays({ type: "offerWaiting", jobId, epoch, ahead: 2 }),
      client.hostSays({ type: "imageReceived", jobId, epoch, sentBy: "client" }),
      client.hostSays({ type: "outputStarted", jobId, epoch, sentBy: "server" }),
      client.hostSays({ type: "outputProgressed", jobId, rowsDone: 77 }),
    ].flat();
    expect(effects).toMatchObject([
      { event: "waiting", detail: "2 ahead at the printer" },
      { event: "waiting", detail: "the printer host has the image" },
      { event: "started", detail: "server" },
      { event: "progressed", rowsDone: 77 },
    ]);
    expect(client.machine.job(jobId)).toMatchObject({ rowsDone: 77, reported: "progressed" });
    expect(client.hostSays({ type: "outcomesUnknown", jobIds: [jobId] })).toEqual([]);
  });

  it("cannot take it now: the order has failed, the server hears why and says what follows", () => {
    const client = offering(3);
    expect(sent(refused(client, "ledger-full"), "senderHasNoImage", server)).toEqual([
      { type: "senderHasNoImage", jobId: jobIdOf(1), epoch: 3, reason: "offer-refused", code: "ledger-full" },
    ]);
    expect(sent(client.after(1_000), "imageOffered")).toEqual([]);
    expect(client.row(jobIdOf(1))?.heldReason).toBeUndefined();
  });

  it("cannot take it now, and the client is alone: offered again by itself", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.close(server);
    client.after(6_000);
    expect(brief(refused(client, "ledger-full"))).toEqual([]);
    expect(sent(client.after(10_000), "imageOffered").length).toBeGreaterThan(0);
  });

  it("knows a newer order: the client stops, and says nothing", () => {
    const client = offering();
    expect(brief(refused(client, "epoch-stale"))).toEqual([]);
    expect(sent(client.after(10_000), "imageOffered")).toEqual([]);
  });

  it("knows a newer order, and the client is alone: it asks again, in case its giver is gone", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.close(server);
    client.after(6_000);
    refused(client, "epoch-stale");
    expect(sent(client.after(10_000), "imageOffered").length).toBeGreaterThan(0);
  });

  it("never takes it: held, and the server is told why", () => {
    const client = offering(5);
    const effects = refused(client, "image-wrong-width");
    expect(sent(effects, "senderHasNoImage", server)).toEqual([
      { type: "senderHasNoImage", jobId: jobIdOf(1), epoch: 5, reason: "offer-refused", code: "image-wrong-width" },
    ]);
    expect(told(effects)).toEqual(["held"]);
    expect(client.row(jobIdOf(1))?.heldReason).toBe("the print image is not as wide as the printer");
    expect(sent(client.after(10_000), "imageOffered")).toEqual([]);
  });

  it("a refusal after the end counts for nothing", () => {
    const client = offering();
    client.ended(ticketOf(1));
    expect(brief(refused(client, "image-wrong-width"))).toEqual([]);
  });
});

describe("the output has ended (steps 311-313)", () => {
  it("is durable here before it is acknowledged, and told to the server until that one has answered", () => {
    const client = offering();
    expect(brief(client.ended(ticketOf(1)))).toEqual([
      "persist put client_jobs",
      "reportJob ended",
      "jobEnded to server",
      "outputAcknowledged to host",
    ]);
    expect(brief(client.ended(ticketOf(1)))).toEqual(["outputAcknowledged to host"]);
    expect(sent(client.after(4_000), "jobEnded", server)).toHaveLength(3);
    expect(sent(client.after(4_000), "imageOffered")).toEqual([]);
  });

  it("of a held job: it is no longer held", () => {
    const client = offering();
    refused(client, "image-wrong-width");
    client.ended(ticketOf(1), { outcome: "indeterminate" });
    expect(client.row(jobIdOf(1))).not.toHaveProperty("heldReason");
  });

  it("of a job that is not here any more is acknowledged", () => {
    expect(brief(readyClient().ended(ticketOf(9)))).toEqual(["outputAcknowledged to host"]);
  });

  it("of another image under the same id: held once, and acknowledged so that it is not told for ever", () => {
    const client = offering();
    const other = { sha256: digestOf("another image") };
    const first = client.ended(ticketOf(1), other);
    expect(brief(first)).toEqual(["persist put client_jobs", "reportJob held", "outputAcknowledged to host"]);
    expect(only(client.ended(ticketOf(1), other), "persist")).toEqual([]);
    expect(client.row(jobIdOf(1))?.outcome).toBeUndefined();
  });
});
