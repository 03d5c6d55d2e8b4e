export interface BufferedRun {
  readonly bytes: Uint8Array;
  /** The connection the bytes came in on. */
  readonly origin: number;
}

/** The printer's receive buffer: bounded, first in first out, remembering which connection each byte came from. */
export class ReceiveBuffer {
  readonly capacity: number;
  private readonly bytes: Uint8Array;
  private readonly origins: Uint32Array;
  private start = 0;
  private count = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.bytes = new Uint8Array(capacity);
    this.origins = new Uint32Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  get free(): number {
    return this.capacity - this.count;
  }

  /** Stores what there is room for, and returns how many bytes that were. */
  push(bytes: Uint8Array, origin: number): number {
    const count = Math.min(bytes.length, this.free);
    const at = (this.start + this.count) % this.capacity;
    const beforeEnd = Math.min(count, this.capacity - at);
    this.bytes.set(bytes.subarray(0, beforeEnd), at);
    this.bytes.set(bytes.subarray(beforeEnd, count), 0);
    this.origins.fill(origin, at, at + beforeEnd);
    this.origins.fill(origin, 0, count - beforeEnd);
    this.count += count;
    return count;
  }

  /** The longest contiguous run at the front that came from one connection; valid until the next call. */
  peek(): BufferedRun | undefined {
    if (this.count === 0) return undefined;
    const origin = this.origins[this.start] ?? 0;
    const limit = Math.min(this.start + this.count, this.capacity);
    let end = this.start + 1;
    while (end < limit && this.origins[end] === origin) end += 1;
    return { bytes: this.bytes.subarray(this.start, end), origin };
  }

  drop(count: number): void {
    this.start = (this.start + count) % this.capacity;
    this.count -= count;
  }

  clear(): void {
    this.start = 0;
    this.count = 0;
  }
}

export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
