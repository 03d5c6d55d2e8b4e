import { expect, it } from "vitest";
import { pageToPng, renderEscpos } from "../../firmware-sim/mod.ts";
import { drawTicket, pictureKind } from "./sim-picture.ts";
import { MemoryOutput, memoryIo } from "./test-support.ts";

/** Lines that do not compress well. */
const LINES = Array.from({ length: 60 }, (_, index) => `${Math.sin(index)} ${Math.cos(index)}\n`).join("");
const [PAGE = { widthDots: 0, heightDots: 0, dpi: 203, rows: [], text: "" } as never] = renderEscpos(
  Buffer.from(LINES),
);

/** Control characters as letters. */
function visible(text: string): string {
  return text.replaceAll("\u001b", "⎋").replaceAll("\u0007", "␇").replaceAll("\r", "␍");
}

function terminal(env: Record<string, string>, columns = 80) {
  return { ...memoryIo(env), stdout: new MemoryOutput(columns) };
}

it.each([
  [{ TERM: "xterm-kitty" }, "kitty"],
  [{ TERM: "xterm-256color", KITTY_WINDOW_ID: "1" }, "kitty"],
  [{ TERM: "xterm-256color", TERM_PROGRAM: "iTerm.app" }, "iterm2"],
  [{ TERM: "xterm-256color" }, "braille"],
  [{ TERM: "linux" }, "half-blocks"],
  [{ TERM: "tmux-256color", TERM_PROGRAM: "iTerm.app" }, "braille"],
  [{ TERM: "xterm-256color", KITTY_WINDOW_ID: "1", TMUX: "/tmp/tmux" }, "braille"],
])("the terminal %j shows tickets as %s", (env, kind) => {
  expect(pictureKind(terminal(env))).toBe(kind);
  expect(["braille", "half-blocks"]).toContain(pictureKind(memoryIo(env)));
});

it("gives kitty the PNG whole, in pieces that it takes", () => {
  const text = visible(drawTicket(PAGE, terminal({ TERM: "xterm-kitty" })));
  const pieces = [...text.matchAll(/⎋_G([^;]*);([^⎋]*)⎋\\/g)];
  expect(`${pieces.map(([whole]) => whole).join("")}\n`).toBe(text);
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.every(([, , data = ""]) => data.length <= 4096)).toBe(true);
  expect(pieces.map(([, control]) => control?.slice(-3))).toEqual(
    pieces.map((_, index) => (index < pieces.length - 1 ? "m=1" : "m=0")),
  );
  const png = Buffer.from(pieces.map(([, , data]) => data).join(""), "base64");
  expect(png.equals(pageToPng(PAGE))).toBe(true);
  expect(drawTicket(PAGE, terminal({ TERM: "xterm-kitty" }, 40))).toContain("c=39,");
});

it("gives iTerm2 the PNG in one piece", () => {
  const text = visible(drawTicket(PAGE, terminal({ TERM_PROGRAM: "iTerm.app" }, 40)));
  const [, control, data = ""] = /^⎋\]1337;File=([^:]*):([^␇]*)␇\n$/.exec(text) ?? [];
  expect(control).toBe(`inline=1;width=39;size=${pageToPng(PAGE).length}`);
  expect(Buffer.from(data, "base64").equals(pageToPng(PAGE))).toBe(true);
});

it("never gives terminals a picture that is too long for them", () => {
  const long = { ...PAGE, heightDots: 10_001 };
  expect(drawTicket(long, terminal({ TERM: "xterm-kitty" }))).not.toContain("_G");
});

it("draws black on white, and ends each line in the terminal's own colours", () => {
  const lines = visible(drawTicket(PAGE, terminal({ TERM: "xterm" })))
    .trimEnd()
    .split("\n");
  for (const line of lines) expect(line).toMatch(/^⎋\[30;107m[\u2800-\u28ff ]{79}⎋\[0m$/);
});

it.each([
  ["in a pipe", memoryIo({ TERM: "xterm" })],
  ["with NO_COLOR", terminal({ TERM: "xterm", NO_COLOR: "1" })],
])("draws without escape sequences %s", (_, io) => {
  expect(drawTicket(PAGE, io)).toMatch(/^[\u2800-\u28ff \n]+$/);
});
