/** The page header of PWG Raster (PWG 5102.4, clause 4.3): 1796 bytes, all numbers big endian. */
export const pwgSync = "RaS2";
export const pwgHeaderBytes = 1796;

/** Values of ColorSpace (PWG 5102.4, table 4) that this codec knows. */
export const pwgColorSpaces = { rgb: 1, black: 3, sGray: 18, sRgb: 19 } as const;

const fields = {
  resolutionX: 276,
  resolutionY: 280,
  pageSizeX: 352,
  pageSizeY: 356,
  width: 372,
  height: 376,
  bitsPerColor: 384,
  bitsPerPixel: 388,
  bytesPerLine: 392,
  colorOrder: 396,
  colorSpace: 400,
  numColors: 420,
  totalPageCount: 452,
  crossFeedTransform: 456,
  feedTransform: 460,
} as const;

/** How the dots of a page are coded, by the names PWG 5102.4 gives the types. */
export type PwgPixelType = "black_1" | "black_8" | "sgray_1" | "sgray_8" | "srgb_8";

export interface PwgHeader {
  readonly widthDots: number;
  readonly heightDots: number;
  readonly resolutionDpi: number;
  readonly bytesPerLine: number;
  readonly pixelType: PwgPixelType;
  /** Pages of the whole document, or 0 when it is not known. */
  readonly totalPages: number;
}

export type PwgHeaderResult =
  | { readonly ok: true; readonly header: PwgHeader }
  | { readonly ok: false; readonly reason: string };

/** Bits of one pixel. */
export function bitsPerPixel(type: PwgPixelType): number {
  if (type === "srgb_8") return 24;
  return type === "black_1" || type === "sgray_1" ? 1 : 8;
}

/** True when a clear bit or byte is white, as for the black types; the grey and colour types mean light by their numbers. */
export function isZeroWhite(type: PwgPixelType): boolean {
  return type === "black_1" || type === "black_8";
}

function pixelTypeOf(colorSpace: number, bits: number): PwgPixelType | undefined {
  if (colorSpace === pwgColorSpaces.black) {
    if (bits === 1) return "black_1";
    return bits === 8 ? "black_8" : undefined;
  }
  if (colorSpace === pwgColorSpaces.sGray) {
    if (bits === 1) return "sgray_1";
    return bits === 8 ? "sgray_8" : undefined;
  }
  const isColor = colorSpace === pwgColorSpaces.sRgb || colorSpace === pwgColorSpaces.rgb;
  return isColor && bits === 24 ? "srgb_8" : undefined;
}

/** Reads a header and checks that its numbers agree; allocates nothing by them. */
export function parsePwgHeader(bytes: Uint8Array): PwgHeaderResult {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (field: keyof typeof fields): number => view.getUint32(fields[field]);
  const bits = number("bitsPerPixel");
  const pixelType = pixelTypeOf(number("colorSpace"), bits);
  const [widthDots, heightDots] = [number("width"), number("height")];
  const bytesPerLine = Math.ceil((widthDots * bits) / 8);
  let reason = "";
  if (!hasName(bytes)) reason = "the page header does not begin with PwgRaster";
  else if (pixelType === undefined) {
    const seen = `color space ${number("colorSpace")} with ${bits} bits a pixel`;
    reason = `${seen}; expected black or sGray with 1 or 8 bits, or sRGB with 24`;
  } else if (widthDots === 0 || heightDots === 0) reason = `a page of ${widthDots} x ${heightDots} dots`;
  else if (number("colorOrder") !== 0) reason = `color order ${number("colorOrder")}; expected 0 (chunky)`;
  else if (number("bytesPerLine") !== bytesPerLine) {
    reason = `${number("bytesPerLine")} bytes a line; expected ${bytesPerLine} for ${widthDots} dots`;
  }
  if (reason !== "" || pixelType === undefined) return { ok: false, reason };
  const resolutionDpi = number("resolutionX");
  return {
    ok: true,
    header: { widthDots, heightDots, resolutionDpi, bytesPerLine, pixelType, totalPages: number("totalPageCount") },
  };
}

function hasName(bytes: Uint8Array): boolean {
  // CUPS leaves MediaClass empty in the raster it makes for itself; the standard wants the name (clause 4.3.1.1).
  const name = "PwgRaster\0";
  for (let i = 0; i < name.length; i += 1) if (bytes[i] !== name.charCodeAt(i)) return false;
  return true;
}

/** Writes a header; fields that are not given are 0, which the standard reads as "default". */
export function makePwgHeader(header: Omit<PwgHeader, "bytesPerLine">): Uint8Array {
  const bytes = new Uint8Array(pwgHeaderBytes);
  const view = new DataView(bytes.buffer);
  const put = (field: keyof typeof fields, value: number): void => view.setUint32(fields[field], value);
  for (const [i, char] of [..."PwgRaster"].entries()) bytes[i] = char.charCodeAt(0);
  const bits = bitsPerPixel(header.pixelType);
  const isColor = header.pixelType === "srgb_8";
  const grey = isZeroWhite(header.pixelType) ? pwgColorSpaces.black : pwgColorSpaces.sGray;
  put("resolutionX", header.resolutionDpi);
  put("resolutionY", header.resolutionDpi);
  // PageSize is in points (1/72 inch).
  put("pageSizeX", Math.round((header.widthDots * 72) / header.resolutionDpi));
  put("pageSizeY", Math.round((header.heightDots * 72) / header.resolutionDpi));
  put("width", header.widthDots);
  put("height", header.heightDots);
  put("bitsPerColor", bits === 1 ? 1 : 8);
  put("bitsPerPixel", bits);
  put("bytesPerLine", Math.ceil((header.widthDots * bits) / 8));
  put("colorSpace", isColor ? pwgColorSpaces.sRgb : grey);
  put("numColors", isColor ? 3 : 1);
  put("totalPageCount", header.totalPages);
  put("crossFeedTransform", 1);
  put("feedTransform", 1);
  return bytes;
}
