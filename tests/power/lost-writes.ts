import type { DiskCall } from "./strace-log.ts";

/** What of the calls that no sync covers is on the disk after the power has gone. */
export type Luck =
  | { readonly kind: "none" }
  /** Each write is there, lost, or torn at a sector; names and lengths are there up to some moment (a journal). */
  | { readonly kind: "random"; random(): number };

const sectorBytes = 512;

interface File {
  bytes: Uint8Array;
}

interface Step {
  readonly call: DiskCall;
  /** The file the call is about, whatever it is called at that moment or later. */
  readonly file: number | undefined;
}

/**
 * The files that a power cut after the first `until` calls leaves behind. Certain is what a sync covers: of a file its
 * bytes and its own name (ext4), of a folder the names in it.
 */
export function filesAfterPowerCut(calls: readonly DiskCall[], until: number, luck: Luck): Map<string, Uint8Array> {
  const steps = withFiles(calls.slice(0, until));
  const journal = journalEnd(steps, luck);
  const names = new Map<string, number>();
  const files = new Map<number, File>();
  for (const [index, step] of steps.entries()) {
    if (isName(step.call)) {
      if (index < journal || coversName(steps, index)) applyName(step, names, files);
    } else if (step.file !== undefined && isData(step.call)) {
      const certain = coversData(steps, index);
      const file = files.get(step.file) ?? { bytes: new Uint8Array(0) };
      files.set(step.file, file);
      if (certain) applyData(step.call, file);
      else if (luck.kind === "random") applyWithLuck(step.call, file, luck.random);
    }
  }
  return new Map([...names].map(([path, file]) => [path, files.get(file)?.bytes ?? new Uint8Array(0)]));
}

/** Moments at which cutting the power differs from cutting it before. */
export function crashPoints(calls: readonly DiskCall[]): number[] {
  return calls.flatMap((call, index) => (call.kind === "told" || call.kind === "mkdir" ? [] : [index + 1]));
}

function withFiles(calls: readonly DiskCall[]): Step[] {
  const current = new Map<string, number>();
  let next = 0;
  return calls.map((call) => {
    if (call.kind === "rename") {
      const file = current.get(call.from);
      current.delete(call.from);
      if (file !== undefined) current.set(call.to, file);
      return { call, file };
    }
    if (call.kind === "told" || call.kind === "mkdir") return { call, file: undefined };
    if (call.kind === "create" && !current.has(call.path)) current.set(call.path, next++);
    const file = current.get(call.path);
    if (call.kind === "unlink") current.delete(call.path);
    return { call, file };
  });
}

function isName({ kind }: DiskCall): boolean {
  return kind === "create" || kind === "rename" || kind === "unlink";
}

function isData({ kind }: DiskCall): boolean {
  return kind === "write" || kind === "truncate" || kind === "extend";
}

function coversData(steps: readonly Step[], index: number): boolean {
  const file = steps[index]?.file;
  return steps.slice(index + 1).some((later) => later.call.kind === "sync" && later.file === file);
}

function coversName(steps: readonly Step[], index: number): boolean {
  const step = steps[index];
  const call = step?.call;
  if (call === undefined || !("path" in call || "to" in call)) return false;
  const path = call.kind === "rename" ? call.to : "path" in call ? call.path : "";
  const folder = path.slice(0, path.lastIndexOf("/"));
  return steps.slice(index + 1).some((later) => {
    if (later.call.kind !== "sync") return false;
    return later.call.path === folder || (call.kind === "create" && later.file === step?.file);
  });
}

/** Names are journaled in their order: all up to some moment are there. A sync of anything commits what came before. */
function journalEnd(steps: readonly Step[], luck: Luck): number {
  let certain = 0;
  for (const [index, step] of steps.entries()) if (isName(step.call) && coversName(steps, index)) certain = index + 1;
  return luck.kind === "none" ? certain : certain + Math.floor(luck.random() * (steps.length - certain + 1));
}

function applyName({ call, file }: Step, names: Map<string, number>, files: Map<number, File>): void {
  if (file === undefined) return;
  if (call.kind === "create") {
    names.set(call.path, file);
    if (!files.has(file)) files.set(file, { bytes: new Uint8Array(0) });
  } else if (call.kind === "rename") {
    names.delete(call.from);
    names.set(call.to, file);
  } else if (call.kind === "unlink" && names.get(call.path) === file) names.delete(call.path);
}

function applyData(call: DiskCall, file: File): void {
  if (call.kind === "write") put(file, call.position, call.bytes);
  else if (call.kind === "truncate") resize(file, call.length);
  else if (call.kind === "extend" && file.bytes.length < call.length) resize(file, call.length);
}

function applyWithLuck(call: DiskCall, file: File, random: () => number): void {
  if (call.kind !== "write") {
    if (random() < 0.5) applyData(call, file);
    return;
  }
  const fate = random();
  if (fate < 0.4) return put(file, call.position, call.bytes);
  if (fate < 0.7) return;
  for (let at = 0; at < call.bytes.length; at += sectorBytes) {
    if (random() < 0.5) put(file, call.position + at, call.bytes.subarray(at, at + sectorBytes));
  }
}

function put(file: File, position: number, bytes: Uint8Array): void {
  if (file.bytes.length < position + bytes.length) resize(file, position + bytes.length);
  else file.bytes = file.bytes.slice();
  file.bytes.set(bytes, position);
}

function resize(file: File, length: number): void {
  const bytes = new Uint8Array(length);
  bytes.set(file.bytes.subarray(0, length));
  file.bytes = bytes;
}
