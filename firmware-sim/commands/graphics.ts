import type { Engine } from "../engine.ts";
import { type KeyedPictures, usedBytes } from "../memory.ts";
import {
  columnPicture,
  ditheredPicture,
  type Picture,
  pictureBytes,
  rasterPicture,
  scaledPicture,
} from "../pictures.ts";
import { replyInBlocks, replyNumber } from "./blocks.ts";
import { block, type Command, code, digit, GS, LENGTH_PREFIXED, word } from "./command.ts";

const MONOCHROME = 48;
const MULTIPLE_TONE = 52;
/** Fn 112 and 113: the greatest sizes, and the greatest height that can be doubled. */
const WIDEST_DOTS = 2047;
const TALLEST_DOTS = 1662;
const TALLEST_DOUBLED_DOTS = 831;

interface GraphicsFunction {
  readonly fn: number;
  readonly run: (engine: Engine, data: Uint8Array) => void;
}

/** What follows m and fn. */
function outOfRange(engine: Engine, detail: string): void {
  engine.output.diagnose("out-of-range", detail);
}

type Layout = "raster" | "column";

/** `data` from xL on: the size, then the dots. Undefined when they are too few. */
function readPicture(data: Uint8Array, at: number, layout: Layout): Picture | undefined {
  const widthDots = word(data, at);
  const heightDots = word(data, at + 2);
  const dots = data.subarray(at + 4);
  const bytes = layout === "raster" ? ((widthDots + 7) >> 3) * heightDots : ((heightDots + 7) >> 3) * widthDots;
  if (widthDots === 0 || heightDots === 0 || dots.length < bytes) return undefined;
  return (layout === "raster" ? rasterPicture : columnPicture)(dots, widthDots, heightDots);
}

/** Fn 112 and 113: a bx by c x y dots, into the print buffer. */
function storeForPrinting(engine: Engine, data: Uint8Array, layout: Layout): void {
  const [, , tone = 0, bx = 0, by = 0, color = 0] = data;
  const picture = readPicture(data, 6, layout);
  const tallest = by === 2 ? TALLEST_DOUBLED_DOTS : TALLEST_DOTS;
  const scaled = (bx === 1 || bx === 2) && (by === 1 || by === 2);
  const fits = picture !== undefined && picture.widthDots <= WIDEST_DOTS && picture.rows.length <= tallest;
  if (!scaled || !fits || (tone !== MONOCHROME && tone !== MULTIPLE_TONE)) {
    outOfRange(engine, "tone 48 or 52, scales 1-2, at most 2047 x 1662 dots, and all of their data");
    return;
  }
  const large = scaledPicture(picture, bx, by);
  const planes = engine.memory.tonePlanes;
  if (tone === MONOCHROME) {
    planes.length = 0;
    engine.storedGraphics = large;
    return;
  }
  if (color < 49 || color > 52) {
    outOfRange(engine, "multiple tone has the planes 49 to 52");
    return;
  }
  while (planes.length < 4) planes.push(undefined);
  planes[color - 49] = large;
  engine.storedGraphics = ditheredPicture(planes);
}

function printStored(engine: Engine): void {
  const stored = engine.storedGraphics;
  if (stored === undefined) return;
  if (print(engine, stored, 1, 1)) {
    engine.storedGraphics = undefined;
    engine.memory.tonePlanes.length = 0;
  }
}

function print(engine: Engine, picture: Picture, x: number, y: number): boolean {
  if (!engine.atBeginningOfLine) {
    engine.output.diagnose("ignored", "not at the beginning of the line");
    return false;
  }
  engine.printRaster(picture.rows, picture.widthDots, { x, y });
  return true;
}

/** NV or RAM: where keyed graphics live, how much goes in, and who must know of a change. */
interface Store {
  pictures(engine: Engine): KeyedPictures;
  capacity(engine: Engine): number;
  changed(engine: Engine): void;
}

/** GS ( E fn 5, a = 2: 1 to 7 stand for nothing to 384 KB in steps of 64 KB. */
function nvCapacity(engine: Engine): number {
  const chosen = engine.memory.nv.values.get(2);
  return chosen === undefined
    ? engine.profile.memory.nvGraphicsBytes
    : Math.min(6, Math.max(0, chosen - 1)) * 64 * 1024;
}

const NV: Store = {
  pictures: (engine) => engine.memory.nv.graphics,
  capacity: nvCapacity,
  changed: (engine) => engine.memory.nv.changed(),
};

const RAM: Store = {
  pictures: (engine) => engine.memory.downloaded,
  capacity: (engine) => engine.profile.memory.ramGraphicsBytes,
  changed: () => {},
};

function free(engine: Engine, store: Store): number {
  return store.capacity(engine) - usedBytes(store.pictures(engine).values());
}

/** A key is two characters of 20h to 7Eh. */
function keyAt(data: Uint8Array, at: number): string | undefined {
  const codes = [data[at] ?? 0, data[at + 1] ?? 0];
  return codes.every((value) => value >= 0x20 && value <= 0x7e) ? String.fromCharCode(...codes) : undefined;
}

/** Fn 67, 68, 83, 84: a kc1 kc2 b x y, then b times a colour and its dots. */
function define(engine: Engine, data: Uint8Array, store: Store, layout: Layout): void {
  const key = keyAt(data, 3);
  // With one colour the dots follow the colour byte; the size stands before it.
  const withoutColor = Uint8Array.from([...data.subarray(6, 10), ...data.subarray(11)]);
  const picture = readPicture(withoutColor, 0, layout);
  if (data[2] !== MONOCHROME || data[5] !== 1 || key === undefined || picture === undefined) {
    outOfRange(engine, "monochrome, one colour, a key of 20h to 7Eh, and all of the data");
    return;
  }
  const pictures = store.pictures(engine);
  const old = pictures.get(key);
  const room = free(engine, store) + (old === undefined ? 0 : pictureBytes(old));
  if (pictureBytes(picture) > room) {
    engine.output.diagnose("ignored", "no room left for these graphics");
    return;
  }
  pictures.set(key, picture);
  store.changed(engine);
}

function listKeys(engine: Engine, data: Uint8Array, store: Store, identifier: number): void {
  if (String.fromCharCode(...data.subarray(2, 4)) !== "KC") {
    outOfRange(engine, "the list of keys is asked for with KC");
    return;
  }
  const keys = [...store.pictures(engine).keys()].sort().join("");
  replyInBlocks(
    engine,
    identifier,
    Array.from(keys, (character) => character.charCodeAt(0)),
  );
}

function deleteAll(engine: Engine, data: Uint8Array, store: Store): void {
  if (String.fromCharCode(...data.subarray(2, 5)) !== "CLR") {
    outOfRange(engine, "all graphics are deleted with CLR");
    return;
  }
  store.pictures(engine).clear();
  store.changed(engine);
}

function deleteOne(engine: Engine, data: Uint8Array, store: Store): void {
  if (store.pictures(engine).delete(keyAt(data, 2) ?? "")) store.changed(engine);
}

function printKeyed(engine: Engine, data: Uint8Array, store: Store): void {
  const [, , , , x = 0, y = 0] = data;
  const picture = store.pictures(engine).get(keyAt(data, 2) ?? "");
  if (x < 1 || x > 2 || y < 1 || y > 2) outOfRange(engine, "scales are 1 and 2");
  else if (picture === undefined) engine.output.diagnose("ignored", "no graphics under this key");
  else print(engine, picture, x, y);
}

/** The functions of one memory, from its first number on: keys, delete all, delete one, raster, column, print. */
function keyed(first: number, store: Store, identifier: number): GraphicsFunction[] {
  return [
    { fn: first, run: (engine, data) => listKeys(engine, data, store, identifier) },
    { fn: first + 1, run: (engine, data) => deleteAll(engine, data, store) },
    { fn: first + 2, run: (engine, data) => deleteOne(engine, data, store) },
    { fn: first + 3, run: (engine, data) => define(engine, data, store, "raster") },
    { fn: first + 4, run: (engine, data) => define(engine, data, store, "column") },
    { fn: first + 5, run: (engine, data) => printKeyed(engine, data, store) },
  ];
}

const FUNCTIONS: readonly GraphicsFunction[] = [
  { fn: 48, run: (engine) => replyNumber(engine, 0x30, nvCapacity(engine)) },
  // The reference density chooses between 180 and 360 dpi heads; these printers have but one.
  { fn: 49, run: () => {} },
  { fn: 50, run: printStored },
  { fn: 51, run: (engine) => replyNumber(engine, 0x31, free(engine, NV)) },
  { fn: 52, run: (engine) => replyNumber(engine, 0x32, free(engine, RAM)) },
  ...keyed(64, NV, 0x72),
  ...keyed(80, RAM, 0x73),
  { fn: 112, run: (engine, data) => storeForPrinting(engine, data, "raster") },
  { fn: 113, run: (engine, data) => storeForPrinting(engine, data, "column") },
];

/** GS ( L and GS 8 L differ in the size of their length only. Functions 0 to 4 are 48 to 52. */
function graphics(engine: Engine, data: Uint8Array): void {
  const fn = data[1] ?? 0;
  if (!engine.profile.supports.graphics) {
    engine.output.diagnose("unsupported", "this printer has no graphics commands");
    return;
  }
  const known = FUNCTIONS.find((row) => row.fn === (fn < 48 ? digit(fn) + 48 : fn));
  if (known === undefined) engine.output.diagnose("unsupported", `GS ( L has no function ${fn}`);
  else known.run(engine, data);
}

export const GRAPHICS_COMMANDS: readonly Command[] = [
  {
    name: "GS ( L",
    prefix: [GS, code("("), code("L")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => graphics(engine, data),
  },
  {
    name: "GS 8 L",
    prefix: [GS, code("8"), code("L")],
    shape: block(4, (params) => word(params, 0) + word(params, 2) * 0x10000),
    execute: (engine, _params, data) => graphics(engine, data),
  },
];
