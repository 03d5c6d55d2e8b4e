import { Readable } from "node:stream";
import type { Io, Output } from "./io.ts";

/** A stream that keeps what is written to it. */
export class MemoryOutput implements Output {
  text = "";
  readonly columns: number | undefined;

  /** With columns it is a terminal, without a pipe. */
  constructor(columns?: number) {
    this.columns = columns;
  }

  get isTerminal(): boolean {
    return this.columns !== undefined;
  }

  write(text: string): void {
    this.text += text;
  }
}

export function memoryIo(env: Record<string, string> = {}): Io & { stdout: MemoryOutput; stderr: MemoryOutput } {
  const stdin = Readable.from([]) as NodeJS.ReadStream;
  return { stdout: new MemoryOutput(), stderr: new MemoryOutput(), stdin, env };
}
