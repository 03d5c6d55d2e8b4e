import { TwinspoolError } from "../../protocol/errors.ts";
import type { Evidence } from "../../protocol/job.ts";

/** One kind of ESC/POS printer as data (design §6). */
export interface PrinterModel {
  readonly name: string;
  readonly title: string;
  readonly widthDots: number;
  readonly resolutionDpi: number;
  /** ESC J counts vertical motion units; this many make one dot row. */
  readonly verticalMotionUnitsPerDot: number;
  /** Blank rows as ESC J feeds, or as one-byte-wide rasters where makers disagree on the unit of ESC J or leave it out. */
  readonly blankRows: "feed" | "raster";
  readonly speedMmPerS: number;
  /** Best evidence of the end of output to ask for. */
  readonly evidence: Evidence;
  /** True when the model is known to answer: its silence is a fault, not a missing back channel. */
  readonly answers: boolean;
  /** Clears its buffers by DLE DC4 fn 8 and says so. */
  readonly clearBuffer: boolean;
  /** Most rows of one GS v 0; keeps a band inside small receive buffers and the progress fine. */
  readonly bandRows: number;
  /** Blank rows between the last line and the cut, or the tear bar; GS V 66 feeds to the blade by itself. */
  readonly feedBeforeCutRows: number;
  /** Bytes of the cut, empty without a cutter. */
  readonly cut: readonly number[];
  readonly cutMs: number;
}

/** GS V 66 0: feed to the blade, partial cut. */
const feedAndPartialCut = [0x1d, 0x56, 0x42, 0x00] as const;

const epson = {
  // GS P defaults: the vertical unit is half a dot, 1/360 inch at 180 dpi and 1/406 inch at 203 dpi.
  verticalMotionUnitsPerDot: 2,
  blankRows: "feed",
  evidence: "process-id",
  answers: true,
  clearBuffer: true,
  bandRows: 120,
  feedBeforeCutRows: 0,
  cut: feedAndPartialCut,
  cutMs: 700,
} as const;

// Band heights of clones keep clear of 48 and its multiples, which some POS-5890K firmware prints wrong.
const clone = {
  verticalMotionUnitsPerDot: 1,
  blankRows: "raster",
  clearBuffer: false,
  bandRows: 40,
  feedBeforeCutRows: 0,
  cut: feedAndPartialCut,
  cutMs: 1000,
} as const;

export const printerModels: readonly PrinterModel[] = [
  { ...epson, name: "tm-m30iii", title: "Epson TM-m30III", widthDots: 576, resolutionDpi: 203, speedMmPerS: 300 },
  { ...epson, name: "tm-t88vi", title: "Epson TM-T88VI", widthDots: 512, resolutionDpi: 180, speedMmPerS: 350 },
  {
    ...clone,
    name: "xp-80",
    title: "Xprinter XP-80",
    widthDots: 576,
    resolutionDpi: 203,
    speedMmPerS: 200,
    evidence: "status",
    answers: true,
  },
  {
    ...clone,
    name: "generic-80",
    title: "ESC/POS printer, 80 mm",
    widthDots: 576,
    resolutionDpi: 203,
    speedMmPerS: 150,
    evidence: "process-id",
    answers: false,
  },
  {
    ...clone,
    name: "generic-58",
    title: "ESC/POS printer, 58 mm",
    widthDots: 384,
    resolutionDpi: 203,
    speedMmPerS: 80,
    // An unknown GS command leaves its letters on the ticket, and these printers know few of them.
    evidence: "none",
    answers: false,
    // To the tear bar: about 15 mm.
    feedBeforeCutRows: 120,
    cut: [],
    cutMs: 0,
  },
];

/** The row of a model. Throws `config-invalid`, naming the models there are. */
export function findPrinterModel(name: string): PrinterModel {
  const model = printerModels.find((row) => row.name === name.toLowerCase());
  if (model !== undefined) return model;
  const names = printerModels.map((row) => row.name).join(", ");
  throw new TwinspoolError("config-invalid", `model: ${name.slice(0, 64)} is not one of ${names}`);
}
