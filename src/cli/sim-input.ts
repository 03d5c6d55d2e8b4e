import { open } from "node:fs/promises";
import type { Simulator } from "../../firmware-sim/mod.ts";
import { UsageError } from "./failure.ts";
import { type Io, note } from "./io.ts";

/** How often it looks whether everything is on paper. */
export const LOOK_MS = 20;

/**
 * Prints the standard input as one host's bytes. Resolves when it has ended and nothing is left to print; before that
 * only `stop` ends it. Replies go to the file, which may be one of the process (`/dev/fd/3`).
 */
export async function printStandardInput(
  sim: Simulator,
  io: Io,
  replies: string | undefined,
  stop: AbortSignal,
): Promise<void> {
  const handle = replies === undefined ? undefined : await open(replies, "a").catch(cannotWrite);
  const file = handle?.createWriteStream();
  const connection = sim.connect();
  const failed = new Promise<never>((_, reject) => {
    file?.on("error", reject);
  });
  failed.catch(() => {});
  connection.onData((bytes) => void file?.write(bytes));
  try {
    await Promise.race([printAll(sim, connection, io, stop), failed]);
  } finally {
    connection.close();
    await new Promise<void>((resolve) => {
      if (file === undefined || file.destroyed) resolve();
      else file.end(() => resolve());
    });
  }
}

function cannotWrite(error: Error): never {
  throw new UsageError(`--replies: the file cannot be written (${error.message})`);
}

async function printAll(
  sim: Simulator,
  connection: ReturnType<Simulator["connect"]>,
  io: Io,
  stop: AbortSignal,
): Promise<void> {
  for await (const chunk of io.stdin) {
    if (stop.aborted) return;
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (!(await connection.write(bytes))) {
      note(io, "the power or the link of the printer was cut: the rest of the standard input is not printed");
      break;
    }
  }
  let told = false;
  while (!stop.aborted && !sim.state.idle) {
    const { power, online } = sim.state;
    if (!power) return;
    if (!online && !told) note(io, "the printer is offline with something left to print; Ctrl-C ends it without");
    told ||= !online;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
