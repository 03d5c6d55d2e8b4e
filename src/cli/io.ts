import type { Environment } from "../runtime/config.ts";
import { deferred } from "../runtime/deferred.ts";

/** A stream that people or programs read. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Columns of the terminal, read anew each time because windows change; undefined in a pipe. */
  readonly columns: number | undefined;
  /** Resolves when the reader has caught up, to false when there is none any more. */
  drained?(): Promise<boolean>;
}

/** What a verb may use of the process. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadStream;
  readonly env: Environment;
}

export const exitCodes = { done: 0, failed: 1, usage: 2, held: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The process's own streams. */
export function nodeIo(): Io {
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    stdin: process.stdin,
    env: process.env,
  };
}

function output(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.isTTY === true ? stream.columns : undefined;
    },
    drained: () => drained(stream),
  };
}

function drained(stream: NodeJS.WriteStream): Promise<boolean> {
  if (stream.destroyed || !stream.writableNeedDrain) return Promise.resolve(!stream.destroyed);
  return new Promise((resolve) => {
    const end = (): void => {
      for (const event of ["drain", "close", "error"]) stream.off(event, end);
      resolve(!stream.destroyed);
    };
    for (const event of ["drain", "close", "error"]) stream.on(event, end);
  });
}

/** One JSON value: a line for programs, indented where a person looks. */
export function writeJson(out: Output, value: unknown): void {
  out.write(`${out.isTerminal ? JSON.stringify(value, null, 2) : JSON.stringify(value)}\n`);
}

/** A remark beside the result. */
export function note(io: Io, text: string): void {
  io.stderr.write(`twinspool: ${text}\n`);
}

/** Resolves at the first SIGINT or SIGTERM; the next one ends the process at once. */
export function interrupted(): { readonly signal: Promise<NodeJS.Signals>; release(): void } {
  const { promise, resolve } = deferred<NodeJS.Signals>();
  let count = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count > 1) process.exit(exitCodes.failed);
    resolve(signal);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: promise,
    release: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
