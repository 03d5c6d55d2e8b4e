import { expect, it } from "vitest";
import { parsePlannedFault } from "./sim.ts";

it.each([
  ["paper-end", { fault: { kind: "paper-end" }, text: "paper-end", afterMs: 0 }],
  ["paper-end@1200", { fault: { kind: "paper-end", atRow: 1200 }, text: "paper-end@1200", afterMs: 0 }],
  ["power-cut@3s", { fault: { kind: "power-cut" }, text: "power-cut", afterMs: 3000 }],
  ["cover-open@1.5s", { fault: { kind: "cover-open" }, text: "cover-open", afterMs: 1500 }],
  ["link-cut@250ms", { fault: { kind: "link-cut" }, text: "link-cut", afterMs: 250 }],
  ["paper-end@1200@2s", { fault: { kind: "paper-end", atRow: 1200 }, text: "paper-end@1200", afterMs: 2000 }],
])("the fault %s", (text, planned) => {
  expect(parsePlannedFault(text)).toEqual(planned);
});

it.each(["", "fire", "power-cut@12", "paper-end@3m"])("%j is no fault, and those that are get named", (text) => {
  expect(() => parsePlannedFault(text)).toThrow(/expected one of paper-end, .*@3s/);
});
