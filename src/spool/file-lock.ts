import { DatabaseSync } from "@photostructure/sqlite";
import { TwinspoolError } from "../protocol/errors.ts";
import { sqliteCode } from "./sqlite-error.ts";

export interface FileLock {
  release(): void;
}

/**
 * Takes a lock that the kernel holds for this process: it ends with the process, however that ends, so no lock is ever
 * stale. Process ids in a file cannot promise that (they are used again, and in a container every process may be number
 * 1). Node has no file locks of its own, SQLite has them for every system; the file stays empty and is never written.
 * Throws `folder-in-use` when another process, or this one, has it.
 */
export function lockFile(path: string): FileLock {
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    const held = database;
    return { release: () => held.close() };
  } catch (cause) {
    database?.close();
    const inUse = sqliteCode(cause) === "busy";
    throw new TwinspoolError(inUse ? "folder-in-use" : "disk-failed", path, { cause });
  }
}
