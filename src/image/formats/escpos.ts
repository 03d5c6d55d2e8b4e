import { renderEscpos, type TextLine } from "../../../firmware-sim/mod.ts";
import { TwinspoolError } from "../../protocol/errors.ts";
import { encodePagesPng } from "../png-writer.ts";
import type { MemoryPage } from "../print-image.ts";

/** Largest raw job that is previewed. It says little about the paper: a feed of two metres has three bytes. */
const maxRawBytes = 1024 * 1024;

/** A page whose text is known, not only its dots. */
export interface EscposPage extends MemoryPage {
  readonly rows: readonly Uint8Array[];
  readonly text: string;
  readonly lines: readonly TextLine[];
}

/**
 * The paper that raw ESC/POS bytes would give on a printer of this simulator profile, one page per cut.
 * Throws `document-too-large`, and `document-invalid` when nothing would be printed or the profile is not known.
 */
export function readEscposPages(bytes: Uint8Array, profile?: string): readonly EscposPage[] {
  if (bytes.length > maxRawBytes) {
    throw new TwinspoolError("document-too-large", `${bytes.length} bytes of ESC/POS, the limit is ${maxRawBytes}`);
  }
  try {
    const pages = renderEscpos(bytes, profile === undefined ? {} : { profile }).filter((page) => page.heightDots > 0);
    if (pages.length === 0) throw new TwinspoolError("document-invalid", "the ESC/POS commands print nothing");
    return pages.map(({ widthDots, heightDots, dpi, rows, text, lines }) => {
      return { widthDots, heightDots, resolutionDpi: dpi, rows, text, lines };
    });
  } catch (error) {
    if (error instanceof TwinspoolError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TwinspoolError("document-invalid", `ESC/POS: ${reason}`, { cause: error });
  }
}

/** The preview of a raw ESC/POS job as one PNG. Throws as `readEscposPages` does. */
export async function previewEscposPng(bytes: Uint8Array, profile?: string): Promise<Uint8Array> {
  return encodePagesPng(readEscposPages(bytes, profile));
}
