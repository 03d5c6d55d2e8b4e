import type { CharacterStyle } from "./character.ts";
import { decodeByte, internationalCodePoint } from "./code-tables.ts";
import { type FontName, type Glyph, glyphInCell, kanjiGlyph } from "./font.ts";
import { decodeKanji, isKanjiLead, isUserKanji, type KanjiCoding, kanjiLength } from "./kanji.ts";
import type { Profile } from "./profiles.ts";

/** Where characters go. */
export interface TextTarget {
  readonly profile: Profile;
  readonly modes: { readonly font: FontName; readonly style: CharacterStyle };
  placeCharacter(glyph: Glyph, character: string, style: CharacterStyle): void;
}

/** What FS commands set for kanji alone; emphasis, rotation, reverse and smoothing are shared with ANK characters. */
export type KanjiStyle = Pick<
  CharacterStyle,
  "widthTimes" | "heightTimes" | "underline" | "spacingDots" | "leftSpacingDots"
>;

export interface TextModes {
  codeTable: number;
  internationalSet: number;
  /** FS ( C. */
  utf8: boolean;
  /** Thickness that ESC ! turns on: ESC - sets it. */
  underlineDots: number;
  /** ESC %. */
  userDefined: boolean;
  /** FS & and FS . */
  kanji: boolean;
  /** FS C: Shift_JIS instead of JIS. */
  shiftJis: boolean;
  kanjiUnderlineDots: number;
  kanjiStyle: KanjiStyle;
}

const PLAIN_KANJI: KanjiStyle = { widthTimes: 1, heightTimes: 1, underline: 0, spacingDots: 0, leftSpacingDots: 0 };

/** Stands on paper and in the text for a full-width character that the font has not. */
const GETA = 0x3013;
const IDEOGRAPHIC_SPACE = 0x3000;
const QUESTION_MARK = 0x3f;

function initialModes(profile: Profile): TextModes {
  return {
    codeTable: 0,
    internationalSet: 0,
    utf8: false,
    underlineDots: 1,
    userDefined: false,
    kanji: profile.kanji?.onAtPowerOn ?? false,
    shiftJis: false,
    kanjiUnderlineDots: 1,
    kanjiStyle: PLAIN_KANJI,
  };
}

/** Text bytes become characters: code tables, international sets, UTF-8, kanji, and what the user defined. */
export class TextPrinter {
  modes: TextModes;
  /** Code tables without data that were asked for since the printer was made. */
  readonly missedTables = new Set<number>();
  private readonly target: TextTarget;
  /** Bytes of a character that is not complete yet. */
  private partial: number[] = [];
  private readonly userGlyphs = new Map<string, Glyph>();
  private readonly userKanji = new Map<number, Glyph>();

  constructor(target: TextTarget) {
    this.target = target;
    this.modes = initialModes(target.profile);
  }

  /** ESC @ and power on: user-defined characters are gone, too. */
  reset(): void {
    this.modes = initialModes(this.target.profile);
    this.partial = [];
    this.userGlyphs.clear();
    this.userKanji.clear();
  }

  /** A command within a character of several bytes ends it. */
  dropPartial(): void {
    if (this.partial.length > 0) this.partial = [];
  }

  get kanjiCoding(): KanjiCoding | undefined {
    const system = this.target.profile.kanji?.system;
    return system !== "japanese" ? system : this.modes.shiftJis ? "shift-jis" : "jis";
  }

  /** FS & and FS . matter to Japanese models while JIS is selected; Shift_JIS tells its characters by their first byte. */
  private get isAlwaysKanji(): boolean {
    return this.target.profile.kanji?.system === "japanese" && this.modes.shiftJis;
  }

  printByte(byte: number): void {
    if (this.modes.utf8) {
      this.printUtf8(byte);
      return;
    }
    const coding = this.modes.kanji || this.isAlwaysKanji ? this.kanjiCoding : undefined;
    if (coding !== undefined && (this.partial.length > 0 || isKanjiLead(coding, byte))) this.printKanji(coding, byte);
    else this.printOneByte(byte);
  }

  /** ESC &. */
  defineGlyph(code: number, glyph: Glyph): void {
    this.userGlyphs.set(`${this.target.modes.font}${code}`, glyph);
  }

  /** ESC ?. */
  cancelGlyph(code: number): void {
    this.userGlyphs.delete(`${this.target.modes.font}${code}`);
  }

  /** FS 2; without a glyph FS ?. False when the code is not the user's. */
  defineKanji(first: number, second: number, glyph: Glyph | undefined): boolean {
    const coding = this.kanjiCoding;
    if (coding === undefined || !isUserKanji(coding, first, second)) return false;
    const key = (first << 8) | second;
    if (glyph === undefined) this.userKanji.delete(key);
    else this.userKanji.set(key, glyph);
    return true;
  }

  private printOneByte(byte: number): void {
    const { modes, target } = this;
    const own = modes.userDefined ? this.userGlyphs.get(`${target.modes.font}${byte}`) : undefined;
    const codePoint =
      byte < 0x80
        ? internationalCodePoint(modes.internationalSet, byte)
        : decodeByte(modes.codeTable, byte, target.profile.codeTables);
    const glyph = own ?? glyphInCell(target.profile.fonts[target.modes.font] ?? target.profile.fonts.a, codePoint);
    target.placeCharacter(glyph, String.fromCodePoint(codePoint), target.modes.style);
  }

  private printKanji(coding: KanjiCoding, byte: number): void {
    const bytes = [...this.partial, byte];
    this.partial = bytes;
    if (bytes.length < kanjiLength(coding, bytes)) return;
    this.partial = [];
    const [first = 0, second = 0] = bytes;
    if (isUserKanji(coding, first, second)) {
      const own = this.userKanji.get((first << 8) | second);
      this.placeKanji(own, own === undefined ? IDEOGRAPHIC_SPACE : GETA);
    } else {
      // A code without a character prints as a space (FS &).
      this.placeKanji(undefined, decodeKanji(coding, bytes) ?? IDEOGRAPHIC_SPACE);
    }
  }

  private placeKanji(own: Glyph | undefined, codePoint: number): void {
    const glyph = own ?? kanjiGlyph(codePoint) ?? kanjiGlyph(GETA);
    const style = { ...this.target.modes.style, ...this.modes.kanjiStyle };
    if (glyph !== undefined) this.target.placeCharacter(glyph, String.fromCodePoint(codePoint), style);
  }

  /** ESC R and ESC t mean nothing to UTF-8 (FS ( C). A sequence that breaks off prints as one question mark. */
  private printUtf8(byte: number): void {
    const continues = (byte & 0xc0) === 0x80;
    if (this.partial.length > 0 && !continues) {
      this.partial = [];
      this.placeUnicode(QUESTION_MARK);
    }
    if (byte < 0x80) {
      this.placeUnicode(byte);
      return;
    }
    this.partial.push(byte);
    const lead = this.partial[0] ?? 0;
    const wanted = lead >= 0xf8 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (this.partial.length < wanted) return;
    const decoded = new TextDecoder().decode(Uint8Array.from(this.partial));
    this.partial = [];
    const codePoint = decoded.codePointAt(0) ?? 0xfffd;
    this.placeUnicode(codePoint === 0xfffd ? QUESTION_MARK : codePoint);
  }

  private placeUnicode(codePoint: number): void {
    const { fonts } = this.target.profile;
    const glyph = wideOf(codePoint) ?? glyphInCell(fonts[this.target.modes.font] ?? fonts.a, codePoint);
    this.target.placeCharacter(glyph, String.fromCodePoint(codePoint), this.target.modes.style);
  }
}

/** Ideographs, kana, hangul and full-width forms keep their 24 dots in every font. */
function wideOf(codePoint: number): Glyph | undefined {
  const isWide =
    (codePoint >= 0x2e80 && codePoint <= 0xd7a3) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0xff01 && codePoint <= 0xff60) ||
    (codePoint >= 0xffe0 && codePoint <= 0xffe6) ||
    (codePoint >= 0x20000 && codePoint <= 0x3ffff);
  return isWide ? (kanjiGlyph(codePoint) ?? kanjiGlyph(GETA)) : undefined;
}
