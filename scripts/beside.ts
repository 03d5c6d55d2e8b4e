// Makes docs/images/beside-*.png: our paper on the left, what another renderer or printer made of the same stream on the right.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { findProfile, pageToPng, renderEscpos } from "../firmware-sim/mod.ts";

const GAP_DOTS = 24;
const testdata = fileURLToPath(new URL("../firmware-sim/testdata/", import.meta.url));
const images = fileURLToPath(new URL("../docs/images/", import.meta.url));
/** The reference has 50 columns of Font A. */
const FIFTY_COLUMNS = { ...findProfile("tm-m30iii"), widthDots: 600 };

async function paper(bytes: Uint8Array): Promise<Buffer> {
  const [page] = renderEscpos(bytes, { profile: FIFTY_COLUMNS });
  if (page === undefined) throw new Error("nothing was printed");
  return sharp(pageToPng(page)).greyscale().png().toBuffer();
}

async function beside(name: string, ours: Buffer, theirs: Buffer, scale: number): Promise<void> {
  const [left, right] = await Promise.all([sharp(ours).metadata(), sharp(theirs).metadata()]);
  const both = await sharp({
    create: {
      width: left.width + right.width + 3 * GAP_DOTS,
      height: Math.max(left.height, right.height) + 2 * GAP_DOTS,
      channels: 3,
      background: "#b8b8b8",
    },
  })
    .composite([
      { input: ours, left: GAP_DOTS, top: GAP_DOTS },
      { input: theirs, left: left.width + 2 * GAP_DOTS, top: GAP_DOTS },
    ])
    .png()
    .toBuffer();
  const { width } = await sharp(both).metadata();
  await sharp(both)
    .resize({ width: Math.round(width * scale) })
    .greyscale()
    .png({ compressionLevel: 9, palette: true, colours: 8 })
    .toFile(`${images}beside-${name}.png`);
}

const typography = await sharp(`${testdata}thermal/typography.thermal.reference.png`)
  .flatten({ background: "white" })
  .greyscale()
  .png()
  .toBuffer();
await beside("typography", await paper(readFileSync(`${testdata}thermal/typography.bin`)), typography, 0.5);
const photo = await sharp(`${testdata}thermal/test_receipt_1.reference.jpg`).resize({ width: 680 }).png().toBuffer();
await beside("receipt", await paper(readFileSync(`${testdata}streams/test_receipt_1.bin`)), photo, 0.6);
