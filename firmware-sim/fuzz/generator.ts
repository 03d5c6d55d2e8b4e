import { ALL_COMMANDS } from "../commands/table.ts";
import type { Random } from "./random.ts";

/** Values at the edges of what commands take. */
const EDGES = [0, 1, 2, 3, 7, 8, 0x1f, 0x20, 0x30, 0x31, 0x32, 0x33, 0x41, 0x45, 0x50, 0x7e, 0x7f, 0x80, 0xfe, 0xff];
/** A command that asks for more data would leave no room for others. */
const MOST_DATA = 4096;
const MOST_PARAMS = 512;

function bytesOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function times(count: number, bytes: readonly number[]): number[] {
  return Array.from({ length: count }, () => bytes).flat();
}

function randomBytes(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.below(256));
}

function parameter(random: Random): number {
  return random.chance(4) ? random.below(256) : random.pick(EDGES);
}

/** A command of the table with parameters that lie at their edges, and as much data as it asks for or less. */
function command(random: Random): number[] {
  const row = random.pick(ALL_COMMANDS);
  const params: number[] = [];
  for (
    let wanted = row.shape.more(params);
    wanted > 0 && params.length < MOST_PARAMS;
    wanted = row.shape.more(params)
  ) {
    for (let count = Math.min(wanted, MOST_PARAMS); count > 0; count -= 1) params.push(parameter(random));
  }
  const asked = row.shape.data?.(params) ?? 0;
  if (asked > MOST_DATA) return [];
  const given = random.chance(8) ? random.below(asked + 1) : asked;
  const data = Array.from({ length: given }, () => parameter(random));
  return [...row.prefix, ...params, ...data];
}

/** GS ( k, GS ( L and GS ( H with a function that exists and data of the length they say. */
function symbol(random: Random): number[] {
  const cn = 48 + random.below(7);
  const set = times(1 + random.below(3), [0x1d, 0x28, 0x6b, 3, 0, cn, 65 + random.below(8), parameter(random)]);
  const length = random.below(random.chance(60) ? 0x10000 - 3 : random.chance(6) ? 3000 : 60);
  const alphabet = random.pick(["0123456789", "ABCDEFGHIJKLM $%*", "(01)0491", "{A{B{1\x00\xff\x80"]);
  const data = Array.from({ length }, () => alphabet.charCodeAt(random.below(alphabet.length)));
  const size = length + 3;
  return [
    ...set,
    ...[0x1d, 0x28, 0x6b, size & 0xff, size >> 8, cn, 80, 48, ...data],
    ...[0x1d, 0x28, 0x6b, 3, 0, cn, random.pick([81, 82]), 48],
  ];
}

function barcode(random: Random): number[] {
  const digits = Array.from({ length: random.below(40) }, () => 0x30 + random.below(10));
  const data = random.chance(2) ? digits : Array.from({ length: random.below(255) }, () => random.below(128));
  const settings = [0x1d, 0x77, parameter(random), 0x1d, 0x48, random.below(4), 0x1d, 0x68, parameter(random)];
  if (random.chance(2)) return [...settings, 0x1d, 0x6b, random.below(7), ...data, 0, 0x0a];
  return [...settings, 0x1d, 0x6b, 65 + random.below(15), data.length, ...data, 0x0a];
}

/** Announces more data than ever come: nothing after it is a command any more. */
const ENDINGS: readonly ((random: Random) => number[])[] = [
  // Four gigabytes announced.
  () => [0x1d, 0x38, 0x4c, 0xff, 0xff, 0xff, 0xff, 0x30, 0x70, 0x30, 2, 2, 0x31, 0xff, 0xff, 0xff, 0xff],
  (random) => [0x1d, 0x28, random.pick(bytesOf("kLECDHKMNAPQ")), 0xff, 0xff, ...randomBytes(random, random.below(40))],
  (random) => [0x1d, 0x76, 0x30, random.below(4), 0xff, 0xff, 0xff, 0xff, ...randomBytes(random, random.below(600))],
];

/** What is known to have hurt printers and their emulators. */
const HOSTILE: readonly ((random: Random) => number[])[] = [
  // A macro that calls itself, and one that prints as much as two kilobytes can.
  () => bytesOf("\x1d:AB\x1d^\xff\x00\x00\n\x1d:\x1d^\xff\x00\x00"),
  (random) =>
    bytesOf(
      `\x1d:${random.pick(["\n", "\x1bJ\xff", "A\x0c", "\x1d/3", "\x1d(L\x02\x0002"]).repeat(200)}\x1d:\x1d^\xff\x00\x00`,
    ),
  (random) => bytesOf(`\x1d:\x1d:\x1d^\x05\x00\x01${random.pick(["\x1d:", "\x1b@", "\x1d(H\x06\x0000abcd"])}`),
  // Page mode with areas and pages beyond all measure, left open or printed again and again.
  (random) => [
    ...bytesOf("\x1bL\x1bW"),
    ...Array.from({ length: 8 }, () => parameter(random)),
    0x1b,
    0x54,
    parameter(random),
  ],
  (random) => [
    ...bytesOf("\x1d(P\x08\x000\xff\xff\xff\xff\xff\xff\xff\x1bL"),
    ...times(random.below(20), bytesOf("Ab\x1b\x0c")),
  ],
  (random) => [...bytesOf("\x1d(Q\x0c\x000"), ...randomBytes(random, 8), 1, parameter(random), 0, 0],
  // Tabs, positions, margins.
  (random) => [0x1b, 0x44, ...randomBytes(random, random.below(60)), ...times(40, [0x09])],
  (random) => [0x1d, 0x4c, parameter(random), parameter(random), 0x1d, 0x57, parameter(random), parameter(random)],
  (random) => [
    0x1b,
    0x24,
    parameter(random),
    parameter(random),
    0x1b,
    0x5c,
    parameter(random),
    parameter(random),
    0x41,
  ],
  (random) => times(random.below(300), bytesOf("\x1b$\x00\x00\x1d!\x77@")),
  // Glyphs of characters and sizes that do not exist.
  (random) => [
    0x1b,
    0x26,
    random.below(5),
    parameter(random),
    parameter(random),
    ...randomBytes(random, random.below(300)),
  ],
  (random) => [...bytesOf("\x1b&\x03\x20\x7e"), ...randomBytes(random, random.below(800)), 0x1b, 0x25, 1],
  // Feeds, cuts and pulses without end.
  (random) => times(random.below(2000), [0x0a]),
  (random) => [0x1b, 0x33, 0xff, ...times(random.below(10), [0x1b, 0x64, 0xff])],
  (random) =>
    times(
      random.below(300),
      random.pick([
        [0x1d, 0x56, 0],
        [0x1d, 0x56, 0x61, 0xff],
        [0x1b, 0x69],
      ]),
    ),
  (random) => times(random.below(300), [0x1b, 0x70, 0, 0xff, 0xff]),
  (random) =>
    times(
      random.below(200),
      bytesOf(random.pick(["\x1d(H\x06\x0000abcd", "\x1dI\x43", "\x1dr\x01", "\x1da\xff", "\x10\x04\x01"])),
    ),
  (random) =>
    bytesOf(
      random.pick([
        "\x10\x05\x02",
        "\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08",
        "\x10\x14\x07\x01",
        "\x1b=\x00",
        "\x1b=\x01",
      ]),
    ),
  // Stored graphics: define, list, print, print twice as large, run out of room.
  (random) => {
    const [width, height] = [1 + random.below(600), 1 + random.below(60)];
    const data = randomBytes(random, ((width + 7) >> 3) * height);
    const head = [0x30, random.pick([67, 83]), 0x30, 0x41 + random.below(26), 0x41, 1];
    const size = [width & 0xff, width >> 8, height, 0];
    const all = [...head, ...size, 0x31, ...data];
    return [0x1d, 0x28, 0x4c, all.length & 0xff, all.length >> 8, ...all, ...bytesOf("\x1d(L\x06\x000EAA\x02\x02")];
  },
  (random) => {
    const [x, y] = [1 + random.below(40), 1 + random.below(20)];
    return [0x1d, 0x2a, x, y, ...randomBytes(random, x * y * 8), 0x1d, 0x2f, random.below(4)];
  },
  // Kanji modes and half characters.
  (random) => [0x1c, 0x43, parameter(random), 0x1c, 0x26, ...randomBytes(random, 60), 0x1c, 0x2e],
  (random) => [...bytesOf("\x1c(C\x02\x0002"), ...randomBytes(random, 60)],
  // Solid black.
  (random) => [...bytesOf("\x1dv00"), 72, 0, random.below(60), 0, ...times(60 * 72, [0xff])],
];

function text(random: Random): number[] {
  return Array.from({ length: random.below(80) }, () => (random.chance(8) ? 0x0a : 0x20 + random.below(224)));
}

/** A piece of another's stream, some of its bytes changed, left out or doubled. */
function mutated(random: Random, corpus: readonly Uint8Array[]): number[] {
  const source = random.pick(corpus);
  const from = random.below(source.length);
  const bytes: number[] = [];
  const changeOneIn = 2 ** (3 + random.below(8));
  for (const byte of source.subarray(from, from + random.below(2000))) {
    if (!random.chance(changeOneIn)) bytes.push(byte);
    else bytes.push(...random.pick([[], [byte ^ (1 << random.below(8))], [parameter(random), byte]]));
  }
  return bytes;
}

/** About `size` bytes, or somewhat more. */
export function hostileStream(random: Random, corpus: readonly Uint8Array[], size: number): Uint8Array {
  const bytes: number[] = [];
  while (bytes.length < size) {
    const kind = random.below(10);
    const part =
      kind < 3
        ? command(random)
        : kind < 5
          ? random.pick(HOSTILE)(random)
          : kind === 5
            ? mutated(random, corpus)
            : kind === 6
              ? symbol(random)
              : kind === 7
                ? barcode(random)
                : kind === 8
                  ? randomBytes(random, random.below(120))
                  : text(random);
    for (const byte of part) bytes.push(byte);
  }
  if (random.chance(4)) bytes.push(...random.pick(ENDINGS)(random));
  return Uint8Array.from(bytes);
}
