import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import iconv from "iconv-lite";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { getDot, isBlank } from "./bits.ts";
import { CLONE_CODE_TABLES, codeTableNumbers, decodeByte, internationalCodePoint } from "./code-tables.ts";
import type { Page } from "./paper.ts";
import type { Diagnostic } from "./parser.ts";
import { findProfile } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { stream } from "./test-bytes.ts";

const TESTDATA = join(fileURLToPath(import.meta.url), "..", "testdata");

function render(...parts: (string | ArrayLike<number>)[]): Page {
  const [page] = renderEscpos(stream("\x1b3\x00", ...parts), { profile: "tm-t88vi" });
  if (page === undefined) throw new Error("no page");
  return page;
}

/** The top left corner of a page as a picture. */
function picture(page: Page, columns: number, rows: number, from = 0): string[] {
  return page.rows
    .slice(0, rows)
    .map((row) => Array.from({ length: columns }, (_, x) => (getDot(row, from + x) ? "#" : ".")).join(""));
}

function diagnosed(bytes: Uint8Array, profile = "tm-t88vi"): Diagnostic[] {
  const found: Diagnostic[] = [];
  renderEscpos(bytes, { profile, onDiagnostic: (diagnostic) => found.push(diagnostic) });
  return found;
}

/** ESC & for one character from a picture of its upper left part. */
function define(character: string, rows: readonly string[]): Uint8Array {
  const width = rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, x) => {
    const bits = Array.from({ length: 24 }, (_, y) => (rows[y]?.[x] === "#" ? 1 : 0));
    return [0, 8, 16].map((top) => Number.parseInt(bits.slice(top, top + 8).join(""), 2));
  });
  return stream("\x1b&\x03", character, character, [width], columns.flat());
}

const HOOK = ["###.", "#...", ".#..", "...."];
const HOOK_A = stream(define("A", HOOK), "\x1b%\x01");

describe("the text of a line", () => {
  it("reads from left to right, whatever the order in which the characters came", () => {
    expect(render("\x1b$\x60\x00right\x1b$\x00\x00left\n").text).toBe("left    right");
    // A ruled line whose cell is filled afterwards, centred by half a character.
    const rules = "|\x1b\\\x60\x00|\x1b\\\x60\x00|";
    expect(render(`${rules}\x1b$\x36\x00x\x1b$\xa2\x00y\n`).text).toBe("|    x   |    y   |");
  });

  it("reads what was struck twice once, and not the space below a character", () => {
    expect(render("bold\x1b$\x00\x00bold\n").text).toBe("bold");
    expect(render("a   d\x1b$\x0c\x00bc\n").text).toBe("abc d");
    expect(render("abc\x1b$\x00\x00   d\n").text).toBe("abcd");
  });
});

describe("code tables (ESC t)", () => {
  it.each([
    [3, "cp860"],
    [4, "cp863"],
    [5, "cp865"],
    [13, "cp857"],
    [14, "cp737"],
    [16, "windows-1252"],
    [17, "cp866"],
    [18, "cp852"],
    [32, "cp720"],
    [33, "cp775"],
    [34, "cp855"],
    [35, "cp861"],
    [36, "cp862"],
    [37, "cp864"],
    [38, "cp869"],
    [40, "iso-8859-15"],
    [44, "cp1125"],
    [45, "windows-1250"],
    [46, "windows-1251"],
    [48, "windows-1254"],
    [51, "windows-1257"],
    [53, "rk1048"],
  ])("table %i is %s", (table, name) => {
    for (let byte = 0x80; byte <= 0xff; byte += 1) {
      // The witness has PC857 as it was before the euro sign.
      const expected = name === "cp857" && byte === 0xd5 ? "€" : iconv.decode(Buffer.of(byte), name);
      const blank = expected === "\ufffd" || (expected >= "\x80" && expected < "\xa0");
      expect(String.fromCodePoint(decodeByte(table, byte))).toBe(blank ? " " : expected);
    }
  });

  it("has 128 codes in every table, and spaces in the user's", () => {
    for (const table of codeTableNumbers()) {
      const half = Array.from({ length: 128 }, (_, index) => decodeByte(table, 0x80 + index));
      expect(half.every((codePoint) => codePoint >= 0x20)).toBe(true);
      const inked = half.filter((codePoint) => codePoint !== 0x20).length;
      if (table >= 254) expect(inked).toBe(0);
      else expect(inked).toBeGreaterThan(80);
    }
    expect(render("\x1bt\xff\xe9x\n").text).toBe(" x");
  });

  it("reads Greek, Lithuanian, Maltese, Farsi, Vietnamese, Thai and katakana", () => {
    expect(render("\x1bt\x0b\x86\xa4\xb5\xb6\xb7\xb8\n").text).toBe("ΆΑΚΛΜΝ");
    expect(render("\x1bt\x2a\xb5\xb6\n").text).toBe("ĄČ");
    expect(render("\x1bt\x0c\x86\xa6\xd5\xf3\n").text).toBe("ĉĞıŉ");
    expect(render("\x1bt\x29\x82\x94\xdc\xf5\n").text).toBe("،\ufb56▄١");
    expect(render("\x1bt\x1e\xae\x1bt\x1f\xae\n").text).toBe("đĐ");
    expect(render("\x1bt\x15\xa1\n").text).toBe("ก");
    expect(render("\x1bt\x14\xa3\x90\x80\n").text).toBe("ค๐┌");
    expect(render("\x1bt\x15\xa3\x99\xdb\xfc\n").text).toBe("ฃ┌─");
    expect(render("\x1bt\x1a\xa3\xde\xff\n").text).toBe("ฃเ↓");
    expect(render("\x1bt\x27\x85\xa1\n").text).toBe("┘Ą");
    expect(render("\x1bt\x01\xb1\xfa\n").text).toBe("ｱ区");
  });

  it("numbers the tables of clones as they do", () => {
    const text = (profile: string, table: number, byte: number): string =>
      renderEscpos(stream("\x1bt", [table, byte], "\n"), { profile })[0]?.text ?? "";
    expect([text("tm-t88vi", 46, 0xc6), text("xp-80", 73, 0xc6), text("nt-5890k", 59, 0x86)]).toEqual(["Ж", "Ж", "Ж"]);
    expect([text("tm-t88vi", 13, 0x98), text("xp-80", 61, 0x98)]).toEqual(["İ", "İ"]);
    expect(diagnosed(stream("\x1bt\x2e"), "xp-80")).toMatchObject([{ kind: "unsupported", name: "ESC t" }]);
    for (const table of codeTableNumbers(CLONE_CODE_TABLES)) {
      expect(decodeByte(table, 0xb0, CLONE_CODE_TABLES)).toBeGreaterThan(0x20);
    }
  });

  it("keeps full-width signs of a one-byte table within their cell", () => {
    const page = render("\x1bt\x01\xfa\x1dB\x01 \n");
    expect(picture(page, 12, 24).join("")).toContain("#");
    expect(picture(page, 1, 24, 12)).toEqual(Array(24).fill("#"));
  });

  it("prints a table it has not as table 0 and says so", () => {
    expect(diagnosed(stream("\x1bt\x07\x82\n"))).toMatchObject([{ kind: "unsupported", name: "ESC t", offset: 0 }]);
    expect(render("\x1bt\x07\x82\n").text).toBe("é");
  });

  it("says so once for each table", () => {
    const asked = diagnosed(stream("\x1bt\x07A\x1bt\x00A\x1bt\x07A\x1b@\x1bt\x07\x1bt\x08\n"));
    expect(asked.map(({ detail }) => detail)).toEqual([7, 8].map((table) => `code table ${table} prints as table 0`));
  });
});

describe("international character sets (ESC R)", () => {
  it.each([
    [0, "#$@[\\]^`{|}~"],
    [1, "#$à°ç§^`éùè¨"],
    [2, "#$§ÄÖÜ^`äöüß"],
    [3, "£$@[\\]^`{|}~"],
    [8, "#$@[¥]^`{|}~"],
    [13, "#$@[₩]^`{|}~"],
  ])("set %i", (set, expected) => {
    expect(render("\x1bR", [set], "#$@[\\]^`{|}~a\n").text).toBe(`${expected}a`);
  });

  it("leaves the rest of ASCII alone and refuses sets that do not exist", () => {
    const kept = Array.from({ length: 95 }, (_, index) => 0x20 + index).filter(
      (byte) => !"#$@[\\]^`{|}~".includes(String.fromCharCode(byte)),
    );
    for (let set = 0; set <= 17; set += 1) {
      for (const byte of kept) expect(internationalCodePoint(set, byte)).toBe(byte);
    }
    expect(diagnosed(stream("\x1bR\x40"))).toMatchObject([{ kind: "unsupported", name: "ESC R" }]);
  });
});

describe("user-defined characters (ESC & % ?)", () => {
  it("prints the very dots, reads as the character, and is gone after ESC ?, ESC % 0 and ESC @", () => {
    const page = render(HOOK_A, "A\n");
    expect(picture(page, 4, 4)).toEqual(HOOK);
    expect(page.rows.slice(4).every(isBlank)).toBe(true);
    expect(page.text).toBe("A");
    const plain = picture(render("A\n"), 12, 24);
    expect(picture(render(HOOK_A, "\x1b%\x00A\n"), 12, 24)).toEqual(plain);
    expect(picture(render(HOOK_A, "\x1b?AA\n"), 12, 24)).toEqual(plain);
    expect(picture(render(HOOK_A, "\x1b@\x1b%\x01A\n"), 12, 24)).toEqual(plain);
    expect(picture(render(HOOK_A, "\x1bM\x01\x1bM\x00A\n"), 4, 4)).toEqual(HOOK);
  });

  it("belongs to the font in which it was defined", () => {
    const fontB = render("\x1bM\x01A\n");
    expect(picture(render(HOOK_A, "\x1bM\x01A\n"), 9, 17)).toEqual(picture(fontB, 9, 17));
  });

  it("takes several characters, and gives up on a range that falls", () => {
    const two = stream("\x1b&\x03AB\x01\x80\x00\x00\x02\x00\x00\x01\x80\x00\x00\x1b%\x01");
    expect(picture(render(two, "AB\n"), 14, 1)).toEqual(["#............#"]);
    expect(render("\x1b&\x03BAx\n").text).toBe("x");
    expect(diagnosed(stream("\x1b&\x03BA"))).toMatchObject([{ kind: "out-of-range", name: "ESC &" }]);
  });
});

describe("styles", () => {
  it("turns characters a quarter clockwise (ESC V)", () => {
    const page = render(HOOK_A, "\x1bV\x01A\n");
    expect(page.heightDots).toBe(12);
    // The left edge of the character is on top now, its top edge at the right.
    expect(picture(page, 4, 4, 20)).toEqual(["..##", ".#.#", "...#", "...."]);
    expect(render(HOOK_A, "\x1bV\x02A\x1bV\x00A\n").heightDots).toBe(24);
  });

  it("enlarges before it turns: double height is longer along the line", () => {
    const tall = render(HOOK_A, "\x1bV\x01\x1d!\x01A\x1dB\x01 \n");
    expect(tall.heightDots).toBe(12);
    expect(picture(tall, 1, 1, 48)).toEqual(["#"]);
    expect(picture(tall, 8, 3, 40)).toEqual(["....####", "..##..##", "......##"]);
  });

  it("fills the inner corners of enlarged stairs (GS b)", () => {
    expect(picture(render(HOOK_A, "\x1d!\x11A\n"), 8, 6)).toEqual([
      "######..",
      "######..",
      "##......",
      "##......",
      "..##....",
      "..##....",
    ]);
    expect(picture(render(HOOK_A, "\x1db\x01\x1d!\x11A\n"), 8, 6)).toEqual([
      "######..",
      "######..",
      "##......",
      "###.....",
      ".###....",
      "..##....",
    ]);
    expect(picture(render(HOOK_A, "\x1db\x01\x1d!\x10A\n"), 8, 3)).toEqual(["######..", "##......", "..##...."]);
  });

  it("emphasizes and strikes twice by one dot within the cell (ESC E, ESC G)", () => {
    const thick = ["####", "##..", ".##.", "...."];
    expect(picture(render(HOOK_A, "\x1bE\x01A\n"), 4, 4)).toEqual(thick);
    expect(picture(render(HOOK_A, "\x1bG\x01A\n"), 4, 4)).toEqual(thick);
    expect(picture(render(HOOK_A, "\x1bE\x01\x1bG\x01A\n"), 4, 4)).toEqual(thick);
    // Each has a switch of its own.
    expect(picture(render(HOOK_A, "\x1bE\x01\x1bG\x01\x1bE\x00A\n"), 4, 4)).toEqual(thick);
    expect(picture(render(HOOK_A, "\x1bG\x01\x1bG\x00A\n"), 4, 4)).toEqual(HOOK);
  });

  it("underlines with one or two dots, not under turned or reversed characters (ESC -)", () => {
    const lines = (...parts: string[]): number[] =>
      render(...parts)
        .rows.map((row) => picture({ ...render(" \n"), rows: [row] }, 12, 1)[0] ?? "")
        .flatMap((row, y) => (row === "############" ? [y] : []));
    expect(lines("\x1b-\x01 \n")).toEqual([23]);
    expect(lines("\x1b-2 \n")).toEqual([22, 23]);
    expect(lines("\x1d!\x11\x1b-\x02 \n")).toEqual([46, 47]);
    expect(lines("\x1bV\x01\x1b-\x02 \n")).toEqual([]);
    expect(lines("\x1dB\x01\x1b-\x02 \n")).toHaveLength(24);
    // ESC ! has no thickness of its own.
    expect(lines("\x1b-\x02\x1b-\x00\x1b!\x80 \n")).toEqual([22, 23]);
    expect(lines("\x1b!\x80 \n")).toEqual([23]);
    expect(diagnosed(stream("\x1b-\x03"))).toMatchObject([{ kind: "out-of-range" }]);
  });

  it("takes every bit of ESC !", () => {
    const size = (n: number): [number, number] => {
      const page = render("\x1b!", [n], "\x1dB\x01 \n");
      return [picture(page, 512, 1)[0]?.lastIndexOf("#") ?? -1, page.heightDots];
    };
    expect(size(0x00)).toEqual([11, 24]);
    expect(size(0x01)).toEqual([8, 17]);
    expect(size(0x10)).toEqual([11, 48]);
    expect(size(0x20)).toEqual([23, 24]);
    expect(size(0x31)).toEqual([17, 34]);
    expect(picture(render(HOOK_A, "\x1b!\x08A\n"), 4, 1)).toEqual(["####"]);
  });

  it("has all 64 sizes (GS !)", () => {
    for (let width = 1; width <= 8; width += 1) {
      for (let height = 1; height <= 8; height += 1) {
        const page = render("\x1dB\x01\x1d!", [((width - 1) << 4) | (height - 1)], " \n");
        expect(page.heightDots).toBe(24 * height);
        expect(picture(page, 512, 1)[0]?.lastIndexOf("#")).toBe(12 * width - 1);
      }
    }
    expect(diagnosed(stream("\x1d!\x08"))).toMatchObject([{ kind: "out-of-range", name: "GS !" }]);
  });

  it("spaces characters to the right, doubled with the width (ESC SP)", () => {
    const second = (...parts: string[]): number | undefined =>
      picture(render(HOOK_A, ...parts, "AA\n"), 100, 1)[0]?.indexOf("#", 7);
    expect(second("\x1b \x05")).toBe(17);
    expect(second("\x1d!\x10\x1b \x05")).toBe(34);
  });

  it("has the fonts of its model (ESC M)", () => {
    const height = (profile: string, n: number): number | undefined =>
      renderEscpos(stream("\x1b3\x00\x1bM", [n], "A\n"), { profile })[0]?.heightDots;
    expect([0, 1, 2].map((n) => height("tm-m30iii", n))).toEqual([24, 24, 17]);
    expect([0, 1, 48, 49].map((n) => height("xp-80", n))).toEqual([24, 17, 24, 17]);
    expect(diagnosed(stream("\x1bM\x02"), "xp-80")).toMatchObject([{ kind: "unsupported", name: "ESC M" }]);
    const columns = renderEscpos(stream("\x1bM\x01", "x".repeat(58), "\n"))[0]?.text.split("\n");
    expect(columns?.[0]).toHaveLength(57);
  });

  it("prints a second colour black and says so (ESC r)", () => {
    expect(diagnosed(stream("\x1br\x00\x1br\x01"))).toMatchObject([{ kind: "ignored", name: "ESC r", offset: 3 }]);
  });
});

describe("text of others", () => {
  it("lays out fonts and styles as escpost does", () => {
    const folder = join(TESTDATA, "escpost", "ascii-fonts-and-styles");
    const bytes = Uint8Array.from(
      readFileSync(join(folder, "input.hex"), "utf8").split(/\s+/).filter(Boolean),
      (pair) => Number.parseInt(pair, 16),
    );
    const [page] = renderEscpos(bytes, { profile: "nt-5890k" });
    const png = PNG.sync.read(readFileSync(join(folder, "expected-001.png")));
    expect([page?.widthDots, page?.heightDots]).toEqual([png.width, png.height]);
    expect(page?.text).toBe("Font A 12x24\nFont B 9x17\nTITLE\nEmphasized\nUnderlined\n Reverse");
    const isBlack = (x: number, y: number): boolean => (png.data[(y * png.width + x) * 4] ?? 255) < 128;
    // Spaces at both ends of the reverse block, and the underline: dots of the layout, whatever the font.
    const solidRows = (black: (x: number, y: number) => boolean, from: number): number[] =>
      Array.from({ length: png.height }, (_, y) => y).filter((y) =>
        Array.from({ length: 12 }, (_, x) => from + x).every((x) => black(x, y)),
      );
    const ours = (x: number, y: number): boolean => getDot(page?.rows[y] ?? new Uint8Array(1), x);
    for (const from of [0, 96]) expect(solidRows(ours, from)).toEqual(solidRows(isBlack, from));
  });

  it.each(["character-tables.bin", "character-encodings.bin"])("reads %s", (file) => {
    const bytes = readFileSync(join(TESTDATA, "streams", file));
    const found = diagnosed(bytes, "tm-m30iii");
    // Hiragana, one-pass kanji, other Thai layouts and the Indic pages have no layout that we know.
    const absent = [6, 7, 8, 22, 23, 24, 25, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 82];
    expect(found.map(({ name, bytes: quoted }) => [name, quoted[2]])).toEqual(
      file === "character-tables.bin" ? absent.map((table) => ["ESC t", table]) : [],
    );
    const text = renderEscpos(bytes, { profile: findProfile("tm-m30iii") })[0]?.text ?? "";
    for (const line of file === "character-tables.bin"
      ? [
          "8 ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×č",
          "8 АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
          "A  ｡｢｣､･ｦｧｨｩｪｫｬｭｮｯｰｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿ",
        ]
      : ["Árvíztűrő tükörfúrógép.", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία", "ｲﾛﾊﾆﾎﾍﾄ ﾁﾘﾇﾙｦ ﾜｶﾖﾀﾚｿ ﾂﾈﾅﾗﾑ"]) {
      expect(text.split("\n")).toContain(line);
    }
  });
});
