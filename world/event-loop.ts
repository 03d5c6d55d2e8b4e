interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time: events in the order of their moment, ties in the order they were made. */
export class EventLoop {
  readonly #heap: Event[] = [];
  #order = 0;
  nowMs = 0;

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  at(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const event = { atMs: atMs > this.nowMs ? onTick(atMs) : this.nowMs, order: this.#order++, run };
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !before(event, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = event;
  }

  /** Runs the next event. False when there is none, or none before `untilMs`. */
  step(untilMs: number): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > untilMs) return false;
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
    this.nowMs = first.atMs;
    first.run();
    return true;
  }

  /** From the top to its place. */
  #sink(event: Event): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      let child = heap[below];
      if (child === undefined) break;
      const other = heap[below + 1];
      if (other !== undefined && before(other, child)) {
        child = other;
        below += 1;
      }
      if (!before(child, event)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = event;
  }
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Moments are whole 64ths of a millisecond: clocks with an offset then add up without a rounding error. */
function onTick(atMs: number): number {
  return Math.ceil(atMs * 64) / 64;
}
