import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Sharp from "sharp";
import { TwinspoolError } from "../../protocol/errors.ts";
import { checkDocumentBounds, documentLimits } from "../document-limits.ts";

type SharpFactory = typeof Sharp;

/** Loads sharp, which is an optional package. */
export async function loadSharp(): Promise<SharpFactory> {
  const module = await import("sharp");
  return module.default;
}

export interface DecodedJpeg {
  /** A PNG beside nothing else in a temporary folder. */
  readonly pngPath: string;
  remove(): Promise<void>;
}

/**
 * Decodes a JPEG into a temporary PNG, shrunk while it is decoded to at most twice `maxWidthDots`: the rest of the way
 * is averaged by ourselves in linear light, which sharp does not do. The orientation of EXIF is applied.
 * Throws `decoder-missing`, `document-truncated`, `document-invalid` or `document-too-large`.
 */
export async function decodeJpeg(path: string, maxWidthDots: number, load = loadSharp): Promise<DecodedJpeg> {
  const sharp = await load().catch((error: unknown) => {
    throw new TwinspoolError("decoder-missing", "JPEG needs sharp", { cause: error });
  });
  const folder = await mkdtemp(join(tmpdir(), "twinspool-jpeg-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const pngPath = join(folder, "picture.png");
    const options = { sequentialRead: true, failOn: "truncated", limitInputPixels: documentLimits.jpegPixels } as const;
    const metadata = await sharp(path, options).metadata();
    checkDocumentBounds(metadata.width, metadata.height);
    await sharp(path, options)
      .autoOrient()
      .resize({ width: 2 * maxWidthDots, withoutEnlargement: true })
      .toColourspace("srgb")
      .png({ compressionLevel: 1, adaptiveFiltering: false })
      .toFile(pngPath);
    return { pngPath, remove };
  } catch (error) {
    await remove();
    throw explain(error);
  }
}

function explain(error: unknown): TwinspoolError {
  if (error instanceof TwinspoolError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (/premature end|truncated|end of (file|stream)|out of order read/i.test(reason)) {
    return new TwinspoolError("document-truncated", `JPEG: ${reason}`, { cause: error });
  }
  if (/pixel limit/i.test(reason)) {
    const limit = `${documentLimits.jpegPixels} pixels`;
    return new TwinspoolError("document-too-large", `JPEG, the limit is ${limit}`, { cause: error });
  }
  return new TwinspoolError("document-invalid", `JPEG: ${reason}`, { cause: error });
}
