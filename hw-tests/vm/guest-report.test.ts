import { describe, expect, it } from "vitest";
import { GuestReport } from "./guest-report.ts";

function faultsOf(...lines: readonly string[]): readonly string[] {
  const report = new GuestReport();
  for (const line of lines) report.read(line);
  return report.faults();
}

describe("what a guest said", () => {
  const complete = ["@guest ready", "ok 1 - a", "[    7.1] usblp0: removed", "ok 2 - b", "1..2", "@guest exit 0"];

  it("is a success when every check passed and all came to the end", () => {
    expect(faultsOf(...complete)).toEqual([]);
  });

  it.each([
    ["a check failed", complete.with(1, "not ok 1 - a"), "failed: a"],
    [
      "the program died",
      complete.filter((line) => line !== "1..2"),
      "the test program did not reach its end; the last it said was: b",
    ],
    ["the guest died", complete.slice(0, -1), "the guest ended without its end mark"],
    ["the program says so", complete.with(5, "@guest exit 139"), "the test program ended with code 139"],
    ["a result is lost", complete.filter((line) => line !== "ok 2 - b"), "2 checks were planned, 1 reported"],
    ["nothing was tested", ["1..0", "@guest exit 0"], "not one check ran"],
    ["a line is lost", complete.with(1, "ok 7 - a"), "line 1 has the number 7"],
  ])("is a failure when %s", (_, lines, fault) => {
    expect(faultsOf(...lines)).toContain(fault);
  });

  it("is a failure when it said nothing", () => {
    expect(faultsOf()).toHaveLength(3);
  });
});
