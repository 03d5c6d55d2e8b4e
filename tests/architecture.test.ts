import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { configurationMarkdown } from "../scripts/configuration-md.ts";
import { coverageMarkdown } from "../scripts/coverage-md.ts";
import { errorsMarkdown } from "../scripts/errors-md.ts";
import { simulatorMarkdown } from "../scripts/simulator-md.ts";
import { errorCodes } from "../src/protocol/errors.ts";
import { loadConfig } from "../src/runtime/config.ts";
import {
  checkCommands,
  checkDefaultExports,
  checkDirections,
  checkDoors,
  checkErrorsDocumented,
  checkLinks,
  checkMachinePaths,
  checkNamedPaths,
  checkPurity,
  checkSimulator,
  checkSizes,
  checkTargets,
  checkTestsRun,
  checkVersions,
  checkWitness,
  checkWorldIsSeeded,
} from "./architecture/rules.ts";
import { readTree } from "./architecture/source-tree.ts";

/*
 * The source tree itself, for what Biome cannot see. The rules stand in architecture/rules.ts; that each of them can fail
 * is shown in architecture/rules.test.ts, and that Biome's can in architecture/biome.test.ts.
 */

/** Files over 500 lines, with their length. A number may only become smaller, and the list only shorter. */
const longFiles: Readonly<Record<string, number>> = {
  "src/devices/escpos/escpos-output-machine.test.ts": 633,
};

const root = fileURLToPath(new URL("..", import.meta.url));
const tree = readTree(root);
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const packageJson = JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
const documents = [...tree.texts].filter(([path]) => path.endsWith(".md"));

describe("the source tree", () => {
  it("was read", () => {
    expect(tree.modules.size).toBeGreaterThan(150);
    expect(tree.modules.get("src/client/client-machine.ts")?.imports.length).toBeGreaterThan(5);
    expect([...tree.modules.keys()].some((path) => path.includes("node_modules"))).toBe(false);
  });

  it.each([
    ["imports run one way", checkDirections],
    ["the simulator stands alone", checkSimulator],
    ["the witness of the processes stands alone", checkWitness],
    ["doors never import doors", checkDoors],
    ["imports lead to files, and the product imports no tests", checkTargets],
    ["the protocol and the machines are pure, with all they import", checkPurity],
    ["the simulated world has no clock and no luck of its own", checkWorldIsSeeded],
    ["all tests run", checkTestsRun],
    ["nothing is a default export", checkDefaultExports],
    ["no path of a development machine", checkMachinePaths],
  ])("%s", (_, rule) => {
    expect(rule(tree)).toEqual([]);
  });

  it("files have at most 500 lines, and the exceptions only shrink", () => {
    expect(checkSizes(tree, longFiles)).toEqual([]);
  });

  it("versions are exact", () => {
    expect(checkVersions(packageJson)).toEqual([]);
  });
});

describe("the documents", () => {
  it("link to what is there, and name what is there", () => {
    const exists = (path: string): boolean => existsSync(join(root, path));
    expect(checkLinks(tree, exists)).toEqual([]);
    expect(checkNamedPaths(tree, exists)).toEqual([]);
  });

  it("name commands that exist", () => {
    expect(documents.flatMap(([path, text]) => checkCommands(path, text, packageJson))).toEqual([]);
    const readme = read("README.md");
    expect(readme).toContain("npm ci && npm run demo");
    expect(readme).toContain("npm ci && npm test");
  });

  it("describe every error, and only those (npm run docs)", () => {
    expect(checkErrorsDocumented(errorCodes, read("docs/errors.md"))).toEqual([]);
    expect(read("docs/errors.md")).toBe(errorsMarkdown());
  });

  it("describe every key of the configuration (npm run docs)", () => {
    expect(read("docs/configuration.md")).toBe(configurationMarkdown());
  });

  it("say what the simulator does with every command (npm run docs)", () => {
    expect(read("docs/escpos-coverage.md")).toBe(coverageMarkdown());
    expect(simulatorMarkdown(read("docs/simulator.md"))).toBe(read("docs/simulator.md"));
  });

  it.each(
    documents.flatMap(([path, text]) =>
      [...text.matchAll(/```toml\n([\s\S]*?)```/g)].map((match) => [path, match[1] ?? ""] as const),
    ),
  )("show configuration that works: %s", async (_, text) => {
    const config = await loadConfig({ env: {}, argvFlags: { config: "x.toml" }, readFile: () => text });
    expect(config.printers.length + config.rules.length).toBeGreaterThan(0);
  });
});
