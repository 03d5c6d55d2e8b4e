/** Reads a stream of chunks by counts of bytes; holds no more than the bytes asked for and one chunk. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffer: Uint8Array = new Uint8Array(0);
  #at = 0;
  #consumedBytes = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Bytes taken so far: the offset of the next one. */
  get offset(): number {
    return this.#consumedBytes;
  }

  /** What is buffered and not yet taken; a view that is valid until the next call. */
  get buffered(): Uint8Array {
    return this.#buffer.subarray(this.#at);
  }

  /** Takes bytes that were seen in `buffered`. */
  take(count: number): void {
    this.#at += count;
    this.#consumedBytes += count;
  }

  /** Buffers one more chunk. False at the end of the stream. */
  async pull(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      if (value.length === 0) continue;
      const rest = this.buffered;
      if (rest.length === 0) {
        this.#buffer = value;
      } else {
        const joined = new Uint8Array(rest.length + value.length);
        joined.set(rest);
        joined.set(value, rest.length);
        this.#buffer = joined;
      }
      this.#at = 0;
      return true;
    }
  }

  /** Exactly `count` bytes, or undefined (and nothing taken) when the stream ends before. A view valid until the next call. */
  async read(count: number): Promise<Uint8Array | undefined> {
    while (this.buffered.length < count) {
      if (!(await this.pull())) return undefined;
    }
    const bytes = this.buffered.subarray(0, count);
    this.take(count);
    return bytes;
  }

  /** The next bytes, at most `limit`, as they come; undefined at the end of the stream. */
  async readSome(limit: number): Promise<Uint8Array | undefined> {
    if (this.buffered.length === 0 && !(await this.pull())) return undefined;
    const bytes = this.buffered.subarray(0, limit);
    this.take(bytes.length);
    return bytes;
  }

  /** Tells the producer that no more is wanted. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
