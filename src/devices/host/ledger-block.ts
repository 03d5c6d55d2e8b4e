import { TwinspoolError } from "../../protocol/errors.ts";
import { incarnationSchema } from "../../protocol/ids.ts";
import { type LedgerRecord, ledgerRecordSchema } from "./ledger-record.ts";

/** One page of the usual file systems and SD cards: the unit of a write. */
export const blockBytes = 4096;
/** Most slots of one ledger: 256 MiB. */
export const mostSlots = 65_536;

const headerMagic = 0x5457_5348;
const blockMagic = 0x5457_5342;
const formatVersion = 1;

/*
 * A block, big-endian: magic u32, CRC u32, sequence of its last record u64, slot of the block after it u32 (FFFFFFFFh:
 * none is free), payload length u16, zero u16, payload (a JSON array of records), zeros, and in the last four bytes the
 * CRC again. The CRC covers everything between its two places; its seed holds incarnation and slot number, so that a
 * block of another ledger or slot is never taken for one of this.
 */
const crcAt = 4;
const bodyAt = 8;
const nextSlotAt = 16;
const lengthAt = 20;
const payloadAt = 24;
const noSlot = 0xffff_ffff;
const crcCopyAt = blockBytes - 4;
const payloadBytes = crcCopyAt - payloadAt;

export interface LedgerHeader {
  readonly incarnation: string;
  readonly slotCount: number;
}

/** Where a block belongs. */
export interface BlockPlace {
  readonly incarnation: string;
  readonly slot: number;
}

export interface LedgerBlock {
  /** Sequence number of the last record. */
  readonly sequence: number;
  /** Where the block after this one goes; undefined when no slot was free. */
  readonly nextSlot: number | undefined;
  readonly records: readonly LedgerRecord[];
}

/** Records that fit into one block. */
export interface PackedRecords {
  readonly records: readonly LedgerRecord[];
  readonly payload: Uint8Array;
}

/** The first block of a ledger file. */
export function encodeHeader({ incarnation, slotCount }: LedgerHeader): Uint8Array {
  if (!isValid({ incarnation, slotCount })) throw new RangeError(`no ledger: ${incarnation}, ${slotCount} slots`);
  const bytes = new Uint8Array(blockBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, headerMagic);
  view.setUint32(8, formatVersion);
  view.setUint32(12, slotCount);
  bytes.set(new TextEncoder().encode(incarnation), 16);
  view.setUint32(crcAt, crc32(bytes.subarray(bodyAt)));
  return bytes;
}

/** Reads the first block of a ledger file, or says in words why it cannot be used. */
export function decodeHeader(bytes: Uint8Array): LedgerHeader | string {
  if (bytes.length !== blockBytes) return "the header is cut off";
  const view = viewOf(bytes);
  if (view.getUint32(0) !== headerMagic) return "the file does not begin like a ledger";
  if (view.getUint32(crcAt) !== crc32(bytes.subarray(bodyAt))) return "the checksum of the header is wrong";
  const version = view.getUint32(8);
  if (version !== formatVersion) return `the format is version ${version}, not ${formatVersion}`;
  const header = { slotCount: view.getUint32(12), incarnation: new TextDecoder().decode(bytes.subarray(16, 28)) };
  return isValid(header) ? header : "the header holds impossible values";
}

function isValid({ incarnation, slotCount }: LedgerHeader): boolean {
  const slotsFit = Number.isInteger(slotCount) && slotCount >= 1 && slotCount <= mostSlots;
  return slotsFit && incarnationSchema.safeParse(incarnation).success;
}

/**
 * Packs as many of these records as fit, at least the first, into one block. A record whose reason is all escapes may
 * be longer than a block: then words are cut off the reason, which is only read by people.
 */
export function packRecords(records: readonly LedgerRecord[]): PackedRecords {
  const encoder = new TextEncoder();
  const taken: LedgerRecord[] = [];
  let payload: Uint8Array = new Uint8Array();
  for (const record of records) {
    const tried = [...taken, taken.length === 0 ? shorten(record) : record];
    const encoded = encoder.encode(JSON.stringify(tried));
    if (encoded.length > payloadBytes) break;
    taken.splice(0, taken.length, ...tried);
    payload = encoded;
  }
  return { records: taken, payload };
}

/** The bytes of a block. */
export function encodeBlock(place: BlockPlace, packed: PackedRecords, nextSlot: number | undefined): Uint8Array {
  const sequence = packed.records.at(-1)?.sequence;
  if (sequence === undefined) throw new RangeError("a ledger block holds at least one record");
  const bytes = new Uint8Array(blockBytes);
  const view = viewOf(bytes);
  view.setUint32(0, blockMagic);
  view.setBigUint64(bodyAt, BigInt(sequence));
  view.setUint32(nextSlotAt, nextSlot ?? noSlot);
  view.setUint16(lengthAt, packed.payload.length);
  bytes.set(packed.payload, payloadAt);
  seal(bytes, place);
  return bytes;
}

/** What a slot holds: nothing ever written, a whole block, or bytes whose checksum does not fit. */
export type SlotContent =
  | { readonly kind: "empty" | "bad" }
  | { readonly kind: "block"; readonly block: LedgerBlock }
  /** Whole, but this program does not understand it. */
  | { readonly kind: "strange"; readonly reason: string };

export function decodeBlock(place: BlockPlace, bytes: Uint8Array): SlotContent {
  if (bytes.length !== blockBytes) return { kind: "bad" };
  if (isEmpty(bytes)) return { kind: "empty" };
  const view = viewOf(bytes);
  if (view.getUint32(0) !== blockMagic || view.getUint32(crcAt) !== bodyCrc(bytes, place)) return { kind: "bad" };
  return parsePayload(bytes, view);
}

/** A start reads every slot, and nearly all are empty in a young ledger: a plain loop, many times as fast as `every`. */
function isEmpty(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

function parsePayload(bytes: Uint8Array, view: DataView): SlotContent {
  const strange = (reason: string): SlotContent => ({ kind: "strange", reason });
  const length = view.getUint16(lengthAt);
  if (length > payloadBytes) return strange("its length is impossible");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(payloadAt, payloadAt + length)));
  } catch {
    return strange("it is not JSON");
  }
  const records = ledgerRecordSchema.array().min(1).safeParse(json);
  if (!records.success) return strange("it holds no ledger records");
  const sequence = Number(view.getBigUint64(bodyAt));
  if (records.data.at(-1)?.sequence !== sequence) return strange("its sequence number is not that of its record");
  const next = view.getUint32(nextSlotAt);
  return { kind: "block", block: { sequence, nextSlot: next === noSlot ? undefined : next, records: records.data } };
}

/**
 * The block that a bad one was before one bit of it flipped, if there is such a block. A write that power loss cut off
 * does not look like that: it lacks whole sectors, and the second copy of the checksum stands in the last one.
 */
export function undoBitFlip(place: BlockPlace, bytes: Uint8Array): LedgerBlock | undefined {
  const view = viewOf(bytes);
  const crc = bodyCrc(bytes, place);
  const stored = [view.getUint32(crcAt), view.getUint32(crcCopyAt)] as const;
  const magicBits = bitCount(view.getUint32(0) ^ blockMagic);
  const crcBits = bitCount(stored[0] ^ stored[1]);
  if (magicBits + crcBits > 1) return undefined;
  const repaired = bytes.slice();
  if (magicBits + crcBits === 0) {
    const bit = flippedBit(stored[0] ^ crc);
    if (bit === undefined) return undefined;
    viewOf(repaired).setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7)));
  } else if (!stored.includes(crc)) {
    return undefined;
  }
  viewOf(repaired).setUint32(0, blockMagic);
  seal(repaired, place);
  const content = parsePayload(repaired, viewOf(repaired));
  return content.kind === "block" ? content.block : undefined;
}

function shorten(record: LedgerRecord): LedgerRecord {
  let fitted = record;
  for (;;) {
    const excess = new TextEncoder().encode(JSON.stringify(fitted)).length + 2 - payloadBytes;
    if (excess <= 0) return fitted;
    if (fitted.kind !== "job" || (fitted.reason ?? "") === "") {
      throw new TwinspoolError("internal", `a ledger record of ${excess} bytes too many`);
    }
    // A character is 1 to 6 bytes of JSON.
    fitted = { ...fitted, reason: fitted.reason?.slice(0, -Math.ceil(excess / 6)) };
  }
}

function seal(bytes: Uint8Array, place: BlockPlace): void {
  const crc = bodyCrc(bytes, place);
  viewOf(bytes).setUint32(crcAt, crc);
  viewOf(bytes).setUint32(crcCopyAt, crc);
}

function bodyCrc(bytes: Uint8Array, place: BlockPlace): number {
  const seed = crc32(new TextEncoder().encode(`${place.incarnation}/${place.slot}`));
  return crc32(bytes.subarray(bodyAt, crcCopyAt), seed);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

/** CRC-32 as in ISO 3309 and zlib: polynomial 04C11DB7h, reflected. */
const crcTable = new DataView(new ArrayBuffer(256 * 4));
for (let byte = 0; byte < 256; byte++) {
  let register = byte;
  for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ 0xedb8_8320 : register >>> 1;
  crcTable.setUint32(byte * 4, register);
}

function shiftByte(register: number, byte: number): number {
  return (register >>> 8) ^ crcTable.getUint32(((register ^ byte) & 0xff) * 4);
}

/** Pass the sum of what came before to go on with it. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let register = ~before;
  for (const byte of bytes) register = shiftByte(register, byte);
  return ~register >>> 0;
}

/**
 * Which bit of a block, counted from its first, makes this difference of checksums when it flips. CRC-32 is linear, and
 * no two single bits of a block make the same difference.
 */
function flippedBit(difference: number): number | undefined {
  const traces = Array.from({ length: 8 }, (_, bit) => shiftByte(1 << bit, 0));
  for (let at = crcCopyAt - 1; at >= bodyAt; at--) {
    for (const [bit, trace] of traces.entries()) {
      if (trace >>> 0 === difference >>> 0) return at * 8 + bit;
      traces[bit] = shiftByte(trace, 0);
    }
  }
  return undefined;
}
