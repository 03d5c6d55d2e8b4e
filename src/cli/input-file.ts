import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { TwinspoolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";
import type { Io } from "./io.ts";

/** A document as a file, because it is read more than once. */
export interface InputFile {
  readonly path: string;
  /** What to call it in messages. */
  readonly name: string;
  /** True when the file is only a copy of the standard input. */
  readonly isCopy: boolean;
  close(): Promise<void>;
}

/** The named file, or for `-` a private copy of the standard input. Throws `document-too-large`. */
export async function openInput(file: string, io: Io, maxBytes: number = limits.documentBytes): Promise<InputFile> {
  if (file !== "-") return { path: file, name: basename(file), isCopy: false, close: () => Promise.resolve() };
  // mkdtemp makes the folder for this user alone.
  const folder = await mkdtemp(join(tmpdir(), "twinspool-"));
  const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const path = join(folder, "document");
  try {
    await pipeline(io.stdin, (chunks) => bounded(chunks, maxBytes), createWriteStream(path, { mode: 0o600 }));
    return { path, name: "stdin", isCopy: true, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function* bounded(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new TwinspoolError("document-too-large", `stdin has more than the ${maxBytes} bytes of documentBytes`);
    }
    yield chunk;
  }
}
