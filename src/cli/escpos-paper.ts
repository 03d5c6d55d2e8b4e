import { readFile, stat } from "node:fs/promises";
import type { Diagnostic, Page } from "../../firmware-sim/mod.ts";
import { TwinspoolError } from "../protocol/errors.ts";

/** Larger captures are not of one printer's day. */
const maxBytes = 64 * 1024 * 1024;
/** 60 m of paper at 203 dpi: as much as the longest rolls have. */
const maxRows = 480_000;
const maxDiagnostics = 1000;

/** The paper of captured bytes, and what is remarkable about them. */
export interface EscposPaper {
  readonly pages: readonly Page[];
  readonly diagnostics: readonly Diagnostic[];
  /** What a person should know before they believe the paper, a sentence each. */
  readonly warnings: readonly string[];
}

/** Throws `document-missing`, `document-too-large`, and `document-invalid` when nothing is printed. */
export async function readEscposPaper(path: string, name: string, profile: string): Promise<EscposPaper> {
  const bytes = await readBytes(path, name);
  // The simulator is loaded only when there are ESC/POS bytes.
  const { endsWithinCommand, renderEscposWithin } = await import("../../firmware-sim/mod.ts");
  const diagnostics: Diagnostic[] = [];
  const onDiagnostic = (diagnostic: Diagnostic): void => {
    if (diagnostics.length < maxDiagnostics) diagnostics.push(diagnostic);
  };
  const { pages, truncated } = renderEscposWithin(bytes, { profile, onDiagnostic, maxRows });
  const warnings: string[] = [];
  if (truncated) warnings.push(`the bytes give more than ${maxRows} rows of paper; the rest is left out`);
  else if (endsWithinCommand(bytes, profile))
    warnings.push("the bytes end within a command, which was not carried out");
  const printed = pages.filter((page) => page.heightDots > 0);
  if (printed.length > 0) return { pages: printed, diagnostics, warnings };
  throw new TwinspoolError("document-invalid", ["the ESC/POS commands print nothing", ...warnings].join("; "));
}

async function readBytes(path: string, name: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) {
      throw new TwinspoolError("document-too-large", `${size} bytes of ESC/POS, the limit is ${maxBytes}`);
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof TwinspoolError) throw cause;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new TwinspoolError("document-missing", `${name} (${code})`, { cause });
  }
}

/** `unsupported GS g 0 at byte 12: 1D 67 30`. */
export function describeDiagnostic({ kind, name, offset, bytes, detail }: Diagnostic): string {
  const shown = bytes.slice(0, 16).map((byte) => byte.toString(16).toUpperCase().padStart(2, "0"));
  const what = name === undefined ? kind : `${kind} ${name}`;
  return `${what} at byte ${offset}: ${shown.join(" ")}${detail === undefined ? "" : ` (${detail})`}`;
}
