import type { BarcodeModes } from "./barcode-modes.ts";
import { suppressZeros } from "./barcode-systems.ts";
import { checkDigit, readExpanded, readGs1 } from "./gs1.ts";
import { binaryText, encodeRows, type ModuleMatrix, SymbolDataError } from "./symbol-encoder.ts";
import type { ReadableText } from "./symbol-printing.ts";

/** Element strings with every application identifier in parentheses, as the encoder takes them. */
export interface LinearText {
  readonly encoded: string;
  readonly readable: string;
}

export function gtin(digits: string): LinearText {
  if (!/^[0-9]{13}$/.test(digits)) throw new SymbolDataError("GS1 DataBar takes 13 digits");
  const readable = `(01)${digits}${checkDigit(digits)}`;
  return { encoded: readable, readable };
}

export function expanded(text: string): LinearText {
  return elementStrings(text, readExpanded);
}

function elementStrings(text: string, read = readGs1): LinearText {
  const data = read(text);
  if (data === undefined || data.content === "") throw new SymbolDataError("no GS1 data");
  return { encoded: data.elements, readable: data.readable };
}

/** "Transmit the data except for the modular check character." */
function retail(length: number): (digits: string) => LinearText {
  return (digits) => {
    if (digits.length !== length - 1) throw new SymbolDataError(`the linear element takes ${length - 1} digits`);
    const readable = digits + checkDigit(digits);
    return { encoded: readable, readable };
  };
}

function upcE(digits: string | undefined): LinearText {
  if (digits?.length !== 6) throw new SymbolDataError("UPC-E cannot hold these data");
  return { encoded: `0${digits}`, readable: `0${digits}` };
}

interface Composite {
  readonly symbology: string;
  readonly read: (text: string) => LinearText;
  /** "Even when HRI characters are designated to be added, HRI characters are not added to this symbol." */
  readonly unreadable?: true;
}

/** The linear element, by b of GS ( k cn = 52 fn = 80 with a = 48. */
const COMPOSITES: ReadonlyMap<number, Composite> = new Map<number, Composite>([
  [65, { symbology: "ean8composite", read: retail(8) }],
  [66, { symbology: "ean13composite", read: retail(13) }],
  [67, { symbology: "upcacomposite", read: retail(12) }],
  [68, { symbology: "upcecomposite", read: upcE }],
  [69, { symbology: "upcecomposite", read: (text) => upcE(text.startsWith("0") ? suppressZeros(text) : undefined) }],
  [70, { symbology: "databaromnicomposite", read: gtin }],
  [71, { symbology: "databartruncatedcomposite", read: gtin }],
  [72, { symbology: "databarstackedcomposite", read: gtin, unreadable: true }],
  [73, { symbology: "databarstackedomnicomposite", read: gtin, unreadable: true }],
  [74, { symbology: "databarlimitedcomposite", read: gtin }],
  [75, { symbology: "databarexpandedcomposite", read: expanded }],
  [76, { symbology: "databarexpandedstackedcomposite", read: expanded, unreadable: true }],
  [77, { symbology: "gs1-128composite", read: elementStrings }],
]);

/** As the printer, the encoder does not judge what the application identifiers mean. */
const GS1_OPTIONS = { parse: true, dontlint: true };

const EXPANDED_STACKED = 76;
/** b = 66 is CC-C, which only GS1-128 can carry; 65 leaves it to the printer. */
const CC_C = 66;

function linearOf(modes: BarcodeModes): {
  readonly kind: number;
  readonly composite: Composite;
  readonly text: string;
} {
  const { linear } = modes.composite;
  if (linear === undefined) throw new SymbolDataError("a composite symbol has no linear element yet");
  const [kind = 0, ...bytes] = linear;
  const composite = COMPOSITES.get(kind);
  if (composite === undefined) throw new SymbolDataError(`there is no linear element ${kind}`);
  return { kind, composite, text: binaryText(bytes) };
}

/** The modules of the stored linear element and of `component` above it. */
export function encodeComposite(modes: BarcodeModes, component: Uint8Array, roomDots: number): ModuleMatrix {
  const { kind, composite, text } = linearOf(modes);
  const [version = 0, ...bytes] = component;
  const content = `${composite.read(text).encoded}|${elementStrings(binaryText(bytes)).encoded}`;
  if (version === CC_C && composite.symbology !== "gs1-128composite") {
    throw new SymbolDataError("only GS1-128 carries a CC-C");
  }
  const options = version === CC_C ? { ...GS1_OPTIONS, ccversion: "c" } : GS1_OPTIONS;
  if (kind !== EXPANDED_STACKED) return encodeRows(composite.symbology, content, options);
  const { moduleDots, limitDots } = modes.composite;
  return widestStack(composite.symbology, content, stackModules(limitDots, roomDots, moduleDots));
}

/** Functions 371 and 471: the greatest width of an expanded stacked symbol, never more than the printing area. */
export function stackModules(limitDots: number, roomDots: number, moduleDots: number): number {
  return (limitDots === 0 ? roomDots : Math.min(limitDots, roomDots)) / moduleDots;
}

/** As many segments side by side as the greatest width allows, two at least. */
export function widestStack(symbology: string, elements: string, mostModules: number): ModuleMatrix {
  let failure: unknown;
  for (let segments = 20; segments >= 2; segments -= 2) {
    try {
      const matrix = encodeRows(symbology, elements, { segments, ...GS1_OPTIONS });
      if (matrix.columns <= mostModules || segments === 2) return matrix;
    } catch (error) {
      // A 2D component needs a wide first row.
      failure = error;
    }
  }
  throw failure;
}

/** Function 472: the HRI characters of the linear element. */
export function compositeReadable(modes: BarcodeModes): ReadableText | undefined {
  const font = modes.composite.hriFont;
  if (font === undefined) return undefined;
  const { composite, text } = linearOf(modes);
  if (composite.unreadable) return undefined;
  return { text: composite.read(text).readable, font, above: false, below: true };
}
