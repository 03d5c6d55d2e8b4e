import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type CpioEntry, writeCpio } from "./cpio.ts";

/** What QEMU boots. */
export interface Guest {
  readonly kernel: string;
  readonly initramfs: string;
  /** For people: kernel and Node version. */
  readonly name: string;
  readonly fromCache: boolean;
}

/** The machine lacks something; the message says what to do. */
export class GuestBuildError extends Error {}

/**
 * In the order they are loaded. Debian's full kernel has all of them as modules; its cloud kernel has neither USB nor 9p.
 */
const MODULES = [
  ...["virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci"],
  ...["netfs", "fscache", "9pnet", "9pnet_virtio", "9p"],
  ...["usb-common", "usbcore", "usbip-core", "vhci-hcd", "usblp"],
];

const KERNEL_PACKAGE = "linux-image-amd64";
const XZ_MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;
const FOLDERS = ["bin", "dev", "etc", "etc/udev", "modules", "proc", "project", "run", "sys", "tmp"];

/** Kernel and initramfs from Debian packages and this machine's own Node, made once for each kernel and Node version. */
export function buildGuest(initScript: string): Guest {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new GuestBuildError("the virtual machine is built on Linux for x86-64 only");
  }
  for (const command of ["apt-get", "apt-cache", "dpkg-deb", "tar", "xz", "ldd"]) {
    if (!has(command)) throw new GuestBuildError(`${command} is missing: the guest is made of Debian packages`);
  }
  ensureQemu();
  const kernelPackage = resolveKernelPackage();
  // Whoever changes what goes into the guest gets a new one.
  const recipe = createHash("sha256")
    .update(initScript)
    .update(readFileSync(new URL(import.meta.url)));
  const name = `${kernelPackage.replace(/^linux-image-/, "")}-node-${process.version}-${recipe.digest("hex").slice(0, 8)}`;
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "twinspool-vm");
  const folder = join(cache, name);
  const guest = { kernel: join(folder, "kernel"), initramfs: join(folder, "initramfs.cpio"), name };
  if (existsSync(folder)) return { ...guest, fromCache: true };
  mkdirSync(cache, { recursive: true });
  const workFolder = mkdtempSync(join(cache, "building-"));
  try {
    fillFolder(workFolder, kernelPackage, initScript);
    rmSync(join(workFolder, "packages"), { recursive: true });
    renameSync(workFolder, folder);
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
  return { ...guest, fromCache: false };
}

function has(command: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function run(command: string, args: readonly string[], cwd?: string): Buffer {
  const env = { ...process.env, LC_ALL: "C" };
  const result = spawnSync(command, args, { ...(cwd !== undefined && { cwd }), env, maxBuffer: MAX_UNPACKED_BYTES });
  if (result.status === 0) return result.stdout;
  throw new GuestBuildError(
    `${command} ${args.join(" ")}: ${result.stderr?.toString().trim() || result.error?.message}`,
  );
}

function ensureQemu(): void {
  if (has("qemu-system-x86_64")) return;
  const install = ["install", "-y", "--no-install-recommends", "qemu-system-x86"];
  if (!isRoot()) throw new GuestBuildError(`QEMU is missing. Install it: sudo apt-get ${install.join(" ")}`);
  run("apt-get", ["-o", "DPkg::Lock::Timeout=120", ...install]);
}

/** The name of the package changes with every kernel; the meta package says which one is current. */
function resolveKernelPackage(): string {
  const find = (): string | undefined =>
    /Depends: (linux-image-\S+)/.exec(run("apt-cache", ["depends", KERNEL_PACKAGE]).toString())?.[1];
  const found = find();
  if (found !== undefined) return found;
  refreshPackageLists();
  const foundLater = find();
  if (foundLater === undefined) throw new GuestBuildError(`${KERNEL_PACKAGE} is unknown: is this a Debian system?`);
  return foundLater;
}

function refreshPackageLists(): void {
  if (!isRoot()) throw new GuestBuildError("the package lists are old. Refresh them: sudo apt-get update");
  run("apt-get", ["update"]);
}

function download(folder: string, packages: readonly string[]): void {
  const args = ["-o", "APT::Sandbox::User=root", "download", ...packages];
  const first = spawnSync("apt-get", args, { cwd: folder });
  if (first.status === 0) return;
  // A package that is gone from the mirror has a successor in newer lists.
  refreshPackageLists();
  run("apt-get", args, folder);
}

function fillFolder(folder: string, kernelPackage: string, initScript: string): void {
  const packages = join(folder, "packages");
  mkdirSync(packages);
  download(packages, [kernelPackage, "busybox-static"]);
  const patterns = ["*/vmlinuz-*", "*/busybox", ...MODULES.map((name) => `*/${name.replaceAll(/[-_]/g, "[-_]")}.ko*`)];
  for (const file of readdirSync(packages).filter((name) => name.endsWith(".deb"))) {
    // Only what is needed: a kernel package unpacks to 400 MB. tar complains of patterns for the other package.
    const unpack = 'dpkg-deb --fsys-tarfile "$0" | tar -x --wildcards "$@" 2>/dev/null || true';
    run("sh", ["-c", unpack, file, ...patterns], packages);
  }
  const files = readdirSync(packages, { recursive: true }).map(String);
  const find = (pattern: RegExp): string => {
    const path = files.find((file) => pattern.test(file));
    if (path === undefined) throw new GuestBuildError(`${kernelPackage} has no ${pattern.source}`);
    return join(packages, path);
  };
  writeFileSync(join(folder, "kernel"), unpackKernel(readFileSync(find(/(^|\/)vmlinuz-/))));
  writeCpio(join(folder, "initramfs.cpio"), initramfs(find, initScript));
}

/** The kernel inside a bzImage, which boots 5 s faster without a CPU of its own to unpack itself; else the bzImage. */
function unpackKernel(image: Buffer): Buffer {
  const at = image.indexOf(XZ_MAGIC);
  if (at < 0) return image;
  const unpacked = spawnSync("xz", ["-dc", "--single-stream"], {
    input: image.subarray(at),
    maxBuffer: MAX_UNPACKED_BYTES,
  });
  return unpacked.stdout.subarray(0, 4).toString("latin1") === "\x7fELF" ? unpacked.stdout : image;
}

function* initramfs(find: (pattern: RegExp) => string, initScript: string): Generator<CpioEntry> {
  const libraries = [...new Set([process.execPath, udevadm()].flatMap(librariesOf)), libudev()];
  const folders = new Set(FOLDERS);
  for (const path of libraries) {
    const parts = dirname(path).slice(1).split("/");
    for (const [index] of parts.entries()) folders.add(parts.slice(0, index + 1).join("/"));
  }
  for (const path of folders) yield { kind: "folder", path };
  yield { kind: "file", path: "init", bytes: Buffer.from(initScript) };
  yield { kind: "file", path: "bin/busybox", bytes: readFileSync(find(/\/busybox$/)) };
  yield { kind: "file", path: "bin/node", bytes: readFileSync(process.execPath) };
  // One program with two names: by the second it is the daemon.
  yield { kind: "file", path: "bin/udevadm", bytes: readFileSync(udevadm()) };
  yield { kind: "link", path: "bin/udevd", target: "udevadm" };
  yield { kind: "file", path: "etc/group", bytes: Buffer.from("root:x:0:\n") };
  for (const path of new Set(libraries)) yield { kind: "file", path: path.slice(1), bytes: readFileSync(path) };
  for (const [index, name] of MODULES.entries()) {
    const file = find(new RegExp(`/${name.replaceAll(/[-_]/g, "[-_]")}\\.ko(\\.xz)?$`));
    const bytes = file.endsWith(".xz") ? run("xz", ["-dc", file]) : readFileSync(file);
    yield { kind: "file", path: `modules/${String(index).padStart(2, "0")}-${basename(name)}.ko`, bytes };
  }
}

function udevadm(): string {
  const found = ["/bin/udevadm", "/usr/bin/udevadm"].find((path) => existsSync(path));
  if (found === undefined) throw new GuestBuildError("udevadm is missing. Install it: sudo apt-get install udev");
  return realpathSync(found);
}

function libudev(): string {
  const path = /libudev\.so\.1 \(libc6,x86-64\) => (\S+)/.exec(run("/sbin/ldconfig", ["-p"]).toString())?.[1];
  if (path === undefined) throw new GuestBuildError("libudev is missing. Install it: sudo apt-get install libudev1");
  return path;
}

/** Shared libraries of a program with their full names, the loader among them. */
function librariesOf(program: string): string[] {
  const listing = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...listing.matchAll(/(?:=> |^\s*)(\/\S+)/gm)].flatMap((match) => match[1] ?? []);
}
