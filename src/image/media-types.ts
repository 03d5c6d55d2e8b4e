import type { DocumentFormat } from "./detect-format.ts";

/** What programs call the formats. */
export const mediaTypes: Readonly<Record<DocumentFormat, string>> = {
  png: "image/png",
  jpeg: "image/jpeg",
  text: "text/plain",
  pwg: "image/pwg-raster",
  escpos: "application/vnd.escpos",
};
