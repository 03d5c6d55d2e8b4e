import type { BarcodeModes } from "./barcode-modes.ts";
import { compositeReadable, encodeComposite, expanded, gtin, stackModules, widestStack } from "./composite-symbol.ts";
import { drawMaxiCode } from "./maxicode.ts";
import { withBestMask } from "./qr-mask.ts";
import { encodeQrModel1 } from "./qr-model1.ts";
import {
  binaryText,
  drawMatrix,
  encodeHexagons,
  encodeMatrix,
  encodeRows,
  SymbolDataError,
  type SymbolImage,
} from "./symbol-encoder.ts";
import type { ReadableText } from "./symbol-printing.ts";

/** What a symbol is drawn for. */
export interface SymbolPlace {
  readonly dpi: number;
  readonly roomDots: number;
}

/** One family of GS ( k. */
export interface SymbolFamily {
  readonly name: string;
  /** Second byte of the answer to function 82. */
  readonly sizeIdentifier: number;
  /** The answer to function 82 of the younger families ends with four digits of error information. */
  readonly tellsErrors?: true;
  readonly mostBytes: number;
  readonly readable?: (modes: BarcodeModes) => ReadableText | undefined;
  readonly draw: (modes: BarcodeModes, data: Uint8Array, place: SymbolPlace) => SymbolImage;
}

/** PDF417 level by the number of correction codewords that tenths of the data ask for (GS ( k fn 69, m = 49). */
const PDF417_LEVELS: readonly (readonly [codewords: number, level: number])[] = [
  [3, 1],
  [10, 2],
  [20, 3],
  [45, 4],
  [100, 5],
  [200, 6],
  [400, 7],
];

/** Start and stop patterns and row indicators, in modules; a column of data has 17. */
const PDF417_FRAME = 69;
const PDF417_TRUNCATED_FRAME = 35;
const PDF417_COLUMN = 17;

function pdf417DataCodewords(text: string): number {
  for (const columns of [1, 2, 4, 10, 30]) {
    try {
      const options = { binarytext: true, rowmult: 1, eclevel: 0, columns };
      // Level 0 has two codewords of correction.
      return encodeMatrix("pdf417", text, options).rows * columns - 2;
    } catch (error) {
      if (!(error instanceof SymbolDataError) || columns === 30) throw error;
    }
  }
  return 0;
}

function pdf417Level(modes: BarcodeModes, text: string): number {
  const { kind, value } = modes.pdf417.correction;
  if (kind === "level") return value;
  const codewords = Math.ceil((pdf417DataCodewords(text) * value) / 10);
  return PDF417_LEVELS.find(([most]) => codewords <= most)?.[1] ?? 8;
}

function drawPdf417(modes: BarcodeModes, data: Uint8Array, place: SymbolPlace): SymbolImage {
  const { columns, rows, moduleDots, rowHeight, truncated } = modes.pdf417;
  const text = binaryText(data);
  const symbology = truncated ? "pdf417compact" : "pdf417";
  const fixed = { binarytext: true, rowmult: 1, eclevel: pdf417Level(modes, text), rows };
  let matrix = encodeMatrix(symbology, text, { ...fixed, columns });
  if (columns === 0 && matrix.columns * moduleDots > place.roomDots) {
    // Left to itself the printer takes as many columns as the printing area has room for.
    const frame = truncated ? PDF417_TRUNCATED_FRAME : PDF417_FRAME;
    const fitting = Math.floor((place.roomDots / moduleDots - frame) / PDF417_COLUMN);
    if (fitting >= 1) matrix = encodeMatrix(symbology, text, { ...fixed, columns: fitting });
  }
  return drawMatrix(matrix, moduleDots, moduleDots * rowHeight);
}

function drawQr(modes: BarcodeModes, data: Uint8Array): SymbolImage {
  const { model, moduleDots, level, version } = modes.qr;
  if (model === 1) return drawMatrix(encodeQrModel1(binaryText(data), level - 48), moduleDots);
  const text = binaryText(data);
  const options = { binarytext: true, eclevel: "LMQH"[level - 48] ?? "L" };
  const sized = version === 0 ? options : { ...options, version };
  // Micro QR has no level H; the encoder says so.
  if (model === "micro") return drawMatrix(encodeMatrix("microqrcode", text, sized), moduleDots);
  return drawMatrix(withBestMask(encodeMatrix("qrcode", text, { ...sized, mask: 1 })), moduleDots);
}

function drawStacked(modes: BarcodeModes, data: Uint8Array, place: SymbolPlace): SymbolImage {
  const { moduleDots, limitDots } = modes.stacked;
  const [kind = 0, ...bytes] = data;
  const text = binaryText(bytes);
  if (kind === 72 || kind === 73) {
    return drawMatrix(
      encodeRows(kind === 72 ? "databarstacked" : "databarstackedomni", gtin(text).encoded),
      moduleDots,
    );
  }
  if (kind !== 76) throw new SymbolDataError(`there is no stacked symbol ${kind}`);
  const mostModules = stackModules(limitDots, place.roomDots, moduleDots);
  return drawMatrix(widestStack("databarexpandedstacked", expanded(text).encoded, mostModules), moduleDots);
}

function drawComposite(modes: BarcodeModes, data: Uint8Array, place: SymbolPlace): SymbolImage {
  return drawMatrix(encodeComposite(modes, data, place.roomDots), modes.composite.moduleDots);
}

function drawAztec(modes: BarcodeModes, data: Uint8Array): SymbolImage {
  const { compact, layers, moduleDots, percent } = modes.aztec;
  const options = { binarytext: true, eclevel: percent, format: compact ? "compact" : "full" };
  const matrix = encodeMatrix("azteccode", binaryText(data), layers === 0 ? options : { ...options, layers });
  return drawMatrix(matrix, moduleDots);
}

/** Function 666: sides of a rectangle; a square has one of the others. */
export const DATA_MATRIX_RECTANGLES: Readonly<Record<number, readonly number[]>> = {
  8: [18, 32],
  12: [26, 36],
  16: [36, 48],
};

function drawDataMatrix(modes: BarcodeModes, data: Uint8Array): SymbolImage {
  const { rectangular, rows, columns, moduleDots } = modes.dataMatrix;
  const symbology = rectangular ? "datamatrixrectangular" : "datamatrix";
  const text = binaryText(data);
  if (rows === 0) return drawMatrix(encodeMatrix(symbology, text, { binarytext: true }), moduleDots);
  // The second side of a rectangle may be left to the printer.
  const widths = columns === 0 ? (DATA_MATRIX_RECTANGLES[rows] ?? []) : [columns];
  for (const width of widths) {
    try {
      return drawMatrix(encodeMatrix(symbology, text, { binarytext: true, version: `${rows}x${width}` }), moduleDots);
    } catch (error) {
      if (!(error instanceof SymbolDataError) || width === widths.at(-1)) throw error;
    }
  }
  throw new SymbolDataError(`there is no rectangle of ${rows} rows`);
}

/** By cn of GS ( k. */
export const SYMBOL_FAMILIES: ReadonlyMap<number, SymbolFamily> = new Map<number, SymbolFamily>([
  [48, { name: "PDF417", sizeIdentifier: 0x2f, mostBytes: 2710, draw: drawPdf417 }],
  [49, { name: "QR Code", sizeIdentifier: 0x36, mostBytes: 7089, draw: drawQr }],
  [
    50,
    {
      name: "MaxiCode",
      sizeIdentifier: 0x37,
      mostBytes: 138,
      draw: (modes, data, { dpi }) => drawMaxiCode(encodeHexagons(binaryText(data), modes.maxiCode.mode), dpi),
    },
  ],
  [51, { name: "GS1 DataBar stacked", sizeIdentifier: 0x4f, mostBytes: 256, draw: drawStacked }],
  [52, { name: "Composite", sizeIdentifier: 0x50, mostBytes: 2362, readable: compositeReadable, draw: drawComposite }],
  [53, { name: "Aztec Code", sizeIdentifier: 0x58, tellsErrors: true, mostBytes: 3832, draw: drawAztec }],
  [54, { name: "Data Matrix", sizeIdentifier: 0x59, tellsErrors: true, mostBytes: 3116, draw: drawDataMatrix }],
]);
