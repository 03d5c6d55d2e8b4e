import { open } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { Page, PrintedPage } from "../../firmware-sim/mod.ts";
import { detectFormat, detectionBytes } from "../image/detect-format.ts";
import { encodePng } from "../image/png-writer.ts";
import type { MemoryPage, RenderTarget } from "../image/print-image.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { describeDiagnostic, type EscposPaper, readEscposPaper } from "./escpos-paper.ts";
import { UsageError } from "./failure.ts";
import { formatCount } from "./format.ts";
import { openInput } from "./input-file.ts";
import { type ExitCode, exitCodes, type Io, note, writeJson } from "./io.ts";
import { writeOutputFile } from "./output-file.ts";

export interface RenderFlags {
  readonly output?: string;
  readonly profile?: string;
  readonly width?: string;
  readonly escpos?: boolean;
  readonly text?: boolean;
  readonly svg?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

const defaultProfile = "tm-m30iii";
const shownDiagnostics = 20;

/** ESC/POS bytes, or any document, to PNG or SVG: one file for each piece of paper. Or the text of ESC/POS bytes. */
export async function runRender(file: string, flags: RenderFlags, io: Io): Promise<ExitCode> {
  if (flags.text && flags.svg) throw new UsageError("--text and --svg: choose one of them");
  if (flags.json && flags.output === "-" && !flags.text) {
    throw new UsageError("--json and --output -: both go to the standard output, choose one of them");
  }
  const input = await openInput(file, io);
  try {
    const isEscpos =
      flags.escpos === true || detectFormat(await readHead(input.path, input.name), input.name) === "escpos";
    if (isEscpos) return await renderCapture(input, flags, io);
    if (flags.text) {
      throw new UsageError("--text is for ESC/POS bytes (or say --escpos); of a document only dots are left");
    }
    if (flags.strict) throw new UsageError("--strict is for ESC/POS bytes (or say --escpos)");
    await writePictures(await documentPages(input, flags), input.name, {}, flags, io);
    return exitCodes.done;
  } finally {
    await input.close();
  }
}

async function renderCapture(
  input: { readonly path: string; readonly name: string },
  flags: RenderFlags,
  io: Io,
): Promise<ExitCode> {
  if (flags.width !== undefined) {
    throw new UsageError("--width is for documents; the width of ESC/POS bytes is that of the --profile");
  }
  const profile = flags.profile ?? defaultProfile;
  await checkProfile(profile);
  const paper = await readEscposPaper(input.path, input.name, profile);
  if (flags.text) await writeText(paper, flags, io);
  else {
    const { diagnostics, warnings } = paper;
    await writePictures(paper.pages.map(toMemoryPage), input.name, { diagnostics, warnings }, flags, io);
  }
  return tellRemarks(paper, flags, io);
}

/** Warnings always, diagnostics as a count or, when they decide, one by one. */
function tellRemarks({ diagnostics, warnings }: EscposPaper, flags: RenderFlags, io: Io): ExitCode {
  for (const warning of warnings) note(io, warning);
  if (flags.strict) {
    for (const diagnostic of diagnostics.slice(0, shownDiagnostics)) note(io, describeDiagnostic(diagnostic));
    const more = diagnostics.length - shownDiagnostics;
    if (more > 0) note(io, `and ${more} more`);
    return diagnostics.length + warnings.length === 0 ? exitCodes.done : exitCodes.failed;
  }
  if (diagnostics.length > 0) {
    note(io, `${formatCount(diagnostics.length, "diagnostic")}; --strict shows them and fails`);
  }
  return exitCodes.done;
}

async function writePictures(
  pages: readonly MemoryPage[],
  name: string,
  remarks: Partial<EscposPaper>,
  flags: RenderFlags,
  io: Io,
): Promise<void> {
  const format = flags.svg ? await svg() : png;
  const output = flags.output ?? `${basename(name, extname(name))}-print${format.extension}`;
  const written = await writePages(pages, output, format);
  if (flags.json) {
    writeJson(io.stdout, { files: written.map((path, index) => ({ path, ...sizeOf(pages[index]) })), ...remarks });
  } else if (flags.output !== "-") {
    for (const [index, path] of written.entries()) {
      const { widthDots, heightDots } = sizeOf(pages[index]);
      io.stdout.write(`${path}: ${widthDots} x ${heightDots} dots\n`);
    }
  }
}

/** What a person reads on the paper, pieces parted by a form feed; as JSON with the place of every line, in dots. */
async function writeText({ pages, diagnostics, warnings }: EscposPaper, flags: RenderFlags, io: Io): Promise<void> {
  const { locateText } = await import("../../firmware-sim/mod.ts");
  const text = flags.json
    ? `${JSON.stringify({
        pages: pages.map((page) => ({ ...sizeOf(page), text: page.text, lines: locateText(page) })),
        diagnostics,
        warnings,
      })}\n`
    : pages.map((page) => `${page.text}\n`).join("\f");
  if (flags.output === undefined || flags.output === "-") io.stdout.write(text);
  else await writeOutputFile(flags.output, Buffer.from(text));
}

/** A piece of paper whose text is known, in the words of print images. */
interface CapturedPage extends MemoryPage {
  readonly lines: Page["lines"];
}

function toMemoryPage({ widthDots, heightDots, dpi, rows, lines }: Page): CapturedPage {
  return { widthDots, heightDots, resolutionDpi: dpi, rows, lines };
}

/** A page in the simulator's words; of a document no text is known. */
function printed(page: MemoryPage | CapturedPage): PrintedPage {
  const { widthDots, heightDots, resolutionDpi } = page;
  return { widthDots, heightDots, dpi: resolutionDpi, rows: [...page.rows], lines: "lines" in page ? page.lines : [] };
}

interface PictureFormat {
  readonly extension: string;
  readonly encode: (page: MemoryPage) => Uint8Array;
}

const png: PictureFormat = { extension: ".png", encode: (page) => encodePng(page, page.rows) };

async function svg(): Promise<PictureFormat> {
  const { pageToSvg } = await import("../../firmware-sim/mod.ts");
  return { extension: ".svg", encode: (page) => Buffer.from(pageToSvg(printed(page))) };
}

function sizeOf(page: Pick<MemoryPage, "widthDots" | "heightDots"> | undefined): {
  readonly widthDots: number;
  readonly heightDots: number;
} {
  return { widthDots: page?.widthDots ?? 0, heightDots: page?.heightDots ?? 0 };
}

async function readHead(path: string, name: string): Promise<Uint8Array> {
  try {
    const file = await open(path, "r");
    try {
      const head = new Uint8Array(detectionBytes);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      return head.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new TwinspoolError("document-missing", `${name} (${code})`, { cause });
  }
}

async function checkProfile(name: string): Promise<void> {
  const { PROFILES } = await import("../../firmware-sim/mod.ts");
  if (PROFILES.some((profile) => profile.name === name)) return;
  throw new UsageError(`--profile ${name}: expected one of ${PROFILES.map((profile) => profile.name).join(", ")}`);
}

async function documentPages(
  input: { readonly path: string; readonly name: string },
  flags: RenderFlags,
): Promise<readonly MemoryPage[]> {
  const { renderDocument } = await import("../image/render.ts");
  const { readPrintImage } = await import("../image/pwg-raster.ts");
  const rendered = await renderDocument(input, await targetOf(flags));
  const chunks: Uint8Array[] = [];
  for await (const chunk of rendered.chunks) chunks.push(chunk);
  return readPrintImage(Buffer.concat(chunks)).pages;
}

/** Width and resolution of the model, or of the simulated printer, of this name. */
async function targetOf(flags: RenderFlags): Promise<RenderTarget> {
  const { printerModels } = await import("../devices/escpos/models.ts");
  const { PROFILES } = await import("../../firmware-sim/mod.ts");
  const targets: { name: string; widthDots: number; resolutionDpi: number }[] = [
    ...printerModels.map(({ name, widthDots, resolutionDpi }) => ({ name, widthDots, resolutionDpi })),
    ...PROFILES.map(({ name, widthDots, dpi }) => ({ name, widthDots, resolutionDpi: dpi })),
  ];
  const wanted = (flags.profile ?? defaultProfile).toLowerCase();
  const found = targets.find((target) => target.name === wanted);
  if (found === undefined) {
    const names = [...new Set(targets.map((target) => target.name))].join(", ");
    throw new UsageError(`--profile ${wanted}: expected one of ${names}`);
  }
  if (flags.width === undefined) return found;
  const widthDots = Number(flags.width);
  if (!Number.isInteger(widthDots) || widthDots < 8 || widthDots > 4096) {
    throw new UsageError(`--width ${flags.width}: expected dots, a whole number from 8 to 4096`);
  }
  return { widthDots, resolutionDpi: found.resolutionDpi };
}

/** OUT.png, or OUT-1.png, OUT-2.png … for several pieces of paper. Returns the paths. */
async function writePages(pages: readonly MemoryPage[], output: string, format: PictureFormat): Promise<string[]> {
  if (output === "-") {
    const [page, ...others] = pages;
    if (page === undefined || others.length > 0) {
      throw new UsageError(`--output - takes one picture, this gives ${formatCount(pages.length, "piece")} of paper`);
    }
    process.stdout.write(format.encode(page));
    return ["-"];
  }
  const extension = extname(output);
  const stem = output.slice(0, output.length - extension.length);
  const paths: string[] = [];
  for (const [index, page] of pages.entries()) {
    const path = pages.length === 1 ? output : `${stem}-${index + 1}${extension || format.extension}`;
    await writeOutputFile(path, format.encode(page));
    paths.push(path);
  }
  return paths;
}
