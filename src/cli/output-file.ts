import { writeFile } from "node:fs/promises";
import { UsageError } from "./failure.ts";

/** Writes what the user asked for where they said. Throws UsageError when that place cannot be written. */
export async function writeOutputFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UsageError(`${path} cannot be written (${code}); choose another place with --output`);
  }
}
