import { type BarcodeModes, initialBarcodeModes } from "./barcode-modes.ts";
import { type DotRow, orImage, rowBytes, widenDots } from "./bits.ts";
import { type CharacterStyle, characterWidthDots, PLAIN_STYLE } from "./character.ts";
import type { FontName, Glyph } from "./font.ts";
import { type Alignment, alignmentOffset, LineBuffer } from "./line-buffer.ts";
import { type LogoPlace, PrinterMemory } from "./memory.ts";
import type { Direction, PageBuffer, PageSize, PrintArea } from "./page-mode.ts";
import type { DataSink } from "./parser.ts";
import type { Sound } from "./printer-state.ts";
import type { Profile } from "./profiles.ts";
import { type SavedModes, savedModesOf } from "./saved-modes.ts";
import type { Conditions } from "./status.ts";
import type { CutKind, Step } from "./step.ts";
import { TextPrinter } from "./text-printer.ts";

/** What the interpreter can bring about. Answers go to the connection whose byte completed the command. */
export interface EngineOutput {
  /** What the printer remembers besides its buffers; without it memory lives as long as the engine. */
  readonly memory?: PrinterMemory;
  push(step: Step): void;
  reply(bytes: readonly number[]): void;
  /** What sends the process ID when called; the connection is fixed now. */
  processIdResponse(id: readonly number[]): () => void;
  /** GS ( H fn 49. */
  setOfflineResponse(mode: number): void;
  /** GS a n. */
  setAutomaticStatus(n: number): void;
  /** FS ( e: ASB of optional functions. */
  setExtendedStatus?(enabled: boolean): void;
  /** GS ( D: whether DLE DC4 of this function is carried out. */
  armRealTime?(fn: number, armed: boolean): void;
  /** ESC @ ends ASB on every connection. */
  initialized(): void;
  pulse(pin: number, onMs: number, offMs: number): void;
  sound?(sound: Omit<Sound, "atMs">): void;
  /** GS ( K: a share of the full speed, and the energy of a dot in shares of the standard. */
  setDrive?(speed: number, density: number): void;
  /** ESC c 4: whether paper near its end stops printing. */
  stopNearEnd?(stops: boolean): void;
  /** GS ^ m = 1: calls back when the feed button has been pressed. */
  waitForButton?(pressed: () => void): void;
  /** What the interpreter waited for has come about. */
  goOn?(): void;
  /** GS ( E fn 2: everything begins anew, with the settings that are stored now. */
  restart?(): void;
  conditions(): Conditions;
  diagnose(kind: "unsupported" | "ignored" | "out-of-range", detail: string): void;
}

interface Modes {
  font: FontName;
  style: CharacterStyle;
  alignment: Alignment;
  upsideDown: boolean;
  /** Line spacing and the motion unit it was set in: GS P leaves it alone afterwards. */
  spacingUnits: number;
  spacingUnitsPerInch: number;
  leftMarginDots: number;
  areaWidthDots: number;
  horizontalUnitsPerInch: number;
  verticalUnitsPerInch: number;
  /** ESC D, in dots of the line. */
  tabStops: readonly number[];
  /** ESC c 5. */
  panelButtons: boolean;
  readonly barcode: BarcodeModes;
  /** ESC W, ESC T, GS ( P: kept from page to page, and set in standard mode for the next one. */
  printArea: PrintArea | undefined;
  direction: Direction;
  pageSize: PageSize;
}

const NO_DOTS = new Uint8Array(0);
const DEFAULT_PAGE_ROWS = 831;

/** Process IDs that wait for one line; of more, the latest count. */
const MOST_LINE_MARKERS = 256;

/** Steps of the motor finer than a dot must not be lost to rounding. */
const FEED_EPSILON = 1e-6;

function initialModes(profile: Profile): Modes {
  return {
    font: "a",
    style: PLAIN_STYLE,
    alignment: "left",
    upsideDown: false,
    spacingUnits: profile.defaultSpacingUnits,
    spacingUnitsPerInch: profile.verticalUnitsPerInch,
    leftMarginDots: 0,
    areaWidthDots: profile.widthDots,
    horizontalUnitsPerInch: profile.horizontalUnitsPerInch,
    verticalUnitsPerInch: profile.verticalUnitsPerInch,
    tabStops: Array.from({ length: 32 }, (_, index) => (index + 1) * 8 * profile.fonts.a.widthDots),
    panelButtons: true,
    barcode: initialBarcodeModes(),
    printArea: undefined,
    direction: 0,
    // The manual's greatest area without GS ( P is 1662 vertical units of half a dot.
    pageSize: { widthDots: profile.widthDots, heightDots: DEFAULT_PAGE_ROWS },
  };
}

/** The interpreter of standard mode: what commands do to the print buffer, and what they ask of the mechanism. */
export class Engine {
  readonly profile: Profile;
  readonly output: EngineOutput;
  readonly memory: PrinterMemory;
  readonly line = new LineBuffer();
  readonly text: TextPrinter;
  /** The page of page mode; undefined in standard mode. */
  page: PageBuffer | undefined;
  modes: Modes;
  /** ESC = n: false while the printer is deselected. */
  selected = true;
  /** GS ( L fn 112 data waiting for fn 50. */
  storedGraphics: { readonly rows: readonly DotRow[]; readonly widthDots: number } | undefined;
  /** True when the data just before were printing data, so that a process ID waits for the mechanism (GS ( H). */
  private boundToPrinting = false;
  private lineMarkers: (() => void)[] = [];
  private pushedSteps = 0;
  /** The part of a dot that motion units have not filled yet. */
  private carryDots = 0;
  private swallowLineFeed = false;
  /** So many bytes are taken for dots of a raster that has ended. */
  overrun: { readonly sink: DataSink; left: number } | undefined;

  constructor(profile: Profile, output: EngineOutput) {
    this.profile = profile;
    this.output = output;
    this.memory = output.memory ?? new PrinterMemory(profile.memory.macroBytes);
    this.modes = initialModes(profile);
    this.text = new TextPrinter(this);
    this.beginModes();
  }

  get atBeginningOfLine(): boolean {
    // Page mode has no lines to begin: nothing waits for the beginning of one.
    return this.page !== undefined || !this.line.touched;
  }

  get isBoundToPrinting(): boolean {
    return this.boundToPrinting;
  }

  /** Any command but LF ends the wait for the LF that some models swallow. */
  keepNextLineFeed(): void {
    this.swallowLineFeed = false;
  }

  /** Runs one command and notes whether it was printing data. */
  bind(run: () => void): void {
    const before = this.pushedSteps;
    this.boundToPrinting = false;
    run();
    if (this.pushedSteps !== before) this.boundToPrinting = true;
  }

  /** What was just put into the line is printing data. */
  markPrintingData(): void {
    this.boundToPrinting = true;
  }

  /** ESC @. */
  initialize(): void {
    this.memory.initialize();
    this.page = undefined;
    this.line.clear();
    this.lineMarkers = [];
    this.text.reset();
    this.storedGraphics = undefined;
    this.beginModes();
    this.output.initialized();
  }

  /** Power off and on: nothing survives. */
  reset(): void {
    this.clearPrintBuffer();
    this.text.reset();
    this.beginModes();
    this.selected = true;
  }

  private beginModes(): void {
    this.modes = initialModes(this.profile);
    const { savedModes, loadsSavedModes } = this.memory.nv;
    if (loadsSavedModes && savedModes !== undefined) this.loadModes(savedModes);
  }

  /** GS ( M; what is not saved by it stays as it is. */
  loadModes(saved: SavedModes | undefined): void {
    const { codeTable, internationalSet, barcode, ...modes } =
      saved ?? savedModesOf(initialModes(this.profile), { codeTable: 0, internationalSet: 0 });
    Object.assign(this.modes, modes);
    Object.assign(this.modes.barcode, barcode);
    Object.assign(this.text.modes, { codeTable, internationalSet });
  }

  /** Standard mode with an empty print buffer; ESC W is back at its default, everything else stays set. */
  clearPrintBuffer(): void {
    this.page = undefined;
    this.line.clear();
    this.lineMarkers = [];
    this.text.dropPartial();
    this.storedGraphics = undefined;
    this.modes.printArea = undefined;
    this.boundToPrinting = false;
    this.carryDots = 0;
    this.swallowLineFeed = false;
    this.overrun = undefined;
  }

  /** GS ( H fn 48: two guarantees, by what came just before. */
  requestProcessId(id: readonly number[]): void {
    const respond = this.output.processIdResponse(id);
    if (!this.boundToPrinting) respond();
    else if (this.line.isEmpty && this.page?.unprinted !== true) this.output.push({ kind: "marker", fire: respond });
    else if (this.lineMarkers.push(respond) > MOST_LINE_MARKERS) this.lineMarkers.shift();
  }

  setStyle(change: Partial<CharacterStyle>): void {
    this.modes.style = { ...this.modes.style, ...change };
  }

  horizontalDots(units: number): number {
    return Math.round((units * this.profile.dpi) / this.lineUnitsPerInch);
  }

  feedDots(units: number): number {
    return Math.round((units * this.profile.dpi) / this.feedUnitsPerInch);
  }

  /** The motion unit along the characters: the vertical one where page mode turns them (ESC T 1 and 3). */
  get lineUnitsPerInch(): number {
    return this.page?.turned === true ? this.modes.verticalUnitsPerInch : this.modes.horizontalUnitsPerInch;
  }

  /** The motion unit down the lines. */
  get feedUnitsPerInch(): number {
    return this.page?.turned === true ? this.modes.horizontalUnitsPerInch : this.modes.verticalUnitsPerInch;
  }

  characterDots(): number {
    const cell = this.profile.fonts[this.modes.font] ?? this.profile.fonts.a;
    return (cell.widthDots + this.modes.style.spacingDots) * this.modes.style.widthTimes;
  }

  /** The printing area within the paper. */
  get areaWidthDots(): number {
    if (this.page !== undefined) return this.page.lineDots;
    return Math.max(0, Math.min(this.modes.areaWidthDots, this.profile.widthDots - this.modes.leftMarginDots));
  }

  /** One byte of text. */
  printByte(byte: number): void {
    this.swallowLineFeed = false;
    this.text.printByte(byte);
  }

  placeCharacter(glyph: Glyph, character: string, style: CharacterStyle): void {
    // Page mode turns whole areas, not characters (ESC V).
    const drawn = this.page === undefined ? style : { ...style, rotated: false };
    const widthDots = characterWidthDots(glyph, drawn);
    if (this.line.x > 0 && this.line.x + widthDots > this.areaWidthDots) this.lineFeed();
    this.line.addCharacter(glyph, character, drawn);
    this.boundToPrinting = true;
  }

  /** LF: prints the line and feeds one line. */
  lineFeed(): void {
    if (this.swallowLineFeed) {
      this.swallowLineFeed = false;
      return;
    }
    this.printAndFeed(this.modes.spacingUnits, this.modes.spacingUnitsPerInch, true);
  }

  /** ESC d n. */
  feedLines(count: number): void {
    this.printAndFeed(this.modes.spacingUnits * count, this.modes.spacingUnitsPerInch, count > 0);
  }

  /** ESC J n. */
  feedUnits(units: number): void {
    this.printAndFeed(units, this.feedUnitsPerInch, false);
  }

  /** Prints what the line holds; the paper moves by the feed or, where that is more, by the height of the line. */
  private printAndFeed(units: number, unitsPerInch: number, isLine: boolean): void {
    if (this.page !== undefined) {
      this.developLine(this.page);
      this.line.clear();
      this.page.y += Math.round((units * this.profile.dpi) / unitsPerInch);
      return;
    }
    const area = {
      leftDots: this.modes.leftMarginDots,
      widthDots: this.areaWidthDots,
      paperWidthDots: this.profile.widthDots,
    };
    const { rows, text } = this.line.compose(area, this.modes.alignment, this.modes.upsideDown);
    const feedDots = this.takeFeedDots(units, unitsPerInch);
    this.line.clear();
    if (rows.length > 0) this.push({ kind: "print", rows, text });
    const restDots = feedDots - rows.length;
    if (restDots > 0)
      this.push(rows.length > 0 || !isLine ? feed(restDots) : { kind: "feed", dots: restDots, text: "" });
    for (const fire of this.lineMarkers) this.push({ kind: "marker", fire });
    this.lineMarkers = [];
  }

  /** Page mode: what the line holds is developed at its place, each item standing on the base line. */
  developLine(page: PageBuffer): void {
    const { items, text } = this.line.takeItems();
    page.addText(text, items[0]?.x ?? 0);
    for (const item of items) {
      page.draw(item.rows, item.widthDots, item.x, page.y + 1 + item.descentDots - item.rows.length);
    }
  }

  /** FF and ESC FF: the page goes to the mechanism as it is. */
  printPage(page: PageBuffer): void {
    this.developLine(page);
    for (const step of page.print()) this.push(step);
    for (const fire of this.lineMarkers) this.push({ kind: "marker", fire });
    this.lineMarkers = [];
  }

  /** Whole dots of a feed; the rest is carried into the next one. */
  private takeFeedDots(units: number, unitsPerInch: number): number {
    const exact = this.carryDots + (units * this.profile.dpi) / unitsPerInch;
    const dots = Math.floor(exact + FEED_EPSILON);
    this.carryDots = Math.max(0, exact - dots);
    return dots;
  }

  /** Prints raster rows at once, scaled, placed by margin and alignment, cut off at the printing area. */
  printRaster(rows: readonly DotRow[], widthDots: number, scale: { readonly x: number; readonly y: number }): void {
    const wideDots = widthDots * scale.x;
    if (this.page !== undefined) {
      this.line.addImage(scaled(rows, widthDots, scale), wideDots);
      this.boundToPrinting = true;
      return;
    }
    const from = this.modes.leftMarginDots + this.line.x;
    const at = from + alignmentOffset(this.areaWidthDots - this.line.x - wideDots, this.modes.alignment);
    const limit = Math.min(this.profile.widthDots, this.modes.leftMarginDots + this.areaWidthDots);
    const printed: DotRow[] = [];
    const stride = rowBytes(this.profile.widthDots);
    const spans = at === 0 && scale.x === 1 && limit === stride * 8 && widthDots === limit;
    const dots = spans ? NO_DOTS : new Uint8Array(rows.length * stride);
    const wide = rows.map((source) => widenDots(source, widthDots, scale.x));
    if (!spans) orImage(dots, stride, { top: 0, at, limit }, wide, wideDots);
    wide.forEach((row, index) => {
      const target = spans ? row : dots.subarray(index * stride, (index + 1) * stride);
      for (let times = 0; times < scale.y; times += 1) printed.push(target);
    });
    if (printed.length > 0) this.push({ kind: "print", rows: printed });
  }

  /** Prints rows that span the paper, and that a person reads as `text`. */
  printRows(rows: readonly DotRow[], text?: string): void {
    this.push({ kind: "print", rows, ...(text === undefined ? {} : { text }) });
  }

  /** GS k of the form with NUL has been printed. */
  oldBarcodePrinted(): void {
    if (!this.profile.quirks.resetsBarcodeSettings) return;
    const { heightDots, moduleDots, hriPosition, hriFont } = initialBarcodeModes();
    Object.assign(this.modes.barcode, { heightDots, moduleDots, hriPosition, hriFont });
  }

  rasterEnded(): void {
    if (this.page === undefined) this.line.clear();
    this.swallowLineFeed = this.profile.quirks.swallowsLineFeedAfterRaster === true;
  }

  /** Cuts after feeding the present print position to the blade and `units` further; undefined: cuts where the blade is. */
  cut(cut: CutKind, units?: number): void {
    if (!this.profile.supports.cutter) {
      this.output.diagnose("unsupported", "this printer has no cutter");
      if (units !== undefined && units > 0) this.feedUnits(units);
      return;
    }
    this.printLogo("bottom");
    if (units !== undefined) {
      const dots = this.profile.headToCutterDots + this.takeFeedDots(units, this.modes.verticalUnitsPerInch);
      if (dots > 0) this.push(feed(dots));
    }
    this.push({ kind: "cut", cut });
    this.printLogo("top");
  }

  /** FS ( E: below the receipt that is cut off, above the one that begins. */
  private printLogo(place: LogoPlace): void {
    const { nv, logosOff } = this.memory;
    const logo = nv.logos.get(place);
    const picture = logo === undefined ? undefined : nv.graphics.get(logo.key);
    if (logo === undefined || picture === undefined || logosOff.has(place) || this.page !== undefined) return;
    const { alignment } = this.modes;
    this.modes.alignment = logo.alignment;
    this.printRaster(picture.rows, picture.widthDots, { x: 1, y: 1 });
    this.modes.alignment = alignment;
  }

  /** GS V 97/98. */
  reserveCut(cut: CutKind, units: number): void {
    const dots = this.profile.headToCutterDots + this.takeFeedDots(units, this.modes.verticalUnitsPerInch);
    this.push({ kind: "reserve-cut", cut, dots });
  }

  private push(step: Step): void {
    this.pushedSteps += 1;
    this.output.push(step);
  }
}

function feed(dots: number): Step {
  return { kind: "feed", dots };
}

function scaled(
  rows: readonly DotRow[],
  widthDots: number,
  scale: { readonly x: number; readonly y: number },
): DotRow[] {
  return rows.flatMap((row) => new Array<DotRow>(scale.y).fill(widenDots(row, widthDots, scale.x)));
}
