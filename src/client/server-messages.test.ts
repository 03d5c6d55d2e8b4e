import { describe, expect, it } from "vitest";
import { brief, jobIdOf, only, recordOf, sent, ticketOf } from "../runtime/test-machine.ts";
import { host, readyClient, server, told } from "./test-client.ts";

describe("a job is accepted (step 303)", () => {
  it("when the server has said so and this spool keeps the image", () => {
    const client = readyClient();
    const submitted = client.submit(ticketOf(1));
    expect(brief(submitted).slice(0, 2)).toEqual(["persist put client_jobs", "jobRequested to server"]);
    expect(sent(submitted, "jobRequested")[0]).toEqual({
      type: "jobRequested",
      ticket: ticketOf(1),
      clientKeepsImage: true,
      ageMs: expect.any(Number),
    });
    expect(told(client.accepted(ticketOf(1)))).toEqual(["accepted"]);
    expect(told(client.accepted(ticketOf(1)))).toEqual([]);
  });

  it("the request is repeated until it is answered", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    expect(sent(client.after(4_000), "jobRequested")).toHaveLength(3);
    client.accepted(ticketOf(1));
    expect(sent(client.after(4_000), "jobRequested")).toEqual([]);
  });

  it("NOSPOOL (S104-S107): only when the server's copy is durable; then the copy at hand goes", () => {
    const client = readyClient();
    expect(sent(client.submit(ticketOf(1), false), "jobRequested")[0]?.clientKeepsImage).toBe(false);
    const accepted = client.accepted(ticketOf(1), true);
    expect(brief(accepted)).toEqual(["uploadImage"]);
    expect(brief(client.accepted(ticketOf(1), true))).toEqual([]);
    const stored = client.serverSays({ type: "imageStored", jobId: jobIdOf(1) });
    expect(brief(stored)).toEqual(["persist put client_jobs", "eraseImage", "reportJob accepted"]);
    expect(client.row(jobIdOf(1))?.serverHasImage).toBe(true);
    expect(client.serverSays({ type: "imageStored", jobId: jobIdOf(1) })).toEqual([]);
  });

  it("NOSPOOL: the answer to the upload was lost, the server says that it wants no image", () => {
    const client = readyClient();
    client.submit(ticketOf(1), false);
    expect(brief(client.accepted(ticketOf(1), false))).toEqual([
      "persist put client_jobs",
      "eraseImage",
      "reportJob accepted",
    ]);
  });

  it("NOSPOOL: the process died with the only copy, before the yes: the job is taken back", () => {
    const client = readyClient();
    client.submit(ticketOf(1), false);
    client.restart();
    client.open(server);
    expect(told(client.accepted(ticketOf(1), true))).toEqual(["canceling"]);
    expect(client.row(jobIdOf(1))?.cancelRequested).toBe(true);
  });

  it("NOSPOOL: the server lost its copy after the yes: the job is held", () => {
    const client = readyClient();
    client.submit(ticketOf(1), false);
    client.serverSays({ type: "imageStored", jobId: jobIdOf(1) });
    expect(told(client.accepted(ticketOf(1), true))).toEqual(["held"]);
    expect(client.row(jobIdOf(1))?.heldReason).toBe("the server lost its image");
  });

  it("an upload that failed is tried again when the server hears of the job again", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.accepted(ticketOf(1), true);
    const ended = { kind: "imageTransferEnded", jobId: jobIdOf(1), to: server } as const;
    const note = { kind: "note", event: "image-transfer-failed", jobId: jobIdOf(1) };
    expect(client.give({ ...ended, ok: false, reason: "cut" })).toEqual([{ ...note, detail: "server: cut" }]);
    expect(sent(client.after(500), "jobRequested")).toHaveLength(1);
    expect(only(client.accepted(ticketOf(1), true), "uploadImage")).toHaveLength(1);
    expect(client.give({ ...ended, to: host, ok: false })).toEqual([{ ...note, detail: `${host}: ` }]);
    expect(client.give({ ...ended, jobId: jobIdOf(9), ok: true })).toEqual([]);
  });
});

describe("a job is refused (S417)", () => {
  const refused = { type: "jobRefused", jobId: jobIdOf(1), detail: "why" } as const;

  it("before the yes: the user is told, and it is gone", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    const effects = client.serverSays({ ...refused, code: "spool-full" });
    expect(only(effects, "reportJob")).toEqual([
      { kind: "reportJob", jobId: jobIdOf(1), event: "refused", code: "spool-full", detail: "why" },
    ]);
    expect(brief(effects).slice(1)).toEqual(["persist delete client_jobs", "eraseImage", "openJobsListed to server"]);
  });

  it("after the yes, which the client gave alone: it prints the job itself, and asks again while that can help", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.close(server);
    client.after(6_000);
    client.open(server);
    expect(brief(client.serverSays({ ...refused, code: "spool-full" }))).toEqual([]);
    const later = client.after(8_000);
    expect(sent(later, "jobRequested").length).toBeGreaterThan(1);
    expect(sent(later, "imageOffered", host).length).toBeGreaterThan(1);
    client.serverSays({ ...refused, code: "printer-unknown" });
    expect(sent(client.after(60_000), "jobRequested")).toEqual([]);
  });

  it("after the yes, and the client was told to print no more: it offers again", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.accepted(ticketOf(1));
    client.close(server);
    client.open(server);
    const effects = client.serverSays({ ...refused, code: "too-many-jobs" });
    expect(sent(effects, "imageOffered", host)).toHaveLength(1);
  });

  it("after the yes, and there is no image here: held", () => {
    const client = readyClient();
    client.submit(ticketOf(1), false);
    client.serverSays({ type: "imageStored", jobId: jobIdOf(1) });
    expect(told(client.serverSays({ ...refused, code: "ledger-other" }))).toEqual(["held"]);
    expect(client.row(jobIdOf(1))?.heldReason).toBe("the server refused the job: ledger-other");
  });

  it("after the end: held, because its history is nowhere", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.ended(ticketOf(1));
    client.serverSays({ ...refused, code: "job-conflict" });
    expect(client.row(jobIdOf(1))?.heldReason).toBe("the server refused its history: job-conflict");
  });
});

describe("a job is started (step 307)", () => {
  it("says that it is ready and offers the image with that epoch, again until the host answers", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    const effects = client.started(ticketOf(1), 3);
    expect(brief(effects)).toEqual(["senderReady to server", "imageOffered to host"]);
    expect(sent(effects, "imageOffered")[0]).toMatchObject({ epoch: 3, sentBy: "client" });
    expect(brief(client.started(ticketOf(1), 3))).toEqual(["senderReady to server"]);
    expect(sent(client.after(4_000), "imageOffered")).toHaveLength(3);
    expect(sent(client.started(ticketOf(1), 4), "imageOffered")[0]?.epoch).toBe(4);
  });

  it("an older order counts for nothing", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.started(ticketOf(1), 3);
    expect(client.started(ticketOf(1), 2)).toEqual([]);
  });

  it("without a link to the host the order is kept, and answered when the link opens", () => {
    const client = readyClient();
    client.close(host);
    client.submit(ticketOf(1));
    expect(brief(client.started(ticketOf(1), 3))).toEqual([]);
    expect(brief(client.open(host))).toEqual([
      "outcomesRequested to host",
      "senderReady to server",
      "imageOffered to host",
    ]);
  });

  it("without the image it says so at once (S112)", () => {
    const client = readyClient();
    client.submit(ticketOf(1), false);
    client.serverSays({ type: "imageStored", jobId: jobIdOf(1) });
    expect(sent(client.started(ticketOf(1), 2), "senderHasNoImage")).toEqual([
      { type: "senderHasNoImage", jobId: jobIdOf(1), epoch: 2, reason: "no-image" },
    ]);
    expect(sent(client.started(ticketOf(9), 1), "senderHasNoImage")).toHaveLength(1);
  });

  it("after the end it tells the end", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.ended(ticketOf(1));
    expect(brief(client.started(ticketOf(1), 2))).toEqual(["jobEnded to server"]);
  });
});

describe("the server's last words", () => {
  it("held: the user is told, and nothing is repeated any more", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.ended(ticketOf(1), { outcome: "indeterminate" });
    const effects = client.serverSays({ type: "jobHeld", jobId: jobIdOf(1), reason: "indeterminate: power" });
    expect(only(effects, "reportJob")).toEqual([
      { kind: "reportJob", jobId: jobIdOf(1), event: "held", detail: "indeterminate: power" },
    ]);
    expect(sent(client.after(20_000), "jobEnded")).toEqual([]);
  });

  it("closed (317): the row goes, then the image (318), and the user is told how it ended", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    client.submit(ticketOf(2));
    const outcome = recordOf(ticketOf(1));
    const effects = client.serverSays({ type: "jobClosed", jobId: jobIdOf(1), outcome });
    expect(only(effects, "reportJob")[0]).toMatchObject({ event: "closed", detail: "printed" });
    expect(brief(effects).slice(1)).toEqual(["persist delete client_jobs", "eraseImage"]);
    const last = client.serverSays({ type: "jobClosed", jobId: jobIdOf(2) });
    expect(only(last, "reportJob")[0]).toMatchObject({ event: "closed", detail: "canceled" });
    expect(client.machine.jobs).toEqual([]);
  });

  it("unknown: an open job is requested anew, an ended one told anew", () => {
    const client = readyClient();
    client.submit(ticketOf(1));
    const unknown = { type: "jobUnknown", jobId: jobIdOf(1) } as const;
    expect(brief(client.serverSays(unknown))).toEqual(["jobRequested to server"]);
    client.ended(ticketOf(1));
    expect(brief(client.serverSays(unknown))).toEqual(["jobEnded to server"]);
  });

  it("of a job that is not here any more: accepted is answered with the list, all else is past", () => {
    const client = readyClient();
    expect(brief(client.accepted(ticketOf(9)))).toEqual(["openJobsListed to server"]);
    expect(client.serverSays({ type: "jobClosed", jobId: jobIdOf(9) })).toEqual([]);
  });
});
