import { dirname } from "node:path";
import type { FileSystem, OpenFile } from "./file-system.ts";

/** Files of a process that has no disk: nothing in it outlives the process. */
export function memoryFileSystem(): FileSystem {
  const files = new Map<string, Uint8Array[]>();
  return {
    open: async (path, mode) => {
      const known = files.get(path);
      if (mode === "create" && known !== undefined) throw systemError("EEXIST", path);
      if (mode !== "create" && known === undefined) throw systemError("ENOENT", path);
      const parts = known ?? [];
      files.set(path, parts);
      return openMemory(parts);
    },
    rename: async (from, to) => {
      const parts = files.get(from);
      if (parts === undefined) throw systemError("ENOENT", from);
      files.delete(from);
      files.set(to, parts);
    },
    unlink: async (path) => {
      if (!files.delete(path)) throw systemError("ENOENT", path);
    },
    makeFolder: async () => {},
    list: async (folder) =>
      [...files.keys()].filter((path) => dirname(path) === folder).map((path) => path.slice(folder.length + 1)),
    size: async (path) => files.get(path)?.reduce((sum, part) => sum + part.length, 0),
    syncFolder: async () => {},
  };
}

/** An image is written once from front to back, and read in any place. */
function openMemory(parts: Uint8Array[]): OpenFile {
  const nothing = async (): Promise<void> => {};
  return {
    read: async (buffer, position) => {
      let done = 0;
      let start = 0;
      for (const part of parts) {
        const from = Math.max(0, position + done - start);
        if (from < part.length && done < buffer.length) {
          const piece = part.subarray(from, from + buffer.length - done);
          buffer.set(piece, done);
          done += piece.length;
        }
        start += part.length;
      }
      return done;
    },
    write: async (bytes, position) => {
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      if (position !== length) throw systemError("EINVAL", "a write that does not continue the file");
      parts.push(bytes.slice());
    },
    sync: nothing,
    datasync: nothing,
    close: nothing,
  };
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
