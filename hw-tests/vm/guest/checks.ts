import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** A check that has not come to its end by then has failed. */
const CHECK_MS = 60_000;
const POLL_MS = 10;

/** Runs checks one after the other and says of each how it went, as TAP has it. */
export class Checks {
  #done = 0;
  #failed = 0;

  async check(name: string, work: () => Promise<string | undefined>): Promise<void> {
    const startedMs = performance.now();
    let line: string;
    try {
      const remark = await within(CHECK_MS, name, work());
      line = `ok ${++this.#done} - ${name}: ${remark === undefined ? "" : `${remark}, `}${elapsed(startedMs)}`;
    } catch (error) {
      this.#failed += 1;
      line = `not ok ${++this.#done} - ${name} after ${elapsed(startedMs)}`;
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      line += `\n${indented(reason)}\n${indented(kernelLog(25))}`;
    }
    say(line);
  }

  /** The last line of a complete run. Returns the exit code. */
  end(): number {
    say(`1..${this.#done}`);
    return this.#failed === 0 ? 0 : 1;
  }
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function elapsed(startedMs: number): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(2)} s`;
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => `    # ${line}`)
    .join("\n");
}

/** The latest lines of the kernel's log: what its drivers said of a failure. */
function kernelLog(lines: number): string {
  return execFileSync("dmesg", { encoding: "utf8" }).trimEnd().split("\n").slice(-lines).join("\n");
}

async function within<T>(limitMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again: sysfs and devices tell a Node program of nothing by themselves. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  limitMs = 20_000,
): Promise<T> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await pause(POLL_MS);
  }
}

/** The text of a file of sysfs, which comes and goes with its device. */
export function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
