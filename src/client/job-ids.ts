/** Sequence numbers reserved by one durable write, so that not each job pays an fsync for its id. */
const reserveAhead = 32;

/** The sequence numbers of this client's job ids: each is given out once, also across restarts. */
export class JobIds {
  /** Given out, and their job has not come yet. */
  readonly #granted = new Set<number>();
  #next: number;
  #reservedBelow: number;

  /** `reservedBelow`: numbers below may have been used in a former life. */
  constructor(reservedBelow: number) {
    this.#next = reservedBelow;
    this.#reservedBelow = reservedBelow;
  }

  /** Ids from here on do not exist yet. */
  get next(): number {
    return this.#next;
  }

  /** The lowest number that a job has, may get, or will get, as far as is known here. */
  get lowestUnused(): number {
    let lowest = this.#next;
    for (const sequence of this.#granted) lowest = Math.min(lowest, sequence);
    return lowest;
  }

  /** A new number; `reserve`, when present, has to be durable before anyone sees the number. */
  take(): { readonly sequence: number; readonly reserve?: number } {
    const sequence = this.#next++;
    this.#granted.add(sequence);
    if (sequence < this.#reservedBelow) return { sequence };
    this.#reservedBelow = sequence + reserveAhead;
    return { sequence, reserve: this.#reservedBelow };
  }

  /** Its job has come, or never will. */
  settle(sequence: number): void {
    this.#granted.delete(sequence);
  }
}
