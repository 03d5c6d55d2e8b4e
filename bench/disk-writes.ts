import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { pageToPng, startSimulator } from "../firmware-sim/mod.ts";
import type { Figures, Say } from "./bench.ts";
import { type LoopDisk, makeLoopDisk } from "./loop-disk.ts";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const roles = ["client", "server", "host"] as const;
type Role = (typeof roles)[number];
const widthDots = 576;
const sizesKiB = [8, 40, 150] as const;
/** The first jobs pay for files and pages that every later one finds. */
const warmJobs = 10;

/** Bytes that reach the device of each role, per job and per byte of its print image. */
export async function benchDiskWrites(say: Say): Promise<Figures> {
  const jobs = Number(process.env["TWINSPOOL_BENCH_JOBS"] ?? 50);
  const folder = mkdtempSync(join(tmpdir(), "twinspool-bench-"));
  const disks: Partial<Record<Role, LoopDisk>> = {};
  const processes: ChildProcess[] = [];
  const simulator = await startSimulator({ speed: "fast", tcpPort: 0 });
  try {
    for (const role of roles) disks[role] = makeLoopDisk(folder, role);
    const spare = (role: Role): LoopDisk => disks[role] ?? fail(role);
    const start = async (role: Role, ...args: string[]): Promise<string> => {
      const { child, url } = await startProcess([role, "--data", spare(role).folder, ...args]);
      processes.push(child);
      return url;
    };
    const server = await start("server", "--port", "0");
    const printer = `kitchen=socket://127.0.0.1:${simulator.port ?? 0}`;
    await start("host", "--port", "0", "--server", server, "--printer", printer, "--model", "tm-m30iii");
    await start("client", "--server", server);
    const print = (documents: readonly string[]): Promise<void> =>
      runToEnd(["print", ...documents, "--wait", "--data", spare("client").folder, "--server", server]);
    const figures: Record<string, Figures> = {};
    for (const sizeKiB of sizesKiB) {
      const document = join(folder, `${sizeKiB}.png`);
      writeFileSync(document, noisePicture(sizeKiB * 1024));
      await print(Array.from({ length: warmJobs }, () => document));
      figures[`${sizeKiB} KiB`] = await measure(sizeKiB * 1024, jobs, spare, () =>
        print(Array.from({ length: jobs }, () => document)),
      );
      say(tell(sizeKiB, figures[`${sizeKiB} KiB`] ?? {}));
    }
    return { jobs, ...figures };
  } finally {
    for (const child of processes) await stop(child);
    await simulator.close();
    for (const disk of Object.values(disks)) disk.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  imageBytes: number,
  jobs: number,
  disk: (role: Role) => LoopDisk,
  run: () => Promise<void>,
): Promise<Figures> {
  const before = new Map(roles.map((role) => [role, disk(role).writtenBytes()]));
  await run();
  const figures: Record<string, Figures> = {};
  for (const role of roles) {
    const bytesPerJob = Math.round((disk(role).writtenBytes() - (before.get(role) ?? 0)) / jobs);
    figures[role] = { bytesPerJob, perImageByte: Number((bytesPerJob / imageBytes).toFixed(2)) };
  }
  return figures;
}

function tell(sizeKiB: number, figures: Figures): string {
  const parts = Object.entries(figures).map(([role, value]) => {
    const { bytesPerJob, perImageByte } = value as { bytesPerJob: number; perImageByte: number };
    return `${role} ${(bytesPerJob / 1024).toFixed(1)} KiB (${perImageByte} per byte of the image)`;
  });
  return `print image of ${sizeKiB} KiB, written to the device per job: ${parts.join(", ")}`;
}

/** A picture whose print image has about this size: noise, which run lengths cannot shrink. */
function noisePicture(imageBytes: number): Uint8Array {
  const rowBytes = widthDots / 8;
  // Literal runs of PWG Raster (PWG 5102.4 §4.2) add a byte for every 128, and one for each row.
  const heightDots = Math.max(1, Math.floor((imageBytes - 1_800) / (rowBytes + 2)));
  let seed = 1;
  const rows = Array.from({ length: heightDots }, () =>
    Uint8Array.from({ length: rowBytes }, () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed >>> 24;
    }),
  );
  return pageToPng({ widthDots, heightDots, dpi: 203, rows, text: "", lines: [], cut: "none", splices: [] });
}

async function startProcess(args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [main, ...args, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TWINSPOOL_LOG_LEVEL: "error" },
  });
  if (child.stdout === null) throw new Error("no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { event?: string; url?: string };
    if (said.event !== "ready") continue;
    child.stdout.resume();
    return { child, url: said.url ?? "" };
  }
  throw new Error(`${args[0]} ended before it was ready; run npm run build first`);
}

async function runToEnd(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`print ended with ${code}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await new Promise((resolve) => child.once("exit", resolve));
}

function fail(role: Role): never {
  throw new Error(`no disk for the ${role}`);
}
