import { type FileHandle, open } from "node:fs/promises";
import { TwinspoolError } from "../../protocol/errors.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** Appends what would go to a printer to a file, or to a device node such as /dev/usb/lp0; hears nothing. */
export class FileTransport implements Transport {
  readonly #path: string;
  #file: FileHandle | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async open(_events: TransportEvents): Promise<void> {
    await this.close();
    try {
      this.#file = await open(this.#path, "a");
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new TwinspoolError("device-unavailable", text, { cause: error });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#file === undefined) throw new TwinspoolError("device-unavailable", "the file is not open");
    try {
      await this.#file.appendFile(bytes);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new TwinspoolError("device-unavailable", text, { cause: error });
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
