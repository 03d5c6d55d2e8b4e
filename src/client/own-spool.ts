import { access, constants } from "node:fs/promises";
import { TwinspoolError } from "../protocol/errors.ts";
import type { Spools } from "../protocol/job.ts";
import type { CapacityLevel } from "../spool/capacity.ts";
import { errorCodeOf, makeFolderSync } from "../spool/file-system.ts";

/** How this client's spool is when a job comes. */
export interface OwnSpool {
  /** False without a disk: nothing here outlives the process. */
  readonly isDurable: boolean;
  readonly level: CapacityLevel;
  readonly reason: string;
  /** Why the image itself has no room; undefined when it has. */
  readonly crowded: string | undefined;
  readonly serverLinked: boolean;
}

export interface Keeping {
  readonly keep: boolean;
  /** Why not, where the chosen spools ask for it. */
  readonly without?: string;
}

/**
 * Whether this client keeps the image: as chosen, narrowed by how full the spool is, and never to no copy at all
 * (S104-S107, design §4). Throws `spool-full`, `spool-missing`.
 */
export function decideKeeping(spools: Spools, own: OwnSpool): Keeping {
  if (spools === "server") return { keep: false };
  if (!own.isDurable) {
    if (spools === "client") throw new TwinspoolError("spool-missing", "--spool client was chosen");
    return { keep: false, without: "this client has no disk" };
  }
  const full = own.level === "full" ? own.reason : own.crowded;
  if (full !== undefined && (spools === "client" || !own.serverLinked)) {
    throw new TwinspoolError("spool-full", `this client: ${full}`);
  }
  if (full !== undefined) return { keep: false, without: `its spool is full: ${full}` };
  const narrowed = own.level === "near-full" && spools === "both" && own.serverLinked;
  return narrowed ? { keep: false, without: `its spool is near-full: ${own.reason}` } : { keep: true };
}

/** What the system says of a folder in which nothing can be kept. ENOENT: a file system of the kernel's own. */
const diskless = new Set(["EROFS", "EACCES", "EPERM", "ENOENT"]);

/** Why nothing can be kept in this folder; undefined when it can, or when the disk has other troubles. */
export async function whyDiskless(folder: string): Promise<string | undefined> {
  try {
    makeFolderSync(folder);
    await access(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = errorCodeOf(error);
    return code !== undefined && diskless.has(code) ? `${folder} (${code})` : undefined;
  }
}
