import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Guest } from "./build-guest.ts";
import { GuestReport } from "./guest-report.ts";

export interface RunOptions {
  readonly guest: Guest;
  /** Mounted read-only as `/project`. */
  readonly projectFolder: string;
  /** The test program, from the project's folder. */
  readonly program: string;
  /** The guest is ended after this time, whatever it does. */
  readonly capMs: number;
  /** Every line of the console, as it comes. */
  readonly onLine: (line: string) => void;
}

type Accelerator = "kvm" | "tcg";

interface RunEnd {
  readonly report: GuestReport;
  /** The guest's first program has run: the accelerator works. */
  readonly booted: boolean;
  readonly ended: "by itself" | "after its time";
}

/** A guest that shows no life by then is taken for one that KVM cannot run. */
const KVM_BOOT_MS = 20_000;

/** Boots the guest, lets it run the program, and tells why that was no success: no faults, and all is well. */
export async function runGuest(options: RunOptions): Promise<readonly string[]> {
  if (kvmIsUsable()) {
    const end = await boot(options, "kvm");
    if (end.booted) return faultsOf(end, options);
    options.onLine("KVM did not start the guest; once more without it");
  }
  return faultsOf(await boot(options, "tcg"), options);
}

function faultsOf({ report, ended }: RunEnd, { capMs }: RunOptions): readonly string[] {
  const late = ended === "after its time" ? [`the guest was ended after ${capMs / 1000} s`] : [];
  return [...late, ...report.faults()];
}

/** A machine without virtualisation may have `/dev/kvm` all the same; a guest then spins without an error. */
function kvmIsUsable(): boolean {
  try {
    accessSync("/dev/kvm", constants.W_OK);
    return /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}

function qemuArguments({ guest, projectFolder, program }: RunOptions, accelerator: Accelerator): string[] {
  const speedUps = "nokaslr mitigations=off random.trust_cpu=on tsc=reliable no_timer_check cryptomgr.notests";
  return [
    ...(accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : []),
    ...(accelerator === "tcg" ? ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max"] : []),
    ...["-M", "pc", "-smp", "2", "-m", "1024"],
    ...["-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"],
    ...["-kernel", guest.kernel, "-initrd", guest.initramfs],
    ...["-append", `console=ttyS0 quiet panic=-1 ${speedUps} TWINSPOOL_PROGRAM=${program}`],
    ...["-fsdev", `local,id=project,path=${projectFolder},security_model=none,readonly=on,multidevs=remap`],
    ...["-device", "virtio-9p-pci,fsdev=project,mount_tag=project", "-device", "virtio-rng-pci"],
  ];
}

async function boot(options: RunOptions, accelerator: Accelerator): Promise<RunEnd> {
  const report = new GuestReport();
  const qemu = spawn("qemu-system-x86_64", qemuArguments(options, accelerator), { stdio: ["ignore", "pipe", "pipe"] });
  const kill = (): void => {
    qemu.kill("SIGKILL");
  };
  process.once("exit", kill);
  let booted = false;
  let ended: RunEnd["ended"] = "by itself";
  const cap = setTimeout(() => {
    ended = "after its time";
    kill();
  }, options.capMs);
  const bootCap = accelerator === "kvm" ? setTimeout(() => !booted && kill(), KVM_BOOT_MS) : undefined;
  const lines = createInterface({ input: qemu.stdout }).on("line", (raw) => {
    const line = raw.replace(/\r+$/, "");
    booted ||= line.includes("@guest userland");
    report.read(line);
    options.onLine(line);
  });
  const errors = createInterface({ input: qemu.stderr }).on("line", options.onLine);
  try {
    await Promise.all([once(qemu, "exit"), once(lines, "close"), once(errors, "close")]);
  } finally {
    clearTimeout(cap);
    clearTimeout(bootCap);
    process.off("exit", kill);
    kill();
  }
  return { report, booted, ended };
}
