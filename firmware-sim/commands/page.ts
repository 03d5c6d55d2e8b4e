import type { Engine } from "../engine.ts";
import { type Direction, PageBuffer, type PrintArea } from "../page-mode.ts";
import { type Command, code, digit, ESC, fixed, GS, LENGTH_PREFIXED, word } from "./command.ts";

/** A page longer than this (GS ( P) would be more memory than any printer has. */
const LONGEST_PAGE_ROWS = 8192;

function inPageMode(engine: Engine, run: (page: PageBuffer) => void): void {
  if (engine.page === undefined) engine.output.diagnose("ignored", "only in page mode");
  else run(engine.page);
}

function presentArea(engine: Engine): PrintArea {
  return engine.modes.printArea ?? { x: 0, y: 0, ...engine.modes.pageSize };
}

/** ESC L: at the beginning of a line only, and not twice. */
function enterPageMode(engine: Engine): void {
  if (engine.page !== undefined || !engine.atBeginningOfLine) {
    engine.output.diagnose("ignored", "not at the beginning of the line, or in page mode already");
    return;
  }
  engine.page = new PageBuffer(engine.modes.pageSize, presentArea(engine), engine.modes.direction);
  engine.line.clear();
}

/** ESC S and FF: the page is gone and ESC W returns to its default; ESC T stays. */
function leavePageMode(engine: Engine): void {
  engine.page = undefined;
  engine.modes.printArea = undefined;
  engine.line.clear();
}

/** Both ESC T and ESC W begin anew at the starting position. */
function select(engine: Engine): void {
  if (engine.page === undefined) return;
  engine.developLine(engine.page);
  engine.line.clear();
  engine.page.select(presentArea(engine), engine.modes.direction);
}

function selectDirection(engine: Engine, n: number): void {
  const direction = ([0, 1, 2, 3] as const).find((known: Direction) => known === digit(n));
  if (direction === undefined) {
    engine.output.diagnose("out-of-range", "the direction is 0 to 3");
    return;
  }
  engine.modes.direction = direction;
  select(engine);
}

/** ESC W: x and width in horizontal, y and height in vertical motion units, whatever the direction. */
function setPrintArea(engine: Engine, params: readonly number[]): void {
  const { horizontalUnitsPerInch, verticalUnitsPerInch, pageSize } = engine.modes;
  const across = (at: number): number => Math.round((word(params, at) * engine.profile.dpi) / horizontalUnitsPerInch);
  const down = (at: number): number => Math.round((word(params, at) * engine.profile.dpi) / verticalUnitsPerInch);
  const [x, y, widthDots, heightDots] = [across(0), down(2), across(4), down(6)];
  if (x >= pageSize.widthDots || y >= pageSize.heightDots || widthDots === 0 || heightDots === 0) {
    engine.output.diagnose("out-of-range", "the area begins outside of the page, or is empty");
    return;
  }
  // What hangs over the edge of the page is cut off (ESC W).
  engine.modes.printArea = {
    x,
    y,
    widthDots: Math.min(widthDots, pageSize.widthDots - x),
    heightDots: Math.min(heightDots, pageSize.heightDots - y),
  };
  select(engine);
}

function moveDown(engine: Engine, page: PageBuffer, y: number): void {
  if (y < 0 || y >= page.depthDots) {
    engine.output.diagnose("out-of-range", "outside of the printing area");
    return;
  }
  engine.developLine(page);
  page.y = y;
}

/** GS ( P fn 48: the size of the page, in the motion units of both directions. */
function setPageSize(engine: Engine, data: Uint8Array): void {
  const { horizontalUnitsPerInch, verticalUnitsPerInch } = engine.modes;
  const widthDots = Math.round((word(data, 1) * engine.profile.dpi) / horizontalUnitsPerInch);
  const heightDots = Math.round((word(data, 3) * engine.profile.dpi) / verticalUnitsPerInch);
  if (data[0] !== 48 || data.length < 5 || widthDots === 0 || heightDots === 0) {
    engine.output.diagnose("out-of-range", "GS ( P takes function 48 with a width and a height");
  } else if (engine.page !== undefined) {
    engine.output.diagnose("ignored", "the size of the page is set in standard mode");
  } else {
    engine.modes.pageSize = {
      widthDots: Math.min(widthDots, engine.profile.widthDots),
      heightDots: Math.min(heightDots, LONGEST_PAGE_ROWS),
    };
    engine.modes.printArea = undefined;
  }
}

/** GS ( Q fn 48 draws a line, 49 a rectangle; the coordinates are those of the direction. */
function drawShape(engine: Engine, page: PageBuffer, data: Uint8Array): void {
  const [fn = 0] = data;
  const x1 = engine.horizontalDots(word(data, 1));
  const y1 = engine.feedDots(word(data, 3));
  const x2 = engine.horizontalDots(word(data, 5));
  const y2 = engine.feedDots(word(data, 7));
  // The style is one of five lines: thin, medium, thick, and double ones, which print as the single line of their sort.
  const thickness = [1, 2, 4][(digit(data[10] ?? 1) - 1) % 3];
  const inside = Math.max(x1, x2) < page.lineDots && Math.max(y1, y2) < page.depthDots;
  const oblique = fn === 48 && x1 !== x2 && y1 !== y2;
  if (oblique || data.length < 12 || (fn !== 48 && fn !== 49) || !inside || thickness === undefined) {
    engine.output.diagnose("out-of-range", "upright or level lines (48) and boxes (49) within the printing area");
    return;
  }
  engine.developLine(page);
  if (fn === 48) {
    line(page, [x1, y1], [x2, y2], thickness);
  } else {
    line(page, [x1, y1], [x2, y1], thickness);
    line(page, [x1, y2], [x2, y2], thickness);
    line(page, [x1, y1], [x1, y2], thickness);
    line(page, [x2, y1], [x2, y2], thickness);
  }
  page.touch();
  engine.markPrintingData();
}

type Point = readonly [x: number, y: number];

/** An upright or level line, thickened to the right and downwards. */
function line(page: PageBuffer, [x1, y1]: Point, [x2, y2]: Point, thickness: number): void {
  for (let y = Math.min(y1, y2); y < Math.max(y1, y2) + thickness; y += 1) {
    for (let x = Math.min(x1, x2); x < Math.max(x1, x2) + thickness; x += 1) page.plot(x, y);
  }
}

const COMMANDS: readonly Command[] = [
  { name: "ESC L", prefix: [ESC, code("L")], shape: fixed(0), execute: enterPageMode },
  {
    name: "ESC S",
    prefix: [ESC, code("S")],
    shape: fixed(0),
    execute: (engine) => {
      if (engine.page !== undefined) leavePageMode(engine);
    },
  },
  // In standard mode FF ends a job; roll paper has nothing to feed for it.
  {
    name: "FF",
    prefix: [0x0c],
    shape: fixed(0),
    execute: (engine) => {
      if (engine.page === undefined) return;
      engine.printPage(engine.page);
      leavePageMode(engine);
    },
  },
  {
    name: "ESC FF",
    prefix: [ESC, 0x0c],
    shape: fixed(0),
    execute: (engine) => inPageMode(engine, (page) => engine.printPage(page)),
  },
  {
    name: "CAN",
    prefix: [0x18],
    shape: fixed(0),
    execute: (engine) => {
      if (engine.page === undefined) return;
      engine.developLine(engine.page);
      engine.page.clearArea();
    },
  },
  {
    name: "ESC T",
    prefix: [ESC, code("T")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => selectDirection(engine, n),
  },
  { name: "ESC W", prefix: [ESC, code("W")], shape: fixed(8), execute: setPrintArea },
  {
    name: "GS $",
    prefix: [GS, code("$")],
    shape: fixed(2),
    execute: (engine, params) => inPageMode(engine, (page) => moveDown(engine, page, engine.feedDots(word(params, 0)))),
  },
  {
    name: "GS \\",
    prefix: [GS, code("\\")],
    shape: fixed(2),
    execute: (engine, params) =>
      inPageMode(engine, (page) => {
        const signed = (word(params, 0) << 16) >> 16;
        moveDown(engine, page, page.y + engine.feedDots(signed));
      }),
  },
  {
    name: "GS ( P",
    prefix: [GS, code("("), code("P")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => setPageSize(engine, data),
  },
  {
    name: "GS ( Q",
    prefix: [GS, code("("), code("Q")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => inPageMode(engine, (page) => drawShape(engine, page, data)),
  },
];

/** Printers without page mode read its commands whole, and nothing comes of them. */
function whereSupported(row: Command): Command {
  const { execute } = row;
  if (execute === undefined) return row;
  return {
    ...row,
    execute: (engine, params, data) => {
      if (engine.profile.supports.pageMode) execute(engine, params, data);
      else engine.output.diagnose("unsupported", "this printer has no page mode");
    },
  };
}

export const PAGE_COMMANDS: readonly Command[] = COMMANDS.map(whereSupported);
