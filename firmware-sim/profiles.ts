import { CLONE_CODE_TABLES, type CodeTableNumbering } from "./code-tables.ts";
import { type DriveTraits, THERMAL_DRIVE } from "./drive.ts";
import type { CharacterCell } from "./font.ts";
import type { KanjiSystem } from "./kanji.ts";

/** What one printer model is and does. Lengths are dots of the head unless the name says otherwise. */
export interface Profile {
  readonly name: string;
  readonly widthDots: number;
  readonly dpi: number;
  /** GS P defaults: motion units per inch. */
  readonly horizontalUnitsPerInch: number;
  readonly verticalUnitsPerInch: number;
  /** ESC 2, in the default vertical motion unit. */
  readonly defaultSpacingUnits: number;
  /** At a quarter of black dots or less. */
  readonly speedMmPerS: number;
  readonly drive: DriveTraits;
  /** GS ( K fn 50: how many speeds there are, the last one being the full one. */
  readonly speedLevels: number;
  readonly bufferBytes: number;
  /** BUSY when the receive buffer has no more room than this ... */
  readonly busyAtFreeBytes: number;
  /** ... until it has this much again. */
  readonly readyAtFreeBytes: number;
  /** What finds no room in the receive buffer; absent: lost on lines without flow control, kept by the host on others. */
  readonly overflow?: "lost" | "waits";
  /** BUSY also tells that the printer is offline, not only that its buffer is full (a switch of serial printers). */
  readonly busyWhenOffline: boolean;
  /** How many dot rows may be interpreted ahead of the head. */
  readonly printQueueRows: number;
  readonly memory: {
    /** GS ( L 64-69, FS q. */
    readonly nvGraphicsBytes: number;
    /** GS ( L 80-85. */
    readonly ramGraphicsBytes: number;
    /** GS ( C. */
    readonly nvRecordBytes: number;
    /** GS : takes no more. */
    readonly macroBytes: number;
  };
  readonly headToCutterDots: number;
  readonly cutMs: number;
  /** Printer rows per source row of the 8-dot modes of ESC *. */
  readonly columnPitch8: number;
  /** ESC M: the cells of the fonts it has; `special`: A and B as 97 and 98, too. */
  readonly fonts: {
    readonly a: CharacterCell;
    readonly b: CharacterCell;
    readonly c?: CharacterCell;
    readonly special?: true;
  };
  /** ESC t; absent where the numbers are Epson's. */
  readonly codeTables?: CodeTableNumbering;
  /** ESC B n t, a buzzer's command of clones; absent: taken for text. */
  readonly readsBeepCommand?: true;
  /** GS Z and ESC Z, symbols of clones, by the n of GS Z; absent: taken for text. */
  readonly typedSymbols?: readonly number[];
  /** Two-byte characters; absent in models without them. */
  readonly kanji?: { readonly system: KanjiSystem; readonly onAtPowerOn: boolean };
  readonly identity: {
    /** GS I 1, 2, 3: one byte each. */
    readonly modelId: number;
    readonly typeId: number;
    readonly romVersion: number;
    /** GS I 33, 35, 36, 96: `3D n … 00`; a number that is absent is not answered. */
    readonly typeInfo: Readonly<Record<number, string>>;
    /** GS I 65-69: `5F … 00`. */
    readonly firmware: string;
    readonly maker: string;
    readonly model: string;
    readonly serial: string;
    readonly font: string;
  };
  readonly supports: {
    /** GS ( H functions 48 and 49. */
    readonly processId: boolean;
    /** GS a, GS j. */
    readonly asb: boolean;
    /** GS I 33 and 65-69 (1-3 are answered by all). */
    readonly identityText: boolean;
    /** DLE DC4 function 8. */
    readonly clearBuffer: boolean;
    /** GS ( L, GS 8 L. */
    readonly graphics: boolean;
    /** FS ( C: UTF-8. */
    readonly utf8: boolean;
    /** ESC L and all that belongs to it. */
    readonly pageMode: boolean;
    /** GS k: the systems by m = 65 and up; those up to 71 are also known as m = 0 to 6. */
    readonly barcodeSystems: readonly number[];
    /** GS ( k: the symbols by cn. */
    readonly symbols: readonly number[];
    readonly cutter: boolean;
    /** ESC ( A, DLE DC4 fn 3. */
    readonly buzzer: boolean;
    /** Real-time commands whose bytes occur inside image data are carried out, too. */
    readonly realTimeInData: boolean;
  };
  readonly quirks: {
    /** ESC J is consumed and does nothing. */
    readonly ignoresEscJ?: true;
    /** GS V 66 is consumed and does nothing. */
    readonly ignoresPartialCutFeed?: true;
    /** One LF right after GS v 0 is swallowed. */
    readonly swallowsLineFeedAfterRaster?: true;
    /** ESC \ goes to the right only. */
    readonly ignoresNegativeEscBackslash?: true;
    /** ESC $ does nothing once something printable is in the line. */
    readonly ignoresEscDollarInLine?: true;
    /** A bar code of the form with NUL (m = 0 to 6) returns GS h, GS w, GS H and GS f to their defaults. */
    readonly resetsBarcodeSettings?: true;
    /** GS k with a system it does not have ends there: the data are printed as text. */
    readonly printsUnknownBarcodes?: true;
    /** After GS v 0 of a height that is a multiple of this, it takes what follows for so many rows more. */
    readonly rasterOverrun?: number;
  };
}

/** The sizes of the manuals (TM-T88III, 1.8; TM-T88VI has 262144 bytes for NV graphics, too). */
const EPSON_MEMORY: Profile["memory"] = {
  nvGraphicsBytes: 256 * 1024,
  ramGraphicsBytes: 12 * 1024,
  nvRecordBytes: 1024,
  macroBytes: 2048,
};

const EPSON_SUPPORTS: Profile["supports"] = {
  processId: true,
  asb: true,
  identityText: true,
  clearBuffer: true,
  graphics: true,
  utf8: true,
  pageMode: true,
  barcodeSystems: [65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79],
  symbols: [48, 49, 50, 51, 52, 53, 54],
  cutter: true,
  buzzer: true,
  realTimeInData: true,
};

const CLONE_SUPPORTS: Profile["supports"] = {
  ...EPSON_SUPPORTS,
  processId: false,
  identityText: false,
  clearBuffer: false,
  graphics: false,
  utf8: false,
  barcodeSystems: [65, 66, 67, 68, 69, 70, 71, 72, 73],
  symbols: [48, 49],
};

const TWO_FONTS: Profile["fonts"] = {
  a: { widthDots: 12, heightDots: 24 },
  b: { widthDots: 9, heightDots: 17 },
};

const TM_M30III: Profile = {
  name: "tm-m30iii",
  widthDots: 576,
  dpi: 203,
  horizontalUnitsPerInch: 203,
  verticalUnitsPerInch: 406,
  // 1/6 inch is 67.67 units of 1/406 inch; a printer can only keep whole units.
  defaultSpacingUnits: 68,
  speedMmPerS: 300,
  drive: THERMAL_DRIVE,
  speedLevels: 13,
  bufferBytes: 4096,
  busyAtFreeBytes: 128,
  readyAtFreeBytes: 256,
  busyWhenOffline: true,
  printQueueRows: 240,
  memory: EPSON_MEMORY,
  headToCutterDots: 96,
  cutMs: 250,
  columnPitch8: 3,
  fonts: {
    a: { widthDots: 12, heightDots: 24 },
    b: { widthDots: 10, heightDots: 24 },
    c: { widthDots: 9, heightDots: 17 },
    special: true,
  },
  kanji: { system: "japanese", onAtPowerOn: false },
  identity: {
    modelId: 0x20,
    typeId: 0x02,
    romVersion: 0x01,
    typeInfo: { 33: "TM-m30III", 35: "1", 36: "1" },
    firmware: "1.00 SIM",
    maker: "EPSON",
    model: "TM-m30III",
    serial: "SIM0000001",
    font: "",
  },
  supports: EPSON_SUPPORTS,
  quirks: {},
};

const TM_T88VI: Profile = {
  ...TM_M30III,
  name: "tm-t88vi",
  widthDots: 512,
  dpi: 180,
  horizontalUnitsPerInch: 180,
  verticalUnitsPerInch: 360,
  defaultSpacingUnits: 60,
  speedMmPerS: 350,
  headToCutterDots: 100,
  fonts: TWO_FONTS,
  identity: {
    ...TM_M30III.identity,
    typeInfo: { 33: "TM-T88VI", 36: "1" },
    model: "TM-T88VI",
    serial: "SIM0000002",
  },
};

const XP_80: Profile = {
  ...TM_M30III,
  name: "xp-80",
  fonts: TWO_FONTS,
  codeTables: CLONE_CODE_TABLES,
  readsBeepCommand: true,
  typedSymbols: [0, 1, 2],
  // Sold abroad with the two-byte mode switched off.
  kanji: { system: "gb18030", onAtPowerOn: false },
  verticalUnitsPerInch: 203,
  defaultSpacingUnits: 30,
  speedMmPerS: 200,
  identity: {
    ...TM_M30III.identity,
    typeInfo: {},
    firmware: "SIM",
    maker: "XP",
    model: "XP-80",
    serial: "SIM0000003",
  },
  supports: CLONE_SUPPORTS,
};

const NT_5890K: Profile = {
  ...XP_80,
  name: "nt-5890k",
  widthDots: 384,
  speedMmPerS: 90,
  memory: { ...EPSON_MEMORY, nvGraphicsBytes: 64 * 1024 },
  headToCutterDots: 0,
  columnPitch8: 1,
  typedSymbols: [2],
  identity: { ...XP_80.identity, maker: "NETUM", model: "NT-5890K", serial: "SIM0000004" },
  supports: { ...CLONE_SUPPORTS, symbols: [49], cutter: false, buzzer: false, asb: false, pageMode: false },
  quirks: {
    ignoresEscJ: true,
    ignoresPartialCutFeed: true,
    swallowsLineFeedAfterRaster: true,
    ignoresNegativeEscBackslash: true,
    ignoresEscDollarInLine: true,
    resetsBarcodeSettings: true,
    printsUnknownBarcodes: true,
  },
};

/** Sold under many names: after a picture of 96, 144, 192 ... rows it swallows what comes next (python-escpos 424). */
const POS_5890K: Profile = {
  ...NT_5890K,
  name: "pos-5890k",
  identity: { ...NT_5890K.identity, maker: "POS", model: "POS-5890K", serial: "SIM0000006" },
  quirks: { rasterOverrun: 48 },
};

/** Unlike its cousin it obeys ESC J, in units of 0.125 mm, a dot of its head; it has no cutter and no GS ( L either. */
const ZJ_58: Profile = {
  ...NT_5890K,
  name: "zj-58",
  identity: { ...NT_5890K.identity, maker: "ZJIANG", model: "ZJ-58", serial: "SIM0000005" },
  quirks: {},
};

export const PROFILES: readonly Profile[] = [TM_M30III, TM_T88VI, XP_80, NT_5890K, ZJ_58, POS_5890K];

/** The printer with its switch at the small receive buffer of 45 bytes. */
export function withSmallBuffer(profile: Profile): Profile {
  return { ...profile, bufferBytes: 45, busyAtFreeBytes: 16, readyAtFreeBytes: 26 };
}

/** The printer with real-time commands that are carried out only where no command's data are. */
export function withStrictRealTime(profile: Profile): Profile {
  return { ...profile, supports: { ...profile.supports, realTimeInData: false } };
}

/** The printer with a receive buffer that loses what it has no room for, or never does, on every line. */
export function withOverflow(profile: Profile, overflow: "lost" | "waits"): Profile {
  return { ...profile, overflow };
}

/** The printer as its memory switches have it (GS ( E): Msw 1-2 is the small buffer, 1-3 BUSY for a full buffer only. */
export function withSwitches(profile: Profile, isOn: (bank: number, number: number) => boolean): Profile {
  const sized = isOn(1, 2) ? withSmallBuffer(profile) : profile;
  return isOn(1, 3) ? { ...sized, busyWhenOffline: false } : sized;
}

export const DEFAULT_PROFILE_NAME = TM_M30III.name;

/** The profile of that name; throws with the list of known names otherwise. */
export function findProfile(name: string = DEFAULT_PROFILE_NAME): Profile {
  const profile = PROFILES.find((candidate) => candidate.name === name);
  if (profile === undefined) {
    throw new Error(`no printer profile "${name}"; known: ${PROFILES.map((known) => known.name).join(", ")}`);
  }
  return profile;
}
