import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import type { Page } from "./paper.ts";
import type { Diagnostic } from "./parser.ts";
import { renderEscpos } from "./render.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { CUT, hex, processId, raster, stream } from "./test-bytes.ts";

const ENTER = "\x1bL";
const FF = "\x0c";

function words(...values: number[]): number[] {
  return values.flatMap((value) => [value & 0xff, value >> 8]);
}

/** ESC W in dots of a 203 dpi head: vertical motion units are half a dot. */
function area(x: number, y: number, width: number, height: number): Uint8Array {
  return stream("\x1bW", words(x, y * 2, width, height * 2));
}

function direction(n: number): string {
  return `\x1bT${String.fromCharCode(n)}`;
}

/** The page's dots as text, `#` and `.`, cut out of it. */
function picture(page: Page | undefined, x = 0, y = 0, width = 16, height = page?.heightDots ?? 0): string[] {
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, column) => {
      const byte = page?.rows[y + row]?.[(x + column) >> 3] ?? 0;
      return (byte & (0x80 >> ((x + column) & 7))) === 0 ? "." : "#";
    }).join(""),
  );
}

function turnedClockwise(rows: readonly string[]): string[] {
  return Array.from(rows[0] ?? "", (_, column) =>
    rows
      .map((row) => row[column] ?? "")
      .reverse()
      .join(""),
  );
}

function render(...parts: (string | ArrayLike<number>)[]): Page | undefined {
  return renderEscpos(stream(...parts))[0];
}

function diagnostics(...parts: (string | ArrayLike<number>)[]): string[] {
  const found: Diagnostic[] = [];
  renderEscpos(stream(...parts), { onDiagnostic: (diagnostic) => found.push(diagnostic) });
  return found.map((diagnostic) => `${diagnostic.name} ${diagnostic.kind}`);
}

/** An F: no turn and no mirror of it looks like another. */
const F = [[0b11110000], [0b10000000], [0b11100000], [0b10000000], [0b10000000]];
const F_PICTURE = ["####....", "#.......", "###.....", "#.......", "#......."];

describe("directions", () => {
  it("turns an asymmetric picture by a quarter for each, text and images alike (ESC T)", () => {
    const inDirection = (n: number): string[] => {
      // Down in horizontal or vertical units, so that 30 dots are 60 or 30 units.
      const down = words(n % 2 === 0 ? 60 : 30);
      const page = render(ENTER, area(24, 16, 64, 64), direction(n), "R\x1d$", down, raster(F), FF);
      expect(page?.heightDots).toBe(80);
      return picture(page, 24, 16, 64, 64);
    };
    const upright = inDirection(0);
    expect(upright.slice(26, 31).map((row) => row.slice(12, 20))).toEqual(F_PICTURE);
    const quarter = turnedClockwise(upright);
    expect(inDirection(3)).toEqual(quarter);
    const half = turnedClockwise(quarter);
    expect(inDirection(2)).toEqual(half);
    expect(inDirection(1)).toEqual(turnedClockwise(half));
  });

  it("lets the motion units change places where characters run along the paper", () => {
    const at = (n: number): string[] =>
      picture(
        render(ENTER, area(0, 0, 64, 64), direction(n), "\x1b$", words(20), "\x1d$", words(20), raster([[0x80]]), FF),
        0,
        0,
        64,
        64,
      );
    const dot = (rows: string[]): number[] =>
      rows.flatMap((row, y) => (row.includes("#") ? [row.indexOf("#"), y] : []));
    expect(dot(at(0))).toEqual([20, 10]);
    expect(dot(at(1))).toEqual([20, 63 - 10]);
    expect(dot(at(2))).toEqual([63 - 20, 63 - 10]);
    expect(dot(at(3))).toEqual([63 - 20, 10]);
  });
});

describe("printing areas", () => {
  it("overlap, and CAN deletes what lies in the present one", () => {
    const black = raster(Array.from({ length: 4 }, () => [0xff]));
    const first = stream(ENTER, area(0, 0, 8, 4), "\x1d$", words(6), black);
    const second = stream(area(4, 2, 8, 4), "\x1d$", words(6), black);
    expect(picture(render(first, second, FF))).toEqual([
      "########........",
      "########........",
      "############....",
      "############....",
      "....########....",
      "....########....",
    ]);
    expect(picture(render(first, second, "\x18", FF))).toEqual([
      "########........",
      "########........",
      "####............",
      "####............",
      "................",
      "................",
    ]);
  });

  it("cut off what does not fit, and print to their lower edge", () => {
    const page = render(ENTER, area(4, 1, 6, 5), "\x1d$", words(4), raster(F), FF);
    expect(picture(page)).toEqual([
      "................",
      "....###.........",
      "....#...........",
      "....#...........",
      "................",
      "................",
    ]);
  });

  it("wrap text at their edge and let LF go down by the line spacing", () => {
    const page = render(ENTER, area(0, 0, 24, 80), "ABCD\nE", FF);
    expect(page?.heightDots).toBe(80);
    expect(page?.text).toBe("AB\nCD\nE");
    const inked = picture(page, 0, 0, 24).map((row) => row.includes("#"));
    expect(inked.slice(0, 24).some(Boolean)).toBe(true);
    expect(inked.slice(34, 58).some(Boolean)).toBe(true);
  });

  it("return to the whole page after FF and ESC S, while the direction stays", () => {
    const page = renderEscpos(
      stream(ENTER, area(0, 0, 16, 8), direction(2), FF, CUT, ENTER, "\x1d$", words(0), raster([[0x80]]), FF),
    );
    const last = page.at(-1);
    expect(last?.heightDots).toBe(831);
    expect(picture(last, 560, 830, 16, 1)).toEqual(["...............#"]);
    expect(render(ENTER, "lost", "\x1bS", "kept\n")?.text).toBe("kept");
  });

  it("take a page size of their own (GS ( P)", () => {
    const page = render("\x1d(P\x08\x00\x30", words(100, 80), [0, 0, 0], ENTER, "A", FF);
    expect(page?.heightDots).toBe(40);
  });

  it("refuse what lies outside", () => {
    expect(diagnostics(ENTER, area(576, 0, 8, 8), area(0, 831, 8, 8), area(0, 0, 0, 8), "\x1d$", words(5000))).toEqual([
      "ESC W out-of-range",
      "ESC W out-of-range",
      "ESC W out-of-range",
      "GS $ out-of-range",
    ]);
    expect(diagnostics("\x1d$\x00\x00", "\x1b\x0c", "A", ENTER)).toEqual([
      "GS $ ignored",
      "ESC FF ignored",
      "ESC L ignored",
    ]);
  });
});

describe("printing", () => {
  it("prints and keeps with ESC FF, adds, and prints again", () => {
    const page = render(
      ENTER,
      area(0, 0, 16, 2),
      "\x1d$",
      words(0),
      raster([[0xf0]]),
      "\x1b\x0c\x1d$",
      words(2),
      "\x1b$",
      words(8),
      raster([[0x0f]]),
      FF,
    );
    expect(picture(page)).toEqual(["####............", "................", "####............", "............####"]);
  });

  it("draws lines and boxes (GS ( Q)", () => {
    const box = stream("\x1d(Q\x0e\x00\x31", words(1, 2, 6, 8), [1, 1, 1, 1, 1]);
    const level = stream("\x1d(Q\x0c\x00\x30", words(9, 4, 12, 4), [1, 2, 1]);
    expect(picture(render(ENTER, area(0, 0, 16, 6), box, level, FF))).toEqual([
      "................",
      ".######.........",
      ".#....#..#####..",
      ".#....#..#####..",
      ".######.........",
      "................",
    ]);
    const oblique = stream("\x1d(Q\x0c\x00\x30", words(0, 0, 4, 4), [1, 1, 1]);
    expect(diagnostics(ENTER, oblique)).toEqual(["GS ( Q out-of-range"]);
  });

  it("answers a process ID when the page is on paper, not when it is developed", async () => {
    const clock = new VirtualClock();
    const sim: Simulator = await startSimulator({ clock });
    const pos = sim.connect();
    let received = "";
    pos.onData((bytes) => {
      received += hex(bytes);
    });
    await pos.write(stream(ENTER, area(0, 0, 64, 64), "text", processId("AAAA")));
    clock.runAll();
    expect(received).toBe("");
    await pos.write(stream(FF));
    clock.runAll();
    expect(received).toBe("37224141414100");
    expect(sim.text).toBe("text");
    await sim.close();
  });

  it("forgets the page at a power cut and with ESC @", async () => {
    const sim = await startSimulator();
    await sim.connect().write(stream(ENTER, "lost"));
    sim.fail("power-cut");
    sim.fail("power-on");
    await sim.connect().write(stream("kept\n", ENTER, "lost\x1b@", "too\n", CUT));
    expect((await sim.printed()).text).toBe("kept\ntoo");
    await sim.close();
  });
});

describe("any pieces", () => {
  it("give the same paper", async () => {
    const bytes = stream(
      ENTER,
      area(8, 4, 80, 64),
      direction(1),
      "Up\n",
      raster(F, 3),
      area(0, 0, 100, 90),
      direction(3),
      "\x1b*\x21\x02\x00abcdef\x1d\\\x20\x00down",
      "\x1d(Q\x0c\x00\x30",
      words(9, 4, 12, 4),
      [1, 2, 1],
      "\x1b\x0c",
      "\x18more",
      FF,
      "after\n",
      CUT,
    );
    const whole = renderEscpos(bytes)[0];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }), async (sizes) => {
        const sim = await startSimulator();
        const pos = sim.connect();
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          await pos.write(bytes.subarray(at, at + size));
          at += size;
        }
        const page = await sim.printed();
        expect(page.text).toBe(whole?.text);
        expect(Buffer.concat(page.rows).equals(Buffer.concat(whole?.rows ?? []))).toBe(true);
        await sim.close();
      }),
      { numRuns: 25 },
    );
  });
});
