import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { PNG } from "pngjs";
import type { JobView } from "../../src/protocol/api.ts";
import type { HistoryRow } from "../../src/protocol/job.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** Short timers, so that silence is noticed within a test's patience. They decide speed, never safety. */
const timers = {
  TWINSPOOL_TIMERS_SERVER_SILENT_MS: "1500",
  TWINSPOOL_TIMERS_START_TIMEOUT_MS: "1500",
  TWINSPOOL_TIMERS_EVIDENCE_TIMEOUT_MS: "1000",
  TWINSPOOL_LOG_LEVEL: "info",
};

interface Line {
  readonly event?: string;
  readonly url?: string;
  readonly port?: number;
  readonly [key: string]: unknown;
}

/** One real process of the bundled program. Its JSON lines are events that tests wait for. */
export class Program {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  readonly log: string[] = [];
  readonly exited: Promise<number | null>;
  #waiters: (() => void)[] = [];

  constructor(args: readonly string[], data: string) {
    const env = { ...process.env, ...timers, TWINSPOOL_DATA: data };
    this.child = spawn(process.execPath, [main, ...args], { stdio: ["pipe", "pipe", "pipe"], env });
    this.exited = new Promise((resolve) => this.child.once("exit", (code) => resolve(code)));
    if (this.child.stdout === null || this.child.stderr === null) throw new Error("no pipes");
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.lines.push(parse(line));
      for (const wake of this.#waiters.splice(0)) wake();
    });
    createInterface({ input: this.child.stderr }).on("line", (line) => this.log.push(line));
    void this.exited.then(() => {
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  /** The first line that satisfies the test, also one that has come already. */
  async line(test: (line: Line) => boolean, what: string): Promise<Line> {
    for (;;) {
      const found = this.lines.find(test);
      if (found !== undefined) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(
          `ended before: ${what}\n${this.log.slice(-20).join("\n")}\n${JSON.stringify(this.lines.slice(-5))}`,
        );
      }
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  event(name: string): Promise<Line> {
    return this.line((line) => line.event === name, name);
  }

  async ready(): Promise<string> {
    return String((await this.event("ready")).url);
  }

  /** Power loss as far as a process can have one: no handler runs. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGTERM");
    const hard = setTimeout(() => this.child.kill("SIGKILL"), 15_000);
    await this.exited;
    clearTimeout(hard);
  }
}

function parse(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return { text: line };
  }
}

/** A shop: one folder, one simulated printer, and whatever processes a test starts. All of them end with it. */
export class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), "twinspool-process-"));
  readonly paper = join(this.folder, "paper");
  readonly #programs: Program[] = [];
  printerPort = 0;

  start(...args: string[]): Program {
    const program = new Program(args, this.folder);
    this.#programs.push(program);
    return program;
  }

  /** A client with a data folder of its own. */
  startAs(name: string, ...args: string[]): Program {
    const program = new Program(args, join(this.folder, name));
    this.#programs.push(program);
    return program;
  }

  async startPrinter(...flags: string[]): Promise<Program> {
    const sim = this.start("sim", "--json", "--tcp", "0", "--paper", this.paper, "--profile", "tm-m30iii", ...flags);
    this.printerPort = Number((await sim.event("ready")).port);
    return sim;
  }

  get printerFlags(): string[] {
    return ["--printer", `kitchen=socket://127.0.0.1:${this.printerPort}`, "--model", "tm-m30iii"];
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Digests of the dots that came out of the printer, ticket by ticket: equal dots may be packed as different PNG. */
  get tickets(): string[] {
    return ticketsIn(this.paper);
  }

  /** All tickets, once there are so many: the printer says that it has printed before the picture of its paper is written. */
  async ticketsOnce(count: number): Promise<string[]> {
    return until(
      async () => this.tickets,
      (tickets) => tickets.length >= count,
      `${count} tickets`,
    );
  }

  imagesOf(role: "server" | "client", folder = this.folder): string[] {
    const images = join(folder, role, "images");
    return existsSync(images) ? readdirSync(images).filter((name) => name !== "quarantine") : [];
  }

  async close(): Promise<void> {
    for (const program of this.#programs.reverse()) await program.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Digests of the dots of a paper folder, ticket by ticket. */
export function ticketsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => /^ticket-\d+\.png$/.test(name));
  return files.sort().map((name) => digestOfDots(join(folder, name)));
}

/** Digest of a piece of paper without a dot on it, such as is cut off before a new job when a half one may lie there. */
export const blankTicket = "blank";

function digestOfDots(file: string): string {
  const { width, height, data } = PNG.sync.read(readFileSync(file));
  if (data.every((value) => value === 255)) return blankTicket;
  return createHash("sha256").update(`${width}x${height} `).update(data).digest("hex");
}

export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  return (await response.json()) as T;
}

/** Polls an address until the answer satisfies; a server that is away counts as not yet. */
export async function until<T>(read: () => Promise<T>, test: (value: T) => boolean, what: string): Promise<T> {
  const deadlineMs = performance.now() + 45_000;
  let last: unknown;
  for (;;) {
    try {
      const value = await read();
      if (test(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadlineMs)
      throw new Error(`not seen: ${what}; last: ${JSON.stringify(last)} ${String(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const history = async (url: string): Promise<HistoryRow[]> =>
  (await getJson<{ rows: HistoryRow[] }>(`${url}/api/history`)).rows;

export const jobs = async (url: string): Promise<JobView[]> =>
  (await getJson<{ jobs: JobView[] }>(`${url}/api/jobs`)).jobs;

/** A port that is free now, for processes that must come back at the same address. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** A text whose print image is so many lines long, each different. */
export function longText(name: string, lines: number): string {
  return Array.from({ length: lines }, (_, i) => `${name} line ${i + 1} ${"#".repeat(i % 20)}`).join("\n");
}
