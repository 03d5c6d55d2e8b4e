import { basename, dirname } from "node:path";
import type { FileSystem, OpenFile } from "./file-system.ts";

interface Inode {
  bytes: Uint8Array;
  /** What certainly outlasts a power cut. */
  durable: Uint8Array;
  /** Writes since the last sync; each sector of them may or may not outlast it. */
  writes: { readonly position: number; readonly bytes: Uint8Array }[];
}

type Names = Map<string, Inode>;
type NameChange = (names: Names) => void;

interface Folder {
  names: Names;
  durable: Names;
  /** Changes since the last sync, in order; a power cut keeps some of the first of them. */
  changes: NameChange[];
}

/** Drives write sectors of 512 bytes whole or not at all; everything larger can be torn. */
const sectorBytes = 512;

/**
 * A disk in memory that keeps after a power cut exactly what was synced, and of the rest what chance decides: unsynced
 * names and sectors may be there or not. Every operation can be made to fail, or to be the last one. For tests.
 */
export class SimulatedDisk implements FileSystem {
  readonly #folders = new Map<string, Folder>();
  #operations = 0;
  #fault: { readonly at: number; readonly code: string } | undefined;
  #crashed = false;

  /** Operations asked for so far. */
  get operations(): number {
    return this.#operations;
  }

  /** The operation after `count` more fails with this code of the system; `CRASH` fails all from there on. */
  failAfter(count: number, code: string): void {
    this.#fault = { at: this.#operations + count, code };
  }

  /** The disk after a power cut now. `random` gives numbers from 0 to below 1. */
  afterPowerCut(random: () => number): SimulatedDisk {
    const next = new SimulatedDisk();
    const survivors = new Map<Inode, Inode>();
    for (const [path, folder] of this.#folders) {
      const names = new Map(folder.durable);
      const kept = Math.floor(random() * (folder.changes.length + 1));
      for (const change of folder.changes.slice(0, kept)) change(names);
      const copies: Names = new Map();
      for (const [name, inode] of names) {
        const copy = survivors.get(inode) ?? survive(inode, random);
        survivors.set(inode, copy);
        copies.set(name, copy);
      }
      next.#folders.set(path, { names: copies, durable: new Map(copies), changes: [] });
    }
    return next;
  }

  /** Content of a file as programs see it, for checks. */
  peek(path: string): Uint8Array | undefined {
    return this.#folders.get(dirname(path))?.names.get(basename(path))?.bytes.slice();
  }

  /** Replaces bytes of a file durably, as a damaged medium does. */
  poke(path: string, position: number, bytes: Uint8Array): void {
    const inode = this.#inode(path);
    put(inode, "bytes", position, bytes);
    put(inode, "durable", position, bytes);
  }

  /** All paths. */
  paths(): string[] {
    return [...this.#folders].flatMap(([folder, { names }]) => [...names.keys()].map((name) => `${folder}/${name}`));
  }

  async open(path: string, mode: "create" | "update" | "read"): Promise<OpenFile> {
    this.#step();
    const folder = this.#folder(dirname(path));
    const name = basename(path);
    if (mode === "create") {
      if (folder.names.has(name)) throw systemError("EEXIST", path);
      const inode: Inode = { bytes: new Uint8Array(), durable: new Uint8Array(), writes: [] };
      rename(folder, (names) => names.set(name, inode));
    }
    return this.#openFile(this.#inode(path));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    const inode = this.#inode(from);
    const source = this.#folder(dirname(from));
    const target = this.#folder(dirname(to));
    if (source === target) {
      rename(source, (names) => names.set(basename(to), inode).delete(basename(from)));
    } else {
      rename(target, (names) => names.set(basename(to), inode));
      rename(source, (names) => names.delete(basename(from)));
    }
  }

  async unlink(path: string): Promise<void> {
    this.#step();
    this.#inode(path);
    rename(this.#folder(dirname(path)), (names) => names.delete(basename(path)));
  }

  async makeFolder(path: string): Promise<void> {
    this.#step();
    if (!this.#folders.has(path)) this.#folders.set(path, { names: new Map(), durable: new Map(), changes: [] });
  }

  async list(folder: string): Promise<string[]> {
    this.#step();
    return [...this.#folder(folder).names.keys()];
  }

  async size(path: string): Promise<number | undefined> {
    this.#step();
    return this.#folders.get(dirname(path))?.names.get(basename(path))?.bytes.length;
  }

  async syncFolder(folder: string): Promise<void> {
    this.#step();
    const found = this.#folder(folder);
    found.durable = new Map(found.names);
    found.changes = [];
  }

  #openFile(inode: Inode): OpenFile {
    const sync = async (): Promise<void> => {
      this.#step();
      inode.durable = inode.bytes.slice();
      inode.writes = [];
    };
    return {
      read: async (buffer, position) => {
        this.#step();
        const part = inode.bytes.subarray(position, position + buffer.length);
        buffer.set(part);
        return part.length;
      },
      write: async (bytes, position) => {
        const written = (count: number): void => {
          put(inode, "bytes", position, bytes.subarray(0, count));
          inode.writes.push({ position, bytes: bytes.slice(0, count) });
        };
        try {
          this.#step();
        } catch (error) {
          // A write that fails half way has written the first half.
          written(Math.floor(bytes.length / 2));
          throw error;
        }
        written(bytes.length);
      },
      sync,
      datasync: sync,
      close: async () => undefined,
    };
  }

  #step(): void {
    const operation = this.#operations++;
    if (this.#crashed) throw systemError("CRASH", "after the power cut");
    if (this.#fault?.at !== operation) return;
    this.#crashed = this.#fault.code === "CRASH";
    throw systemError(this.#fault.code, `operation ${operation}`);
  }

  #folder(path: string): Folder {
    const folder = this.#folders.get(path);
    if (folder === undefined) throw systemError("ENOENT", path);
    return folder;
  }

  #inode(path: string): Inode {
    const inode = this.#folder(dirname(path)).names.get(basename(path));
    if (inode === undefined) throw systemError("ENOENT", path);
    return inode;
  }
}

function rename(folder: Folder, change: (names: Names) => unknown): void {
  const apply: NameChange = (names) => void change(names);
  apply(folder.names);
  folder.changes.push(apply);
}

function put(inode: Inode, side: "bytes" | "durable", position: number, bytes: Uint8Array): void {
  if (inode[side].length < position + bytes.length) {
    const longer = new Uint8Array(position + bytes.length);
    longer.set(inode[side]);
    inode[side] = longer;
  }
  inode[side].set(bytes, position);
}

function survive(inode: Inode, random: () => number): Inode {
  const survivor: Inode = { bytes: inode.durable.slice(), durable: new Uint8Array(), writes: [] };
  for (const { position, bytes } of inode.writes) {
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + sectorBytes - ((position + at) % sectorBytes));
      if (random() < 0.5) put(survivor, "bytes", position + at, bytes.subarray(at, end));
      at = end;
    }
  }
  survivor.durable = survivor.bytes.slice();
  return survivor;
}

function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
