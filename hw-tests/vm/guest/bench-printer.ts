import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { until } from "./checks.ts";
import { type PluggedDevice, plugIn } from "./virtual-port.ts";

/** What the thread of the simulator does when it is asked. */
export type PrinterCall =
  | { readonly kind: "start"; readonly profile: string }
  | { readonly kind: "fail"; readonly fault: string }
  | { readonly kind: "stall"; readonly direction: "in" | "out" }
  | { readonly kind: "compareNext"; readonly job: Uint8Array }
  | { readonly kind: "receivedBytes" | "unplug" | "plug" | "nextText" | "close" };

export type PrinterReply = string | number | undefined;

interface Waiter {
  resolve(reply: PrinterReply): void;
  reject(error: Error): void;
}

/** A simulated printer with its USB cable in this machine. */
export class BenchPrinter {
  /** Where usblp puts it. */
  readonly device: string;
  readonly #thread = new Worker(new URL("simulator-thread.mjs", import.meta.url));
  readonly #waiters = new Map<number, Waiter>();
  #nextId = 1;
  #tcpPort = 0;
  #plugged: PluggedDevice | undefined;

  private constructor(device: string) {
    this.device = device;
    this.#thread.on("message", ({ id, reply, error }: { id: number; reply: PrinterReply; error?: string }) => {
      const waiter = this.#waiters.get(id);
      this.#waiters.delete(id);
      if (error === undefined) waiter?.resolve(reply);
      else waiter?.reject(new Error(error));
    });
  }

  static async start(profile: string, device: string): Promise<BenchPrinter> {
    const bench = new BenchPrinter(device);
    bench.#tcpPort = Number(await bench.#ask({ kind: "start", profile }));
    bench.#plugged = await plugIn(bench.#tcpPort);
    return bench;
  }

  async fail(fault: string): Promise<void> {
    await this.#ask({ kind: "fail", fault });
  }

  /** An endpoint stalls until the host clears its halt. */
  async stall(direction: "in" | "out"): Promise<void> {
    await this.#ask({ kind: "stall", direction });
  }

  async receivedBytes(): Promise<number> {
    return Number(await this.#ask({ kind: "receivedBytes" }));
  }

  /** The text of the next piece of paper. */
  async nextText(): Promise<string> {
    return String(await this.#ask({ kind: "nextText" }));
  }

  /** Waits for the next piece of paper, which must have the very dots of the job. Says its length. */
  async compareNext(job: Uint8Array): Promise<string> {
    return String(await this.#ask({ kind: "compareNext", job }));
  }

  /** Pulls the cable out; the kernel has noticed when this resolves. */
  async unplug(): Promise<void> {
    await this.#ask({ kind: "unplug" });
    await this.gone();
  }

  async replug(): Promise<void> {
    await this.#ask({ kind: "plug" });
    this.#plugged = await plugIn(this.#tcpPort);
  }

  /** The kernel lets go of the printer, as after `usbip detach`. */
  async detach(): Promise<void> {
    this.#plugged?.detach();
    await this.gone();
  }

  async close(): Promise<void> {
    await this.#ask({ kind: "close" });
    await this.gone();
    await this.#thread.terminate();
  }

  /** The kernel has noticed that the printer is not there any more. */
  async gone(): Promise<void> {
    await this.#plugged?.gone();
    await until(`${this.device} is gone`, () => (existsSync(this.device) ? undefined : true));
  }

  #ask(call: PrinterCall): Promise<PrinterReply> {
    const id = this.#nextId++;
    this.#thread.postMessage({ id, call });
    const answer = new Promise<PrinterReply>((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
    });
    // Whoever asks gets the rejection; until then it must not end the process.
    answer.catch(() => {});
    return answer;
  }
}
