import type { BarcodeModes } from "./barcode-modes.ts";
import type { CharacterStyle } from "./character.ts";
import type { FontName } from "./font.ts";
import type { Alignment } from "./line-buffer.ts";
import type { Direction } from "./page-mode.ts";

/** What GS ( M saves and loads: styles, line spacing, positions, bar code settings, and whether the panel works. */
export interface SavedModes {
  readonly font: FontName;
  readonly style: CharacterStyle;
  readonly alignment: Alignment;
  readonly upsideDown: boolean;
  readonly spacingUnits: number;
  readonly spacingUnitsPerInch: number;
  readonly leftMarginDots: number;
  readonly areaWidthDots: number;
  readonly tabStops: readonly number[];
  readonly panelButtons: boolean;
  readonly direction: Direction;
  readonly barcode: Pick<BarcodeModes, "heightDots" | "moduleDots" | "hriPosition" | "hriFont">;
  readonly codeTable: number;
  readonly internationalSet: number;
}

type SavableModes = Omit<SavedModes, "barcode" | "codeTable" | "internationalSet"> & { readonly barcode: BarcodeModes };
type SavableTextModes = Pick<SavedModes, "codeTable" | "internationalSet">;

/** The setting values as they are now. */
export function savedModesOf(modes: SavableModes, text: SavableTextModes): SavedModes {
  const { font, style, alignment, upsideDown, spacingUnits, spacingUnitsPerInch, leftMarginDots, areaWidthDots } =
    modes;
  const { tabStops, panelButtons, direction } = modes;
  const { heightDots, moduleDots, hriPosition, hriFont } = modes.barcode;
  const { codeTable, internationalSet } = text;
  return {
    ...{ font, style, alignment, upsideDown, spacingUnits, spacingUnitsPerInch, leftMarginDots, areaWidthDots },
    ...{ tabStops, panelButtons, direction, codeTable, internationalSet },
    barcode: { heightDots, moduleDots, hriPosition, hriFont },
  };
}
