import { closeSync, constants, existsSync, openSync, readSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "./checks.ts";

const POLL_MS = 1;
const READ_BYTES = 1024;

/** A printer behind usblp. Node cannot wait for a character device, so it asks again while the device says "not now". */
export class LinePrinter {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Waits for the kernel to make the device. */
  static async open(device: string): Promise<LinePrinter> {
    await until(`${device} is there`, () => (existsSync(device) ? true : undefined));
    return new LinePrinter(openSync(device, constants.O_RDWR | constants.O_NONBLOCK));
  }

  /** Bytes the kernel takes now; 0 when it wants none. */
  offer(bytes: Uint8Array): number {
    try {
      return writeSync(this.#descriptor, bytes);
    } catch (error) {
      if (isNotNow(error)) return 0;
      throw error;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const taken = this.offer(bytes.subarray(at));
      at += taken;
      // The loop must turn even while all is taken: the printer lives in this process.
      await pause(taken === 0 ? POLL_MS : 0);
    }
  }

  /** What the printer says until there are so many bytes. */
  async read(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let count = 0;
    return await until(`${length} bytes of the printer`, () => {
      const part = this.#readNow();
      parts.push(part);
      count += part.length;
      return count >= length ? Buffer.concat(parts) : undefined;
    });
  }

  #readNow(): Buffer {
    const buffer = Buffer.alloc(READ_BYTES);
    try {
      return buffer.subarray(0, readSync(this.#descriptor, buffer));
    } catch (error) {
      if (isNotNow(error)) return Buffer.alloc(0);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function isNotNow(error: unknown): boolean {
  return errorCode(error) === "EAGAIN";
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
