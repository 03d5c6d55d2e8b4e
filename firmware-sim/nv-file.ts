import { readFile, rename, writeFile } from "node:fs/promises";
import { NvMemory } from "./memory.ts";

/** NV memory that lives in a file. Changes that come together are written once, aside and renamed into place. */
export class NvFile {
  readonly nv: NvMemory;
  private readonly path: string;
  private dirty = false;
  private closed = false;
  private writing: Promise<void> | undefined;

  private constructor(path: string) {
    this.path = path;
    this.nv = new NvMemory(() => {
      this.dirty = true;
      // Whoever closes gets the error; until then it must not end the process.
      this.write().catch(() => {});
    });
  }

  /** A file that is not there is a printer fresh from its box. */
  static async open(path: string): Promise<NvFile> {
    const file = new NvFile(path);
    const json = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (json === undefined) return file;
    try {
      file.nv.load(json);
    } catch (error) {
      throw new Error(`${path} holds no NV memory that can be read`, { cause: error });
    }
    return file;
  }

  /** Resolves when the file holds everything, the counters of this run included. Closed again, it changes nothing. */
  async close(): Promise<void> {
    if (!this.closed) this.dirty = true;
    this.closed = true;
    await this.write();
  }

  private async write(): Promise<void> {
    while (this.dirty) {
      if (this.writing !== undefined) {
        await this.writing.catch(() => {});
        continue;
      }
      this.dirty = false;
      this.writing = this.writeNow();
      try {
        await this.writing;
      } finally {
        this.writing = undefined;
      }
    }
    await this.writing;
  }

  private async writeNow(): Promise<void> {
    await writeFile(`${this.path}.tmp`, this.nv.toJson());
    await rename(`${this.path}.tmp`, this.path);
  }
}
