import { basename, dirname, join } from "node:path";
import { TwinspoolError } from "../../protocol/errors.ts";
import { randomText } from "../../runtime/identity.ts";
import { type FileLock, lockFile } from "../../spool/file-lock.ts";
import {
  diskError,
  errorCodeOf,
  type FileSystem,
  nodeFileSystem,
  type OpenFile,
  syncError,
} from "../../spool/file-system.ts";
import { blockBytes } from "./ledger-block.ts";
import type { LedgerRecord } from "./ledger-record.ts";
import { LedgerRing, type LedgerScan, type Placement } from "./ledger-ring.ts";

export interface LedgerFileOptions {
  /** Records the ledger must be able to hold; a smaller file grows, a larger one stays. */
  readonly slotCount: number;
  readonly makeIncarnation: () => string;
  readonly fileSystem?: FileSystem;
  readonly lock?: (path: string) => FileLock;
}

export interface OpenedLedger {
  readonly ledger: LedgerFile;
  /** What the host knew, oldest first. */
  readonly records: readonly LedgerRecord[];
  /** Why an older ledger was moved into quarantine, in words; absent when none was. */
  readonly replaced?: string;
}

interface Waiting {
  readonly records: readonly LedgerRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Blocks written at a time when a file is made. */
const chunkBlocks = 64;

/**
 * Opens the ledger of a printer host, or makes one with a new incarnation when there is none or it is damaged; the
 * damaged file is kept in `quarantine` beside it. Throws `folder-in-use`, `disk-full`, `disk-failed`.
 */
export async function openLedgerFile(path: string, options: LedgerFileOptions): Promise<OpenedLedger> {
  const fs = options.fileSystem ?? nodeFileSystem;
  await attempt(path, () => fs.makeFolder(dirname(path)));
  const lock = (options.lock ?? lockFile)(`${path}.lock`);
  try {
    const { scanned, replaced } = await readOrMake(fs, path, options);
    const file = await attempt(path, () => fs.open(path, "update"));
    const ledger = new LedgerFile(path, file, scanned.ring, lock);
    return { ledger, records: scanned.records, ...(replaced === undefined ? {} : { replaced }) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

type WholeLedger = Exclude<LedgerScan, { damage: string }>;

async function readOrMake(
  fs: FileSystem,
  path: string,
  options: LedgerFileOptions,
): Promise<{ scanned: WholeLedger; replaced?: string }> {
  await sweepUnfinished(fs, path);
  const scan = await readLedger(fs, path);
  if (scan === undefined) return { scanned: await makeLedger(fs, path, options) };
  if ("damage" in scan) {
    const replaced = `${scan.damage}; the file is now ${await quarantine(fs, path)}`;
    return { scanned: await makeLedger(fs, path, options), replaced };
  }
  if (scan.ring.slotCount >= options.slotCount) return { scanned: scan };
  return { scanned: await putLedger(fs, path, scan.ring.incarnation, options.slotCount, scan.records) };
}

function makeLedger(fs: FileSystem, path: string, options: LedgerFileOptions): Promise<WholeLedger> {
  return putLedger(fs, path, options.makeIncarnation(), options.slotCount, []);
}

/** Makes a file with these records, in place of the one that may be there. */
async function putLedger(
  fs: FileSystem,
  path: string,
  incarnation: string,
  slotCount: number,
  records: readonly LedgerRecord[],
): Promise<WholeLedger> {
  const header = LedgerRing.format(incarnation, slotCount);
  const empty = new Uint8Array(blockBytes);
  const scan = LedgerRing.scan(header, () => empty);
  if ("damage" in scan) throw new TwinspoolError("ledger-corrupt", `${path}: ${scan.damage}`);
  const blocks: Placement[] = [];
  for (let rest = records; rest.length > 0; ) {
    const placement = scan.ring.place(rest);
    blocks.push(placement);
    rest = rest.slice(placement.records.length);
  }
  await writeLedger(fs, path, header, slotCount, blocks);
  return { ring: scan.ring, records };
}

/** The durable ledger of one printer host. */
export class LedgerFile {
  readonly #path: string;
  readonly #file: OpenFile;
  readonly #ring: LedgerRing;
  readonly #lock: FileLock;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failed: TwinspoolError | undefined;
  #closed = false;

  constructor(path: string, file: OpenFile, ring: LedgerRing, lock: FileLock) {
    this.#path = path;
    this.#file = file;
    this.#ring = ring;
    this.#lock = lock;
  }

  get incarnation(): string {
    return this.#ring.incarnation;
  }

  get slotCount(): number {
    return this.#ring.slotCount;
  }

  get freeSlots(): number {
    return this.#ring.freeSlots;
  }

  /**
   * Resolves once these records are durable, in their order and after all appended before. Appends that wait share a
   * block, and so one write and one fdatasync. Rejects with `ledger-full` (some of the records may be durable), or with
   * `disk-full` or `disk-failed`: then every later append fails as well, and the process has to end.
   */
  append(records: readonly LedgerRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(new TwinspoolError("internal", "the ledger is closed"));
    if (records.length === 0) return this.#writing ?? Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  /** Ends after what is already appended, and gives up the lock. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    try {
      await this.#file.close();
    } finally {
      this.#lock.release();
    }
  }

  async #drain(): Promise<void> {
    // Appends of the same turn come together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      await this.#writeGroup(group);
    }
    this.#writing = undefined;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    let rest = group.flatMap(({ records }) => records);
    const ends: number[] = [];
    for (const { records } of group) ends.push((ends.at(-1) ?? 0) + records.length);
    const total = rest.length;
    let settled = 0;
    try {
      while (rest.length > 0) {
        rest = rest.slice(await this.#writeBlock(rest));
        while ((ends[settled] ?? Number.POSITIVE_INFINITY) <= total - rest.length) group[settled++]?.resolve();
      }
    } catch (error) {
      for (const waiting of group.slice(settled)) waiting.reject(error);
    }
  }

  /** One block, durable before the next: only so can the scan tell a torn block from a damaged one. */
  async #writeBlock(records: readonly LedgerRecord[]): Promise<number> {
    if (this.#failed !== undefined) throw this.#failed;
    const placement = this.#ring.place(records);
    try {
      await this.#file.write(placement.bytes, (1 + placement.slot) * blockBytes);
    } catch (error) {
      this.#failed = diskError(error, this.#path);
      throw this.#failed;
    }
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#failed = syncError(error, this.#path);
      throw this.#failed;
    }
    return placement.records.length;
  }
}

async function readLedger(fs: FileSystem, path: string): Promise<LedgerScan | undefined> {
  const bytes = await attempt(path, () => readFile(fs, path));
  if (bytes === undefined) return undefined;
  const scan = LedgerRing.scan(bytes.subarray(0, blockBytes), (slot) => slotOf(bytes, slot));
  // The file has its full size from the beginning; blocks that are missing are not blocks that were never written.
  if ("ring" in scan && bytes.length !== (1 + scan.ring.slotCount) * blockBytes) {
    return { damage: `the file has ${bytes.length} bytes` };
  }
  return scan;
}

async function readFile(fs: FileSystem, path: string): Promise<Uint8Array | undefined> {
  const size = await fs.size(path);
  if (size === undefined) return undefined;
  const bytes = new Uint8Array(size);
  const file = await fs.open(path, "read");
  try {
    await file.read(bytes, 0).catch(async (error: unknown) => {
      if (errorCodeOf(error) !== "EIO") throw error;
      await readBlockwise(file, bytes);
    });
    return bytes;
  } finally {
    await file.close();
  }
}

/** A flash page torn by power loss may answer with an error instead of bytes: such a block is bad, not the whole file. */
async function readBlockwise(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    await file.read(block, at).catch(() => block.fill(0xff));
  }
}

function slotOf(bytes: Uint8Array, slot: number): Uint8Array {
  return bytes.subarray((1 + slot) * blockBytes, (2 + slot) * blockBytes);
}

/** Moves a damaged ledger aside; returns where it is now. */
async function quarantine(fs: FileSystem, path: string): Promise<string> {
  const folder = join(dirname(path), "quarantine");
  const aside = join(folder, `${basename(path)}-${randomText(6)}`);
  await attempt(path, async () => {
    await fs.makeFolder(folder);
    await fs.rename(path, aside);
    await fs.syncFolder(folder);
    await fs.syncFolder(dirname(path));
  });
  return aside;
}

/** Writes a whole ledger beside its place and moves it there: at no moment is there half a ledger. */
async function writeLedger(
  fs: FileSystem,
  path: string,
  header: Uint8Array,
  slotCount: number,
  blocks: readonly Placement[],
) {
  const temporary = `${path}.${randomText(8)}.new`;
  await attempt(path, async () => {
    const file = await fs.open(temporary, "create");
    try {
      try {
        await file.write(header, 0);
        // Zeros that are really written: the blocks belong to the file before the first record needs one.
        const zeros = new Uint8Array(chunkBlocks * blockBytes);
        const end = (1 + slotCount) * blockBytes;
        for (let at = blockBytes; at < end; at += zeros.length) {
          await file.write(zeros.subarray(0, Math.min(zeros.length, end - at)), at);
        }
        for (const { slot, bytes } of blocks) await file.write(bytes, (1 + slot) * blockBytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(temporary, path);
    } catch (error) {
      // What is left behind is swept at the next start.
      await fs.unlink(temporary).catch(() => undefined);
      throw error;
    }
    await fs.syncFolder(dirname(path));
  });
}

async function sweepUnfinished(fs: FileSystem, path: string): Promise<void> {
  const folder = dirname(path);
  await attempt(path, async () => {
    for (const name of await fs.list(folder)) {
      if (name.startsWith(`${basename(path)}.`) && name.endsWith(".new")) await fs.unlink(join(folder, name));
    }
  });
}

async function attempt<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw diskError(error, path);
  }
}
