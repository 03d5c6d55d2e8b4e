import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JobChange, JobTicket } from "./job.ts";
import { changeSettings, firstSettings, settingsOf, sourceFitsSpools } from "./job-settings.ts";

function ticketOf(sequence: number, more: Partial<JobTicket> = {}): JobTicket {
  return {
    jobId: `c11e47aa-life01-${sequence}`,
    printer: "kitchen",
    source: "client",
    spools: "both",
    title: "ticket",
    clientName: "till",
    requestedAtMs: 0,
    sizeBytes: 1,
    sha256: "0".repeat(64),
    pages: 1,
    widthDots: 8,
    heightDots: 1,
    hostIncarnation: "ledger000001",
    ...more,
  };
}

describe("settings", () => {
  it("are first what the ticket says", () => {
    const ticket = ticketOf(1, { source: "auto", spools: "both", priority: 70, holdMs: 1_000 });
    expect(firstSettings(ticket)).toEqual({
      revision: 0,
      source: "auto",
      spools: "both",
      priority: 70,
      held: false,
      holdMs: 1_000,
    });
    expect(settingsOf({ ticket }).priority).toBe(70);
  });

  it("keep what is not changed, and a null takes a time away", () => {
    const settings = firstSettings(ticketOf(1, { holdMs: 5, expiresMs: 9 }));
    const changed = changeSettings(settings, { held: true, holdMs: null }, "server");
    expect(changed).toEqual({ ...firstSettings(ticketOf(1, { expiresMs: 9 })), held: true, revision: 2 });
  });

  it("no two sides ever give the same revision to different settings", () => {
    const side = fc.constantFrom("client" as const, "server" as const);
    const change: fc.Arbitrary<JobChange> = fc.record({ priority: fc.integer({ min: 1, max: 100 }) });
    fc.assert(
      fc.property(fc.array(fc.tuple(side, change), { maxLength: 20 }), side, (steps, other) => {
        let settings = firstSettings(ticketOf(1));
        for (const [by, step] of steps) {
          const next = changeSettings(settings, step, by);
          expect(next.revision).toBeGreaterThan(settings.revision);
          settings = next;
        }
        const another = other === "client" ? "server" : "client";
        const one = changeSettings(settings, { priority: 1 }, other);
        expect(one.revision).not.toBe(changeSettings(settings, { priority: 2 }, another).revision);
      }),
    );
  });

  it.each([
    ["client", "both", true],
    ["server", "client", false],
    ["client", "server", false],
    ["auto", "client", true],
    ["auto", "server", true],
  ] as const)("source %s with spools %s fit: %s", (source, spools, fits) => {
    expect(sourceFitsSpools({ source, spools })).toBe(fits);
  });
});
