import { expect, it } from "vitest";
import { FAULT_GUIDE } from "./fault-guide.ts";
import { FAULT_KINDS, parseFault } from "./faults.ts";

it("tells every fault, and nothing else", () => {
  expect(Object.keys(FAULT_GUIDE).toSorted()).toEqual(FAULT_KINDS.toSorted());
});

it("has a fault for every remedy, and none of them is undone itself", () => {
  const remedies = FAULT_KINDS.filter((kind) => FAULT_GUIDE[kind].remedy);
  const said = FAULT_KINDS.map((kind) => FAULT_GUIDE[kind].undoneBy ?? "").join(" ");
  expect(remedies.filter((kind) => !said.includes(`\`${kind}\``))).toEqual([]);
  expect(remedies.filter((kind) => FAULT_GUIDE[kind].undoneBy !== undefined)).toEqual([]);
});

it("writes amounts as they are read", () => {
  const forms = FAULT_KINDS.flatMap((kind) => FAULT_GUIDE[kind].form ?? []);
  expect(forms.length).toBe(4);
  for (const form of forms) expect(Object.keys(parseFault(form)).length).toBe(2);
});
