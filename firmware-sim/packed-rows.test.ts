import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PackedRows } from "./packed-rows.ts";
import { renderEscpos } from "./render.ts";
import { raster, stripes } from "./test-bytes.ts";

describe("packed rows", () => {
  it("are the rows that went in", () => {
    const row = fc.constantFrom([0, 0], [0, 1], [1, 0], [255, 255]).map((bytes) => Uint8Array.from(bytes));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        const packed = new PackedRows(rows);
        expect(packed.rows).toEqual(rows);
        expect(packed.rows).toBe(packed.rows);
      }),
    );
  });

  it("are what a cut page has, in all ways to look at it", () => {
    const [page] = renderEscpos(Uint8Array.of(...raster(stripes(120)), 0x1d, 0x56, 0));
    expect(page?.rows[5]?.[0]).toBe(6);
    expect({ ...page }.rows).toHaveLength(page?.heightDots ?? 0);
    // Pages of pieces that were cut share no memory with the paper that goes on.
    expect(new Set(page?.rows.map((row) => row.buffer)).size).toBe(1);
  });
});
