import { describe, expect, it } from "vitest";
import type { JobChange } from "../protocol/job.ts";
import { changeSettings, firstSettings } from "../protocol/job-settings.ts";
import { brief, jobIdOf, kitchen, sent, ticketOf } from "../runtime/test-machine.ts";
import { changeRefusal } from "./job-changes.ts";
import { readyClient, server, TestClient, told } from "./test-client.ts";

const hour = 3_600_000;

function change(client: TestClient, wanted: JobChange) {
  return client.give({ kind: "changeRequested", jobId: jobIdOf(1), change: wanted });
}

function settingsOf(client: TestClient) {
  return client.row(jobIdOf(1))?.settings ?? firstSettings(ticketOf(1));
}

/** The server has never been seen since the start; the printer host is there. */
function lonelyClient(): TestClient {
  const client = new TestClient();
  client.open(server);
  client.serverSays({ type: "printersListed", printers: [kitchen] });
  client.close(server);
  client.after(6_000);
  client.open("host:kitchen");
  return client;
}

describe("a change at the client", () => {
  it("is durable, and the server hears of it with the request", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    const effects = change(client, { held: true, source: "server" });
    expect(brief(effects)).toEqual(["persist put client_jobs", "jobRequested to server"]);
    expect(sent(effects, "jobRequested")[0]?.settings).toMatchObject({ held: true, source: "server", revision: 1 });
  });

  it("comes too late once this client sends", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.started(ticketOf(1));
    const job = client.machine.job(jobIdOf(1));
    expect(job && changeRefusal(job, { held: true })?.code).toBe("job-processing");
    expect(change(client, { held: true })).toEqual([]);
  });

  it("follows the server's newer settings, and says under them whether it keeps the image", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    const settings = changeSettings(firstSettings(ticketOf(1)), { spools: "client" }, "server");
    const effects = client.serverSays({ type: "jobChanged", jobId: jobIdOf(1), settings });
    expect(sent(effects, "jobRequested")[0]).toMatchObject({ clientKeepsImage: true, settings });
    const old = { ...settings, revision: 0, held: true };
    client.serverSays({ type: "jobChanged", jobId: jobIdOf(1), settings: old });
    expect(settingsOf(client)).toEqual(settings);
  });
});

describe("which spools are used, changed while it waits", () => {
  it("this copy goes only when the server has confirmed its own under these very settings", () => {
    const client = readyClient();
    client.submit(ticketOf(1, { source: "auto" }));
    client.serverSays({ type: "imageStored", jobId: jobIdOf(1), revision: 0 });
    change(client, { spools: "server" });
    const { revision } = settingsOf(client);
    const says = (told: number) =>
      brief(
        client.serverSays({
          type: "jobAccepted",
          jobId: jobIdOf(1),
          wantImage: false,
          hasImage: true,
          revision: told,
        }),
      );
    expect(says(0)).not.toContain("eraseImage");
    expect(says(revision)).toContain("eraseImage");
    expect(client.row(jobIdOf(1))?.image).toBe("none");
  });

  it("this spool joins: the image is fetched from the server, and confirmed", () => {
    const client = readyClient();
    client.submit(ticketOf(1, { source: "server", spools: "server" }), false);
    client.serverSays({ type: "imageStored", jobId: jobIdOf(1), revision: 0 });
    expect(brief(change(client, { spools: "both" }))).toContain("fetchImage");
    const fetched = client.give({ kind: "imageStored", jobId: jobIdOf(1) });
    expect(brief(fetched)).toEqual(["persist put client_jobs", "jobRequested to server"]);
    expect(sent(fetched, "jobRequested")[0]?.clientKeepsImage).toBe(true);
  });

  it("a failed download is tried again when the open jobs are compared", () => {
    const client = readyClient();
    client.submit(ticketOf(1, { source: "server", spools: "server" }), false);
    client.serverSays({ type: "imageStored", jobId: jobIdOf(1), revision: 0 });
    change(client, { spools: "both" });
    client.give({ kind: "imageFetchFailed", jobId: jobIdOf(1), reason: "reset" });
    expect(brief(client.after(31_000))).toContain("fetchImage");
  });
});

describe("without a server", () => {
  it("a held job is not printed, and is when it is released", () => {
    const client = lonelyClient();
    expect(told(client.submit(ticketOf(1, { held: true })))).toEqual(["accepted"]);
    expect(sent(client.after(60_000), "imageOffered")).toEqual([]);
    expect(sent(change(client, { held: false }), "imageOffered")).toHaveLength(1);
  });

  it("a job for later waits for its time", () => {
    const client = lonelyClient();
    const requestedAtMs = client.nowMs + client.wallOffsetMs;
    client.submit(ticketOf(1, { holdMs: hour, requestedAtMs }));
    expect(sent(client.after(hour - 1_000), "imageOffered")).toEqual([]);
    expect(sent(client.after(2_000), "imageOffered")).not.toEqual([]);
  });

  it("an expired job is canceled at the host, and the server is not told of a person's cancel", () => {
    const client = lonelyClient();
    client.close("host:kitchen");
    const requestedAtMs = client.nowMs + client.wallOffsetMs;
    client.submit(ticketOf(1, { expiresMs: hour, requestedAtMs }));
    client.after(hour + 1_000);
    expect(client.row(jobIdOf(1))).toMatchObject({
      cancelRequested: true,
      cancelReason: expect.stringMatching(/60 min/),
    });
    const [asked] = sent(client.open("host:kitchen"), "outputCancelRequested");
    expect(asked).toMatchObject({ unlessStarted: true, reason: expect.stringMatching(/^expired/) });
    const returned = client.open(server);
    expect(sent(returned, "jobRequested")).toHaveLength(1);
    expect(sent(returned, "jobCancelRequested")).toEqual([]);
  });
});

describe("a loaded network at the client", () => {
  it("asks for no server's copy, and for one when the load is over", () => {
    const client = readyClient();
    const ticket = ticketOf(1);
    const submitted = client.give({ kind: "jobSubmitted", ticket, imageKept: true, withoutServerCopy: "90 %" });
    expect(sent(submitted, "jobRequested")[0]?.withoutServerCopy).toBe("90 %");
    const [again] = sent(client.give({ kind: "networkLevelChanged", loaded: false }), "jobRequested");
    expect(again).not.toHaveProperty("withoutServerCopy");
  });
});
