/** What GS h, GS w, GS H, GS f and the setting functions of GS ( k leave behind; ESC @ makes it new. */
export interface BarcodeModes {
  heightDots: number;
  /** GS w: dots of a module. */
  moduleDots: number;
  /** GS H: bit 0 above the bars, bit 1 below them. */
  hriPosition: number;
  hriFont: "a" | "b";
  readonly pdf417: {
    columns: number;
    rows: number;
    moduleDots: number;
    /** Times the module width. */
    rowHeight: number;
    /** A fixed level 0-8, or tenths of the data. */
    correction: { readonly kind: "level" | "tenths"; readonly value: number };
    truncated: boolean;
  };
  readonly qr: {
    model: 1 | 2 | "micro";
    moduleDots: number;
    level: number;
    /** 1 to 40, where a command names it; 0 is the one that the data need. */
    version: number;
  };
  readonly maxiCode: { mode: number };
  readonly stacked: { moduleDots: number; limitDots: number };
  readonly composite: {
    moduleDots: number;
    limitDots: number;
    /** Undefined prints no HRI characters. */
    hriFont: "a" | "b" | undefined;
    linear: Uint8Array | undefined;
  };
  readonly aztec: { compact: boolean; layers: number; moduleDots: number; percent: number };
  readonly dataMatrix: { rectangular: boolean; rows: number; columns: number; moduleDots: number };
  /** GS Z: 0 PDF417, 1 Data Matrix, 2 QR Code. */
  typedSymbol: number;
  /** The symbol storage area, by the cn of GS ( k. */
  readonly stored: Map<number, Uint8Array>;
}

export function initialBarcodeModes(): BarcodeModes {
  return {
    heightDots: 162,
    moduleDots: 3,
    hriPosition: 0,
    hriFont: "a",
    pdf417: {
      columns: 0,
      rows: 0,
      moduleDots: 3,
      rowHeight: 3,
      correction: { kind: "tenths", value: 1 },
      truncated: false,
    },
    qr: { model: 2, moduleDots: 3, level: 48, version: 0 },
    maxiCode: { mode: 2 },
    stacked: { moduleDots: 2, limitDots: 0 },
    composite: { moduleDots: 2, limitDots: 0, hriFont: undefined, linear: undefined },
    aztec: { compact: false, layers: 0, moduleDots: 3, percent: 23 },
    dataMatrix: { rectangular: false, rows: 0, columns: 0, moduleDots: 3 },
    typedSymbol: 0,
    stored: new Map(),
  };
}
