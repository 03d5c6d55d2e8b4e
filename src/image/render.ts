import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { TwinspoolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";
import type { DocumentFormat } from "./detect-format.ts";
import { detectFormat, detectionBytes } from "./detect-format.ts";
import type { ToneMode } from "./dither.ts";
import { decodeJpeg } from "./formats/jpeg.ts";
import { makePicturePage, planPicture } from "./formats/picture.ts";
import { decodePng } from "./formats/png.ts";
import { openPwg } from "./formats/pwg.ts";
import { openText } from "./formats/text.ts";
import type { ImagePage, PageGeometry, RenderTarget } from "./print-image.ts";
import { checkPrintImageBounds, encodePwg } from "./pwg-raster.ts";

/** A document to print: a file, because it is read more than once. */
export interface DocumentSource {
  readonly path: string;
  /** What to call it in messages; the file's name when absent. */
  readonly name?: string;
}

export interface RenderOptions {
  /** How tones become dots; `auto` looks at the picture. */
  readonly mode?: ToneMode | "auto";
  /** How often all pages are repeated, 1 when absent. */
  readonly copies?: number;
  /** What the document is, when its first bytes need not tell. */
  readonly format?: DocumentFormat;
  /** Largest document, bytes; default `limits.documentBytes`. */
  readonly maxDocumentBytes?: number;
}

/** A document that was checked to its end and can now be drawn. */
export interface RenderedDocument {
  readonly format: DocumentFormat;
  /** Pages of the print image, all copies together. */
  readonly pages: number;
  readonly widthDots: number;
  /** Sum over all pages. */
  readonly heightDots: number;
  /** The print image in PWG Raster. Reading it to its end, leaving it early, or failing closes the document. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Removes what is temporary, for a document that is not read. May be called more than once. */
  close(): Promise<void>;
}

/** What a format makes of a file. */
interface OpenDocument {
  readonly pages: readonly PageGeometry[];
  /** The pages, decoded anew with every call. */
  readPages(): AsyncIterable<ImagePage>;
  close?(): Promise<void>;
}

/**
 * Makes the print image of a document for a printer. The document is read twice: all of it is checked before the first
 * byte of the image comes out. Memory does not grow with the length of the document.
 * Throws `document-*`, `decoder-missing` or `image-too-large`.
 */
export async function renderDocument(
  source: DocumentSource,
  target: RenderTarget,
  options: RenderOptions = {},
): Promise<RenderedDocument> {
  const copies = options.copies ?? 1;
  if (!Number.isInteger(copies) || copies < 1 || copies > limits.copies) {
    throw new TwinspoolError("request-invalid", `${copies} copies, expected 1 to ${limits.copies}`);
  }
  const name = source.name ?? basename(source.path);
  const head = await readHead(source.path, name, options.maxDocumentBytes ?? limits.documentBytes);
  const format = options.format ?? detectFormat(head, name);
  const document = await openDocument(source.path, format, target, options.mode ?? "auto");
  const close = async (): Promise<void> => document.close?.();
  try {
    const pages = document.pages.length * copies;
    const heightDots = copies * document.pages.reduce((sum, page) => sum + page.heightDots, 0);
    checkPrintImageBounds(pages, target.widthDots, heightDots);
    const chunks = encodeAndClose(repeatPages(document, copies), pages, close);
    return { format, pages, widthDots: target.widthDots, heightDots, chunks, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openDocument(
  path: string,
  format: DocumentFormat,
  target: RenderTarget,
  mode: ToneMode | "auto",
): Promise<OpenDocument> {
  const openChunks = (): AsyncIterable<Uint8Array> => createReadStream(path);
  if (format === "text") return openText(openChunks, target);
  if (format === "pwg") return openPwg(openChunks, target, mode);
  if (format === "png") return openPng(path, target, mode);
  // The renderer is loaded only when there are ESC/POS bytes.
  if (format === "escpos") return (await import("./formats/escpos.ts")).openEscpos(path, target);
  const jpeg = await decodeJpeg(path, target.widthDots);
  try {
    return { ...(await openPng(jpeg.pngPath, target, mode)), close: jpeg.remove };
  } catch (error) {
    await jpeg.remove();
    throw error;
  }
}

async function openPng(path: string, target: RenderTarget, mode: ToneMode | "auto"): Promise<OpenDocument> {
  const plan = await planPicture(await decodePng(createReadStream(path)), target, mode);
  return {
    pages: [plan.geometry],
    async *readPages() {
      yield makePicturePage(await decodePng(createReadStream(path)), plan);
    },
  };
}

async function* repeatPages(document: OpenDocument, copies: number): AsyncGenerator<ImagePage, void, undefined> {
  for (let copy = 0; copy < copies; copy += 1) yield* document.readPages();
}

async function* encodeAndClose(
  pages: AsyncIterable<ImagePage>,
  totalPages: number,
  close: () => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  try {
    for await (const chunk of encodePwg(pages, totalPages)) {
      bytes += chunk.length;
      if (bytes > limits.imageBytes) {
        throw new TwinspoolError("image-too-large", `more than ${limits.imageBytes} bytes`);
      }
      yield chunk;
    }
  } finally {
    await close();
  }
}

/** The first bytes of the file; refuses what is no file, or larger than the limit. */
async function readHead(path: string, name: string, maxBytes: number): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const stat = await file.stat();
    if (!stat.isFile()) throw new TwinspoolError("document-missing", `${name} is not a file`);
    if (stat.size > maxBytes) {
      throw new TwinspoolError(
        "document-too-large",
        `${name} has ${stat.size} bytes, documentBytes allows ${maxBytes}`,
      );
    }
    const head = new Uint8Array(Math.min(stat.size, detectionBytes));
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof TwinspoolError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TwinspoolError("document-missing", reason, { cause: error });
  } finally {
    await file?.close();
  }
}
