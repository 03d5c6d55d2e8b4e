import { describe, expect, it } from "vitest";
import { brief, jobIdOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { viewClientJob } from "./job-view.ts";
import { host, readyClient, server, type TestClient, told } from "./test-client.ts";

const ticket = ticketOf(1);
const jobId = jobIdOf(1);

/** Every place where a job of the client can be when a person cancels it. */
const places: readonly (readonly [place: string, prepare: (client: TestClient) => void])[] = [
  ["has not been answered", (client) => client.submit(ticket)],
  [
    "is accepted and waits",
    (client) => {
      client.submit(ticket);
      client.accepted(ticket);
    },
  ],
  [
    "is being uploaded",
    (client) => {
      client.submit(ticket);
      client.accepted(ticket, true);
    },
  ],
  [
    "is only at the server",
    (client) => {
      client.submit(ticket, false);
      client.accepted(ticket, true);
      client.serverSays({ type: "imageStored", jobId, revision: 0 });
    },
  ],
  [
    "is offered",
    (client) => {
      client.submit(ticket);
      client.started(ticket);
    },
  ],
  [
    "is being sent",
    (client) => {
      client.submit(ticket);
      client.started(ticket);
      client.hostSays({ type: "imageWanted", jobId, epoch: 1, uploadId: "u" });
    },
  ],
  [
    "is at the host",
    (client) => {
      client.submit(ticket);
      client.started(ticket);
      client.hostSays({ type: "imageReceived", jobId, epoch: 1, sentBy: "client" });
    },
  ],
  [
    "prints",
    (client) => {
      client.submit(ticket);
      client.started(ticket);
      client.hostSays({ type: "outputStarted", jobId, epoch: 1, sentBy: "client" });
    },
  ],
  [
    "is held for what it is",
    (client) => {
      client.submit(ticket);
      client.started(ticket);
      client.hostSays({ type: "offerRefused", jobId, epoch: 1, code: "image-wrong-width", detail: "" });
    },
  ],
  [
    "is held by a person",
    (client) => {
      client.submit(ticketOf(1, { held: true }));
      client.accepted(ticket);
    },
  ],
  [
    "is printed alone",
    (client) => {
      client.submit(ticket);
      client.close(server);
      client.after(10_000);
    },
  ],
];

const cancel = (client: TestClient) => client.give({ kind: "cancelRequested", jobId });

describe.each(places)("a cancel of a job that %s", (_, prepare) => {
  const prepared = (): TestClient => {
    const client = readyClient();
    prepare(client);
    expect(client.row(jobId)).toBeDefined();
    return client;
  };

  it("is told to server and host until one of them has the last word, also after a restart", () => {
    const client = prepared();
    client.open(server);
    expect(told(cancel(client))).toContain("canceling");
    expect(client.row(jobId)).toMatchObject({ cancelRequested: true });
    client.restart();
    client.open(server);
    client.open(host);
    const effects = client.after(60_000);
    expect(sent(effects, "imageOffered")).toEqual([]);
    const ended = client.ended(ticket, { outcome: "canceled", evidence: "none" });
    expect(sent(ended, "jobEnded", server)[0]?.outcome.outcome).toBe("canceled");
    client.serverSays({ type: "jobClosed", jobId });
    expect(client.row(jobId)).toBeUndefined();
  });

  it("ends when the server alone has the last word", () => {
    const client = prepared();
    client.close(host);
    client.open(server);
    expect(sent(cancel(client), "jobCancelRequested", server)).toHaveLength(1);
    expect(brief(client.serverSays({ type: "jobClosed", jobId }))).toContain("eraseImage");
    expect(client.row(jobId)).toBeUndefined();
  });

  it("says what it waits for while nobody is there", () => {
    const client = prepared();
    client.close(host);
    client.close(server);
    cancel(client);
    client.after(60_000);
    const job = client.machine.job(jobId);
    expect(job === undefined ? undefined : viewClientJob(job, false)).toMatchObject({
      state: "canceling",
      reason: "waits for the printer host to confirm the cancel",
    });
  });

  it("was too late: what is printed is told as printed", () => {
    const client = prepared();
    client.open(server);
    cancel(client);
    expect(sent(client.ended(ticket), "jobEnded", server)[0]?.outcome.outcome).toBe("printed");
  });
});

it("a cancel of a job that has ended changes nothing that is on paper", () => {
  const client = readyClient();
  client.submit(ticket);
  client.ended(ticket);
  cancel(client);
  const job = client.machine.job(jobId);
  expect(job === undefined ? undefined : viewClientJob(job, true)).toMatchObject({ state: "ended" });
  client.serverSays({ type: "jobClosed", jobId });
  expect(client.row(jobId)).toBeUndefined();
});
