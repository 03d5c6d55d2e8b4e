import { createHash } from "node:crypto";
import { join } from "node:path";
import { TwinspoolError } from "../protocol/errors.ts";
import { type JobId, jobIdPattern } from "../protocol/ids.ts";
import { randomText } from "../runtime/identity.ts";
import { diskError, errorCodeOf, type FileSystem, nodeFileSystem, type OpenFile, syncError } from "./file-system.ts";

export interface ImageStoreOptions {
  /** Largest image that is kept. */
  readonly maxImageBytes: number;
  readonly fileSystem?: FileSystem;
}

export interface ImageDigest {
  readonly sizeBytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** An image on its way into the store. Exactly one of `finish` and `discard` ends it. */
export interface ImageWriter {
  /** Throws `image-too-large`, `disk-full`, `disk-failed`; then only `discard` is left to call. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the image durable under this job id; before it returns nobody can see the image. Leaves nothing behind when
   * it throws: `disk-full`, or `disk-failed`, upon which the process has to end.
   */
  finish(jobId: JobId): Promise<ImageDigest>;
  /** Forgets what was written; harmless after `finish`. */
  discard(): Promise<void>;
}

export interface SweepResult {
  /** Jobs whose images nobody knew; the files are in the folder `quarantine` now. */
  readonly quarantined: readonly JobId[];
  /** Known jobs without an image. */
  readonly missing: readonly JobId[];
}

const temporaryPattern = /^incoming-[a-z0-9]{16}\.tmp$/;
const chunkBytes = 64 * 1024;
/** What `inspectHead` gets to see: the header of the first page of PWG Raster (1800 bytes), and more. */
const headBytes = 4096;

/**
 * Opens the images of a spool: one file a job, named by its id (design §4). The caller holds the lock of the data
 * folder. Throws `disk-full`, `disk-failed`.
 */
export async function openImageStore(folder: string, options: ImageStoreOptions): Promise<ImageStore> {
  const fs = options.fileSystem ?? nodeFileSystem;
  const sizes = new Map<JobId, number>();
  try {
    await fs.makeFolder(folder);
    for (const name of await fs.list(folder)) {
      const bytes = jobIdPattern.test(name) ? await fs.size(join(folder, name)) : undefined;
      if (bytes !== undefined) sizes.set(name, bytes);
    }
  } catch (error) {
    throw diskError(error, folder);
  }
  return new ImageStore(folder, options.maxImageBytes, fs, sizes);
}

export class ImageStore {
  readonly #folder: string;
  readonly #maxImageBytes: number;
  readonly #fs: FileSystem;
  readonly #sizes: Map<JobId, number>;
  /** Temporary files of this life and their bytes. */
  readonly #incoming = new Map<string, number>();
  #usedBytes = 0;

  constructor(folder: string, maxImageBytes: number, fileSystem: FileSystem, sizes: Map<JobId, number>) {
    this.#folder = folder;
    this.#maxImageBytes = maxImageBytes;
    this.#fs = fileSystem;
    this.#sizes = sizes;
    for (const bytes of sizes.values()) this.#usedBytes += bytes;
  }

  /** Bytes of all images, also of those still coming in; not of quarantine. */
  usedBytes(): number {
    return this.#usedBytes;
  }

  /** How many images are in it. */
  get count(): number {
    return this.#sizes.size;
  }

  has(jobId: JobId): boolean {
    return this.#sizes.has(jobId);
  }

  /** Bytes of an image, undefined when there is none. */
  sizeBytes(jobId: JobId): number | undefined {
    return this.#sizes.get(jobId);
  }

  /** Begins an image that is made on this machine. */
  async create(): Promise<ImageWriter> {
    const name = `incoming-${randomText(16)}.tmp`;
    const path = join(this.#folder, name);
    this.#incoming.set(name, 0);
    try {
      const file = await this.#fs.open(path, "create");
      return this.#writer(name, path, file);
    } catch (error) {
      this.#incoming.delete(name);
      throw diskError(error, path);
    }
  }

  /**
   * Takes an image in and makes it durable. Reads no further than the announced length. `inspectHead` sees the first
   * bytes (up to 4 KiB) and may throw to refuse them. Throws `image-too-large`, `image-wrong-size`,
   * `image-wrong-digest`, `disk-full`, `disk-failed`, or what the source threw; then nothing is left behind.
   */
  async receive(
    jobId: JobId,
    chunks: AsyncIterable<Uint8Array>,
    expected: ImageDigest,
    inspectHead?: (head: Uint8Array) => void,
  ): Promise<void> {
    this.#path(jobId);
    if (expected.sizeBytes > this.#maxImageBytes) {
      throw new TwinspoolError("image-too-large", `${expected.sizeBytes} of at most ${this.#maxImageBytes} bytes`);
    }
    const writer = await this.create();
    try {
      await this.#receiveInto(writer, chunks, expected, inspectHead);
      await writer.finish(jobId);
    } finally {
      await writer.discard();
    }
  }

  /** Takes a whole image over from another store of the same disk; durable. Throws `disk-failed`. */
  async adopt(other: ImageStore, jobId: JobId): Promise<void> {
    const path = this.#path(jobId);
    const bytes = other.#sizes.get(jobId) ?? 0;
    try {
      await this.#fs.rename(other.#path(jobId), path);
    } catch (error) {
      throw diskError(error, path);
    }
    other.#forget(jobId);
    this.#sizes.set(jobId, bytes);
    this.#usedBytes += bytes;
    await this.#fs.syncFolder(this.#folder).catch((error: unknown) => {
      throw syncError(error, this.#folder);
    });
  }

  /** The bytes of an image. Throws `image-missing`, `disk-failed`. */
  async *read(jobId: JobId): AsyncGenerator<Uint8Array, void, undefined> {
    const path = this.#path(jobId);
    const file = await this.#openImage(jobId, path);
    try {
      for (let position = 0; ; ) {
        const buffer = new Uint8Array(chunkBytes);
        const bytes = await file.read(buffer, position);
        if (bytes > 0) yield buffer.subarray(0, bytes);
        if (bytes < buffer.length) return;
        position += bytes;
      }
    } catch (error) {
      throw diskError(error, path);
    } finally {
      await file.close();
    }
  }

  /** A whole image in memory. Throws `image-missing`, `image-too-large`, `disk-failed`. */
  async readAll(jobId: JobId, maxBytes: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let total = 0;
    for await (const part of this.read(jobId)) {
      total += part.length;
      if (total > maxBytes) throw new TwinspoolError("image-too-large", `${jobId}: more than ${maxBytes} bytes`);
      parts.push(part);
    }
    const whole = new Uint8Array(total);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  /** Reads an image again and compares its digest. Throws `disk-failed`. */
  async verify(jobId: JobId, sha256: string): Promise<"intact" | "damaged" | "missing"> {
    const hash = createHash("sha256");
    try {
      for await (const part of this.read(jobId)) hash.update(part);
    } catch (error) {
      if (error instanceof TwinspoolError && error.code === "image-missing") return "missing";
      throw error;
    }
    return hash.digest("hex") === sha256 ? "intact" : "damaged";
  }

  /** Erases an image; one that is not there is erased already. Call it after the row is gone. Throws `disk-failed`. */
  async erase(jobId: JobId): Promise<void> {
    const path = this.#path(jobId);
    try {
      await this.#fs.unlink(path);
    } catch (error) {
      if (errorCodeOf(error) !== "ENOENT") throw diskError(error, path);
    }
    this.#forget(jobId);
  }

  /** Moves a damaged image out of the way, for a person to look at. Returns where it is. Throws `disk-failed`. */
  async quarantine(jobId: JobId): Promise<string> {
    const path = this.#path(jobId);
    const folder = join(this.#folder, "quarantine");
    const aside = join(folder, `${jobId}.${randomText(6)}`);
    try {
      await this.#fs.makeFolder(folder);
      await this.#fs.rename(path, aside);
      await this.#fs.syncFolder(folder);
    } catch (error) {
      throw diskError(error, path);
    }
    this.#forget(jobId);
    return aside;
  }

  /**
   * Brings folder and rows together after a start: unfinished files of former lives are removed, images of unknown jobs
   * moved into quarantine. Files with other names are left alone. Throws `disk-failed`.
   */
  async sweep(knownJobIds: Iterable<JobId>): Promise<SweepResult> {
    const known = new Set(knownJobIds);
    const quarantined: JobId[] = [];
    for (const name of await this.#list()) {
      if (temporaryPattern.test(name) && !this.#incoming.has(name)) await this.#removeTemporary(name);
      if (!jobIdPattern.test(name) || known.has(name)) continue;
      await this.quarantine(name);
      quarantined.push(name);
    }
    return { quarantined, missing: [...known].filter((jobId) => !this.#sizes.has(jobId)) };
  }

  async #list(): Promise<string[]> {
    try {
      return await this.#fs.list(this.#folder);
    } catch (error) {
      throw diskError(error, this.#folder);
    }
  }

  async #removeTemporary(name: string): Promise<void> {
    const path = join(this.#folder, name);
    try {
      await this.#fs.unlink(path);
    } catch (error) {
      throw diskError(error, path);
    }
  }

  async #receiveInto(
    writer: ImageWriter,
    chunks: AsyncIterable<Uint8Array>,
    expected: ImageDigest,
    inspectHead: ((head: Uint8Array) => void) | undefined,
  ): Promise<void> {
    const hash = createHash("sha256");
    const inspect = inspectHead === undefined ? undefined : new HeadInspection(inspectHead);
    let sizeBytes = 0;
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      if (sizeBytes > expected.sizeBytes) {
        throw new TwinspoolError("image-wrong-size", `more than ${expected.sizeBytes} bytes`);
      }
      inspect?.add(chunk);
      hash.update(chunk);
      await writer.write(chunk);
    }
    if (sizeBytes !== expected.sizeBytes) {
      throw new TwinspoolError("image-wrong-size", `${sizeBytes} instead of ${expected.sizeBytes} bytes`);
    }
    inspect?.end();
    if (hash.digest("hex") !== expected.sha256) throw new TwinspoolError("image-wrong-digest");
  }

  #writer(name: string, path: string, file: OpenFile): ImageWriter {
    const hash = createHash("sha256");
    let sizeBytes = 0;
    let state: "open" | "closed" | "ended" = "open";
    const discard = async (): Promise<void> => {
      if (state === "ended") return;
      if (state === "open") await file.close().catch(() => undefined);
      state = "ended";
      this.#incoming.delete(name);
      this.#usedBytes -= sizeBytes;
      // What stays behind all the same is removed by the sweep of the next life.
      await this.#fs.unlink(path).catch(() => undefined);
    };
    return {
      write: async (bytes) => {
        if (state !== "open") throw new TwinspoolError("internal", "an image was written after its end");
        if (sizeBytes + bytes.length > this.#maxImageBytes) {
          throw new TwinspoolError("image-too-large", `more than ${this.#maxImageBytes} bytes`);
        }
        await file.write(bytes, sizeBytes).catch((error: unknown) => {
          throw diskError(error, path);
        });
        hash.update(bytes);
        sizeBytes += bytes.length;
        this.#usedBytes += bytes.length;
        this.#incoming.set(name, sizeBytes);
      },
      finish: async (jobId) => {
        const target = this.#path(jobId);
        if (state !== "open") throw new TwinspoolError("internal", "an image was finished twice");
        try {
          await syncTemporary(file, path);
          state = "closed";
          await file.close();
          await this.#fs.rename(path, target);
        } catch (error) {
          await discard();
          throw diskError(error, path);
        }
        state = "ended";
        this.#incoming.delete(name);
        this.#usedBytes -= this.#sizes.get(jobId) ?? 0;
        this.#sizes.set(jobId, sizeBytes);
        await this.#fs.syncFolder(this.#folder).catch((error: unknown) => {
          throw syncError(error, this.#folder);
        });
        return { sizeBytes, sha256: hash.digest("hex") };
      },
      discard,
    };
  }

  async #openImage(jobId: JobId, path: string): Promise<OpenFile> {
    try {
      return await this.#fs.open(path, "read");
    } catch (error) {
      if (errorCodeOf(error) === "ENOENT") throw new TwinspoolError("image-missing", jobId);
      throw diskError(error, path);
    }
  }

  /** The only way from a job id to a path: nothing that is no job id gets near the file system. */
  #path(jobId: JobId): string {
    if (!jobIdPattern.test(jobId)) throw new TwinspoolError("request-invalid", `not a job id: ${jobId.slice(0, 40)}`);
    return join(this.#folder, jobId);
  }

  #forget(jobId: JobId): void {
    this.#usedBytes -= this.#sizes.get(jobId) ?? 0;
    this.#sizes.delete(jobId);
  }
}

/** Shows the first bytes of a stream once, however they are cut into chunks. */
class HeadInspection {
  readonly #inspect: (head: Uint8Array) => void;
  readonly #head = new Uint8Array(headBytes);
  #length = 0;
  #done = false;

  constructor(inspect: (head: Uint8Array) => void) {
    this.#inspect = inspect;
  }

  add(chunk: Uint8Array): void {
    if (this.#done) return;
    const part = chunk.subarray(0, headBytes - this.#length);
    this.#head.set(part, this.#length);
    this.#length += part.length;
    if (this.#length === headBytes) this.end();
  }

  end(): void {
    if (this.#done) return;
    this.#done = true;
    this.#inspect(this.#head.subarray(0, this.#length));
  }
}

async function syncTemporary(file: OpenFile, path: string): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    // Where blocks are allocated late a full disk shows only now; the file goes, so nothing relies on it.
    const told = diskError(error, path);
    throw told.code === "disk-full" ? told : syncError(error, path);
  }
}
