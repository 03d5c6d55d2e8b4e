import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { TwinspoolError } from "../protocol/errors.ts";

/**
 * What can be printed: a path or file URL, the bytes themselves, a stream of them (Node's or the Web's), or a text.
 * A plain string is always a path.
 */
export type PrintDocument = string | URL | Uint8Array | AsyncIterable<Uint8Array | string> | { readonly text: string };

/** A document as a file, because it is read more than once. */
export interface DocumentFile {
  readonly path: string;
  readonly name: string;
  /** When it was changed last; undefined for what is only a copy. */
  readonly modifiedMs: number | undefined;
  close(): Promise<void>;
}

/** Throws `document-too-large`, and what a stream throws. */
export async function openDocumentFile(document: PrintDocument, maxBytes: number): Promise<DocumentFile> {
  if (typeof document === "string" || document instanceof URL) {
    const path = typeof document === "string" ? document : fileURLToPath(document);
    // Undefined for what cannot be read: whoever opens the document says so.
    const found = await stat(path).catch(() => undefined);
    const modifiedMs = found === undefined ? undefined : Math.max(0, Math.floor(found.mtimeMs));
    return { path, name: basename(path), modifiedMs, close: () => Promise.resolve() };
  }
  // mkdtemp makes the folder for this user alone.
  const folder = await mkdtemp(join(tmpdir(), "twinspool-"));
  const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const path = join(folder, "document");
  try {
    await pipeline(bounded(document, maxBytes), createWriteStream(path, { mode: 0o600 }));
    return { path, name: "document", modifiedMs: undefined, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function* bounded(document: Exclude<PrintDocument, string | URL>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of piecesOf(document)) {
    const chunk = typeof piece === "string" ? Buffer.from(piece) : piece;
    bytes += chunk.length;
    if (bytes > maxBytes) throw new TwinspoolError("document-too-large", `the limit is ${maxBytes} bytes`);
    yield chunk;
  }
}

function piecesOf(
  document: Exclude<PrintDocument, string | URL>,
): Iterable<Uint8Array> | AsyncIterable<Uint8Array | string> {
  if (document instanceof Uint8Array) return [document];
  return Symbol.asyncIterator in document ? document : [Buffer.from(document.text)];
}
