import { readFile, stat } from "node:fs/promises";
import {
  endsWithinCommand,
  type Page,
  PROFILES,
  type Profile,
  renderEscposWithin,
  type TextLine,
} from "../../../firmware-sim/mod.ts";
import { TwinspoolError } from "../../protocol/errors.ts";
import { limits } from "../../protocol/limits.ts";
import { encodePagesPng } from "../png-writer.ts";
import type { ImagePage, MemoryPage, PageGeometry, RenderTarget } from "../print-image.ts";

/** Largest raw job. It says little about the paper: a feed of two metres has three bytes. */
const maxRawBytes = 4 * 1024 * 1024;

const lineFeed = 0x0a;

/** A page whose text is known, not only its dots. */
export interface EscposPage extends MemoryPage {
  readonly rows: readonly Uint8Array[];
  readonly text: string;
  readonly lines: readonly TextLine[];
}

/**
 * The paper that raw ESC/POS bytes would give on a printer of this simulator profile, one page per cut.
 * Throws `document-too-large` and `image-too-large`, and `document-invalid` when nothing would be printed or the profile
 * is not known.
 */
export function readEscposPages(bytes: Uint8Array, profile?: string): readonly EscposPage[] {
  return checkPrinted(renderPages(bytes, profile)).map(({ widthDots, heightDots, dpi, rows, text, lines }) => {
    return { widthDots, heightDots, resolutionDpi: dpi, rows, text, lines };
  });
}

/** The preview of a raw ESC/POS job as one PNG. Throws as `readEscposPages` does. */
export async function previewEscposPng(bytes: Uint8Array, profile?: string): Promise<Uint8Array> {
  return encodePagesPng(readEscposPages(bytes, profile));
}

/** A document of raw ESC/POS bytes as the pages that its printer would print. */
export async function openEscpos(
  path: string,
  target: RenderTarget,
): Promise<{ readonly pages: readonly PageGeometry[]; readPages(): AsyncIterable<ImagePage> }> {
  const { size } = await stat(path);
  checkSize(size);
  const bytes = await readFile(path);
  // Half a document is not what somebody wanted on paper: the program that wrote it broke off.
  if (endsWithinCommand(bytes)) {
    throw new TwinspoolError("document-truncated", "the ESC/POS bytes end within a command");
  }
  const pages = drawWhole(bytes, profileOf(target));
  const { widthDots, resolutionDpi } = target;
  return {
    pages: pages.map(({ heightDots }) => ({ widthDots, heightDots, resolutionDpi })),
    async *readPages() {
      for (const page of pages) yield { widthDots, heightDots: page.heightDots, resolutionDpi, rows: rowsOf(page) };
    },
  };
}

/** A last line without its line feed would wait in the printer for the next job; here it is part of this one. */
function drawWhole(bytes: Uint8Array, profile: Profile): readonly Page[] {
  const asSent = renderPages(bytes, profile);
  if (bytes.at(-1) === lineFeed) return checkPrinted(asSent);
  const ended = renderPages(Buffer.concat([bytes, Buffer.of(lineFeed)]), profile);
  return checkPrinted(countInkRows(ended) > countInkRows(asSent) ? ended : asSent);
}

function countInkRows(pages: readonly Page[]): number {
  return pages.reduce((sum, { rows }) => sum + rows.filter((row) => row.some((byte) => byte !== 0)).length, 0);
}

async function* rowsOf(page: Page): AsyncGenerator<Uint8Array, void, undefined> {
  yield* page.rows;
}

/** The printer's own profile, else one with a head like its head, else a well-known one with its head. */
function profileOf({ model, widthDots, resolutionDpi }: RenderTarget): Profile {
  const alike = PROFILES.filter((profile) => profile.widthDots === widthDots && profile.dpi === resolutionDpi);
  // The attributes of a printer have the title of its model, such as Epson TM-m30III.
  const found = alike.find(({ name }) => model?.toLowerCase().endsWith(name)) ?? alike[0];
  if (found !== undefined) return found;
  const [first] = PROFILES;
  if (first === undefined) throw new TwinspoolError("internal", "the simulator has no profiles");
  return { ...first, widthDots, dpi: resolutionDpi };
}

function checkSize(bytes: number): void {
  if (bytes <= maxRawBytes) return;
  throw new TwinspoolError("document-too-large", `${bytes} bytes of ESC/POS, the limit is ${maxRawBytes}`);
}

function renderPages(bytes: Uint8Array, profile: Profile | string | undefined): readonly Page[] {
  checkSize(bytes.length);
  try {
    const maxRows = limits.imageHeightDots;
    const { pages, truncated } = renderEscposWithin(bytes, { ...(profile === undefined ? {} : { profile }), maxRows });
    if (truncated) throw new TwinspoolError("image-too-large", `more than ${maxRows} rows of paper`);
    return pages.filter((page) => page.heightDots > 0);
  } catch (error) {
    if (error instanceof TwinspoolError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TwinspoolError("document-invalid", `ESC/POS: ${reason}`, { cause: error });
  }
}

function checkPrinted(pages: readonly Page[]): readonly Page[] {
  if (pages.length > 0) return pages;
  throw new TwinspoolError("document-invalid", "the ESC/POS commands print nothing");
}
