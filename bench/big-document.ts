import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { crc32, createDeflate } from "node:zlib";
import { startSimulator } from "../firmware-sim/mod.ts";
import type { Figures, Say } from "./bench.ts";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const gibibyte = 2 ** 30;
/** 16-bit RGBA: the most bytes that a PNG row can have for its dots. */
const widthDots = 8_192;
const pixelBytes = 8;

/** A document of 1 GiB, refused and then printed, and a small one that unfolds to a gigapixel: memory all the while. */
export async function benchBigDocument(say: Say): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "twinspool-bench-"));
  const printer = await startSimulator({ speed: "fast", tcpPort: 0 });
  const printerFlag = `kitchen=socket://127.0.0.1:${printer.port ?? 0}`;
  const box = await start([
    "box",
    "--port",
    "0",
    "--data",
    join(folder, "box"),
    "--printer",
    printerFlag,
    "--model",
    "tm-m30iii",
  ]);
  try {
    const big = join(folder, "big.png");
    const bomb = join(folder, "bomb.png");
    await writePng(big, widthDots, Math.ceil(gibibyte / (widthDots * pixelBytes)), "noise");
    await writePng(bomb, 32_768, 32_768, "blank");
    say(
      `documents: ${megabytes(statSync(big).size)} of noise, ${megabytes(statSync(bomb).size)} of nothing (1.07 gigapixels)`,
    );
    const figures: Record<string, Figures> = {};
    for (const [name, document, limit] of [
      ["refused at 64 MiB", big, undefined],
      ["printed with documentBytes raised", big, "2147483648"],
      ["a gigapixel in a small file", bomb, "2147483648"],
    ] as const) {
      figures[name] = await submit(folder, box, document, limit);
      say(`${name}: ${JSON.stringify(figures[name])}`);
    }
    return figures;
  } finally {
    await stop(box.child);
    await printer.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
}

async function submit(folder: string, box: Running, document: string, limit: string | undefined): Promise<Figures> {
  const env = limit === undefined ? {} : { TWINSPOOL_DOCUMENT_BYTES: limit };
  const data = join(folder, "till");
  const client = await start(["client", "--data", data, "--server", box.url], env);
  const startedMs = performance.now();
  try {
    const child = spawn(process.execPath, [main, "print", document, "--wait", "--data", data, "--server", box.url], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...env },
    });
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said += text.toString();
    });
    const [code] = (await once(child, "exit")) as [number | null];
    return {
      exitCode: code ?? -1,
      seconds: Number(((performance.now() - startedMs) / 1000).toFixed(1)),
      clientPeakMiB: peakMiB(client.child.pid),
      serverPeakMiB: peakMiB(box.child.pid),
      ...(said === "" ? {} : { said: said.trim().replaceAll(folder, "") }),
    };
  } finally {
    await stop(client.child);
  }
}

/** Most memory that was ever resident, as Linux keeps it (VmHWM). */
function peakMiB(pid: number | undefined): number | undefined {
  try {
    const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return found === null ? undefined : Math.round(Number(found[1]) / 1024);
  } catch {
    return undefined;
  }
}

/** Streamed, so that making it needs no memory either. */
async function writePng(path: string, width: number, height: number, kind: "noise" | "blank"): Promise<void> {
  const noise = kind === "noise";
  const file = createWriteStream(path);
  const write = async (bytes: Uint8Array): Promise<void> => {
    if (!file.write(bytes)) await once(file, "drain");
  };
  const chunk = async (type: string, data: Uint8Array): Promise<void> => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length, 0);
    head.write(type, 4, "latin1");
    const tail = Buffer.alloc(4);
    tail.writeUInt32BE(crc32(data, crc32(head.subarray(4))) >>> 0);
    for (const part of [head, data, tail]) await write(part);
  };
  await write(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(noise ? [16, 6] : [1, 0], 8);
  await chunk("IHDR", header);
  const rowBytes = 1 + (noise ? width * pixelBytes : width / 8);
  const deflate = createDeflate({ level: noise ? 0 : 9 });
  const packed = pipeline(Readable.from(rows(rowBytes, height, noise)), deflate);
  for await (const data of deflate as AsyncIterable<Uint8Array>) await chunk("IDAT", data);
  await packed;
  await chunk("IEND", new Uint8Array(0));
  file.end();
  await once(file, "finish");
}

function* rows(rowBytes: number, height: number, noise: boolean): Generator<Uint8Array> {
  let seed = 1;
  const row = Buffer.alloc(rowBytes);
  for (let y = 0; y < height; y++) {
    if (noise) {
      for (let at = 1; at + 4 <= rowBytes; at += 4) {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        row.writeUInt32LE(seed, at);
      }
    }
    yield Buffer.from(row);
  }
}

async function start(args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, [main, ...args, "--json"], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, TWINSPOOL_LOG_LEVEL: "error", ...env },
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

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
