import type { Engine } from "../engine.ts";
import { usedBytes } from "../memory.ts";
import type { ParameterShape } from "../parser.ts";
import { columnPicture, type Picture } from "../pictures.ts";
import { block, type Command, code, digit, FS, fixed, GS, word } from "./command.ts";

/** FS q: the greatest size of one image, in bytes of 8 dots. */
const WIDEST_BYTES = 1023;
const TALLEST_BYTES = 288;
/** No printer takes more in one command. */
const LARGEST_BYTES = 256 * 1024;

function imageBytes(params: readonly number[], at: number): number | undefined {
  const x = word(params, at);
  const y = word(params, at + 2);
  return x === 0 || x > WIDEST_BYTES || y === 0 || y > TALLEST_BYTES ? undefined : x * y * 8;
}

/** FS q: n images of xL xH yL yH and x*y*8 bytes. A size out of range ends the command there and then. */
const NV_IMAGES: ParameterShape = {
  more: (params) => {
    const count = params[0];
    if (count === undefined) return 1;
    let at = 1;
    for (let image = 0; image < count; image += 1) {
      if (params.length < at + 4) return at + 4 - params.length;
      const bytes = imageBytes(params, at);
      if (bytes === undefined || at + bytes > LARGEST_BYTES) return 0;
      at += 4 + bytes;
    }
    return Math.max(0, at - params.length);
  },
};

/** FS q replaces all images that were there before. */
function defineNvImages(engine: Engine, params: readonly number[]): void {
  const images: Picture[] = [];
  let at = 1;
  for (let image = 0; image < (params[0] ?? 0); image += 1) {
    const bytes = imageBytes(params, at);
    if (bytes === undefined || params.length < at + 4 + bytes) break;
    const dots = Uint8Array.from(params.slice(at + 4, at + 4 + bytes));
    images.push(columnPicture(dots, word(params, at) * 8, word(params, at + 2) * 8));
    at += 4 + bytes;
  }
  if (
    images.length === 0 ||
    images.length < (params[0] ?? 0) ||
    usedBytes(images) > engine.profile.memory.nvGraphicsBytes
  ) {
    engine.output.diagnose("out-of-range", "1 to 255 images of at most 1023 x 288 bytes, all within the memory");
    return;
  }
  engine.memory.nv.images = images;
  engine.memory.nv.changed();
}

/** GS / and FS p: m 0 to 3 double nothing, width, height, both. */
function print(engine: Engine, picture: Picture | undefined, mode: number): void {
  const m = digit(mode);
  if (m > 3) engine.output.diagnose("out-of-range", "m is 0 to 3");
  else if (picture === undefined) engine.output.diagnose("ignored", "no such image is defined");
  else if (!engine.atBeginningOfLine) engine.output.diagnose("ignored", "not at the beginning of the line");
  else engine.printRaster(picture.rows, picture.widthDots, { x: (m & 1) + 1, y: (m >> 1) + 1 });
}

function downloadImage(engine: Engine, [x = 0, y = 0]: readonly number[], data: Uint8Array): void {
  if (x === 0 || y === 0 || x * y > 1536) engine.output.diagnose("out-of-range", "x * y is 1 to 1536");
  else engine.memory.bitImage = columnPicture(data, x * 8, y * 8);
}

export const STORED_IMAGE_COMMANDS: readonly Command[] = [
  {
    name: "GS *",
    prefix: [GS, code("*")],
    shape: block(2, (params) => (params[0] ?? 0) * (params[1] ?? 0) * 8),
    execute: downloadImage,
  },
  {
    name: "GS /",
    prefix: [GS, code("/")],
    shape: fixed(1),
    execute: (engine, [m = 0]) => print(engine, engine.memory.bitImage, m),
  },
  { name: "FS q", prefix: [FS, code("q")], shape: NV_IMAGES, execute: defineNvImages },
  {
    name: "FS p",
    prefix: [FS, code("p")],
    shape: fixed(2),
    execute: (engine, [n = 0, m = 0]) => print(engine, engine.memory.nv.images[n - 1], m),
  },
];
