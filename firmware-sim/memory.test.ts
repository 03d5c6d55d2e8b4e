import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import type { Page } from "./paper.ts";
import type { InProcessConnection } from "./ports/in-process.ts";
import { findProfile } from "./profiles.ts";
import { renderEscpos } from "./render.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "./simulator.ts";
import { CUT, hex, INITIALIZE, stream } from "./test-bytes.ts";

type Part = string | ArrayLike<number>;

const simulators: Simulator[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(simulators.splice(0).map((sim) => sim.close()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "nv-"));
  folders.push(made);
  return made;
}

interface Bench {
  readonly sim: Simulator;
  readonly connection: InProcessConnection;
  /** Sends, waits for the cut that follows, and returns what the printer answered meanwhile. */
  ask(...parts: Part[]): Promise<string>;
  page(...parts: Part[]): Promise<Page>;
}

async function start(options: SimulatorOptions = {}): Promise<Bench> {
  const sim = await startSimulator(options);
  simulators.push(sim);
  return bench(sim);
}

function bench(sim: Simulator): Bench {
  const connection = sim.connect();
  let received = "";
  connection.onData((bytes) => {
    received += hex(bytes);
  });
  const page = async (...parts: Part[]): Promise<Page> => {
    await connection.write(stream(...parts, CUT));
    return sim.printed();
  };
  return {
    sim,
    connection,
    page,
    ask: async (...parts) => {
      received = "";
      await page(...parts);
      return received;
    },
  };
}

function words(...values: number[]): number[] {
  return values.flatMap((value) => [value & 0xff, value >> 8]);
}

/** GS ( L with m = 48. */
function graphics(fn: number, ...parts: Part[]): Uint8Array {
  const data = stream([48, fn], ...parts);
  return stream("\x1d(L", words(data.length), data);
}

function setting(...parts: Part[]): Uint8Array {
  const data = stream(...parts);
  return stream("\x1d(E", words(data.length), data);
}

function record(fn: number, ...parts: Part[]): Uint8Array {
  const data = stream([0, fn, 0], ...parts);
  return stream("\x1d(C", words(data.length), data);
}

function reply(...parts: Part[]): string {
  return hex(stream(...parts));
}

/** The first `width` dots of each row. */
function picture(page: Page | undefined, width = 16): string[] {
  return (page?.rows ?? []).map((row) =>
    Array.from({ length: width }, (_, x) => (((row[x >> 3] ?? 0) & (0x80 >> (x & 7))) === 0 ? "." : "#")).join(""),
  );
}

const F_ROWS = [0b11110000, 0b10000000, 0b11100000, 0b10000000, 0b10000000];
const F = ["####....", "#.......", "###.....", "#.......", "#......."];
/** The same F as columns of one byte. */
const F_COLUMNS = [0b11111000, 0b10100000, 0b10100000, 0b10000000];

function define(fn: number, key: string): Uint8Array {
  return graphics(fn, [48], key, [1], words(8, 5), [49], F_ROWS);
}

function render(...parts: Part[]): Page | undefined {
  return renderEscpos(stream(...parts))[0];
}

describe("graphics in the print buffer", () => {
  it("print rasters and columns, each scaled as fn 112 and 113 say", () => {
    expect(picture(render(graphics(112, [48, 1, 1, 49], words(8, 5), F_ROWS), graphics(50)), 8)).toEqual(F);
    const large = picture(render(graphics(113, [48, 2, 2, 49], words(4, 5), F_COLUMNS), graphics(2)), 8);
    const doubled = F.flatMap((row) => [row, row]).map((row) => row.slice(0, 4).replace(/./g, "$&$&"));
    expect(large).toEqual(doubled);
  });

  it("give multiple tone as an ordered dither: a plane's share of the dots is black", () => {
    const planes = [0b1000, 0b0100, 0b0010, 0b0001];
    for (const level of [0, 1, 8, 15]) {
      const stored = planes.map((bit, index) =>
        graphics(112, [52, 1, 1, 49 + index], words(16, 16), new Uint8Array(32).fill((level & bit) === 0 ? 0 : 0xff)),
      );
      const page = render(...stored, graphics(50));
      const black = picture(page).join("").replace(/\./g, "").length;
      expect(black).toBe(level === 15 ? 256 : level * 16);
    }
  });
});

describe("keyed graphics", () => {
  it("are listed, printed, replaced and deleted, in NV and in RAM", async () => {
    const { ask, page } = await start();
    const both = [
      { first: 64, identifier: 0x72, free: 51, freeId: 0x31, capacity: 256 * 1024 },
      { first: 80, identifier: 0x73, free: 52, freeId: 0x32, capacity: 12 * 1024 },
    ];
    for (const { first, identifier, free, freeId, capacity } of both) {
      expect(await ask(graphics(first, "KC"))).toBe(reply([0x37, identifier, 0x40, 0]));
      const columns = graphics(first + 4, [48], "AB", [1], words(4, 5), [49], F_COLUMNS);
      expect(await ask(define(first + 3, "G1"), columns, graphics(first, "KC"))).toBe(
        reply([0x37, identifier, 0x40], "ABG1", [0]),
      );
      expect(await ask(graphics(free))).toBe(reply([0x37, freeId], String(capacity - 10), [0]));
      expect(picture(await page(graphics(first + 5, "AB", [1, 1])), 8).slice(0, 5)).toEqual(F);
      expect(picture(await page(graphics(first + 5, "G1", [2, 1])))[0]).toBe("########........");
      expect(await ask(graphics(first + 2, "G1"), graphics(first, "KC"))).toBe(
        reply([0x37, identifier, 0x40], "AB", [0]),
      );
      expect(await ask(graphics(first + 1, "CLR"), graphics(free))).toBe(reply([0x37, freeId], String(capacity), [0]));
    }
    expect(await ask(graphics(48))).toBe(reply([0x37, 0x30], "262144", [0]));
  });

  it("send long lists in blocks, the next one when the host has acknowledged", async () => {
    const { ask } = await start();
    const keys = Array.from({ length: 45 }, (_, index) => String(index + 10)).sort();
    const first = reply([0x37, 0x72, 0x41], keys.slice(0, 40).join(""), [0]);
    const last = reply([0x37, 0x72, 0x40], keys.slice(40).join(""), [0]);
    expect(await ask(...keys.map((key) => define(67, key)), graphics(64, "KC"))).toBe(first);
    expect(await ask("\x15")).toBe(first);
    expect(await ask("\x06")).toBe(last);
    expect(await ask("\x06")).toBe("");
  });

  it("are refused when the memory is full", async () => {
    const { ask, sim } = await start();
    const big = graphics(83, [48], "XX", [1], words(800, 200), [49], new Uint8Array(20_000));
    expect(await ask(big, graphics(80, "KC"))).toBe(reply([0x37, 0x73, 0x40, 0]));
    expect(sim.diagnostics).toMatchObject([{ kind: "ignored", name: "GS ( L" }]);
  });
});

describe("images of the older kind", () => {
  // One byte of width and height is 8 dots; columns of one byte.
  const columns = [...F_COLUMNS, 0, 0, 0, 0];

  it("prints what GS * downloaded and FS q stored, in four scales", () => {
    const plain = [...F, "........", "........", "........"];
    const wide = plain.map((row) => row.replace(/./g, "$&$&"));
    const twice = (rows: string[]): string[] => rows.flatMap((row) => [row, row]);
    for (const [definition, print] of [
      [stream("\x1d*\x01\x01", columns), "\x1d/"],
      [stream("\x1cq\x02", words(1, 1), new Uint8Array(8), words(1, 1), columns), "\x1cp\x02"],
    ] as const) {
      const at = (m: string, width: number): string[] => picture(render(definition, print, m), width);
      expect(at("\x00", 8)).toEqual(plain);
      expect(at("1", 16)).toEqual(wide);
      expect(at("\x02", 8)).toEqual(twice(plain));
      expect(at("\x03", 16)).toEqual(twice(wide));
    }
  });

  it("end FS q at a size that no printer takes", () => {
    expect(render("\x1cq\x01", words(2000, 1), "text\n")?.text).toBe("text");
  });
});

describe("macros", () => {
  it("are carried out while they are defined, then replayed, images included", () => {
    const image = stream("\x1dv0\x00\x01\x00\x02\x00", [0xaa, 0x55]);
    const page = render("\x1d:", "A\n", image, "\x1d:", "\x1d^\x02\x00\x00", "B\n");
    expect(page?.text).toBe("A\nA\nA\nB");
    expect(picture(page, 8).filter((row) => row === "#.#.#.#.")).toHaveLength(3);
  });

  it("wait for room in the print queue, and let nothing overtake them", async () => {
    const { page } = await start();
    const printed = await page("\x1d:", "line\n".repeat(20), "\x1d:", "\x1d^\x14\x00\x00", "end\n");
    expect(printed.text).toBe(`${"line\n".repeat(21 * 20)}end`);
  });

  it("survive ESC @ but not a power cut", async () => {
    const { sim, page } = await start();
    expect((await page("\x1d:M\n\x1d:", INITIALIZE, "\x1d^\x01\x00\x00")).text).toBe("M\nM");
    sim.fail("power-cut");
    sim.fail("power-on");
    expect((await bench(sim).page("\x1d^\x01\x00\x00", "x\n")).text).toBe("x");
  });
});

describe("settings", () => {
  it("reads memory switches and values at any time, changes them in the user setting mode", async () => {
    const { ask, sim, connection } = await start();
    const read = [setting([4, 2]), setting([6, 5]), setting([12, 1])];
    const change = [
      setting([3, 2], "11222220", [1], "22222221"),
      setting([5, 5], words(300)),
      setting([11, 1], "115200"),
    ];
    const before = reply("7!00000000\x00", "7'5\x1f0\x00", "731\x1f38400\x00");
    expect(await ask(...change, ...read)).toBe(before);
    expect(sim.diagnostics.map(({ kind, name }) => `${name} ${kind}`)).toEqual(Array(3).fill("GS ( E ignored"));
    const changed = reply("7!11000000\x00", "7'5\x1f300\x00", "731\x1f115200\x00");
    expect(await ask(setting([1], "IN"), ...change, ...read)).toBe(reply("7 \x00") + changed);
    // The reset clears the receive buffer, so a host waits for the power-on notice.
    const notice = new Promise((resolve) => {
      connection.onData((bytes) => {
        if (hex(bytes) === "3b3100") resolve(undefined);
      });
    });
    await connection.write(setting([2], "OUT"));
    await notice;
    expect(await ask(...read)).toBe(changed);
  });

  it("obeys memory switches from the next reset on: buffer size, BUSY condition, automatic line feed", async () => {
    const clock = new VirtualClock();
    const sim = await startSimulator({ clock, profile: "tm-t88vi" });
    simulators.push(sim);
    const host = sim.connect();
    let received = "";
    host.onData((bytes) => {
      received += hex(bytes);
    });
    const send = (...parts: Part[]): void => {
      void host.write(stream(...parts));
      clock.advance(1000);
    };
    send("A\rB\n", setting([1], "IN"), setting([3, 1], "22212110"));
    sim.fail("cover-open");
    expect(received).toBe("372000");
    sim.fail("cover-closed");
    send(setting([2], "OUT"));
    send("A\rB\n");
    expect(sim.text).toBe("AB\nA\nB");
    sim.fail("cover-open");
    clock.advance(1);
    // Offline is no longer BUSY, so the printer says it.
    expect(received).toBe("37200038000000");
    send("x".repeat(100));
    expect(sim.state.bufferedBytes).toBe(45);
    await sim.close();
  });

  it("saves what is set and loads it again, at once or with every initialization (GS ( M)", async () => {
    const nvFile = join(await folder(), "printer.nv");
    const first = await start({ nvFile });
    const customize = (fn: number, m: number): number[] => [0x1d, 0x28, 0x4d, 2, 0, fn, m];
    const height = async (bench: Bench, ...parts: Part[]): Promise<number> =>
      (await bench.page(...parts, "A\n")).heightDots;
    const plain = await height(first, "\x1b@");
    const tall = await height(first, "\x1d!\x03\x1bt\x10", customize(1, 49), "\x1b@", customize(2, 49));
    expect(tall - plain).toBe(4 * 24 - 34);
    expect(await height(first, customize(2, 48))).toBe(plain);
    expect(await height(first, "\x1b@")).toBe(plain);
    expect(await height(first, customize(3, 49), "\x1b@")).toBe(tall);
    await first.sim.close();
    const second = await start({ nvFile });
    const page = await second.page("\x80\n");
    expect([page.heightDots, page.text]).toEqual([tall, "€"]);
    expect(await height(second, customize(51, 48), "\x1b@")).toBe(plain);
  });

  it("prints logos above and below every receipt, until they are disabled or cancelled (FS ( E)", async () => {
    const { page, sim } = await start({ profile: { ...findProfile("tm-t88vi"), headToCutterDots: 0 } });
    const logo = (fn: number, ...parts: Part[]): Uint8Array => {
      const data = stream([fn, 2], ...parts);
      return stream("\x1c(E", words(data.length), data);
    };
    await page(define(67, "LG"), logo(62, "LG", [49, 0]), logo(63, "LG", [48]));
    const between = await page("A\n");
    expect(between.heightDots).toBe(5 + 30 + 5);
    // In the middle above, at the left edge below.
    expect(between.rows[0]?.slice(0, 8).every((byte) => byte === 0)).toBe(true);
    expect(picture(between, 8).slice(-5)).toEqual(F);
    expect((await page("A\n", logo(65, [49, 49]))).heightDots).toBe(5 + 30);
    expect((await page("A\n", logo(60, "0CLR"))).heightDots).toBe(5 + 30);
    expect((await page("A\n")).heightDots).toBe(30);
    expect(sim.diagnostics).toEqual([]);
  });

  it("keeps records for the user (GS ( C)", async () => {
    const { ask } = await start();
    expect(await ask(record(49, "K1hello"), record(49, "K2x"), record(50, "K1"), record(53))).toBe(
      reply("7p@hello\x00", "7q@K1K2\x00"),
    );
    expect(await ask(record(51), record(52))).toBe(reply("7(10\x00", "7)1014\x00"));
    expect(await ask(record(48, "K1"), record(53), record(54, "CLR"), record(5))).toBe(reply("7q@K2\x00", "7q@\x00"));
  });

  it("prints a test page that names the model", async () => {
    const { sim, connection } = await start();
    await connection.write(stream("\x1d(A\x02\x00\x00\x02"));
    expect((await sim.printed()).text).toContain("EPSON TM-m30III");
  });
});

describe("counters", () => {
  it("count cuts and lines of paper; one kind can be set back, the other counts on", async () => {
    const { ask, page } = await start();
    await page("A\n");
    await page("B\n");
    const read = (counter: number): string => `\x1dg2\x00${String.fromCharCode(counter)}\x00`;
    expect(await ask(read(50), read(178))).toBe(reply("_2\x00_2\x00"));
    expect(await ask("\x1dg0\x00\x32\x00", read(50), read(178))).toBe(reply("_0\x00_3\x00"));
    const lines = Number(Buffer.from((await ask(read(20))).slice(2, -2), "hex").toString());
    expect(lines).toBeGreaterThan(4);
  });
});

describe("power cut", () => {
  it("takes RAM graphics and leaves NV", async () => {
    const { sim, ask } = await start();
    await ask(define(67, "NV"), define(83, "RM"), record(49, "K1hello"), "\x1d*\x01\x01", new Uint8Array(8));
    sim.fail("power-cut");
    sim.fail("power-on");
    const next = bench(sim);
    expect(await next.ask(graphics(64, "KC"), graphics(80, "KC"), record(53))).toBe(
      reply("7r@NV\x00", "7s@\x00", "7q@K1\x00"),
    );
    await next.ask("\x1d/\x00");
    expect(sim.diagnostics.at(-1)?.detail).toContain("no such image");
  });

  it("loses the half of an NV picture that came before it", async () => {
    const { sim, connection } = await start();
    await connection.write(define(67, "NV").subarray(0, 15));
    sim.fail("power-cut");
    sim.fail("power-on");
    expect(await bench(sim).ask(graphics(64, "KC"))).toBe(reply("7r@\x00"));
  });
});

describe("nvFile", () => {
  it("brings a printer back as it was", async () => {
    const nvFile = join(await folder(), "printer.nv");
    const first = await start({ nvFile });
    await first.page(define(67, "NV"), "\x1cq\x01", words(1, 1), [...F_COLUMNS, 0, 0, 0, 0], record(49, "K1hello"));
    await first.ask(setting([1], "IN"), setting([3, 8], "00000001"), setting([5, 6], words(7)));
    await first.sim.close();
    const second = await start({ nvFile });
    expect(picture(await second.page(graphics(69, "NV", [1, 1])), 8).slice(0, 5)).toEqual(F);
    expect(picture(await second.page("\x1cp\x01\x00"), 8).slice(0, 5)).toEqual(F);
    expect(await second.ask(record(50, "K1"), setting([4, 8]), setting([6, 6]), "\x1dg2\x00\xb2\x00")).toBe(
      reply("7p@hello\x00", "7!00000001\x00", "7'6\x1f7\x00", "_4\x00"),
    );
  });

  it("is refused when it holds something else, and is left as it is", async () => {
    const nvFile = join(await folder(), "printer.nv");
    await writeFile(nvFile, "my novel");
    await expect(startSimulator({ nvFile })).rejects.toThrow(/no NV memory/);
    expect(await readFile(nvFile, "utf8")).toBe("my novel");
  });
});

describe("any pieces", () => {
  it("give the same paper and the same answers", async () => {
    const bytes = stream(
      define(83, "RM"),
      graphics(85, "RM", [2, 2]),
      graphics(80, "KC"),
      "\x1d:",
      graphics(112, [48, 1, 1, 49], words(8, 5), F_ROWS),
      graphics(50),
      "M\n\x1d:\x1d^\x03\x00\x00",
      "\x1cq\x01",
      words(1, 1),
      [...F_COLUMNS, 0, 0, 0, 0],
      "\x1cp\x01\x03\x1bL",
      graphics(85, "RM", [1, 2]),
      "page\x0c",
      graphics(52),
      CUT,
    );
    const whole = renderEscpos(bytes)[0];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }), async (sizes) => {
        const { sim, connection } = await start();
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          await connection.write(bytes.subarray(at, at + size));
          at += size;
        }
        const page = await sim.printed();
        expect(page.text).toBe(whole?.text);
        expect(Buffer.concat(page.rows).equals(Buffer.concat(whole?.rows ?? []))).toBe(true);
        const replies = sim.replies.map((answer) => hex(answer.bytes)).join("");
        expect(replies).toBe(reply("7s@RM\x00", "7212283\x00"));
      }),
      { numRuns: 20 },
    );
  });
});
