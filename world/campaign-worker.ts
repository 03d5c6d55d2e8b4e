import { parentPort } from "node:worker_threads";
import { runSeed } from "./world.ts";

/** Seeds from `from`, below `to`. */
export interface Task {
  readonly from: number;
  readonly to: number;
}

export interface Totals {
  readonly seeds: number;
  readonly events: number;
  readonly messages: number;
  readonly virtualMs: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface TaskResult extends Totals {
  readonly task: Task;
  readonly failures: readonly { readonly seed: number; readonly violation: string }[];
}

function runTask(task: Task): TaskResult {
  const failures: { seed: number; violation: string }[] = [];
  const outcomes: Record<string, number> = {};
  let events = 0;
  let messages = 0;
  let virtualMs = 0;
  for (let seed = task.from; seed < task.to; seed++) {
    try {
      const verdict = runSeed(seed);
      events += verdict.events;
      messages += verdict.messages;
      virtualMs += verdict.virtualMs;
      for (const [name, count] of Object.entries(verdict.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
      if (verdict.violations[0] !== undefined) failures.push({ seed, violation: verdict.violations[0] });
    } catch (error) {
      failures.push({ seed, violation: `it threw: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
  return { task, seeds: task.to - task.from, events, messages, virtualMs, outcomes, failures };
}

parentPort?.on("message", (task: Task) => parentPort?.postMessage(runTask(task)));
