import { describe, expect, it } from "vitest";
import { fitText, padText, printable, textWidth } from "./text-width.ts";

describe("textWidth", () => {
  it.each([
    ["receipt.png", 11],
    ["厨房", 4],
    ["ｻﾄｳ", 3],
    ["４名", 4],
    ["한국", 4],
    ["e\u0301", 1],
    ["🍜", 2],
    ["👨‍🍳", 2],
    ["☎️", 2],
    ["", 0],
    ["カ\u3099", 2],
  ])("%s takes %i columns", (text, columns) => {
    expect(textWidth(text)).toBe(columns);
  });
});

describe("fitText", () => {
  it("leaves alone what fits", () => {
    expect(fitText("厨房オーダー", 12)).toBe("厨房オーダー");
  });

  it("never takes more columns than it may, also where a wide character does not fit halfway", () => {
    for (let columns = 0; columns < 14; columns += 1) {
      expect(textWidth(fitText("a厨房オーダー", columns))).toBeLessThanOrEqual(columns);
    }
    expect(fitText("厨房オーダー", 6)).toBe("厨房…");
    expect(fitText("厨房オーダー", 5)).toBe("厨房…");
    expect(fitText("abc", 0)).toBe("");
  });

  it("cuts between graphemes", () => {
    expect(fitText("e\u0301e\u0301e\u0301", 2)).toBe("e\u0301…");
  });
});

it("padText counts columns, not characters", () => {
  expect(padText("卓", 4)).toBe("卓  ");
  expect(padText("7", 3, "right")).toBe("  7");
  expect(padText("long", 2)).toBe("long");
});

it("nothing in a title steers the terminal", () => {
  expect(printable("a\u001b[2Jb\r\n\u202Ec\u009b")).toBe("a�[2Jb���c�");
  expect(printable("厨房 🍜")).toBe("厨房 🍜");
});
