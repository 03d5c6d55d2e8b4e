import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** Short, so that a run takes a second or two. Timers decide speed, never safety. */
const timers = {
  TWINSPOOL_TIMERS_RETRY_FIRST_MS: "80",
  TWINSPOOL_TIMERS_RETRY_LAST_MS: "500",
  TWINSPOOL_TIMERS_SERVER_SILENT_MS: "400",
  TWINSPOOL_TIMERS_START_TIMEOUT_MS: "400",
  TWINSPOOL_TIMERS_IMAGE_TRANSFER_TIMEOUT_MS: "500",
  TWINSPOOL_TIMERS_EVIDENCE_TIMEOUT_MS: "400",
  TWINSPOOL_TIMERS_STATUS_INTERVAL_MS: "500",
  TWINSPOOL_HOST_LEDGER_RECORDS: "256",
  TWINSPOOL_LOG_LEVEL: "debug",
};

/** Longer than every time-out above that anyone waits for before acting alone. */
export const pastTimeoutsMs = 900;

const endGraceMs = 10_000;

/** A line of JSON that a program wrote: to standard output, or into its log. */
export interface Line {
  readonly event?: unknown;
  readonly msg?: unknown;
  readonly step?: unknown;
  readonly job?: unknown;
  readonly url?: unknown;
  readonly port?: unknown;
}

/** One process of the bundled program. */
export class Program {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly ready: Promise<Line>;

  constructor(args: readonly string[], data: string, onLine: (line: Line, text: string) => void) {
    const env = { ...process.env, ...timers, TWINSPOOL_DATA: data };
    this.#child = spawn(process.execPath, [main, ...args], { stdio: ["pipe", "pipe", "pipe"], env });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error("no pipes");
    this.#exited = new Promise((resolve) => this.#child.once("exit", () => resolve()));
    this.ready = new Promise((resolve, reject) => {
      let last = "";
      const told = (text: string): void => {
        last = text;
        const line = parseLine(text);
        if (line.event === "ready") resolve(line);
        onLine(line, text);
      };
      createInterface({ input: stdout }).on("line", told);
      createInterface({ input: stderr }).on("line", told);
      this.#child.once("close", (code, signal) =>
        reject(new Error(`${args[0]} ended with ${code ?? signal} before it was ready: ${last}`)),
      );
    });
    // Heard by whoever awaits it; a kill before that is no failure.
    this.ready.catch(() => {});
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(name);
  }

  /** Power loss as far as a process can have one: no handler runs. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  async end(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill("SIGTERM");
    this.#child.kill("SIGCONT");
    const hard = setTimeout(() => this.#child.kill("SIGKILL"), endGraceMs);
    await this.#exited;
    clearTimeout(hard);
  }
}

function parseLine(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return {};
  }
}
