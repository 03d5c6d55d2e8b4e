import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { bundleInto } from "./bundle.ts";
import type { Task, TaskResult, Totals } from "./campaign-worker.ts";

const usage = `Usage: npm run world:campaign -- [--from N] [--to M] [--state FILE] [--threads T]

Runs the world of every seed from N to M, both included, on all cores. Ctrl-C stops it; the same command goes on where
it stopped.
  --from N      first seed (default 1)
  --to M        last seed (default 1000000)
  --state FILE  what is done so far (default world-campaign.json)
  --threads T   default: one for each core`;

/** What is done so far; of one program, for another may do something else with the same seed. */
interface CampaignState {
  readonly program: string;
  readonly from: number;
  readonly to: number;
  /** Every seed below it is done. */
  next: number;
  /** Done beyond it: first seeds of tasks. */
  ahead: number[];
  busyMs: number;
  totals: Totals;
  failures: { readonly seed: number; readonly violation: string }[];
}

const seedsPerTask = 250;
const saveMs = 5_000;

function openState(path: string, program: string, from: number, to: number): CampaignState {
  const nothing = { seeds: 0, events: 0, messages: 0, virtualMs: 0, outcomes: {} };
  const fresh = { program, from, to, next: from, ahead: [], busyMs: 0, totals: nothing, failures: [] };
  if (!existsSync(path)) return fresh;
  const known = JSON.parse(readFileSync(path, "utf8")) as CampaignState;
  if (known.program !== program) {
    throw new Error(`${path} is of another version of the program: name another --state, or remove the file`);
  }
  if (known.from !== from) throw new Error(`${path} began at seed ${known.from}: name another --state`);
  return { ...known, to };
}

/** At no moment is there half a state. */
function saveState(path: string, state: CampaignState): void {
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

function add(a: Totals, b: Totals): Totals {
  const outcomes: Record<string, number> = { ...a.outcomes };
  for (const [name, count] of Object.entries(b.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
  return {
    seeds: a.seeds + b.seeds,
    events: a.events + b.events,
    messages: a.messages + b.messages,
    virtualMs: a.virtualMs + b.virtualMs,
    outcomes,
  };
}

class Campaign {
  readonly #path: string;
  readonly #state: CampaignState;
  readonly #startedMs = performance.now();
  readonly #seedsBefore: number;
  readonly #busyBeforeMs: number;
  readonly #done: Set<number>;
  #nextTask: number;
  #stopping = false;
  #savedMs = 0;

  constructor(path: string, state: CampaignState) {
    this.#path = path;
    this.#state = state;
    this.#seedsBefore = state.totals.seeds;
    this.#busyBeforeMs = state.busyMs;
    this.#done = new Set(state.ahead);
    this.#nextTask = state.next;
  }

  /** Tasks under way are finished, nothing else begins. */
  stop(): void {
    this.#stopping = true;
  }

  async run(program: string, threads: number): Promise<void> {
    await Promise.all(Array.from({ length: threads }, () => this.#work(new Worker(program))));
    this.#save();
    this.#tell();
  }

  #work(worker: Worker): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = (): void => {
        const task = this.#takeTask();
        if (task !== undefined) return worker.postMessage(task);
        void worker.terminate();
        resolve();
      };
      worker.on("error", reject);
      worker.on("message", (result: TaskResult) => {
        this.#finish(result);
        next();
      });
      next();
    });
  }

  #takeTask(): Task | undefined {
    while (this.#done.has(this.#nextTask)) this.#nextTask += seedsPerTask;
    const from = this.#nextTask;
    if (this.#stopping || from > this.#state.to) return undefined;
    this.#nextTask = from + seedsPerTask;
    return { from, to: Math.min(this.#nextTask, this.#state.to + 1) };
  }

  #finish(result: TaskResult): void {
    const state = this.#state;
    for (const failure of result.failures) {
      state.failures.push(failure);
      console.log(
        `\nseed ${failure.seed}: ${failure.violation}\nagain: npm run world -- --seed ${failure.seed} --runs 1`,
      );
    }
    state.totals = add(state.totals, result);
    this.#done.add(result.task.from);
    while (this.#done.delete(state.next)) state.next = Math.min(state.next + seedsPerTask, state.to + 1);
    const nowMs = performance.now();
    if (nowMs - this.#savedMs < saveMs) return;
    this.#savedMs = nowMs;
    this.#save();
    this.#tell();
  }

  #save(): void {
    const state = this.#state;
    state.ahead = [...this.#done];
    state.busyMs = this.#busyBeforeMs + (performance.now() - this.#startedMs);
    saveState(this.#path, state);
  }

  #tell(): void {
    const { totals, failures, from, to, busyMs } = this.#state;
    const perSecond = (totals.seeds - this.#seedsBefore) / ((performance.now() - this.#startedMs) / 1000);
    const line =
      `${totals.seeds} of ${to - from + 1} seeds, ${failures.length} violations, ${perSecond.toFixed(0)} seeds/s, ` +
      `${totals.messages} messages, ${Math.round(totals.virtualMs / 3_600_000)} h of virtual time in ` +
      `${Math.round(busyMs / 1000)} s; outcomes ${JSON.stringify(totals.outcomes)}`;
    process.stdout.write(process.stdout.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: "string", default: "1" },
      to: { type: "string", default: "1000000" },
      state: { type: "string", default: "world-campaign.json" },
      threads: { type: "string", default: String(availableParallelism()) },
      help: { type: "boolean", default: false },
    },
  });
  const [from, to, threads] = [Number(values.from), Number(values.to), Number(values.threads)];
  if (values.help) return console.log(usage);
  if (![from, to, threads].every(Number.isSafeInteger) || from < 0 || to < from || threads < 1) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "twinspool-campaign-"));
  try {
    const program = await bundleInto(folder, "./campaign-worker.ts");
    const version = createHash("sha256").update(readFileSync(program)).digest("hex");
    const state = openState(values.state, version, from, to);
    const campaign = new Campaign(values.state, state);
    // Each wrapper of the command passes Ctrl-C on, so it comes more than once.
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => campaign.stop());
    await campaign.run(program, threads);
    process.exitCode = state.failures.length === 0 ? 0 : 1;
    console.log(state.next > to ? "\ndone" : "\nstopped; the same command goes on from here");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
