import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const diskBytes = 256 * 1024 * 1024;
const sectorBytes = 512;
/** Field of /sys/block/DEVICE/stat: sectors written (Documentation/block/stat.rst). */
const sectorsWrittenField = 6;

/** A disk of its own, so that every byte that reaches it can be counted. */
export interface LoopDisk {
  readonly folder: string;
  /** Bytes that have gone to the device, what the kernel still held included. */
  writtenBytes(): number;
  remove(): void;
}

/** An ext4 file system on a loop device. Needs Linux, root and loop devices; throws what is missing. */
export function makeLoopDisk(folder: string, name: string): LoopDisk {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new Error("counting the bytes of a device needs Linux and root (losetup, mount)");
  }
  const image = join(folder, `${name}.img`);
  const mountPoint = join(folder, name);
  writeFileSync(image, "");
  truncateSync(image, diskBytes);
  mkdirSync(mountPoint);
  // Lazy initialisation would go on writing behind the measurement.
  run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image);
  const device = run("losetup", "-f", "--show", image).trim();
  try {
    run("mount", device, mountPoint);
  } catch (error) {
    run("losetup", "-d", device);
    throw error;
  }
  return {
    folder: mountPoint,
    writtenBytes: () => {
      run("sync", "-f", mountPoint);
      const fields = readFileSync(`/sys/block/${basename(device)}/stat`, "utf8")
        .trim()
        .split(/\s+/);
      return Number(fields[sectorsWrittenField]) * sectorBytes;
    },
    remove: () => {
      run("umount", mountPoint);
      run("losetup", "-d", device);
      rmSync(image);
    },
  };
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: "utf8" });
}
