import { describe, expect, it } from "vitest";
import { UsageError } from "./failure.ts";
import { chooseSpools } from "./print.ts";

const usual = { from: "client", spool: "both" } as const;

describe("the spools of a print command", () => {
  it.each([
    [{}, usual, { source: "client", spools: "both" }],
    [{ from: "server" }, usual, { source: "server", spools: "both" }],
    [{ from: "auto" }, { from: "server", spool: "both" } as const, { source: "auto", spools: "both" }],
    [{ from: "auto", spool: "server" }, usual, { source: "auto", spools: "server" }],
    // Only the spools are named: the image can come from nowhere else.
    [{ spool: "server" }, usual, { source: "server", spools: "server" }],
    [{ spool: "client" }, { from: "server", spool: "server" } as const, { source: "client", spools: "client" }],
    [{ spool: "both" }, { from: "server", spool: "server" } as const, { source: "server", spools: "both" }],
  ])("%j with the configuration %j is %j", (flags, config, chosen) => {
    expect(chooseSpools(flags, config)).toEqual(chosen);
  });

  it.each([
    [{ from: "server", spool: "client" }, usual, /--from client, or --spool both, works/],
    [{ from: "client", spool: "server" }, usual, /--from server, or --spool both, works/],
    [{ from: "client" }, { from: "server", spool: "server" } as const, /--from server, or --spool both, works/],
  ])("%j contradicts itself, and what works is named", (flags, config, message) => {
    expect(() => chooseSpools(flags, config)).toThrow(message);
  });

  it("knows no other words", () => {
    expect(() => chooseSpools({ from: "both" }, usual)).toThrow(UsageError);
    expect(() => chooseSpools({ spool: "auto" }, usual)).toThrow("--spool auto: expected one of both, client, server");
  });
});
