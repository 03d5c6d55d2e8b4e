import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

type Event = Readonly<Record<string, unknown>>;

/** The program as a real process, from source, and the lines it prints. */
export class TestProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  errors = "";
  /** Exit code, or the signal it was killed by. */
  readonly ended: Promise<number | string | null>;
  #isEnded = false;

  constructor(main: string, argv: readonly string[], env: NodeJS.ProcessEnv) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("TWINSPOOL_"));
    this.#child = spawn(process.execPath, ["--import", "tsx", main, ...argv], {
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error("no pipes");
    createInterface({ input: stdout }).on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.errors += text;
    });
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        this.#isEnded = true;
        this.#wake();
        resolve(code ?? signal);
      });
    });
  }

  get output(): string {
    return this.#lines.join("\n");
  }

  /** The n-th line that holds the text, when it has come. */
  async line(text: string, count = 1): Promise<string> {
    for (;;) {
      const found = this.#lines.filter((line) => line.includes(text))[count - 1];
      if (found !== undefined) return found;
      if (this.#isEnded) throw new Error(`it ended without "${text}": ${this.output}\n${this.errors}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async event(name: string, count = 1): Promise<Event> {
    return JSON.parse(await this.line(`"event":"${name}"`, count)) as Event;
  }

  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Sends the signal and resolves with how it ended. */
  kill(signal: NodeJS.Signals): Promise<number | string | null> {
    this.#child.kill(signal);
    return this.ended;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
