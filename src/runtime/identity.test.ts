import { expect, test } from "vitest";
import { clientIdSchema, incarnationSchema, jobIdPattern, makeJobId, nonceSchema } from "../protocol/ids.ts";
import { newClientId, newIncarnation, newNonce, randomText } from "./identity.ts";

test("ids are what the protocol takes", () => {
  for (let round = 0; round < 200; round++) {
    const origin = { clientId: clientIdSchema.parse(newClientId()), nonce: nonceSchema.parse(newNonce()) };
    expect(makeJobId(origin, round + 1)).toMatch(jobIdPattern);
    incarnationSchema.parse(newIncarnation());
  }
});

test("ids differ, and every character occurs about equally often", () => {
  const text = randomText(72_000);
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  expect(counts.size).toBe(36);
  // Expected 2000 each with a deviation of 44; 300 off has a chance below 1e-10.
  for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(300);
  expect(new Set(Array.from({ length: 1000 }, newClientId)).size).toBe(1000);
});
