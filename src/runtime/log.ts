import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";

export type Log = Logger;

export interface LogOptions {
  /** File to append to instead of standard error; its folder is made. */
  readonly file?: string | undefined;
  /** Short lines for a person at a terminal instead of JSON. */
  readonly human?: boolean;
  /** Where lines go instead of both, for tests. */
  readonly stream?: DestinationStream;
}

/**
 * One JSON line per event. `log.child({ job })` puts the job id on every line, so that one search over all processes
 * tells the story of a job.
 */
export function createLog(level: string, role: string, options: LogOptions = {}): Log {
  const sink = options.stream ?? openDestination(options.file);
  return pino(
    {
      level,
      base: { role, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ["key", "*.key", "authorization", "*.authorization"],
    },
    options.human === true ? humanStream(sink) : sink,
  );
}

function openDestination(file: string | undefined): DestinationStream {
  // Synchronous, so that the lines before a crash are there: those are the ones that matter.
  return destination(
    file === undefined ? { dest: 2, sync: true } : { dest: file, append: true, mkdir: true, sync: true },
  );
}

function humanStream(sink: DestinationStream): DestinationStream {
  return { write: (line) => sink.write(humanLine(line)) };
}

/** `14:03:22 warn  the link was lost job=1f0c9a7e-k3x9q2-42` from one JSON line. */
export function humanLine(line: string): string {
  const { time, level, msg, role: _role, pid: _pid, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const fields = Object.entries(rest).map(([key, value]) => ` ${key}=${humanValue(value)}`);
  return `${clock} ${String(level).padEnd(5)} ${String(msg ?? "")}${fields.join("")}\n`;
}

function humanValue(value: unknown): string {
  if (typeof value === "string") return /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
  // pino's form of an error: its message is what a person needs, the stack is in the JSON form.
  if (typeof value === "object" && value !== null && "stack" in value && "message" in value) {
    return JSON.stringify(value.message);
  }
  return JSON.stringify(value);
}
