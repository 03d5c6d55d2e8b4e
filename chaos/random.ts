/** Seeded generator (xorshift32): a run draws its faults from its own seed and nothing else. */
export class Random {
  #state: number;

  constructor(...seeds: readonly number[]) {
    this.#state = 0x9e37_79b9;
    for (const seed of seeds) {
      this.#state ^= Math.imul(seed + 1, 0x85eb_ca6b);
      for (let i = 0; i < 3; i++) this.#step();
    }
  }

  /** Whole number from 0 to below `limit`. */
  below(limit: number): number {
    return this.#step() % limit;
  }

  #step(): number {
    let word = this.#state === 0 ? 1 : this.#state;
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    this.#state = word;
    return word >>> 0;
  }
}
