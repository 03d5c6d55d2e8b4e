import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Instant, Machine, RowWrite } from "./machine.ts";
import { MachineRunner, type MachineRunnerPorts, type Woke } from "./machine-runner.ts";
import { VirtualClock } from "./virtual-clock.ts";

interface Persist {
  readonly kind: "persist";
  readonly id: number;
  readonly writes: readonly RowWrite[];
}
interface Act {
  readonly kind: "send" | "erase";
  readonly id: number;
}
type Effect = Persist | Act;
interface Input {
  readonly kind: "input";
  readonly effects: readonly Effect[];
}

const persist = (id: number): Persist => ({ kind: "persist", id, writes: [] });
const send = (id: number): Act => ({ kind: "send", id });
const erase = (id: number): Act => ({ kind: "erase", id });
const input = (...effects: Effect[]): Input => ({ kind: "input", effects });

/** Answers an input with the effects it holds. */
class EchoMachine implements Machine<Input | Woke, Effect> {
  wakeMs: number | undefined;
  readonly handled: [string, number][] = [];

  handle(given: Input | Woke, now: Instant): readonly Effect[] {
    this.handled.push([given.kind, now.monotonicMs]);
    if (given.kind === "input") return given.effects;
    this.wakeMs = undefined;
    return [send(-1)];
  }

  nextWakeMs(): number | undefined {
    return this.wakeMs;
  }
}

/** A runner whose commits and effects end only when the test says so; `trace` tells what happened. */
function makeRunner(ports: Partial<MachineRunnerPorts<Effect, Persist>> = {}) {
  const machine = new EchoMachine();
  const clock = new VirtualClock();
  const trace: string[] = [];
  const errors: unknown[] = [];
  const commits: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const runner = new MachineRunner<Input, Effect, Persist>(machine, {
    clock,
    isPersist: (effect) => effect.kind === "persist",
    commit: (effects) => {
      trace.push(`commit ${effects.map((effect) => effect.id).join("+")}`);
      return new Promise<void>((resolve, reject) => {
        commits.push({
          resolve: () => {
            trace.push("durable");
            resolve();
          },
          reject,
        });
      });
    },
    perform: (effect) => void trace.push(`${effect.kind} ${effect.id}`),
    onFatal: (error) => void errors.push(error),
    gather: async () => {},
    ...ports,
  });
  return { machine, clock, trace, errors, commits, runner };
}

/** Lets everything go on that waits for nothing but a resolved promise. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

test("effects before any persist are carried out at once", () => {
  const { runner, trace } = makeRunner();
  runner.dispatch(input(send(1), erase(2)));
  expect(trace).toEqual(["send 1", "erase 2"]);
});

test("an effect waits until the persist before it is durable", async () => {
  const { runner, trace, commits } = makeRunner();
  runner.dispatch(input(persist(1), send(2)));
  await settle();
  expect(trace).toEqual(["commit 1"]);
  commits[0]?.resolve();
  await runner.idle();
  expect(trace).toEqual(["commit 1", "durable", "send 2"]);
  expect(runner.queueLength).toBe(0);
});

test("inputs during a commit are handled at once, their effects queue behind, adjacent persists share a commit", async () => {
  const { runner, machine, trace, commits } = makeRunner();
  runner.dispatch(input(persist(1)));
  await settle();
  runner.dispatch(input(persist(2)));
  runner.dispatch(input(persist(3), send(4)));
  runner.dispatch(input(persist(5)));
  expect(machine.handled).toHaveLength(4);
  commits[0]?.resolve();
  await settle();
  expect(trace).toEqual(["commit 1", "durable", "commit 2+3"]);
  commits[1]?.resolve();
  await settle();
  expect(trace.slice(3)).toEqual(["durable", "send 4", "commit 5"]);
});

test("persists overtake only effects that may wait, and those keep their order", async () => {
  const { runner, trace, commits } = makeRunner({ mayWait: (effect) => effect.kind === "send" });
  runner.dispatch(input(persist(1), send(2)));
  runner.dispatch(input(persist(3), send(4), erase(5)));
  runner.dispatch(input(persist(6)));
  await settle();
  expect(trace).toEqual(["commit 1+3"]);
  commits[0]?.resolve();
  await settle();
  expect(trace.slice(1)).toEqual(["durable", "send 2", "send 4", "erase 5", "commit 6"]);
});

test("by default inputs of the same moment share a commit", async () => {
  const trace: string[] = [];
  const { runner } = makeRunner({
    gather: () => new Promise((resolve) => setImmediate(resolve)),
    commit: (effects) => void trace.push(effects.map((effect) => effect.id).join("+")),
  });
  runner.dispatch(input(persist(1)));
  await settle();
  runner.dispatch(input(persist(2)));
  await runner.idle();
  expect(trace).toEqual(["1+2"]);
});

test("an effect that takes time holds up the next one, not the machine", async () => {
  let finish = () => {};
  const trace: string[] = [];
  const { runner, machine } = makeRunner({
    perform: (effect) => {
      trace.push(`${effect.kind} ${effect.id}`);
      if (effect.kind === "send") return undefined;
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
  });
  runner.dispatch(input(erase(1), send(2)));
  runner.dispatch(input(send(3)));
  expect([machine.handled.length, trace]).toEqual([2, ["erase 1"]]);
  finish();
  await runner.idle();
  expect(trace).toEqual(["erase 1", "send 2", "send 3"]);
});

test("an effect counts as queued until it has been carried out: a file that is to be erased is not there", async () => {
  let finish = () => {};
  const { runner, commits } = makeRunner({
    perform: () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  });
  const erases = (): boolean => runner.isQueued((effect) => effect.kind === "erase" && effect.id === 2);
  runner.dispatch(input(persist(1), erase(2)));
  await settle();
  expect(erases()).toBe(true);
  commits[0]?.resolve();
  await settle();
  expect([erases(), runner.queueLength]).toEqual([true, 0]);
  finish();
  await runner.idle();
  expect(erases()).toBe(false);
});

test("an input from within an effect keeps the order", () => {
  const trace: number[] = [];
  const { runner } = makeRunner({
    perform: (effect) => {
      if (effect.id === 1) runner.dispatch(input(send(3)));
      trace.push(effect.id);
    },
  });
  runner.dispatch(input(send(1), send(2)));
  expect(trace).toEqual([1, 2, 3]);
});

describe("fatal errors", () => {
  test("a commit that fails stops everything", async () => {
    const { runner, machine, trace, errors, commits, clock } = makeRunner();
    machine.wakeMs = 10;
    runner.dispatch(input(persist(1), send(2)));
    await settle();
    runner.dispatch(input(send(3)));
    const failure = new Error("disk");
    commits[0]?.reject(failure);
    await runner.idle();
    runner.dispatch(input(send(4)));
    clock.advance(100);
    expect(trace).toEqual(["commit 1"]);
    expect(errors).toEqual([failure]);
    expect(machine.handled.map(([kind]) => kind)).toEqual(["input", "input"]);
  });

  test("so do a throwing effect and a throwing machine", async () => {
    const failure = new Error("bug");
    const throwing = makeRunner({
      perform: () => {
        throw failure;
      },
    });
    throwing.runner.dispatch(input(send(1), send(2)));
    await throwing.runner.idle();
    expect(throwing.errors).toEqual([failure]);

    const { runner, machine, errors, trace } = makeRunner();
    machine.handle = () => {
      throw failure;
    };
    runner.dispatch(input(send(1)));
    expect([errors, trace]).toEqual([[failure], []]);
  });
});

describe("waking", () => {
  test("the machine is woken when it asked to be, and not before", () => {
    const { runner, machine, clock, trace } = makeRunner();
    machine.wakeMs = 50;
    runner.dispatch(input());
    clock.advance(49);
    expect(trace).toEqual([]);
    clock.advance(1);
    expect(trace).toEqual(["send -1"]);
    expect(machine.handled.at(-1)).toEqual(["woke", 50]);
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test("a new time replaces the old one, close and stop forget it", async () => {
    const { runner, machine, clock } = makeRunner();
    machine.wakeMs = 50;
    runner.dispatch(input());
    machine.wakeMs = 20;
    runner.dispatch(input());
    expect(clock.nextTimerMs()).toBe(20);
    await runner.close();
    expect(clock.nextTimerMs()).toBeUndefined();
  });
});

test("close carries out what is queued and takes nothing more; stop drops it", async () => {
  const closing = makeRunner();
  closing.runner.dispatch(input(persist(1), send(2)));
  const closed = closing.runner.close();
  closing.runner.dispatch(input(send(3)));
  await settle();
  closing.commits[0]?.resolve();
  await closed;
  expect(closing.trace).toEqual(["commit 1", "durable", "send 2"]);

  const stopping = makeRunner();
  stopping.runner.dispatch(input(persist(1), send(2)));
  await settle();
  stopping.runner.stop();
  stopping.commits[0]?.resolve();
  await stopping.runner.idle();
  expect(stopping.trace).toEqual(["commit 1", "durable"]);
});

/** One run under a schedule: what to dispatch, and at which steps commits and effects end, fail, or the process stops. */
async function checkSchedule(
  batches: readonly (readonly number[])[],
  latencies: readonly number[],
  overtaking: boolean,
) {
  let nextId = 0;
  const kinds = ["persist", "send", "erase"] as const;
  const all: Effect[] = [];
  const done: Effect[] = [];
  const durable = new Set<number>();
  let step = 0;
  const wait = async (): Promise<void> => {
    for (let left = latencies[step++ % latencies.length] ?? 0; left > 0; left--) await Promise.resolve();
  };
  const { runner, errors } = makeRunner({
    gather: wait,
    commit: async (effects) => {
      await wait();
      for (const effect of effects) durable.add(effect.id);
    },
    perform: (effect) => {
      for (const before of all.slice(0, all.indexOf(effect))) {
        if (before.kind === "persist") expect(durable).toContain(before.id);
        else expect(done).toContain(before);
      }
      done.push(effect);
      return step % 2 === 0 ? wait() : undefined;
    },
    ...(overtaking ? { mayWait: (effect: Act) => effect.kind === "send" } : {}),
  });
  for (const batch of batches) {
    const effects = batch.map((kind): Effect => {
      const id = nextId++;
      const name = kinds[kind] ?? "send";
      return name === "persist" ? persist(id) : { kind: name, id };
    });
    all.push(...effects);
    runner.dispatch(input(...effects));
    await wait();
  }
  await runner.idle();
  expect(errors).toEqual([]);
  expect(done.length + durable.size).toBe(all.length);
}

test("under any schedule: order kept, all persists before an effect durable, nothing left over", async () => {
  // A failure prints its seed; give it back as TWINSPOOL_SEED.
  const seed = Number(process.env["TWINSPOOL_SEED"] ?? Date.now() % 2 ** 31);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(2), { maxLength: 5 }), { maxLength: 12 }),
      fc.array(fc.nat(8), { minLength: 1, maxLength: 10 }),
      fc.boolean(),
      checkSchedule,
    ),
    { seed, numRuns: 500 },
  );
});
