import { describe, expect, it } from "vitest";
import { UsageError } from "./failure.ts";
import { parseSpools } from "./print.ts";

describe("the spools of a command", () => {
  it("says what was named, and leaves the rest open", () => {
    expect(parseSpools({})).toEqual({});
    expect(parseSpools({ from: "auto" })).toEqual({ source: "auto" });
    expect(parseSpools({ from: "server", spool: "server" })).toEqual({ source: "server", spools: "server" });
  });

  it("refuses what contradicts itself, and says what works", () => {
    expect(() => parseSpools({ from: "server", spool: "client" })).toThrow("--from client, or --spool both, works");
  });

  it("refuses words that are none", () => {
    expect(() => parseSpools({ from: "both" })).toThrow(UsageError);
    expect(() => parseSpools({ spool: "auto" })).toThrow("--spool auto: expected one of both, client, server");
  });
});
