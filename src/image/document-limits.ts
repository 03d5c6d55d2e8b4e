import { TwinspoolError } from "../protocol/errors.ts";

/** What a document may cost before it is a print image. Units stand at the end of each name. */
export const documentLimits = {
  /** One row of 16-bit RGBA stays below 512 KiB. */
  widthDots: 65_500,
  heightDots: 16_777_216,
  /** A row-streaming decoder needs no memory for these, but time: about ten seconds each pass on a Raspberry Pi 4. */
  pixels: 500_000_000,
  /** Interlaced PNG comes coarse to fine, so the whole picture must be held: 2 bytes a pixel. */
  interlacedPixels: 16_000_000,
  /** sharp turns pictures by holding them. */
  jpegPixels: 120_000_000,
} as const;

/** Throws `document-too-large` when a picture of this size is beyond the limits. */
export function checkDocumentBounds(widthDots: number, heightDots: number): void {
  const { pixels } = documentLimits;
  const isWithin = widthDots <= documentLimits.widthDots && heightDots <= documentLimits.heightDots;
  if (isWithin && widthDots * heightDots <= pixels) return;
  const limit = `${documentLimits.widthDots} wide, ${documentLimits.heightDots} high, ${pixels} in all`;
  throw new TwinspoolError("document-too-large", `${widthDots} x ${heightDots} pixels, the limit is ${limit}`);
}
