import { describe, expect, it } from "vitest";
import { brief, clientId, incarnation, jobIdOf, nonce, only, sent, ticketOf } from "../../runtime/test-machine.ts";
import { HostLedger } from "./host-ledger.ts";
import { makeRecord } from "./host-state.ts";
import type { JobRecord } from "./ledger-record.ts";
import { client, readyHost, server, type TestHost } from "./test-host.ts";

const origin = `${clientId}-${nonce}`;

function printed(sequence: number, state: JobRecord["state"] = "printed"): JobRecord {
  const place = { hostIncarnation: incarnation, sequence: sequence - 1 };
  return makeRecord(ticketOf(sequence), place, 1_700_000_000_000, { state, epoch: 0 });
}

/** As many jobs as the ledger has room for. */
function fillLedger(ledger: HostLedger): number {
  for (let sequence = 1; ; sequence++) {
    if (!ledger.makeRoom().room) return sequence - 1;
    ledger.put({ ...printed(sequence), sequence: ledger.takeSequence() });
  }
}

describe("the ledger in memory", () => {
  it("goes on counting where the restored records end", () => {
    expect(new HostLedger(16, []).lastSequence).toBe(-1);
    const ledger = new HostLedger(16, [
      printed(3),
      { kind: "horizon", sequence: 9, origin, lowestOpen: 2 },
      printed(4),
    ]);
    expect(ledger.lastSequence).toBe(9);
    expect(ledger.takeSequence()).toBe(10);
  });

  it("shares no process ID with the ledger before it: a late answer must not prove another job's output", () => {
    const idsOf = (hostIncarnation: string) =>
      [0, 1, 2].flatMap((sequence) => {
        const place = { hostIncarnation, sequence };
        return makeRecord(ticketOf(1), place, 0, { state: "intent", epoch: 0 }).processIds;
      });
    const ids = [...idsOf("ledger000001"), ...idsOf("ledger000002")];
    // Epson GS ( H fn 48: four characters of 20h-7Eh.
    for (const id of ids) expect(id).toMatch(/^[ -~]{4}$/);
    expect(idsOf("ledger000001")).toEqual(idsOf("ledger000001"));
    expect(new Set(idsOf("ledger000001")).size).toBe(6);
    expect(ids.filter((id) => idsOf("ledger000001").includes(id))).toHaveLength(6);
  });

  it("knows the newest record of each job, and which have only an INTENT", () => {
    const ledger = new HostLedger(16, [printed(1), printed(2, "intent")]);
    expect(ledger.intents().map((record) => record.jobId)).toEqual([jobIdOf(2)]);
    ledger.put({ ...printed(2, "indeterminate"), sequence: ledger.takeSequence() });
    expect(ledger.intents()).toEqual([]);
    expect(ledger.job(jobIdOf(2))?.state).toBe("indeterminate");
    expect(ledger.job(jobIdOf(3))).toBeUndefined();
  });

  it("lists in the order of the sequence numbers, whatever the order of the restored records", () => {
    const ledger = new HostLedger(16, [printed(3), printed(1), printed(2)]);
    expect(ledger.after(-1).map((record) => record.sequence)).toEqual([0, 1, 2]);
    expect(ledger.after(1).map((record) => record.sequence)).toEqual([2]);
  });

  it("forgets only when it must, only what is closed, and never an INTENT", () => {
    const ledger = new HostLedger(10, []);
    const jobs = fillLedger(ledger);
    ledger.learnLowestOpen(origin, jobs);
    expect(ledger.pruned(jobIdOf(1))).toBe(false);
    const { room, horizons } = ledger.makeRoom();
    expect(room).toBe(true);
    expect(horizons).toEqual([{ kind: "horizon", sequence: ledger.lastSequence, origin, lowestOpen: jobs }]);
    expect(ledger.pruned(jobIdOf(jobs - 1))).toBe(true);
    expect(ledger.pruned(jobIdOf(jobs))).toBe(false);
    expect(ledger.job(jobIdOf(1))).toBeUndefined();
    expect(ledger.job(jobIdOf(jobs))).toBeDefined();
    expect(ledger.makeRoom()).toEqual({ room: true, horizons: [] });
  });

  it("keeps an INTENT behind the horizon until it has its final record", () => {
    const intents = [1, 2, 3, 4].map((sequence) => printed(sequence, "intent"));
    const ledger = new HostLedger(10, intents);
    ledger.learnLowestOpen(origin, 5);
    expect(ledger.makeRoom()).toEqual({ room: false, horizons: [] });
    expect(ledger.intents()).toHaveLength(4);
  });

  it("a smaller lowest open number than known says nothing new", () => {
    const ledger = new HostLedger(10, [{ kind: "horizon", sequence: 0, origin, lowestOpen: 5 }]);
    ledger.learnLowestOpen(origin, 4);
    ledger.learnLowestOpen(origin, 2);
    expect(ledger.pruned(jobIdOf(4))).toBe(true);
    expect(ledger.pruned(jobIdOf(5))).toBe(false);
    for (let sequence = 1; sequence <= 6; sequence++) ledger.put(printed(sequence));
    expect(ledger.makeRoom()).toEqual({ room: true, horizons: [] });
  });

  it("an older client life of the same client is another origin", () => {
    const ledger = new HostLedger(10, [{ kind: "horizon", sequence: 0, origin, lowestOpen: 5 }]);
    expect(ledger.pruned(`${clientId}-life00-1`)).toBe(false);
  });
});

describe("a full ledger", () => {
  const records = 10;

  function fill(host: TestHost): number {
    for (let sequence = 1; ; sequence++) {
      host.offer(ticketOf(sequence));
      if (sent(host.cancel(ticketOf(sequence)), "offerRefused")[0]?.code === "ledger-full") return sequence;
    }
  }

  it("takes no new job; old ones are still answered", () => {
    const host = readyHost(records);
    const next = fill(host);
    expect(sent(host.offer(ticketOf(next + 1)), "offerRefused")[0]?.code).toBe("ledger-full");
    expect(sent(host.offer(ticketOf(1)), "outputEnded")).toHaveLength(1);
  });

  it.each([
    ["an offer", (host: TestHost, lowestOpen: number) => host.offer(ticketOf(99), { lowestOpen })],
    [
      "a question",
      (host: TestHost, lowestOpen: number) =>
        host.clientSays({ type: "outcomesRequested", jobIds: [jobIdOf(99)], lowestOpen }),
    ],
    [
      "the server",
      (host: TestHost, lowestOpen: number) =>
        host.says(server, { type: "openJobsKnown", origins: [{ origin: jobIdOf(1).slice(0, -2), lowestOpen }] }),
    ],
  ])("forgets what is closed, as %s tells it, and refuses it for ever", (_, tell) => {
    const host = readyHost(records);
    const next = fill(host);
    tell(host, next - 1);
    expect(brief(host.offer(ticketOf(next)))).not.toContain("offerRefused to client");
    const late = [...host.offer(ticketOf(1)), ...host.cancel(ticketOf(1)), ...host.ask(jobIdOf(1))];
    expect(sent(late, "offerRefused").map((message) => message.code)).toEqual([
      "job-pruned",
      "job-pruned",
      "job-pruned",
    ]);
    host.restart();
    host.open(client);
    expect(sent(host.offer(ticketOf(1)), "offerRefused")[0]?.code).toBe("job-pruned");
  });

  it("never overflows, however many jobs were taken in while there was room", () => {
    const host = readyHost(records);
    const tickets = Array.from({ length: records * 2 }, (_, index) => ticketOf(index + 1));
    let printed = 0;
    for (let before = -1; before < printed; ) {
      before = printed;
      let effects = tickets.slice(printed).flatMap((ticket) => host.offer(ticket));
      while (only(effects, "expectImage").length > 0) {
        const received = host.receive(effects);
        effects = [...received, ...host.finish(tickets[printed] ?? ticketOf(0))];
        printed += 1;
      }
    }
    expect(printed).toBeGreaterThan(3);
    expect(printed).toBeLessThan(records);
    expect(sent(host.offer(ticketOf(99)), "offerRefused")[0]?.code).toBe("ledger-full");
    expect(brief(host.load(ticketOf(99), { lowestOpen: printed + 1 }))).toContain("startOutput");
  });
});
