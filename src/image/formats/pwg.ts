import { TwinspoolError } from "../../protocol/errors.ts";
import type { ToneMode } from "../dither.ts";
import type { LinearImage } from "../linear-image.ts";
import { linearWhite, luminance, makeLinearTable } from "../linear-image.ts";
import type { ImagePage, PageGeometry, RenderTarget } from "../print-image.ts";
import type { PwgHeader } from "../pwg-header.ts";
import type { PwgPage } from "../pwg-raster.ts";
import { checkPrintImageBounds, decodePwgDocument } from "../pwg-raster.ts";
import type { PicturePlan } from "./picture.ts";
import { makePicturePage, planPicture } from "./picture.ts";

export interface PwgDocument {
  readonly pages: readonly PageGeometry[];
  readPages(): AsyncIterable<ImagePage>;
}

/** Prepares a PWG Raster document: pages of the printer's own dots pass as they are, others are scaled and dithered. */
export async function openPwg(
  openChunks: () => AsyncIterable<Uint8Array>,
  target: RenderTarget,
  mode: ToneMode | "auto",
): Promise<PwgDocument> {
  const plans: PicturePlan[] = [];
  let heightDots = 0;
  for await (const page of decodePwgDocument(openChunks())) {
    const plan = await planPicture(toLinearImage(page), target, mode);
    plans.push(plan);
    heightDots += plan.geometry.heightDots;
    checkPrintImageBounds(plans.length, target.widthDots, heightDots);
  }
  return {
    pages: plans.map((plan) => plan.geometry),
    readPages: () => readPages(openChunks(), plans),
  };
}

async function* readPages(
  chunks: AsyncIterable<Uint8Array>,
  plans: readonly PicturePlan[],
): AsyncGenerator<ImagePage, void, undefined> {
  let index = 0;
  for await (const page of decodePwgDocument(chunks)) {
    const plan = plans[index];
    index += 1;
    if (plan === undefined) throw new TwinspoolError("document-invalid", "the document was changed while it was read");
    const isExact = page.header.pixelType === "black_1" && page.header.widthDots === plan.geometry.widthDots;
    yield isExact ? { ...plan.geometry, rows: page.rows } : makePicturePage(toLinearImage(page), plan);
  }
}

function toLinearImage({ header, rows }: PwgPage): LinearImage {
  return { widthDots: header.widthDots, heightDots: header.heightDots, rows: linearRows(header, rows) };
}

async function* linearRows(
  header: PwgHeader,
  rows: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint16Array, void, undefined> {
  const out = new Uint16Array(header.widthDots);
  const light = makeLinearTable(256);
  // PWG 5102.4: black counts ink (1 and 255 are black); sGray and sRGB count light on the sRGB curve.
  if (header.pixelType === "black_8") light.reverse();
  const clearBit = header.pixelType === "black_1" ? linearWhite : 0;
  for await (const row of rows) {
    if (header.pixelType === "srgb_8") {
      for (let x = 0; x < out.length; x += 1) {
        const at = 3 * x;
        out[x] = luminance(light[row[at] ?? 0] ?? 0, light[row[at + 1] ?? 0] ?? 0, light[row[at + 2] ?? 0] ?? 0);
      }
    } else if (header.pixelType === "black_8" || header.pixelType === "sgray_8") {
      for (let x = 0; x < out.length; x += 1) out[x] = light[row[x] ?? 0] ?? 0;
    } else {
      for (let x = 0; x < out.length; x += 1) {
        const isSet = ((row[x >> 3] ?? 0) & (0x80 >> (x & 7))) !== 0;
        out[x] = isSet ? linearWhite - clearBit : clearBit;
      }
    }
    yield out;
  }
}
