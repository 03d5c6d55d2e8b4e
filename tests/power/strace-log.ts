/** What a process did to a file, in the order in which it happened. Paths are absolute. */
export type DiskCall =
  | { readonly kind: "create" | "unlink" | "mkdir" | "sync"; readonly path: string }
  | { readonly kind: "write"; readonly path: string; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly path: string; readonly length: number }
  | { readonly kind: "extend"; readonly path: string; readonly length: number }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  /** A line that a program told whoever waits for it. */
  | { readonly kind: "told"; readonly text: string };

/** Options of strace that make the log this file reads: all processes in one order, every byte in hexadecimal. */
export const straceOptions = [
  "-f",
  "-y",
  "-xx",
  "-s",
  "33554432",
  "-e",
  "trace=openat,write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat",
];

interface Call {
  readonly name: string;
  readonly args: string;
  readonly result: string;
}

/** Reads a log of strace; calls that failed, or touch nothing below `folder`, are left out. */
export function readStrace(log: string, folder: string): DiskCall[] {
  const calls: DiskCall[] = [];
  const positions = new Map<string, number>();
  for (const call of wholeCalls(log)) calls.push(...diskCalls(call, folder, positions));
  return calls;
}

/** Calls that were interrupted in the log by others are put together where they ended. */
function* wholeCalls(log: string): Generator<Call> {
  const begun = new Map<string, string>();
  for (const line of log.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const unfinished = / <unfinished \.\.\.>$/.exec(rest);
    if (unfinished !== null) {
      begun.set(pid, rest.slice(0, unfinished.index));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const whole = resumed === null ? rest : `${begun.get(pid) ?? ""}${resumed[1] ?? ""}`;
    const [, name, args, result] = /^(\w+)\((.*)\)\s+= (.*)$/.exec(whole) ?? [];
    if (name === undefined || args === undefined || result === undefined || result.startsWith("-1")) continue;
    yield { name, args, result };
  }
}

function diskCalls({ name, args, result }: Call, folder: string, positions: Map<string, number>): DiskCall[] {
  const texts = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = ""]) => fromHex(hex));
  const target = fdPath(args);
  const path = texts[0] === undefined ? "" : Buffer.from(texts[0]).toString();
  const inside = (candidate: string): boolean => candidate.startsWith(`${folder}/`) && !candidate.endsWith("-shm");
  switch (name) {
    case "openat":
      if (!inside(path)) return [];
      positions.set(path, 0);
      return args.includes("O_CREAT") ? created(path, args.includes("O_TRUNC")) : [];
    case "write":
    case "writev": {
      const bytes = Buffer.concat(texts);
      const text = bytes.toString();
      if (!inside(target)) return text.includes('"event":"accepted"') ? [{ kind: "told", text }] : [];
      const position = positions.get(target) ?? 0;
      positions.set(target, position + bytes.length);
      return [{ kind: "write", path: target, position, bytes }];
    }
    case "pwrite64":
    case "pwritev": {
      if (!inside(target)) return [];
      const position = Number(/(\d+)$/.exec(args)?.[1]);
      return [{ kind: "write", path: target, position, bytes: Buffer.concat(texts) }];
    }
    case "fsync":
    case "fdatasync":
      return target === folder || inside(target) ? [{ kind: "sync", path: target }] : [];
    case "ftruncate":
      return inside(target) ? [{ kind: "truncate", path: target, length: Number(/(\d+)$/.exec(args)?.[1]) }] : [];
    case "fallocate": {
      const [, from, length] = /(\d+), (\d+)$/.exec(args) ?? [];
      return inside(target) ? [{ kind: "extend", path: target, length: Number(from) + Number(length) }] : [];
    }
    case "rename":
    case "renameat":
    case "renameat2": {
      const to = Buffer.from(texts[1] ?? []).toString();
      return inside(path) ? [{ kind: "rename", from: path, to }] : [];
    }
    case "unlink":
    case "unlinkat":
      return inside(path) ? [{ kind: "unlink", path }] : [];
    case "mkdir":
    case "mkdirat":
      return inside(path) ? [{ kind: "mkdir", path }] : [];
    default:
      throw new Error(`${name} = ${result} was not asked for`);
  }
}

function created(path: string, truncated: boolean): DiskCall[] {
  const create: DiskCall = { kind: "create", path };
  return truncated ? [create, { kind: "truncate", path, length: 0 }] : [create];
}

/** The path behind the first descriptor of the arguments. */
function fdPath(args: string): string {
  return Buffer.from(fromHex(/^\d+<((?:\\x[0-9a-f]{2})*)>/.exec(args)?.[1] ?? "")).toString();
}

function fromHex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll("\\x", ""), "hex");
}
