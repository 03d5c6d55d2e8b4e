import { expect, test } from "vitest";
import { nearestWord } from "./did-you-mean.ts";

const words = ["port", "address", "ledgerRecords", "key"];

test.each([
  ["prot", "port"],
  ["adress", "address"],
  ["ledgerrecords", "ledgerRecords"],
  ["keys", "key"],
  ["retention", undefined],
  ["", undefined],
])("%s is near %s", (typed, meant) => {
  expect(nearestWord(typed, words)).toBe(meant);
});
