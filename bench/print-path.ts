import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server, Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startSimulator } from "../firmware-sim/mod.ts";
import { type ClientProcess, openClient } from "../src/client/client.ts";
import type { Source } from "../src/protocol/job.ts";
import { loadConfig } from "../src/runtime/config.ts";
import { createLog } from "../src/runtime/log.ts";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

export interface PrintPath {
  readonly client: ClientProcess;
  readonly document: string;
  readonly box: ChildProcess;
  /** Moment (performance.now) at which the first byte of each output reached the printer. */
  firstByteMs(): Promise<number>;
  /** Resident memory of the box in bytes; undefined where the system does not tell. */
  residentBytes(): number | undefined;
  close(): Promise<void>;
}

/** A whole path as shipped: simulated printer without mechanical delay, the bundled box as a process, a client. */
export async function openPrintPath(folder: string): Promise<PrintPath> {
  const data = mkdtempSync(join(folder, "path-"));
  const simulator = await startSimulator({ speed: "fast", tcpPort: 0 });
  const tap = await openTap(simulator.port ?? 0);
  const uri = `kitchen=socket://127.0.0.1:${tap.port}`;
  const args = [main, "box", "--json", "--data", data, "--port", "0", "--printer", uri, "--model", "tm-m30iii"];
  const box = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, TWINSPOOL_LOG_LEVEL: "error" },
  });
  const url = await readyUrl(box);
  const config = await loadConfig({ argvFlags: { data, server: url, name: "bench", "log.level": "error" }, env: {} });
  const client = await openClient({ config, log: createLog("error", "client") });
  client.start();
  if (!(await client.waitForServer(10_000))) throw new Error("the box does not answer");
  const document = join(data, "ticket.txt");
  writeFileSync(document, ticketText());
  return {
    client,
    document,
    box,
    firstByteMs: tap.nextOutput,
    residentBytes: () => residentBytes(box.pid),
    close: async () => {
      await client.close();
      box.kill("SIGTERM");
      await new Promise((resolve) => box.once("exit", resolve));
      await simulator.close();
      await tap.close();
      rmSync(data, { recursive: true });
    },
  };
}

/** Prints once and waits for the end; returns when it was submitted. */
export async function printOnce(path: PrintPath, source: Source): Promise<{ submittedMs: number; sizeBytes: number }> {
  let submittedMs = 0;
  let finished = (): void => {};
  const end = new Promise<void>((resolve) => {
    finished = resolve;
  });
  await path.client.print({ path: path.document, title: "ticket", source, spools: "both", copies: 1 }, ({ event }) => {
    if (event === "rendered") submittedMs = performance.now();
    if (event === "closed" || event === "refused") finished();
  });
  await end;
  return { submittedMs, sizeBytes: statSync(path.document).size };
}

/** A kitchen ticket whose print image is about 2 KB. */
function ticketText(): string {
  return ["TABLE 12        19:42", "2 Margherita", "1 Ramen"].join("\n");
}

async function readyUrl(box: ChildProcess): Promise<string> {
  if (box.stdout === null) throw new Error("the box has no output");
  for await (const line of createInterface({ input: box.stdout })) {
    const said = JSON.parse(line) as { event?: string; url?: string };
    if (said.event === "ready" && said.url !== undefined) {
      box.stdout.resume();
      return said.url;
    }
  }
  throw new Error("the box ended before it was ready; run npm run build first");
}

/** Stands between host and printer and notes when the bytes of an output (GS v 0) come by. */
async function openTap(
  printerPort: number,
): Promise<{ port: number; nextOutput(): Promise<number>; close(): Promise<void> }> {
  const waiting: ((atMs: number) => void)[] = [];
  const server: Server = createServer((near) => {
    near.setNoDelay(true);
    const far = new Socket().connect(printerPort, "127.0.0.1");
    far.setNoDelay(true);
    near.on("data", (chunk) => {
      if (waiting.length > 0 && chunk.includes(Buffer.from([0x1d, 0x76, 0x30]))) waiting.shift()?.(performance.now());
      if (!far.write(chunk)) {
        near.pause();
        far.once("drain", () => near.resume());
      }
    });
    far.on("data", (chunk) => near.write(chunk));
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      one.on("close", () => other.destroy());
      one.on("error", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    nextOutput: () => new Promise((resolve) => waiting.push(resolve)),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function residentBytes(pid: number | undefined): number | undefined {
  try {
    const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return found === null ? undefined : Number(found[1]) * 1024;
  } catch {
    return undefined;
  }
}
