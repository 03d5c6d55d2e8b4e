import { describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import type { Page } from "./paper.ts";
import { findProfile, withStrictRealTime } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { startSimulator } from "./simulator.ts";
import { raster, stream, stripes } from "./test-bytes.ts";

function print(profile: string, ...parts: (string | ArrayLike<number>)[]) {
  const details: string[] = [];
  const pages = renderEscpos(stream(...parts), {
    profile,
    onDiagnostic: ({ name, detail }) => details.push(`${name ?? "unknown"}: ${detail ?? ""}`),
  });
  return { page: pages[0], details };
}

/** The first black column of a row. */
function leftEdge(page: Page | undefined, row: number): number {
  const bytes = page?.rows[row] ?? new Uint8Array(0);
  return bytes.findIndex((byte) => byte !== 0) * 8;
}

/** An 8-dot column image, one byte wide. */
const MARK = "\x1b*\x01\x08\x00\xff\xff\xff\xff\xff\xff\xff\xff";

describe("NT-5890K", () => {
  it("goes to the right with ESC \\, not to the left", () => {
    const moves = ["\x1b\\\x20\x00", "\x1b\\\xf0\xff", MARK, "\n"];
    const there = print("nt-5890k", ...moves);
    expect(leftEdge(there.page, 0)).toBe(32);
    expect(there.details).toEqual(["ESC \\: this printer ignores ESC \\ to the left"]);
    expect(leftEdge(print("zj-58", ...moves).page, 0)).toBe(16);
  });

  it("obeys ESC $ at the beginning of a line, not within it", () => {
    const blank = "\x1b*\x01\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    const there = print("nt-5890k", "\x1b$\x10\x00", blank, "\x1b$\x40\x00", MARK, "\n");
    expect(leftEdge(there.page, 0)).toBe(24);
    expect(there.details).toEqual(["ESC $: this printer ignores ESC $ within a line"]);
  });

  it("returns bar code settings to their defaults after the form with NUL", () => {
    const twice = ["\x1dh\x20", "\x1dk\x0312345670\x00\n", "\x1dk\x0312345670\x00\n"];
    const height = (profile: string): number => print(profile, ...twice).page?.heightDots ?? 0;
    expect(height("nt-5890k") - height("zj-58")).toBe(162 - 32);
  });

  it("prints the data of bar codes it does not know as text", () => {
    const code = "\x1dkL\x05AB123\n";
    expect(print("nt-5890k", code).page?.text).toBe("AB123");
    expect(print("nt-5890k", code).details).toEqual(["GS k: this printer has no GS1 DataBar Truncated", "unknown: "]);
    expect(print("zj-58", code).details).toEqual(["GS k: this printer has no GS1 DataBar Truncated"]);
  });

  it("has neither page mode nor cutter, and reads their commands whole", () => {
    const there = print("nt-5890k", "\x1bL\x1bW\x00\x00\x00\x00\x40\x00\x40\x00\x1bT\x01A\n\x0c\x1dV\x00");
    expect(there.page?.text).toBe("A");
    expect(there.details).toEqual([
      "ESC L: this printer has no page mode",
      "ESC W: this printer has no page mode",
      "ESC T: this printer has no page mode",
      "FF: this printer has no page mode",
      "GS V: this printer has no cutter",
    ]);
    expect(print("xp-80", "\x1bLA\n\x0c").details).toEqual([]);
  });
});

describe("POS-5890K", () => {
  it("takes what follows a picture of 48, 96, ... rows for more of it, in any pieces", () => {
    const there = print("pos-5890k", raster(stripes(96)), "x".repeat(48), "seen\n");
    expect(there.page?.text).toBe("seen");
    expect(there.page?.heightDots).toBe(96 + 48 + 30);
    expect(there.page?.rows.slice(96, 144).map((row) => row[0])).toEqual(new Array(48).fill(0x78));
    expect(there.details).toEqual(["GS v 0: this printer takes what follows for 48 more rows"]);
  });

  it("prints other heights as they are", () => {
    expect(print("pos-5890k", raster(stripes(97)), "seen\n").page?.text).toBe("seen");
    expect(print("nt-5890k", raster(stripes(96)), "\nseen\n").page?.text).toBe("seen");
  });
});

describe("commands that only clones have", () => {
  const PDF417 = "\x1dZ\x00\x1bZ\x04\x02\x03\x05\x00hello";
  const DATA_MATRIX = "\x1dZ\x01\x1bZ\x00\x00\x06\x05\x00hello";
  const QR = "\x1dZ\x02\x1bZ\x03L\x06\x05\x00hello";

  it("ESC Z prints the symbol that GS Z chose, as GS ( k does", () => {
    const qr = "\x1d(k\x03\x001C\x06\x1d(k\x08\x001P0hello\x1d(k\x03\x001Q0";
    const width = (page: Page | undefined): number =>
      Math.max(...(page?.rows ?? []).map((row) => row.findLastIndex((byte) => byte !== 0))) + 1;
    // Version 3 has 29 modules, the one that five bytes need 21.
    expect(width(print("xp-80", QR).page)).toBe(Math.ceil((29 * 6) / 8));
    const automatic = QR.replace("\x03L", "\x00L");
    expect(print("xp-80", automatic).page?.rows).toEqual(print("xp-80", qr).page?.rows);
    for (const symbol of [PDF417, DATA_MATRIX, QR]) expect(print("xp-80", symbol).details).toEqual([]);
    expect(print("zj-58", PDF417).details).toEqual(["ESC Z: this printer has no PDF417"]);
  });

  it("says what it does not print", () => {
    const details = (...parts: string[]): string[] => print("xp-80", ...parts).details;
    expect(details("\x1dZ\x03")).toEqual(["GS Z: 2-D symbols are 0, 1 and 2"]);
    expect(details(QR.replace("L", "X"))).toEqual(["ESC Z: QR Code with v = 3, r = 88, k = 6, 5 bytes"]);
    expect(details(QR.replace("\x06", "\x00"))).toEqual(["ESC Z: QR Code with v = 3, r = 76, k = 0, 5 bytes"]);
    expect(details("A", QR)).toEqual(["ESC Z: not at the beginning of the line"]);
    expect(details(DATA_MATRIX.replace("\x00\x00\x06", "\x09\x09\x06"))).toHaveLength(1);
    const long = `\x1bZ\x01L\x06\x40\x00${"x".repeat(64)}`;
    expect(details("\x1dZ\x02", long)).toHaveLength(1);
    expect(details("\x1bB\x00\x01", "\x1bB\x01\x0a")).toEqual(Array(2).fill("ESC B: ESC B takes 1 to 9 twice"));
    expect(print("zj-58", "\x1bB\x02\x02x\n")).toMatchObject({
      page: { text: "x" },
      details: ["ESC B: this printer has no buzzer"],
    });
  });

  it("are text to others, and their bytes too", () => {
    expect(print("tm-m30iii", QR, "\n").page?.text).toContain("hello");
    expect(print("tm-m30iii", "\x1bBab\n")).toMatchObject({ page: { text: "ab" }, details: ["unknown: "] });
  });

  it("frame no real-time commands of others", async () => {
    // The data of ESC Z hold DLE EOT 1: data to a printer that knows ESC Z, a command to others.
    for (const [name, answers] of [
      ["xp-80", 0],
      ["tm-m30iii", 1],
    ] as const) {
      const profile = withStrictRealTime(findProfile(name));
      const sim = await startSimulator({ profile, clock: new VirtualClock() });
      void sim.connect().write(stream("\x1dZ\x02\x1bZ\x00L\x02\x03\x00\x10\x04\x01"));
      expect(sim.replies).toHaveLength(answers);
      await sim.close();
    }
  });
});

describe("memory", () => {
  it("is as large as the model's", () => {
    const stored = (profile: string, y: number) =>
      // FS q: 48 x y bytes of 8 dots.
      print(profile, "\x1cq\x01\x30\x00", [y & 0xff, y >> 8], new Uint8Array(48 * y * 8), "\x1cp\x01\x00").details;
    expect(stored("zj-58", 160)).toEqual([]);
    expect(stored("zj-58", 200)).toHaveLength(2);
    expect(stored("xp-80", 200)).toEqual([]);
    expect(findProfile("tm-t88vi").memory).toEqual({
      nvGraphicsBytes: 262_144,
      ramGraphicsBytes: 12_288,
      nvRecordBytes: 1024,
      macroBytes: 2048,
    });
  });
});
