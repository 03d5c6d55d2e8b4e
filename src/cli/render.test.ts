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

it("says which document is not there", async () => {
  const { code, err } = await render(join(folder, "nothing.png"));
  expect(code).toBe(1);
  expect(err).toMatch(/^twinspool: the document cannot be opened: nothing\.png \(ENOENT\)/);
});
