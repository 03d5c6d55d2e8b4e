import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { drawCharacter, PLAIN_STYLE } from "./character.ts";
import { VirtualClock } from "./clock.ts";
import { characterGlyph, glyphInCell, kanjiGlyph } from "./font.ts";
import { runCampaign, shrink } from "./fuzz/campaign.ts";
import type { Page } from "./paper.ts";
import { Printer } from "./printer.ts";
import { findProfile, PROFILES } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { stream } from "./test-bytes.ts";

const STREAMS = join(fileURLToPath(import.meta.url), "..", "testdata", "streams");
const BYTES = Number(process.env["FUZZ_BYTES"] ?? 60_000);

/** A printer that got `head` once and `unit` many times, as fast as it takes them within a second of its time. */
function flood(head: string, unit: string, count: number) {
  const clock = new VirtualClock();
  const printer = new Printer(findProfile(), clock, { page: () => {}, reachable: () => {} });
  const host = printer.attach({ send: () => true, drop: () => {}, drained: () => {} });
  const taken = host.receive(stream(head, unit.repeat(count)));
  clock.advance(1000);
  return { taken, printer, host, clock };
}

/** Megabytes that live: objects, and what array buffers hold outside of the heap. */
function livingMb(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

describe("hostile bytes", () => {
  it("neither crash nor hang any model, whatever the seed", () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1_000_000));
    const corpus = readdirSync(STREAMS).map((name) => readFileSync(join(STREAMS, name)));
    const { failing, bytes } = runCampaign({ seed, bytes: BYTES, profiles: PROFILES, corpus });
    expect(failing?.failure, `npm run fuzz -- --seed ${seed} --bytes ${BYTES}`).toBeUndefined();
    expect(bytes).toBeGreaterThanOrEqual(BYTES);
  }, 120_000);

  it("are made as short as they can be when something fails", () => {
    const bytes = stream("some text", [7, 9], "and more of it", [8], "to the end");
    const short = shrink(bytes, (rest) => rest.includes(7) && rest.includes(8));
    expect([...short]).toEqual([7, 8]);
  });
});

describe("what campaigns have found", () => {
  const LONGEST_PAGE = "\x1d(P\x08\x000\xff\xff\xff\xff\xff\xff\xff";

  it("entering and clearing the longest page costs next to nothing while it is empty", () => {
    const startedMs = performance.now();
    flood(LONGEST_PAGE, "\x1bL\x1bS", 5000);
    flood(`${LONGEST_PAGE}\x1bL`, "\x18", 20_000);
    flood(`${LONGEST_PAGE}\x1bL`, "A\x18", 10_000);
    // It took 10 and 900 seconds.
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  it("clears exactly the printing area of a page (CAN)", () => {
    const area = (x: number, width: number): string => `\x1bW${String.fromCharCode(x, 0, 0, 0, width, 0, 24, 0)}`;
    const solid = "\x1dB\x01     ";
    const [page] = renderEscpos(stream("\x1bL", area(0, 60), solid, area(13, 20), "\x18\x0c"), { profile: "xp-80" });
    const dots = [...(page?.rows[5] ?? [])].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    expect(dots.slice(0, 64)).toBe(`${"1".repeat(13)}${"0".repeat(20)}${"1".repeat(27)}0000`);
  });

  it("strikes one line over and over again without overflow of stack or memory", () => {
    const unit = "\x1b$\x00\x00A\x1b$\x10\x00\x1d!\x01B\x1d!\x00\x1b*\x01\x01\x00\xff";
    const before = process.memoryUsage().heapUsed;
    const once = renderEscpos(stream(unit, "\n"));
    const often = renderEscpos(stream(unit.repeat(5000), "\n"));
    expect(often[0]?.rows.map((row) => Buffer.from(row).toString("hex"))).toEqual(
      once[0]?.rows.map((row) => Buffer.from(row).toString("hex")),
    );
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200e6);
  });

  it("remembers some glyphs, not every character of Unicode in every cell (UTF-8)", () => {
    kanjiGlyph(0x4e00);
    characterGlyph("b", 0x41);
    const before = livingMb();
    for (let codePoint = 0; codePoint < 0x10000; codePoint += 1) {
      kanjiGlyph(codePoint);
      glyphInCell({ widthDots: 9, heightDots: 17 }, codePoint);
    }
    // It was 200 MB, and more with each cell.
    expect(livingMb() - before).toBeLessThan(24);
  }, 60_000);

  it("remembers drawn characters by the dots they have: the largest ones are a thousand times the smallest", () => {
    const glyph = characterGlyph("a", 0x41);
    const before = livingMb();
    for (let spacingDots = 0; spacingDots < 256; spacingDots += 1) {
      for (const leftSpacingDots of [252, 253, 254, 255]) {
        drawCharacter(glyph, { ...PLAIN_STYLE, widthTimes: 8, heightTimes: 8, spacingDots, leftSpacingDots });
      }
    }
    // It was 115 MB for the first thousand, of which four were kept.
    expect(livingMb() - before).toBeLessThan(24);
  }, 60_000);

  it("remembers no more reserved cuts than a blade could carry out", () => {
    const startedMs = performance.now();
    flood("", "\x1dVa\xff", 50_000);
    // Each of them was compared with all others: 30 seconds.
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it("takes no more cuts than the print queue has room for, and answers the latest process IDs of a line", () => {
    const cuts = flood("\n\n\n\n", "\x1dV\x00", 20_000);
    expect(cuts.taken).toBe(false);
    const answered = flood("A", "\x1d(H\x06\x0000abcd", 300);
    expect(answered.printer.replies).toHaveLength(0);
    answered.host.receive(stream("\n"));
    answered.clock.advance(1000);
    expect(answered.printer.replies).toHaveLength(256);
  });

  it("tears off what nobody cuts for 30 m, dot rows and text complete", () => {
    const pages: Page[] = [];
    pages.push(...renderEscpos(stream("first\n", "\x1b3\xff", "\x1bd\xff".repeat(4 * 2), "last\n")));
    expect(pages.map((page) => page.cut)).toEqual(["none", "none"]);
    expect(pages[0]?.heightDots).toBe(240_000);
    expect(pages.map((page) => page.text.trim())).toEqual(["first", "last"]);
    expect(pages.reduce((sum, page) => sum + page.heightDots, 0)).toBe(34 + Math.floor(8 * 255 * 127.5) + 127);
  });
});
