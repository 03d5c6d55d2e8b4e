import iconv from "iconv-lite";
import { describe, expect, it } from "vitest";
import { getDot, isBlank } from "./bits.ts";
import { kanjiGlyph } from "./font.ts";
import type { KanjiSystem } from "./kanji.ts";
import type { Page } from "./paper.ts";
import type { Diagnostic } from "./parser.ts";
import { findProfile, type Profile } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { stream } from "./test-bytes.ts";

const KANJI_ON = "\x1c&";

function printer(system: KanjiSystem, onAtPowerOn = false): Profile {
  return { ...findProfile("tm-t88vi"), kanji: { system, onAtPowerOn } };
}

const JAPANESE = printer("japanese");

function render(profile: Profile, ...parts: (string | ArrayLike<number>)[]): Page {
  const [page] = renderEscpos(stream("\x1b3\x00", ...parts), { profile });
  if (page === undefined) throw new Error("no page");
  return page;
}

function picture(page: Page, columns: number, rows: number, from = 0): string[] {
  return page.rows
    .slice(0, rows)
    .map((row) => Array.from({ length: columns }, (_, x) => (getDot(row, from + x) ? "#" : ".")).join(""));
}

function glyphPicture(character: string): string[] {
  const glyph = kanjiGlyph(character.codePointAt(0) ?? 0);
  if (glyph === undefined) throw new Error("no glyph");
  return glyph.rows.map((row) => Array.from({ length: 24 }, (_, x) => (getDot(row, x) ? "#" : ".")).join(""));
}

function diagnosed(profile: Profile, ...parts: (string | ArrayLike<number>)[]): Diagnostic[] {
  const found: Diagnostic[] = [];
  renderEscpos(stream(...parts), { profile, onDiagnostic: (diagnostic) => found.push(diagnostic) });
  return found;
}

/** JIS codes are EUC codes without their eighth bits. */
function jis(text: string): number[] {
  return [...iconv.encode(text, "euc-jp")].map((byte) => byte & 0x7f);
}

/** A filled square in the upper left corner, as FS 2 takes it: 24 columns of three bytes. */
const CORNER = Array.from({ length: 24 }, (_, column) => (column < 3 ? [0xe0, 0, 0] : [0, 0, 0])).flat();

describe("two-byte code systems", () => {
  it.each([
    ["gb18030", "gb18030", "收据 总计：￥12 谢谢惠顾"],
    ["big5", "big5", "收據 總計：謝謝惠顧"],
    ["ks-c-5601", "euc-kr", "영수증 합계 감사합니다"],
  ] as const)("%s", (system, encoding, text) => {
    const page = render(printer(system), KANJI_ON, iconv.encode(text, encoding), "\n");
    expect(page.text).toBe(text);
    expect(picture(page, 24, 24)).toEqual(glyphPicture(text[0] ?? ""));
    expect(render(printer(system, true), iconv.encode(text, encoding), "\n").text).toBe(text);
  });

  it("reads four-byte codes of GB18030", () => {
    const bytes = iconv.encode("㐂a", "gb18030");
    expect(bytes).toHaveLength(5);
    expect(render(printer("gb18030"), KANJI_ON, bytes, "\n").text).toBe("㐂a");
  });

  it("reads JIS, and Shift_JIS beside half-width katakana (FS C)", () => {
    const text = "領収書 合計";
    const [left = "", right = ""] = text.split(" ");
    const page = render(JAPANESE, KANJI_ON, jis(left), "\x20", jis(right), "\n");
    expect(page.text).toBe(text);
    expect(picture(page, 24, 24)).toEqual(glyphPicture("領"));
    for (const coding of ["\x01", "1", "\x02"]) {
      const mixed = iconv.encode("領収書 ABC ｱｲｳ", "shift_jis");
      expect(render(JAPANESE, "\x1bt\x01", KANJI_ON, "\x1cC", coding, mixed, "\n").text).toBe("領収書 ABC ｱｲｳ");
    }
    expect(diagnosed(printer("big5"), "\x1cC\x01")).toMatchObject([{ kind: "unsupported", name: "FS C" }]);
    expect(diagnosed(JAPANESE, "\x1cC\x05")).toMatchObject([{ kind: "out-of-range", name: "FS C" }]);
  });

  it("needs no FS & for Shift_JIS, and heeds no FS .", () => {
    const mixed = iconv.encode("領収書 ABC ｱｲｳ", "shift_jis");
    expect(render(JAPANESE, "\x1c.\x1cC\x01\x1bt\x01", mixed, "\n").text).toBe("領収書 ABC ｱｲｳ");
    expect(render(JAPANESE, "\x1cC\x01\x1c.\x1bt\x01", mixed, "\n").text).toBe("領収書 ABC ｱｲｳ");
  });

  it("starts and ends with FS & and FS ., and with ESC @", () => {
    expect(render(JAPANESE, KANJI_ON, jis("合"), "\x1c.", "9g\n").text).toBe("合9g");
    expect(render(JAPANESE, KANJI_ON, "\x1b@9g\n").text).toBe("9g");
    const { kanji: _kanji, ...without } = JAPANESE;
    expect(diagnosed(without, KANJI_ON)).toMatchObject([{ kind: "unsupported", name: "FS &" }]);
  });

  it("prints codes without a character as a space of full width, and drops half a character at a command", () => {
    const unassigned = render(JAPANESE, KANJI_ON, [0x29, 0x21], jis("合"), "\n");
    expect(unassigned.text).toBe("　合");
    expect(picture(unassigned, 24, 24, 24)).toEqual(glyphPicture("合"));
    expect(render(JAPANESE, KANJI_ON, "9\x1bE\x00", jis("合"), "\n").text).toBe("合");
  });

  it("is 21 columns on 512 dots, and wraps whole characters", () => {
    expect(render(JAPANESE, KANJI_ON, jis("合".repeat(22)), "\n").text).toBe(`${"合".repeat(21)}\n合`);
  });
});

describe("kanji styles", () => {
  const sizeOf = (...parts: string[]): [number, number] => {
    const page = render(JAPANESE, KANJI_ON, "\x1dB\x01", ...parts, jis("　"), "\n");
    return [(picture(page, 512, 1)[0]?.lastIndexOf("#") ?? -1) + 1, page.heightDots];
  };

  it("doubles width, height and both (FS !, FS W, GS !)", () => {
    expect(sizeOf()).toEqual([24, 24]);
    expect(sizeOf("\x1c!\x04")).toEqual([48, 24]);
    expect(sizeOf("\x1c!\x08")).toEqual([24, 48]);
    expect(sizeOf("\x1c!\x0c")).toEqual([48, 48]);
    expect(sizeOf("\x1cW\x01")).toEqual([48, 48]);
    expect(sizeOf("\x1cW\x01\x1cW\x00")).toEqual([24, 24]);
    expect(sizeOf("\x1d!\x21")).toEqual([72, 48]);
    // ESC ! is for one-byte characters alone.
    expect(sizeOf("\x1b!\x30")).toEqual([24, 24]);
  });

  it("underlines kanji by FS - and FS !, not by ESC -", () => {
    const solid = (...parts: string[]): number[] =>
      picture(render(JAPANESE, KANJI_ON, ...parts, jis("　"), "\n"), 24, 24).flatMap((row, y) =>
        row === "#".repeat(24) ? [y] : [],
      );
    expect(solid("\x1c-\x01")).toEqual([23]);
    expect(solid("\x1c-2")).toEqual([22, 23]);
    expect(solid("\x1c!\x80")).toEqual([23]);
    expect(solid("\x1c-\x02\x1c!\x80")).toEqual([22, 23]);
    expect(solid("\x1b-\x02")).toEqual([]);
    expect(diagnosed(JAPANESE, "\x1c-\x03")).toMatchObject([{ kind: "out-of-range", name: "FS -" }]);
  });

  it("keeps space on both sides (FS S)", () => {
    const page = render(JAPANESE, KANJI_ON, "\x1cS\x03\x05", jis("合合"), "\n");
    expect(picture(page, 24, 24, 3)).toEqual(glyphPicture("合"));
    expect(picture(page, 24, 24, 3 + 24 + 5 + 3)).toEqual(glyphPicture("合"));
  });

  it("shares emphasis and rotation with one-byte characters", () => {
    const ink = (page: Page): number => picture(page, 24, 24).join("").replaceAll(".", "").length;
    expect(ink(render(JAPANESE, KANJI_ON, "\x1bE\x01", jis("合"), "\n"))).toBeGreaterThan(
      ink(render(JAPANESE, KANJI_ON, jis("合"), "\n")),
    );
    const upright = glyphPicture("合");
    const turned = Array.from({ length: 24 }, (_, y) =>
      Array.from({ length: 24 }, (_, x) => upright[23 - x]?.[y] ?? ".").join(""),
    );
    expect(picture(render(JAPANESE, KANJI_ON, "\x1bV\x01", jis("合"), "\n"), 24, 24)).toEqual(turned);
  });
});

describe("user-defined kanji (FS 2, FS ?)", () => {
  it.each([
    ["japanese", "", "\x77\x21"],
    ["japanese", "\x1cC\x01", "\xec\x40"],
    ["gb18030", "", "\xfe\xa1"],
    ["ks-c-5601", "", "\xfe\xa1"],
  ] as const)("%s %j", (system, coding, address) => {
    const defined = [KANJI_ON, coding, "\x1c2", address, CORNER];
    const page = render(printer(system), ...defined, address, "\n");
    expect(picture(page, 5, 4)).toEqual(["###..", "###..", "###..", "....."]);
    expect(page.text).toBe("〓");
    const canceled = render(printer(system), ...defined, "\x1c?", address, address, "\n");
    expect(canceled.rows.every(isBlank)).toBe(true);
  });

  it("has its codes alone, and consumes what it refuses", () => {
    expect(diagnosed(JAPANESE, "\x1c2\x30\x21", CORNER)).toMatchObject([{ kind: "out-of-range", name: "FS 2" }]);
    expect(render(JAPANESE, "\x1c2\x30\x21", CORNER, "x\n").text).toBe("x");
  });

  it("has one kanji font (FS ( A)", () => {
    expect(diagnosed(JAPANESE, "\x1c(A\x02\x0000")).toEqual([]);
    expect(diagnosed(JAPANESE, "\x1c(A\x02\x0001")).toMatchObject([{ kind: "unsupported", name: "FS ( A" }]);
  });
});

describe("UTF-8 (FS ( C)", () => {
  const UTF8 = "\x1c(C\x02\x0002";
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

  it("mixes scripts, and knows nothing of FS &, ESC t and ESC R", () => {
    const text = "Café 領収書 收据 영수증 Ελλ Ж €";
    expect(render(JAPANESE, UTF8, KANJI_ON, "\x1bt\x10\x1bR\x02", utf8(`${text}[]`), "\n").text).toBe(`${text}[]`);
    expect(render(JAPANESE, UTF8, utf8("é"), "\x1c(C\x02\x0001\x1bt\x10\xe9\n").text).toBe("éé");
  });

  it("keeps full-width characters at 24 dots in every font", () => {
    const page = render(JAPANESE, UTF8, "\x1bM\x01", utf8("合A"), "\n");
    expect(picture(page, 24, 24)).toEqual(glyphPicture("合"));
  });

  it("prints a broken sequence as one question mark and goes on", () => {
    expect(render(JAPANESE, UTF8, "\xe5\x90A\xffB\x90C\xc3", utf8("é"), "\n").text).toBe("?A?B?C?é");
    expect(render(JAPANESE, UTF8, "\xe5\x90\x1bE\x00A\n").text).toBe("A");
  });

  it("takes the priority of fonts and refuses what is none", () => {
    expect(diagnosed(JAPANESE, "\x1c(C\x03\x00\x3c\x00\x0b")).toEqual([]);
    expect(diagnosed(JAPANESE, "\x1c(C\x03\x00\x3c\x00\x07")).toMatchObject([{ kind: "out-of-range" }]);
    expect(diagnosed(findProfile("xp-80"), UTF8)).toMatchObject([{ kind: "unsupported", name: "FS ( C" }]);
  });
});
