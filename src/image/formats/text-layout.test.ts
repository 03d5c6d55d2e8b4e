import { describe, expect, test } from "vitest";
import { makeRandom, pickSeed } from "../test-support.ts";
import type { TextEvent } from "./text-layout.ts";
import { TextLayout } from "./text-layout.ts";

const measure = (codePoint: number): 1 | 2 =>
  (codePoint >= 0x2e80 && codePoint < 0xff61) || codePoint >= 0x1f300 ? 2 : 1;

function show(events: readonly TextEvent[]): string[] {
  return events.map((event) =>
    event.kind === "pageEnd"
      ? "<page>"
      : event.cells.map((cell) => String.fromCodePoint(cell.codePoint, ...cell.marks)).join(""),
  );
}

function layOut(text: string, columns: number): string[] {
  const layout = new TextLayout(columns, measure);
  return show([...layout.add([...text].map((char) => char.codePointAt(0) ?? 0)), ...layout.end()]);
}

describe("line ends", () => {
  test.each([
    ["a\nb", ["a", "b"]],
    ["a\r\nb\r\n", ["a", "b"]],
    ["a\rb", ["a", "b"]],
    ["a\n\r\n\vb", ["a", "", "", "b"]],
    ["\n", [""]],
    ["", []],
    ["a\fb", ["a", "<page>", "b"]],
    ["a\n\fb\f\f", ["a", "<page>", "b", "<page>", "<page>"]],
  ])("%j", (text, lines) => expect(layOut(text, 10)).toEqual(lines));

  test("CR and LF in two pieces are one line end", () => {
    const layout = new TextLayout(10, measure);
    expect(show([...layout.add([0x61, 0x0d]), ...layout.add([0x0a, 0x62]), ...layout.end()])).toEqual(["a", "b"]);
  });
});

describe("wrapping", () => {
  test.each([
    ["at spaces", "the quick brown fox", 10, ["the quick", "brown fox"]],
    ["a line that just fits does not wrap", "abcdefghij\nk", 10, ["abcdefghij", "k"]],
    ["spaces that do not fit hang", "abcdefghij   \nk", 10, ["abcdefghij", "k"]],
    ["a word after hanging spaces begins a line", "abcdefghij   k", 10, ["abcdefghij", "k"]],
    ["a word longer than a line is broken anywhere", "abcdefghijklm", 5, ["abcde", "fghij", "klm"]],
    ["indentation is no place to break", "    abcdefgh", 8, ["    abcd", "efgh"]],
    ["between kanji anywhere", "日本語印刷", 6, ["日本語", "印刷"]],
    ["a wide character does not stick out", "日本語印刷", 5, ["日本", "語印", "刷"]],
    ["no full stop begins a line", "日本語。印刷", 6, ["日本", "語。印", "刷"]],
    ["no bracket ends a line", "日本「印刷」", 6, ["日本", "「印", "刷」"]],
    ["no small kana or long mark begins a line", "カラーチャット", 8, ["カラー", "チャット"]],
    ["Latin words among kanji stay whole", "伝票printer用紙", 8, ["伝票", "printer", "用紙"]],
    ["half-width katakana break anywhere but before marks", "ｱｲｳｴﾞｵ", 4, ["ｱｲｳ", "ｴﾞｵ"]],
    ["a row of full stops is broken anyhow", "。。。。", 4, ["。。", "。。"]],
    ["wide after narrow leaves no overhang", "a日本語字", 5, ["a日本", "語字"]],
  ])("%s", (_, text, columns, lines) => expect(layOut(text, columns)).toEqual(lines));

  test("lines never exceed the columns, and nothing but spaces is lost", () => {
    const seed = pickSeed();
    const random = makeRandom(seed);
    const alphabet = [..."ab c日本。「」ｱﾞー\t x、語"];
    for (let round = 0; round < 500; round += 1) {
      const text = Array.from({ length: random(120) }, () => alphabet[random(alphabet.length)] ?? "").join("");
      const columns = 2 + random(12);
      const lines = layOut(text, columns);
      for (const line of lines) {
        const width = [...line].reduce((sum, char) => sum + measure(char.codePointAt(0) ?? 0), 0);
        expect(width, `TEST_SEED=${seed} round ${round}: ${JSON.stringify(line)}`).toBeLessThanOrEqual(columns);
      }
      expect(lines.join("").replace(/\s/g, ""), `TEST_SEED=${seed}`).toBe(text.replace(/\s/g, ""));
    }
  });
});

describe("tabs", () => {
  test.each([
    ["a\tb", 20, ["a       b"]],
    ["abcdefgh\ti", 20, ["abcdefgh        i"]],
    ["日本\tb", 20, ["日本    b"]],
    ["abcdefgh\tij", 10, ["abcdefgh", "ij"]],
    ["abcdefghij\tk", 10, ["abcdefghij", "k"]],
    ["abcdefghij\t\nk", 10, ["abcdefghij", "k"]],
  ])("%j", (text, columns, lines) => expect(layOut(text, columns)).toEqual(lines));
});

describe("marks", () => {
  test("are composed where a character exists", () => {
    expect(layOut("e\u0301 か\u3099", 10)).toEqual(["é が"]);
  });

  test("are kept for overlaying where none does", () => {
    expect(layOut("x\u0301\u0323", 10)).toEqual(["x\u0301\u0323"]);
  });

  test("do nothing at the beginning of a line, and do not fill memory", () => {
    expect(layOut("\u0301a", 10)).toEqual(["a"]);
    expect(layOut(`x${"\u0301".repeat(50)}`, 10)).toEqual([`x${"\u0301".repeat(8)}`]);
  });

  test("invisible characters take no room", () => {
    expect(layOut("a\u200B\u00ADb\uFE0F\u0085\u007Fc", 3)).toEqual(["abc"]);
  });
});
