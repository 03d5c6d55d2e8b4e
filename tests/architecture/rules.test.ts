import { describe, expect, it } from "vitest";
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
} from "./rules.ts";
import { treeOf } from "./source-tree.ts";

/** A tree in which one file imports another. */
function importing(from: string, to: string, statement = "import { x } from") {
  const up = "../".repeat(from.split("/").length - 1) || "./";
  return treeOf({ [from]: `${statement} "${up}${to}";\n`, [to]: "export const x = 1;\n" });
}

describe("directions", () => {
  it.each([
    ["src/image/a.ts", "src/protocol/b.ts"],
    ["src/runtime/a.ts", "src/image/b.ts"],
    ["src/spool/a.ts", "src/runtime/b.ts"],
    ["src/devices/host/a.ts", "src/spool/b.ts"],
    ["src/server/doors/a.ts", "src/server/b.ts"],
    ["src/cli/a.ts", "src/client/b.ts"],
    ["src/main.ts", "src/cli/b.ts"],
    ["world/a.ts", "src/server/b.ts"],
  ])("%s may import %s", (from, to) => {
    expect(checkDirections(importing(from, to))).toEqual([]);
  });

  it.each([
    ["src/protocol/a.ts", "src/image/b.ts"],
    ["src/protocol/a.ts", "src/runtime/b.ts"],
    ["src/image/a.ts", "src/runtime/b.ts"],
    ["src/runtime/a.ts", "src/spool/b.ts"],
    ["src/spool/a.ts", "src/devices/b.ts"],
    ["src/devices/a.ts", "src/server/b.ts"],
    ["src/devices/a.ts", "src/client/b.ts"],
    ["src/server/a.ts", "src/client/b.ts"],
    ["src/server/a.ts", "src/devices/b.ts"],
    ["src/client/a.ts", "src/server/b.ts"],
    ["src/client/a.ts", "src/devices/b.ts"],
    ["src/server/a.ts", "src/cli/b.ts"],
    ["src/cli/a.ts", "src/main.ts"],
    ["src/server/a.ts", "world/b.ts"],
    ["src/elsewhere/a.ts", "src/protocol/b.ts"],
  ])("%s may not import %s", (from, to) => {
    expect(checkDirections(importing(from, to))).toHaveLength(1);
    expect(checkDirections(importing(from, to, "import type { X } from"))).toHaveLength(1);
    expect(checkDirections(importing(from, to, "export { x } from"))).toHaveLength(1);
  });

  it("sees a dynamic import", () => {
    const tree = treeOf({ "src/client/a.ts": 'const x = await import("../server/b.ts");', "src/server/b.ts": "" });
    expect(checkDirections(tree)).toEqual(["src/client/a.ts:1: client may not import src/server/b.ts"]);
  });
});

describe("the simulator", () => {
  it.each([
    ["src/image/formats/escpos.ts", "firmware-sim/mod.ts"],
    ["src/devices/transports/sim.ts", "firmware-sim/mod.ts"],
    ["src/cli/sim.ts", "firmware-sim/mod.ts"],
    ["src/devices/a.test.ts", "firmware-sim/mod.ts"],
    ["world/a.ts", "firmware-sim/mod.ts"],
    ["firmware-sim/ports/a.ts", "firmware-sim/b.ts"],
  ])("%s may import %s", (from, to) => {
    expect(checkSimulator(importing(from, to))).toEqual([]);
  });

  it.each([
    ["src/image/render.ts", "firmware-sim/mod.ts"],
    ["src/server/a.ts", "firmware-sim/mod.ts"],
    ["src/devices/transports/sim.ts", "firmware-sim/parser.ts"],
    ["src/devices/a.test.ts", "firmware-sim/parser.ts"],
    ["world/a.ts", "firmware-sim/parser.ts"],
    ["firmware-sim/a.ts", "src/protocol/b.ts"],
    ["firmware-sim/a.test.ts", "src/protocol/b.ts"],
  ])("%s may not import %s", (from, to) => {
    expect(checkSimulator(importing(from, to))).toHaveLength(1);
  });
});

describe("the witness", () => {
  it("imports nothing of what it watches", () => {
    expect(checkWitness(importing("chaos/a.ts", "chaos/b.ts"))).toEqual([]);
    expect(checkWitness(importing("chaos/a.ts", "src/protocol/b.ts"))).toHaveLength(1);
    expect(checkWitness(importing("chaos/a.test.ts", "firmware-sim/mod.ts"))).toHaveLength(1);
    expect(checkWitness(importing("chaos/a.ts", "world/b.ts"))).toHaveLength(1);
  });
});

describe("doors and targets", () => {
  it("doors never import doors", () => {
    expect(checkDoors(importing("src/server/doors/ipp.ts", "src/server/doors/api.ts"))).toHaveLength(1);
    expect(checkDoors(importing("src/server/doors/ipp.ts", "src/server/b.ts"))).toEqual([]);
    expect(checkDoors(importing("src/server/server.ts", "src/server/doors/api.ts"))).toEqual([]);
  });

  it("an import leads to a file, and the product does not import tests", () => {
    expect(checkTargets(importing("src/image/a.ts", "src/image/b.ts"))).toEqual([]);
    expect(checkTargets(treeOf({ "src/image/a.ts": 'import "./gone.ts";' }))).toHaveLength(1);
    expect(checkTargets(treeOf({ "src/image/a.ts": "await import(name);" }))).toHaveLength(1);
    const built = 'const program = new URL("../dist/main.js", import.meta.url);';
    expect(checkTargets(treeOf({ "bench/a.ts": built }))).toEqual([]);
    expect(checkTargets(treeOf({ "src/a.ts": built }))).toHaveLength(1);
    expect(checkTargets(importing("src/image/a.ts", "src/image/test-support.ts"))).toHaveLength(1);
    expect(checkTargets(importing("src/image/a.ts", "world/b.ts"))).toHaveLength(1);
    expect(checkTargets(importing("src/image/a.test.ts", "src/image/test-support.ts"))).toEqual([]);
  });
});

describe("purity", () => {
  const machine = "src/server/some-machine.ts";

  it.each([
    'import { readFileSync } from "node:fs";',
    'import { pino } from "pino";',
    'import WebSocket from "ws";',
    'import { Hono } from "hono";',
    'import { DatabaseSync } from "@photostructure/sqlite";',
    'const sharp = await import("sharp");',
    "const now = Date.now();",
    "const luck = Math.random();",
    "const luck = Math\n  .random();",
    "setTimeout(() => {}, 1);",
    "const pid = process.pid;",
    "console.log(1);",
    ["const text = `at ", "{Date.now()}`;"].join("$"),
    "const bytes = Buffer.from([1]);",
    "const d = globalThis.Date;",
    "async function f() {}",
  ])("a machine may not say: %s", (text) => {
    expect(checkPurity(treeOf({ [machine]: text }))).not.toEqual([]);
  });

  it.each([
    'import * as z from "zod";',
    'import type { Server } from "node:http";',
    'import type { Logger } from "pino";',
    "// Date.now() and Math.random() are handed in",
    'const sentence = "Date.now() is handed in";',
    "const x = row.process;",
    "const x = { process: 1, Date: 2 };",
    "interface X { readonly process: string; console?: 1 }",
    "class X { #process = 1; f() { return this.#process; } }",
    "const updated = lastDate;",
    "const x = Math.round(1.5);",
  ])("a machine may say: %s", (text) => {
    expect(checkPurity(treeOf({ [machine]: text }))).toEqual([]);
  });

  it("reaches through the files a pure file imports, and says by which way", () => {
    const tree = treeOf({
      [machine]: 'import { a } from "./a.ts";',
      "src/server/a.ts": 'export { b } from "../runtime/b.ts";',
      "src/runtime/b.ts": "export const b = 1;\nexport const c = Date.now();",
    });
    expect(checkPurity(tree)).toEqual([
      `src/runtime/b.ts:2: uses Date (pure because of ${machine} <- src/server/a.ts <- src/runtime/b.ts)`,
    ]);
  });

  it("does not follow types", () => {
    const tree = treeOf({ [machine]: 'import type { A } from "./a.ts";', "src/server/a.ts": "Date.now();" });
    expect(checkPurity(tree)).toEqual([]);
  });

  it("holds for all of the protocol, not for shells and tests", () => {
    expect(checkPurity(treeOf({ "src/protocol/deep/x.ts": "Date.now();" }))).toHaveLength(1);
    expect(checkPurity(treeOf({ "src/server/server.ts": "Date.now();" }))).toEqual([]);
    expect(checkPurity(treeOf({ "src/server/some-machine.test.ts": "Date.now();" }))).toEqual([]);
  });

  it("lets the world have no clock and no luck of its own", () => {
    expect(checkWorldIsSeeded(treeOf({ "world/a.ts": "Math.random();" }))).toHaveLength(1);
    expect(checkWorldIsSeeded(treeOf({ "world/main.ts": "performance.now();" }))).toEqual([]);
  });
});

describe("the shape of files", () => {
  const long = "x;\n".repeat(600);

  it("a file may have 500 lines, a listed one what the list says, and no more", () => {
    expect(checkSizes(treeOf({ "src/a.ts": "x;\n".repeat(500) }), {})).toEqual([]);
    expect(checkSizes(treeOf({ "src/a.ts": "x;\n".repeat(501) }), {})).toHaveLength(1);
    expect(checkSizes(treeOf({ "src/a.ts": long }), { "src/a.ts": 600 })).toEqual([]);
    expect(checkSizes(treeOf({ "src/a.ts": long }), { "src/a.ts": 599 })).toHaveLength(1);
  });

  it("the list may only shrink, and does", () => {
    expect(checkSizes(treeOf({ "src/a.ts": long }), { "src/a.ts": 700 })).toHaveLength(1);
    expect(checkSizes(treeOf({ "src/a.ts": "x;" }), { "src/a.ts": 600 })).toHaveLength(1);
    expect(checkSizes(treeOf({}), { "src/gone.ts": 600 })).toHaveLength(1);
  });

  it.each([
    ["it", "skip"],
    ["it", "only"],
    ["test", "todo"],
    ["describe", "skip"],
    ["it.each([1])", "only"],
  ])("%s.%s does not stay", (name, word) => {
    const violations = checkTestsRun(treeOf({ "src/a.test.ts": `${name}.${word}("x", () => {});` }));
    expect(violations).toHaveLength(name.includes("(") ? 0 : 1);
  });

  it("a test may say where it cannot run", () => {
    expect(checkTestsRun(treeOf({ "src/a.test.ts": 'it.skipIf(process.platform === "win32")("x", f);' }))).toEqual([]);
  });

  it("nothing but the configuration of tools is a default export", () => {
    expect(checkDefaultExports(treeOf({ "src/a.ts": "export default 1;" }))).toHaveLength(1);
    expect(checkDefaultExports(treeOf({ "src/a.ts": "export { a as default };" }))).toHaveLength(1);
    expect(checkDefaultExports(treeOf({ "vitest.config.ts": "export default 1;" }))).toEqual([]);
  });
});

describe("texts", () => {
  it.each(["work", "root"])("a path below /%s is no path of this project", (name) => {
    expect(checkMachinePaths(treeOf({ "docs/a.md": `see\n/${name}/main/x` }))).toHaveLength(1);
    expect(checkMachinePaths(treeOf({ "docs/a.md": `https://example.org/${name}/x` }))).toEqual([]);
  });

  it("links lead somewhere", () => {
    const tree = treeOf({ "docs/a.md": "[b](b.md#part) [up](../README.md) [far](https://example.org/) [here](#x)" });
    expect(checkLinks(tree, (path) => ["docs/b.md", "README.md"].includes(path))).toEqual([]);
    expect(checkLinks(tree, (path) => path === "README.md")).toEqual(["docs/a.md:1: the link to b.md leads nowhere"]);
  });

  it("named files exist", () => {
    const tree = treeOf({
      "a.md": "see `src/a.ts`, `src/cli/VERB.ts` and `npm test`",
      "CHANGELOG.md": "`src/gone.ts`",
    });
    expect(checkNamedPaths(tree, (path) => path === "src/a.ts")).toEqual([]);
    expect(checkNamedPaths(tree, () => false)).toEqual(["a.md:1: there is no src/a.ts"]);
  });

  it("versions are exact", () => {
    expect(checkVersions({ dependencies: { a: "1.2.3" }, overrides: { b: "0.1.0-rc.1" } })).toEqual([]);
    for (const version of ["^1.2.3", "~1.2.3", "1.x", "*", "latest", ">=1.0.0", "git+https://example.org/a"]) {
      expect(checkVersions({ devDependencies: { a: version } })).toHaveLength(1);
    }
  });

  it("commands are scripts", () => {
    const packageJson = { scripts: { demo: "", test: "" } };
    expect(checkCommands("README.md", "npm ci && npm run demo; npm test", packageJson)).toEqual([]);
    expect(checkCommands("README.md", "npm run gone", packageJson)).toHaveLength(1);
    expect(checkCommands("README.md", "npm start", packageJson)).toHaveLength(1);
  });

  it("errors are documented, and documented errors exist", () => {
    expect(checkErrorsDocumented(["a-b"], "### `a-b`\n")).toEqual([]);
    expect(checkErrorsDocumented(["a-b", "c"], "### `a-b`\n")).toHaveLength(1);
    expect(checkErrorsDocumented(["a-b"], "### `a-b`\n### `c`\n")).toHaveLength(1);
  });
});
