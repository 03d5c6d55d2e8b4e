import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orDots, orImage, rowBytes } from "./bits.ts";

const SEED = process.env["SEED"];

describe("an image put into rows that lie one after the other", () => {
  it("gives the dots of its rows put there one by one", () => {
    const anImage = fc.record({
      rows: fc.array(fc.uint8Array({ minLength: 0, maxLength: 6 }), { maxLength: 5 }),
      count: fc.integer({ min: 0, max: 48 }),
      top: fc.integer({ min: 0, max: 3 }),
      at: fc.integer({ min: 0, max: 60 }),
      widthDots: fc.integer({ min: 1, max: 50 }),
      background: fc.constantFrom(0, 0x11),
    });
    fc.assert(
      fc.property(anImage, ({ rows, count, top, at, widthDots, background }) => {
        const stride = rowBytes(widthDots);
        const together = new Uint8Array((top + rows.length + 1) * stride).fill(background);
        const apart = Uint8Array.from(together);
        orImage(together, stride, { top, at, limit: widthDots }, rows, count);
        rows.forEach((row, index) => {
          orDots(apart.subarray((top + index) * stride, (top + index + 1) * stride), at, row, count, widthDots);
        });
        expect(together).toEqual(apart);
      }),
      { numRuns: 2000, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
  });
});
