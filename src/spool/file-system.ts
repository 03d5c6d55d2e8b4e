import { closeSync, constants, fsyncSync, mkdirSync, openSync } from "node:fs";
import { open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { platform } from "node:process";
import { TwinspoolError } from "../protocol/errors.ts";

/** An open file. Reads and writes are whole: short ones are repeated inside. */
export interface OpenFile {
  /** Fills the buffer from this byte on; returns how many bytes the file had. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes content and size durable. */
  sync(): Promise<void>;
  /** Makes content durable; the size must not have changed. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** The operations that the durable stores use, handed in so that tests can make each of them fail. */
export interface FileSystem {
  /** `create`: a new file, fails when the name is taken. `update`: read and write a file that exists. */
  open(path: string, mode: "create" | "update" | "read"): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes a folder and those above it, durably. */
  makeFolder(path: string): Promise<void>;
  /** Names in a folder, without order. */
  list(folder: string): Promise<string[]>;
  /** Bytes of a file, undefined when there is no file of this name. */
  size(path: string): Promise<number | undefined>;
  /** Makes names in a folder durable. */
  syncFolder(folder: string): Promise<void>;
}

const openFlags = {
  create: constants.O_CREAT | constants.O_EXCL | constants.O_RDWR,
  update: constants.O_RDWR,
  read: constants.O_RDONLY,
} as const;

export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    // Print images hold receipts of others: only this user reads them.
    const handle = await open(path, openFlags[mode], 0o600);
    return {
      async read(buffer, position) {
        let done = 0;
        while (done < buffer.length) {
          const { bytesRead } = await handle.read(buffer, done, buffer.length - done, position + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return done;
      },
      async write(bytes, position) {
        let done = 0;
        while (done < bytes.length) {
          done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
        }
      },
      sync: () => handle.sync(),
      datasync: () => handle.datasync(),
      close: () => handle.close(),
    };
  },
  rename,
  unlink,
  async makeFolder(path) {
    makeFolderSync(path);
  },
  list: (folder) => readdir(folder),
  async size(path) {
    try {
      const found = await stat(path);
      return found.isFile() ? found.size : undefined;
    } catch (error) {
      if (errorCodeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  },
  async syncFolder(folder) {
    if (platform === "win32") return;
    const handle = await open(folder, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Makes a folder and those above it; their names are durable. */
export function makeFolderSync(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let folder = resolve(path); folder !== top && folder !== dirname(folder); folder = dirname(folder)) {
    syncFolderSync(dirname(folder));
  }
}

function syncFolderSync(folder: string): void {
  // Windows opens no folders; NTFS journals names itself.
  if (platform === "win32") return;
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The system's name of an error, such as ENOENT. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** What a failed write, rename or open means to a person: `disk-full` or `disk-failed`. */
export function diskError(error: unknown, path: string): TwinspoolError {
  if (error instanceof TwinspoolError) return error;
  const code = errorCodeOf(error);
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new TwinspoolError(full ? "disk-full" : "disk-failed", `${path} (${code ?? String(error)})`, { cause: error });
}

/**
 * What a failed fsync means: the system may have dropped what it could not write and says so only once, so nothing that
 * this process wrote to the file can be relied on any more, and it has to end.
 */
export function syncError(error: unknown, path: string): TwinspoolError {
  return new TwinspoolError("disk-failed", `${path} (fsync: ${errorCodeOf(error) ?? String(error)})`, { cause: error });
}
