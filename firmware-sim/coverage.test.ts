import { expect, it } from "vitest";
import { listCommands } from "./coverage.ts";
import { renderEscpos } from "./render.ts";
import { stream } from "./test-bytes.ts";

it("has each command once, with its bytes", () => {
  const commands = listCommands();
  const bytes = commands.map((command) => command.bytes);
  expect(new Set(bytes).size).toBe(bytes.length);
  expect(bytes).toEqual(bytes.toSorted());
  expect(commands.find(({ name }) => name === "GS v 0")).toEqual({
    name: "GS v 0",
    bytes: "1D 76 30",
    parameters: "as many bytes as its parameters say",
    treatment: "carried-out",
    realTime: false,
  });
  expect(commands.find(({ name }) => name === "ESC B")?.onlyIn).toEqual(["xp-80", "nt-5890k", "zj-58", "pos-5890k"]);
  expect(commands.find(({ name }) => name === "DLE EOT")).toMatchObject({ bytes: "10 04 01-04", realTime: true });
});

it("calls consumed what gives a diagnostic without effect, and nothing else", () => {
  for (const { name, bytes, treatment, realTime } of listCommands()) {
    if (realTime) continue;
    const details: (string | undefined)[] = [];
    // With zeros for lengths, counts and terminators every command comes to its end.
    const command = stream(
      bytes.split(" ").map((byte) => Number.parseInt(byte, 16)),
      new Array<number>(600).fill(0),
    );
    renderEscpos(command, { onDiagnostic: (diagnostic) => details.push(diagnostic.detail) });
    expect([name, details.includes("consumed, without effect")]).toEqual([name, treatment === "consumed"]);
  }
});
