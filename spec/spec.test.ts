import { describe, expect, it } from "vitest";
import { copiesProtocol } from "./copies-protocol.ts";
import { explore, mutants } from "./explore.ts";
import { printProtocol } from "./print-protocol.ts";

// Bounded for CI; `npm run spec` goes further.
const print = printProtocol({ clientFaults: 1, serverFaults: 1, hostFaults: 1, departures: 1 });

describe("the protocol of one job, every state that can be reached", () => {
  it("keeps I1-I7 while client, server and host lose power once each, and one of them never returns", () => {
    const { violation, states, ends } = explore(print);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(100_000);
    expect(ends).toBeGreaterThan(1_000);
  });

  it.each(mutants(print))("needs its rule: %s", (rule) => {
    expect(explore(print, rule).violation).toBeDefined();
  });

  it("tells the shortest story of what goes wrong", () => {
    const { violation } = explore(print, "host starts the output: INTENT is durable before the first byte");
    expect(violation?.story.at(-1)).toBeDefined();
    expect(violation?.story).toContain("host loses power, and the printer prints what it has");
  });
});

describe("the copies of a job whose spools are changed from both sides", () => {
  it("are never both given up, and end where they were chosen to be", () => {
    const { violation, states } = explore(copiesProtocol);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(50_000);
  });

  it.each(mutants(copiesProtocol))("need the rule: %s", (rule) => {
    expect(explore(copiesProtocol, rule).violation?.what).toBe("I4 somebody has a copy");
  });
});
