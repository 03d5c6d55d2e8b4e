import { ToneMeter } from "../classify.ts";
import type { ToneMode } from "../dither.ts";
import { rowsToDots } from "../dither.ts";
import type { LinearImage } from "../linear-image.ts";
import type { ImagePage, PageGeometry, RenderTarget } from "../print-image.ts";
import { fitToWidth, shrinkToWidth } from "../scale.ts";

/** What one picture becomes: known after a first pass over it, used by the second. */
export interface PicturePlan {
  readonly geometry: PageGeometry;
  readonly mode: ToneMode;
}

/** First pass: reads all rows (and so checks the whole picture), and tells a photograph from line art. */
export async function planPicture(
  image: LinearImage,
  target: RenderTarget,
  mode: ToneMode | "auto",
): Promise<PicturePlan> {
  const meter = new ToneMeter(image.widthDots);
  for await (const row of image.rows) if (mode === "auto") meter.add(row);
  const { heightDots } = fitToWidth(image.widthDots, image.heightDots, target.widthDots);
  return { geometry: { ...target, heightDots }, mode: mode === "auto" ? meter.mode : mode };
}

/** Second pass: the picture as a page of dots. */
export function makePicturePage(image: LinearImage, plan: PicturePlan): ImagePage {
  const { widthDots } = plan.geometry;
  const isShrunk = image.widthDots > widthDots;
  return { ...plan.geometry, rows: rowsToDots(shrinkToWidth(image, widthDots), widthDots, plan.mode, isShrunk) };
}
