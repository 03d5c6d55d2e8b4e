import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runProgram } from "./program.ts";
import { memoryIo } from "./test-support.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twinspool-render-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function render(...argv: string[]) {
  const io = memoryIo();
  const code = await runProgram(["render", ...argv], io, "0");
  return { code, out: io.stdout.text, err: io.stderr.text };
}

async function sizeOf(name: string): Promise<[number, number]> {
  const { width, height } = PNG.sync.read(await readFile(join(folder, name)));
  return [width, height];
}

const twoTickets = Buffer.from("\u001b@first\n\u001dV\u0042\u0000second\nmore\n\u001dV\u0042\u0000", "latin1");

it("gives one PNG for each cut of ESC/POS bytes", async () => {
  const file = join(folder, "capture.bin");
  await writeFile(file, twoTickets);
  const { code, out } = await render(file, "-o", join(folder, "paper.png"));
  expect(code).toBe(0);
  expect((await readdir(folder)).sort()).toEqual(["capture.bin", "paper-1.png", "paper-2.png"]);
  expect(out).toMatch(/paper-1\.png: 576 x \d+ dots\n.*paper-2\.png: 576 x \d+ dots\n$/);
  expect((await sizeOf("paper-1.png"))[0]).toBe(576);
});

it("knows ESC/POS by its first bytes, or when told", async () => {
  const file = join(folder, "unnamed");
  await writeFile(file, twoTickets);
  expect((await render(file, "--json", "--profile", "nt-5890k", "-o", join(folder, "a.png"))).code).toBe(0);
  const plain = join(folder, "plain.txt");
  await writeFile(plain, "only text\n");
  await render(plain, "--escpos", "-o", join(folder, "escpos.png"));
  await render(plain, "-o", join(folder, "text.png"));
  // The printer's own font and spacing are not those of a text document.
  expect(await readFile(join(folder, "escpos.png"))).not.toEqual(await readFile(join(folder, "text.png")));
});

it("renders a document for a model or a width", async () => {
  const file = join(folder, "menu.txt");
  await writeFile(file, "厨房オーダー票\n");
  const output = join(folder, "menu.png");
  const { out } = await render(file, "-o", output, "--json");
  expect(JSON.parse(out)).toEqual({ files: [{ path: output, widthDots: 576, heightDots: 30 }] });
  expect(await sizeOf("menu.png")).toEqual([576, 30]);
  await render(file, "-o", output, "--profile", "generic-58");
  expect(await sizeOf("menu.png")).toEqual([384, 30]);
  await render(file, "-o", output, "--width", "200");
  expect((await sizeOf("menu.png"))[0]).toBe(200);
});

it("gives what a person would read, pieces parted by a form feed", async () => {
  const file = join(folder, "capture.bin");
  await writeFile(file, twoTickets);
  expect(await render(file, "--text")).toEqual({ code: 0, out: "first\n\fsecond\nmore\n", err: "" });
  await render(file, "--text", "-o", join(folder, "read.txt"));
  expect(await readFile(join(folder, "read.txt"), "utf8")).toBe("first\n\fsecond\nmore\n");
});

it("says in JSON where each line stands", async () => {
  const file = join(folder, "capture.bin");
  await writeFile(file, twoTickets);
  const { pages } = JSON.parse((await render(file, "--text", "--json")).out) as {
    readonly pages: { readonly text: string; readonly lines: { readonly text: string; readonly y: number }[] }[];
  };
  expect(pages.map((page) => page.lines.map((line) => line.text))).toEqual([["first"], ["second", "more"]]);
  const [second, more] = pages[1]?.lines ?? [];
  expect(more?.y).toBeGreaterThan(second?.y ?? Number.POSITIVE_INFINITY);
});

it("gives an SVG for each piece, of documents too", async () => {
  const file = join(folder, "capture.bin");
  await writeFile(file, twoTickets);
  await render(file, "--svg", "-o", join(folder, "paper.svg"));
  expect(await readFile(join(folder, "paper-2.svg"), "utf8")).toMatch(/^<svg [\s\S]*>second<\/text>\n<text /);
  const document = join(folder, "menu.txt");
  await writeFile(document, "厨房オーダー票\n");
  const { out } = await render(document, "--svg", "--json", "-o", join(folder, "menu.svg"));
  expect(JSON.parse(out)).toEqual({ files: [{ path: join(folder, "menu.svg"), widthDots: 576, heightDots: 30 }] });
  expect(await readFile(join(folder, "menu.svg"), "utf8")).toMatch(/viewBox="0 0 576 30">[\s\S]* d="M\d/);
});

it.each<[string[], number, RegExp]>([
  [["--text"], 2, /--text is for ESC\/POS bytes/],
  [["--text", "--svg"], 2, /choose one of them/],
  [["--strict"], 2, /--strict is for ESC\/POS bytes/],
  [["--json", "-o", "-"], 2, /choose one of them/],
  [["--profile", "lp0"], 2, /expected one of tm-m30iii/],
  [["--width", "wide"], 2, /whole number from 8 to 4096/],
  [["--escpos", "--width", "384"], 2, /--width is for documents/],
  [["-o", join("no", "such", "folder", "x.png")], 2, /cannot be written \(ENOENT\)/],
])("refuses %j", async (flags, expected, message) => {
  const file = join(folder, "menu.txt");
  await writeFile(file, "text\n");
  const { code, err } = await render(file, ...flags);
  expect(code).toBe(expected);
  expect(err).toMatch(message);
});

it("says when the bytes break off within a command, and fails when it must be strict", async () => {
  const file = join(folder, "broken.bin");
  await writeFile(file, "\u001b@hello\n\u001dv0\u0000\u0048\u0000\u00ff\u0000abc", "latin1");
  const warning = "twinspool: the bytes end within a command, which was not carried out\n";
  expect(await render(file, "--text")).toEqual({ code: 0, out: "hello\n", err: warning });
  expect(await render(file, "--text", "--strict")).toEqual({ code: 1, out: "hello\n", err: warning });
  expect(await render(file, "--text", "--strict", "--profile", "lp0")).toMatchObject({ code: 2, out: "" });
});

it("counts diagnostics, shows them when strict, and gives them in JSON", async () => {
  const file = join(folder, "odd.bin");
  await writeFile(file, "\u001b@hello\u001b\u0001\n", "latin1");
  const odd = expect.stringMatching(/^twinspool: unknown .*at byte 7: 1B 01\n$/);
  expect(await render(file, "--text")).toMatchObject({ code: 0, err: expect.stringContaining("1 diagnostic;") });
  expect(await render(file, "--text", "--strict")).toMatchObject({ code: 1, err: odd });
  const { diagnostics, warnings } = JSON.parse((await render(file, "--text", "--json")).out);
  expect(diagnostics).toEqual([expect.objectContaining({ kind: "unknown", offset: 7, bytes: [0x1b, 0x01] })]);
  expect(warnings).toEqual([]);
  const good = join(folder, "good.bin");
  await writeFile(good, twoTickets);
  expect(await render(good, "--text", "--strict")).toMatchObject({ code: 0, err: "" });
});

it("leaves out what is more paper than a roll has", async () => {
  const file = join(folder, "endless.bin");
  // Each feed is 255 dots of paper from three bytes.
  await writeFile(file, Buffer.from("\u001bJ\u00ff".repeat(20_000), "latin1"));
  const { code, out, err } = await render(file, "--json", "-o", join(folder, "long.png"));
  expect(code).toBe(0);
  expect(err).toMatch(/more than 480000 rows/);
  const { files } = JSON.parse(out) as { readonly files: readonly { readonly heightDots: number }[] };
  expect(files.reduce((sum, { heightDots }) => sum + heightDots, 0)).toBe(480_000);
});

it("places many lines quickly, each where its own ink is", async () => {
  const file = join(folder, "many.bin");
  await writeFile(file, "line\n".repeat(1000), "latin1");
  const { pages } = JSON.parse((await render(file, "--text", "--json")).out) as {
    readonly pages: readonly { readonly lines: readonly { readonly y: number }[] }[];
  };
  const places = pages[0]?.lines.map(({ y }) => y) ?? [];
  expect(places.length).toBe(1000);
  expect(new Set(places.map((y, index) => y - index * 34))).toEqual(new Set([places[0]]));
});

it.each([
  ["nothing.bin", "", /nothing\.bin is empty/],
  ["nothing.txt", "", /nothing\.txt is empty/],
  ["half.bin", "\u001d", /print nothing; the bytes end within a command/],
])("says why %s gives no paper", async (name, bytes, message) => {
  const file = join(folder, name);
  await writeFile(file, bytes, "latin1");
  const { code, err } = await render(file);
  expect(code).toBe(1);
  expect(err).toMatch(message);
});

it("says which document is not there", async () => {
  const { code, err } = await render(join(folder, "nothing.png"));
  expect(code).toBe(1);
  expect(err).toMatch(/^twinspool: the document cannot be opened: nothing\.png \(ENOENT\)/);
});
