/** Undoes a scheduled call; harmless once it has run. */
export type Cancel = () => void;

/** The simulator's only source of time. Moments are milliseconds since an arbitrary start and never go back. */
export interface SimClock {
  nowMs(): number;
  /** Calls `fn` once, never synchronously, when `atMs` is reached; equal moments run in the order of scheduling. */
  schedule(atMs: number, fn: () => void): Cancel;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly fn: () => void;
  canceled: boolean;
}

/** A binary heap of calls, earliest first, then first scheduled. */
class Agenda {
  private readonly heap: Entry[] = [];
  private nextOrder = 0;

  add(atMs: number, fn: () => void): Entry {
    const entry: Entry = { atMs, order: this.nextOrder++, fn, canceled: false };
    const heap = this.heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = entry;
    return entry;
  }

  peek(): Entry | undefined {
    while (this.heap[0]?.canceled) this.take();
    return this.heap[0];
  }

  take(): Entry | undefined {
    const heap = this.heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      const left = heap[childAt];
      if (left === undefined) break;
      const right = heap[childAt + 1];
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (child === right) childAt += 1;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Time that moves only when a test says so. */
export class VirtualClock implements SimClock {
  private readonly agenda = new Agenda();
  private currentMs = 0;

  nowMs(): number {
    return this.currentMs;
  }

  schedule(atMs: number, fn: () => void): Cancel {
    const entry = this.agenda.add(Math.max(atMs, this.currentMs), fn);
    return () => {
      entry.canceled = true;
    };
  }

  /** Moves time on by `ms`, running everything that falls due. */
  advance(ms: number): void {
    const untilMs = this.currentMs + ms;
    this.runUntil(untilMs);
    this.currentMs = untilMs;
  }

  /** Runs until nothing is scheduled any more; throws after `limit` calls, which means something reschedules for ever. */
  runAll(limit = 10_000_000): void {
    this.runUntil(Number.POSITIVE_INFINITY, limit);
  }

  private runUntil(untilMs: number, limit = Number.POSITIVE_INFINITY): void {
    for (let calls = 0; ; calls += 1) {
      const entry = this.agenda.peek();
      if (entry === undefined || entry.atMs > untilMs) return;
      if (calls >= limit) throw new Error(`the virtual clock did not run dry within ${limit} calls`);
      this.agenda.take();
      this.currentMs = entry.atMs;
      entry.fn();
    }
  }
}

/** How many due calls one turn of the event loop may run before others get theirs. */
const CALLS_PER_TURN = 64;

/** As fast as possible, yet asynchronous: time jumps to whatever is scheduled next, in a later turn of the event loop. */
export function createFastClock(): SimClock {
  const agenda = new Agenda();
  let currentMs = 0;
  let turnScheduled = false;
  const runTurn = (): void => {
    turnScheduled = false;
    for (let calls = 0; calls < CALLS_PER_TURN; calls += 1) {
      const entry = agenda.peek();
      if (entry === undefined) return;
      agenda.take();
      currentMs = Math.max(currentMs, entry.atMs);
      entry.fn();
    }
    wake();
  };
  const wake = (): void => {
    if (turnScheduled) return;
    turnScheduled = true;
    setImmediate(runTurn);
  };
  return {
    nowMs: () => currentMs,
    schedule: (atMs, fn) => {
      const entry = agenda.add(atMs, fn);
      wake();
      return () => {
        entry.canceled = true;
      };
    },
  };
}

/** The longest time a timer of the system can be set to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Wall-paced time: a minute of printing takes a minute. Timers of the system are late by what they like; a call that
 * they make sees the moment it was scheduled for. So all that follows from it happens at the same moments and in the
 * same order as on a virtual clock. Whoever asks from outside of such a call gets the time of the wall.
 */
export function createRealClock(): SimClock {
  const startMs = performance.now();
  const agenda = new Agenda();
  let latestMs = 0;
  let inTurn = false;
  let armedForMs = Number.POSITIVE_INFINITY;
  let disarm: Cancel = () => {};
  const elapsedMs = (): number => performance.now() - startMs;
  const arm = (): void => {
    const nextMs = agenda.peek()?.atMs ?? Number.POSITIVE_INFINITY;
    if (inTurn || nextMs === armedForMs) return;
    disarm();
    armedForMs = nextMs;
    disarm = callLater(nextMs - elapsedMs(), runTurn);
  };
  const runTurn = (): void => {
    armedForMs = Number.POSITIVE_INFINITY;
    inTurn = true;
    try {
      for (let calls = 0; calls < CALLS_PER_TURN; calls += 1) {
        const entry = agenda.peek();
        if (entry === undefined || entry.atMs > elapsedMs()) break;
        agenda.take();
        latestMs = Math.max(latestMs, entry.atMs);
        entry.fn();
      }
    } finally {
      inTurn = false;
      arm();
    }
  };
  return {
    nowMs: () => {
      if (!inTurn) latestMs = Math.max(latestMs, elapsedMs());
      return latestMs;
    },
    schedule: (atMs, fn) => {
      const entry = agenda.add(atMs, fn);
      arm();
      return () => {
        entry.canceled = true;
        arm();
      };
    },
  };
}

/** A timer keeps the process alive, so nothing is armed when nothing is scheduled. */
function callLater(delayMs: number, fn: () => void): Cancel {
  if (delayMs === Number.POSITIVE_INFINITY) return () => {};
  if (delayMs <= 0) {
    const immediate = setImmediate(fn);
    return () => clearImmediate(immediate);
  }
  const timer = setTimeout(fn, Math.min(delayMs, LONGEST_TIMER_MS));
  return () => clearTimeout(timer);
}
