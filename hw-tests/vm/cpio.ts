import { closeSync, openSync, writeSync } from "node:fs";

/** One entry of an initramfs. Folders come before what is in them. */
export type CpioEntry =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "file"; readonly path: string; readonly bytes: Uint8Array };

const MODES = { folder: 0o040755, link: 0o120777, file: 0o100755 } as const;
const TRAILER = "TRAILER!!!";
const NOTHING = new Uint8Array(0);

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}

/** Header and name in the "newc" format (cpio(5)): thirteen numbers of eight hexadecimal digits, then the name. */
function header(path: string, mode: number, inode: number, length: number): Uint8Array {
  const name = Buffer.from(`${path}\0`);
  const numbers = [inode, mode, 0, 0, 1, 0, length, 0, 0, 0, 0, name.length, 0];
  const digits = numbers.map((number) => number.toString(16).padStart(8, "0")).join("");
  const head = Buffer.concat([Buffer.from(`070701${digits}`), name]);
  return Buffer.concat([head, padding(head.length)]);
}

function content(entry: CpioEntry): Uint8Array {
  if (entry.kind === "file") return entry.bytes;
  return entry.kind === "link" ? Buffer.from(entry.target) : NOTHING;
}

/** The parts of the archive, in their order. Archives are large: they are never in memory as a whole. */
export function* cpioParts(entries: Iterable<CpioEntry>): Generator<Uint8Array> {
  let inode = 1;
  for (const entry of entries) {
    const bytes = content(entry);
    yield header(entry.path, MODES[entry.kind], inode++, bytes.length);
    yield bytes;
    yield padding(bytes.length);
  }
  yield header(TRAILER, 0, 0, 0);
}

/** Writes an initramfs that the kernel unpacks without a decompressor. */
export function writeCpio(path: string, entries: Iterable<CpioEntry>): void {
  const file = openSync(path, "w");
  try {
    for (const part of cpioParts(entries)) {
      for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
    }
  } finally {
    closeSync(file);
  }
}
