import type { BarcodeModes } from "./barcode-modes.ts";
import { checkDigit, readGs1 } from "./gs1.ts";
import { drawMaxiCode } from "./maxicode.ts";
import {
  binaryText,
  drawMatrix,
  encodeHexagons,
  encodeMatrix,
  type ModuleMatrix,
  SymbolDataError,
  type SymbolImage,
} from "./symbol-encoder.ts";

/** What a symbol is drawn for. */
export interface SymbolPlace {
  readonly dpi: number;
  readonly roomDots: number;
}

/** One family of GS ( k. */
export interface SymbolFamily {
  readonly name: string;
  /** Second byte of the answer to function 82; undefined where no manual that we could read names it. */
  readonly sizeIdentifier?: number;
  readonly mostBytes: number;
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
  const { model, moduleDots, level } = modes.qr;
  const letter = "LMQH"[level - 48] ?? "L";
  // Micro QR has no level H; the encoder says so.
  const symbology = model === "micro" ? "microqrcode" : "qrcode";
  return drawMatrix(encodeMatrix(symbology, binaryText(data), { binarytext: true, eclevel: letter }), moduleDots);
}

function drawStacked(modes: BarcodeModes, data: Uint8Array, place: SymbolPlace): SymbolImage {
  const { moduleDots, limitDots } = modes.stacked;
  const [kind = 0, ...bytes] = data;
  const text = binaryText(bytes);
  if (kind === 72 || kind === 73) {
    return drawMatrix(encodeMatrix(kind === 72 ? "databarstacked" : "databarstackedomni", gtin(text)), moduleDots);
  }
  if (kind !== 76) throw new SymbolDataError(`there is no stacked symbol ${kind}`);
  return drawMatrix(expandedStacked(text, (limitDots || place.roomDots) / moduleDots), moduleDots);
}

function gtin(digits: string): string {
  if (!/^[0-9]{13}$/.test(digits)) throw new SymbolDataError("GS1 DataBar takes 13 digits");
  return `(01)${digits}${checkDigit(digits)}`;
}

function elementStrings(text: string): string {
  const read = readGs1(text);
  if (read === undefined || read.content === "") throw new SymbolDataError("no GS1 data");
  return read.elements;
}

/** As many segments side by side as the greatest width allows, two at least. */
function expandedStacked(text: string, mostModules: number): ModuleMatrix {
  const elements = elementStrings(text);
  for (let segments = 20; segments > 2; segments -= 2) {
    const matrix = encodeMatrix("databarexpandedstacked", elements, { segments, dontlint: true });
    if (matrix.columns <= mostModules) return matrix;
  }
  return encodeMatrix("databarexpandedstacked", elements, { segments: 2, dontlint: true });
}

/** The linear element of a composite symbol, by b of GS ( k cn = 52 fn = 80. */
const COMPOSITES: ReadonlyMap<number, readonly [symbology: string, form: (text: string) => string]> = new Map([
  [65, ["ean8composite", (text: string) => completed(text, 8)]],
  [66, ["ean13composite", (text: string) => completed(text, 13)]],
  [67, ["upcacomposite", (text: string) => completed(text, 12)]],
  [68, ["upcecomposite", (text: string) => `0${text}`]],
  [70, ["databaromnicomposite", gtin]],
  [71, ["databartruncatedcomposite", gtin]],
  [72, ["databarstackedcomposite", gtin]],
  [73, ["databarstackedomnicomposite", gtin]],
  [74, ["databarlimitedcomposite", gtin]],
  [75, ["databarexpandedcomposite", elementStrings]],
  [76, ["databarexpandedstackedcomposite", elementStrings]],
  [77, ["gs1-128composite", elementStrings]],
]);

function completed(digits: string, length: number): string {
  const body = digits.slice(0, length - 1);
  return body + checkDigit(body);
}

function drawComposite(modes: BarcodeModes, data: Uint8Array): SymbolImage {
  const { moduleDots, linear } = modes.composite;
  if (linear === undefined) throw new SymbolDataError("a composite symbol has no linear element yet");
  const [kind = 0, ...linearBytes] = linear;
  const [component = 0, ...componentBytes] = data;
  const composite = COMPOSITES.get(kind);
  if (composite === undefined) throw new SymbolDataError(`there is no linear element ${kind}`);
  const [symbology, form] = composite;
  const text = `${form(binaryText(linearBytes))}|${elementStrings(binaryText(componentBytes))}`;
  // b = 66 is CC-C, which only GS1-128 can carry; 65 leaves it to the printer.
  const options = component === 66 ? { dontlint: true, ccversion: "c" } : { dontlint: true };
  return drawMatrix(encodeMatrix(symbology, text, options), moduleDots);
}

function drawAztec(modes: BarcodeModes, data: Uint8Array): SymbolImage {
  const { compact, layers, moduleDots, percent } = modes.aztec;
  const options = { binarytext: true, eclevel: percent, format: compact ? "compact" : "full" };
  const matrix = encodeMatrix("azteccode", binaryText(data), layers === 0 ? options : { ...options, layers });
  return drawMatrix(matrix, moduleDots);
}

function drawDataMatrix(modes: BarcodeModes, data: Uint8Array): SymbolImage {
  const { rectangular, rows, columns, moduleDots } = modes.dataMatrix;
  const symbology = rectangular ? "datamatrixrectangular" : "datamatrix";
  const options = { binarytext: true, ...(rows === 0 ? {} : { version: `${rows}x${columns === 0 ? rows : columns}` }) };
  return drawMatrix(encodeMatrix(symbology, binaryText(data), options), moduleDots);
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
  [52, { name: "Composite", mostBytes: 2362, draw: drawComposite }],
  [53, { name: "Aztec Code", mostBytes: 3832, draw: drawAztec }],
  [54, { name: "Data Matrix", mostBytes: 3116, draw: drawDataMatrix }],
]);
