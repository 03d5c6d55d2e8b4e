import { rowBytes, setDots } from "../bits.ts";
import type { Engine } from "../engine.ts";
import type { Glyph } from "../font.ts";
import type { KanjiStyle } from "../text-printer.ts";
import { block, type Command, code, digit, FS, fixed, LENGTH_PREFIXED } from "./command.ts";

const KANJI_DOTS = 24;
const KANJI_BYTES = (KANJI_DOTS * KANJI_DOTS) / 8;

/** Models without two-byte characters consume the commands and say so. */
function withKanji(engine: Engine, run: () => void): void {
  if (engine.profile.kanji === undefined) engine.output.diagnose("unsupported", "this printer has no kanji");
  else run();
}

function setKanjiStyle(engine: Engine, change: Partial<KanjiStyle>): void {
  engine.text.modes.kanjiStyle = { ...engine.text.modes.kanjiStyle, ...change };
}

/** FS !: double width and height and underline of kanji in one byte. */
function selectKanjiModes(engine: Engine, n: number): void {
  setKanjiStyle(engine, {
    widthTimes: (n & 0x04) === 0 ? 1 : 2,
    heightTimes: (n & 0x08) === 0 ? 1 : 2,
    underline: (n & 0x80) === 0 ? 0 : engine.text.modes.kanjiUnderlineDots,
  });
}

function setKanjiUnderline(engine: Engine, n: number): void {
  const underline = digit(n);
  if (underline > 2) {
    engine.output.diagnose("out-of-range", "underline is 0, 1 or 2 dots");
    return;
  }
  if (underline > 0) engine.text.modes.kanjiUnderlineDots = underline;
  setKanjiStyle(engine, { underline });
}

/** FS C exists in Japanese models alone: the other systems have one coding each. */
function selectCoding(engine: Engine, n: number): void {
  const coding = digit(n);
  if (engine.profile.kanji?.system !== "japanese") {
    engine.output.diagnose("unsupported", "only Japanese models have two kanji code systems");
  } else if (coding > 2) {
    engine.output.diagnose("out-of-range", "the code system is 0 (JIS), 1 or 2 (Shift_JIS)");
  } else {
    engine.text.modes.shiftJis = coding > 0;
  }
}

/** FS 2: 24 columns of three bytes, most significant bit on top. */
function kanjiOfColumns(data: Uint8Array): Glyph {
  const rows = Array.from({ length: KANJI_DOTS }, () => new Uint8Array(rowBytes(KANJI_DOTS)));
  rows.forEach((row, y) => {
    for (let x = 0; x < KANJI_DOTS; x += 1) {
      if (((data[x * 3 + (y >> 3)] ?? 0) & (0x80 >> (y & 7))) !== 0) setDots(row, x, 1);
    }
  });
  return { widthDots: KANJI_DOTS, rows };
}

function defineKanji(engine: Engine, [first = 0, second = 0]: readonly number[], glyph: Glyph | undefined): void {
  if (!engine.text.defineKanji(first, second, glyph)) {
    engine.output.diagnose("out-of-range", "the code is not one of the user's");
  }
}

/** FS ( A fn 48: the one kanji font is the 24x24 of Font A. */
function selectKanjiFont(engine: Engine, data: Uint8Array): void {
  const [fn = 0, font = 0] = data;
  if (fn !== 48) engine.output.diagnose("unsupported", `FS ( A has no function ${fn}`);
  else if (digit(font) !== 0) engine.output.diagnose("unsupported", `this printer has no kanji font ${digit(font)}`);
}

export const KANJI_COMMANDS: readonly Command[] = [
  {
    name: "FS &",
    prefix: [FS, code("&")],
    shape: fixed(0),
    execute: (engine) =>
      withKanji(engine, () => {
        engine.text.modes.kanji = true;
      }),
  },
  {
    name: "FS .",
    prefix: [FS, code(".")],
    shape: fixed(0),
    execute: (engine) => {
      engine.text.modes.kanji = false;
    },
  },
  {
    name: "FS C",
    prefix: [FS, code("C")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => selectCoding(engine, n),
  },
  {
    name: "FS !",
    prefix: [FS, code("!")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => withKanji(engine, () => selectKanjiModes(engine, n)),
  },
  {
    name: "FS -",
    prefix: [FS, code("-")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => withKanji(engine, () => setKanjiUnderline(engine, n)),
  },
  {
    name: "FS S",
    prefix: [FS, code("S")],
    shape: fixed(2),
    execute: (engine, [left = 0, right = 0]) =>
      withKanji(engine, () =>
        setKanjiStyle(engine, {
          leftSpacingDots: engine.horizontalDots(left),
          spacingDots: engine.horizontalDots(right),
        }),
      ),
  },
  {
    name: "FS W",
    prefix: [FS, code("W")],
    shape: fixed(1),
    execute: (engine, [n = 0]) =>
      withKanji(engine, () => {
        const times = (n & 1) === 1 ? 2 : 1;
        setKanjiStyle(engine, { widthTimes: times, heightTimes: times });
      }),
  },
  {
    name: "FS 2",
    prefix: [FS, code("2")],
    shape: block(2, () => KANJI_BYTES),
    execute: (engine, params, data) => withKanji(engine, () => defineKanji(engine, params, kanjiOfColumns(data))),
  },
  {
    name: "FS ?",
    prefix: [FS, code("?")],
    shape: fixed(2),
    execute: (engine, params) => withKanji(engine, () => defineKanji(engine, params, undefined)),
  },
  {
    name: "FS ( A",
    prefix: [FS, code("("), code("A")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => withKanji(engine, () => selectKanjiFont(engine, data)),
  },
];
