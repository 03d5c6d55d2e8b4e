import { crc32 } from "node:zlib";

/*
 * A printer host's ledger as it is documented in src/devices/host/ledger-block.ts, read a second time: blocks of 4 KiB,
 * big-endian. The first is the header: magic "TWSH", CRC-32 of what follows, version, number of slots, incarnation (12
 * characters). Each other block is one slot: magic "TWSB", CRC-32, sequence number of its last record (8 bytes), next
 * slot, length of the payload (2 bytes), 2 bytes zero, the payload (a JSON array of records), zeros, the CRC-32 again.
 * Seed of that CRC is the CRC of "incarnation/slot".
 */
const blockBytes = 4096;
const payloadAt = 24;

export type LedgerState = "intent" | "printed" | "indeterminate" | "canceled";

/** The newest record of one job. */
export interface LedgerEntry {
  readonly jobId: string;
  readonly title: string;
  readonly state: LedgerState;
  readonly sequence: number;
}

/** Newest record of each job. Throws when the header or a block is neither whole, nor empty, nor the one being written. */
export function readLedger(file: Buffer): LedgerEntry[] {
  if (file.toString("latin1", 0, 4) !== "TWSH") throw new Error("the ledger does not begin with TWSH");
  if (file.readUInt32BE(4) !== crc32(file.subarray(8, blockBytes))) throw new Error("the ledger's header is damaged");
  const slots = file.readUInt32BE(12);
  const incarnation = file.toString("latin1", 16, 28);
  const newest = new Map<string, LedgerEntry>();
  let torn = 0;
  for (let slot = 0; slot < slots; slot++) {
    const block = file.subarray((slot + 1) * blockBytes, (slot + 2) * blockBytes);
    if (block.length < blockBytes || block.every((byte) => byte === 0)) continue;
    if (!isWhole(block, `${incarnation}/${slot}`)) {
      torn += 1;
      continue;
    }
    const length = block.readUInt16BE(20);
    const records = JSON.parse(block.toString("utf8", payloadAt, payloadAt + length)) as (LedgerEntry & {
      readonly kind: string;
    })[];
    for (const { kind, jobId, title, state, sequence } of records) {
      if (kind !== "job" || (newest.get(jobId)?.sequence ?? -1) > sequence) continue;
      newest.set(jobId, { jobId, title, state, sequence });
    }
  }
  if (torn > 1) throw new Error(`${torn} blocks of the ledger are damaged`);
  return [...newest.values()].sort((a, b) => a.sequence - b.sequence);
}

function isWhole(block: Buffer, place: string): boolean {
  const crc = crc32(block.subarray(8, blockBytes - 4), crc32(Buffer.from(place)));
  return (
    block.toString("latin1", 0, 4) === "TWSB" &&
    block.readUInt32BE(4) === crc &&
    block.readUInt32BE(blockBytes - 4) === crc
  );
}
