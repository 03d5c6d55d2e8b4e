import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { InnerBox } from "./inner-box.ts";

/*
 * The examples of docs/simulator.md and docs/library.md as a reader has them: copied into a project of their own, which has installed
 * twinspool as it was built. Jest is no dependency of this project, so its example is not run here.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
let project = "";

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "twinspool-examples-"));
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, "@types"), { recursive: true });
  symlinkSync(root, join(modules, "twinspool"), "junction");
  mkdirSync(join(modules, "@node-escpos"), { recursive: true });
  for (const name of ["vitest", "typescript", "@types/node", "zod", "@node-escpos/core"]) {
    symlinkSync(join(root, "node_modules", name), join(modules, name), "junction");
  }
  writeFileSync(join(project, "package.json"), '{ "name": "pos", "private": true, "type": "module" }\n');
  for (const name of ["receipt.node.test.mjs", "kitchen.vitest.test.ts", "order.ts", "escpos-receipt.mjs"]) {
    copyFileSync(join(root, "docs/examples", name), join(project, name));
  }
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

let more: NodeJS.ProcessEnv = {};

function run(...argv: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST)/.test(name)));
  const child = spawn(process.execPath, argv, {
    cwd: project,
    env: { ...env, ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}

it("the example for node:test passes", async () => {
  const { code, output } = await run("--test", "--test-reporter=tap", "receipt.node.test.mjs");
  expect(output).toMatch(/# pass 2\n# fail 0/);
  expect(code).toBe(0);
});

it("the example for Vitest passes", async () => {
  const { code, output } = await run(
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=json",
    "kitchen.vitest.test.ts",
  );
  expect(output).toContain('"numPassedTests":2');
  expect(code).toBe(0);
});

it("the example in TypeScript is checked against the declarations of the package", async () => {
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"];
  const { code, output } = await run("node_modules/typescript/bin/tsc", ...options, "kitchen.vitest.test.ts");
  expect(output).toBe("");
  expect(code).toBe(0);
  writeFileSync(
    join(project, "wrong.ts"),
    'import { startSimulator } from "twinspool/firmware-sim";\n(await startSimulator()).fail("fire");\n',
  );
  const wrong = await run("node_modules/typescript/bin/tsc", ...options, "wrong.ts");
  expect(wrong.output).toMatch(/wrong\.ts\(2,\d+\): error TS2345: .*"fire"/);
});

it("the programs that print through both spools do so", async () => {
  const strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--skipLibCheck", "false"];
  const modern = ["--module", "nodenext", "--target", "es2022", "--types", "node"];
  const compiled = await run("node_modules/typescript/bin/tsc", ...strict, ...modern, "order.ts");
  expect(compiled).toEqual({ code: 0, output: "" });
  const box = await InnerBox.start();
  more = { TWINSPOOL_SERVER: box.url, TWINSPOOL_DATA: join(box.folder, "till") };
  try {
    expect(await run("order.js")).toEqual({ code: 0, output: "order 7: printed, bill 7: printed\n" });
    expect(await run("escpos-receipt.mjs")).toEqual({ code: 0, output: "accepted\n" });
    expect(box.simulator.paper).toHaveLength(3);
  } finally {
    more = {};
    await box.close();
  }
});
