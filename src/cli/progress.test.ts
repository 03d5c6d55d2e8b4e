import { expect, it } from "vitest";
import { ProgressLine } from "./progress.ts";
import { MemoryOutput } from "./test-support.ts";

it("draws one line anew on a terminal, ten times a second at most", () => {
  const out = new MemoryOutput(20);
  let nowMs = 0;
  const line = new ProgressLine(out, () => nowMs);
  line.update("printing 1 %");
  nowMs = 50;
  line.update("printing 2 %");
  nowMs = 100;
  line.update("printing 3 %");
  expect(out.text).toBe("\rprinting 1 %\u001b[K\rprinting 3 %\u001b[K");
});

it("shows a step at once, cut to the terminal, and redraws nothing that is there already", () => {
  const out = new MemoryOutput(10);
  const line = new ProgressLine(out, () => 0);
  line.update("a");
  line.step("厨房オーダー");
  line.step("厨房オーダー");
  expect(out.text).toBe("\ra\u001b[K\r厨房オー…\u001b[K");
});

it("clears the line before one that stays", () => {
  const out = new MemoryOutput(40);
  const line = new ProgressLine(out, () => 0);
  line.clear();
  line.step("printing");
  line.line("printed");
  expect(out.text).toBe("\rprinting\u001b[K\r\u001b[Kprinted\n");
});

it("tells only steps in a pipe, each as a line, without a single control character of others", () => {
  const out = new MemoryOutput();
  const line = new ProgressLine(out, () => 0);
  line.update("printing 1 %");
  line.step("a\u001bb: accepted");
  line.line("done");
  expect(out.text).toBe("a�b: accepted\ndone\n");
});
