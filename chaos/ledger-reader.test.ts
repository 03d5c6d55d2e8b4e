import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readLedger } from "./ledger-reader.ts";

const incarnation = "abcdef012345";

function ledger(...blocks: readonly (readonly object[])[]): Buffer {
  const file = Buffer.alloc(4096 * 5);
  file.write("TWSH", 0);
  file.writeUInt32BE(1, 8);
  file.writeUInt32BE(4, 12);
  file.write(incarnation, 16);
  file.writeUInt32BE(crc32(file.subarray(8, 4096)), 4);
  for (const [slot, records] of blocks.entries()) {
    const block = file.subarray(4096 * (slot + 1), 4096 * (slot + 2));
    const payload = Buffer.from(JSON.stringify(records));
    block.write("TWSB", 0);
    block.writeUInt16BE(payload.length, 20);
    payload.copy(block, 24);
    const crc = crc32(block.subarray(8, 4092), crc32(Buffer.from(`${incarnation}/${slot}`)));
    block.writeUInt32BE(crc, 4);
    block.writeUInt32BE(crc, 4092);
  }
  return file;
}

const record = (sequence: number, jobId: string, state: string) => ({
  kind: "job",
  sequence,
  jobId,
  title: jobId,
  state,
});

describe("a ledger", () => {
  it("says the newest of each job", () => {
    const file = ledger(
      [record(4, "b", "printed")],
      [record(1, "a", "intent"), record(2, "b", "intent")],
      [{ kind: "horizon", sequence: 5, origin: "x", lowestOpen: 2 }],
    );
    expect(readLedger(file)).toEqual([
      { jobId: "a", title: "a", state: "intent", sequence: 1 },
      { jobId: "b", title: "b", state: "printed", sequence: 4 },
    ]);
  });

  it("may have one torn block, and no damaged ones", () => {
    const file = ledger([record(1, "a", "intent")], [record(2, "a", "printed")], [record(3, "b", "intent")]);
    file.writeUInt8(1, 4096 * 2 + 1000);
    expect(readLedger(file).map(({ state }) => state)).toEqual(["intent", "intent"]);
    file.writeUInt8(1, 4096 * 3 + 1000);
    expect(() => readLedger(file)).toThrow("2 blocks");
    file.writeUInt8(1, 20);
    expect(() => readLedger(file)).toThrow("header");
  });
});
