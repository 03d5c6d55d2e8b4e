import { statfs } from "node:fs/promises";
import { diskError } from "./file-system.ts";

export interface DiskUsage {
  readonly totalBytes: number;
  /** What this user may still write; less than what is free where the system keeps a reserve. */
  readonly availableBytes: number;
}

/** How full the disk under a folder is. Throws `disk-failed`. */
export async function diskUsage(folder: string): Promise<DiskUsage> {
  try {
    const found = await statfs(folder);
    return { totalBytes: found.blocks * found.bsize, availableBytes: found.bavail * found.bsize };
  } catch (error) {
    throw diskError(error, folder);
  }
}
