import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/*
 * Each rule of biome.json is broken once, in a copy of the project that has nothing else, under the project's own
 * biome.json: a rule that a later override or a new version has silenced is found here.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const biome = createRequire(import.meta.url).resolve("@biomejs/biome/bin/biome");

interface Breach {
  readonly path: string;
  readonly text: string;
  /** As in biome.json; undefined: nothing is to be found. */
  readonly rule: string | undefined;
}

const x = "export const x = 1;\n";
const importing = (path: string, specifier: string): Breach => ({
  path,
  text: `import { x } from "${specifier}";\n\nexport const y = x;\n`,
  rule: "noRestrictedImports",
});
const saying = (path: string, rule: string, text: string): Breach => ({ path, rule, text });

const longFunction = `export function f(): void {\n${"  g();\n".repeat(81)}}\n\nfunction g(): void {}\n`;
const later = "async function later(): Promise<boolean> {\n  return await Promise.resolve(true);\n}\n\n";

const breaches: readonly Breach[] = [
  // What is imported below.
  { path: "src/protocol/x.ts", text: x, rule: undefined },
  { path: "src/image/x.ts", text: x, rule: undefined },
  { path: "src/runtime/x.ts", text: x, rule: undefined },
  { path: "src/spool/x.ts", text: x, rule: undefined },
  { path: "src/devices/x.ts", text: x, rule: undefined },
  { path: "src/server/x.ts", text: x, rule: undefined },
  { path: "src/client/x.ts", text: x, rule: undefined },
  { path: "src/cli/x.ts", text: x, rule: undefined },
  { path: "firmware-sim/x.ts", text: x, rule: undefined },
  // What is allowed.
  { ...importing("src/cli/joins.ts", "../server/x.ts"), rule: undefined },
  { ...importing("src/server/down.ts", "../spool/x.ts"), rule: undefined },
  { ...importing("src/server/down-machine.ts", "../protocol/x.ts"), rule: undefined },
  { path: "src/server/shell.ts", text: "export const now = Date.now();\n", rule: undefined },
  { path: "src/server/some.test.ts", text: 'console.log("tests may");\n', rule: undefined },
  // Directions.
  importing("src/protocol/up.ts", "../image/x.ts"),
  importing("src/image/up.ts", "../runtime/x.ts"),
  importing("src/runtime/up.ts", "../spool/x.ts"),
  importing("src/runtime/sim.ts", "../../firmware-sim/x.ts"),
  importing("src/spool/up.ts", "../devices/x.ts"),
  importing("src/spool/sim.ts", "../../firmware-sim/x.ts"),
  importing("src/devices/to-server.ts", "../server/x.ts"),
  importing("src/devices/to-client.ts", "../client/x.ts"),
  importing("src/devices/to-cli.ts", "../cli/x.ts"),
  importing("src/server/to-client.ts", "../client/x.ts"),
  importing("src/server/to-devices.ts", "../devices/x.ts"),
  importing("src/server/to-sim.ts", "../../firmware-sim/x.ts"),
  importing("src/client/to-server.ts", "../server/x.ts"),
  importing("src/client/to-devices.ts", "../devices/x.ts"),
  importing("src/client/to-sim.ts", "../../firmware-sim/x.ts"),
  importing("firmware-sim/to-src.ts", "../src/protocol/x.ts"),
  saying("src/image/cycle-a.ts", "noImportCycles", 'import { b } from "./cycle-b.ts";\n\nexport const a = () => b;\n'),
  saying("src/image/cycle-b.ts", "noImportCycles", 'import { a } from "./cycle-a.ts";\n\nexport const b = () => a;\n'),
  // Purity.
  saying("src/server/clock-machine.ts", "noRestrictedGlobals", "export const now = Date.now();\n"),
  saying("src/devices/host/timer-machine.ts", "noRestrictedGlobals", "setTimeout(() => {}, 1);\n"),
  saying("src/protocol/pid.ts", "noRestrictedGlobals", "export const { pid } = process;\n"),
  importing("src/protocol/disk.ts", "node:fs"),
  importing("src/protocol/socket.ts", "ws"),
  importing("src/server/disk-machine.ts", "node:fs"),
  importing("src/client/disk-machine.ts", "node:fs"),
  importing("src/devices/escpos/disk-machine.ts", "node:fs/promises"),
  importing("src/server/log-machine.ts", "pino"),
  importing("src/server/spool-machine.ts", "../spool/x.ts"),
  importing("src/server/to-client-machine.ts", "../client/x.ts"),
  // The rest.
  saying("src/server/floating.ts", "noFloatingPromises", `${later}export function f(): void {\n  later();\n}\n`),
  saying("src/server/misused.ts", "noMisusedPromises", `${later}export const y = later() ? 1 : 2;\n`),
  saying("src/server/console.ts", "noConsole", "console.log(1);\n"),
  saying("src/server/default.ts", "noDefaultExport", "const y = 1;\nexport default y;\n"),
  saying("src/server/enum.ts", "noEnum", "export enum Y {\n  A = 1,\n}\n"),
  saying("src/server/non-null.ts", "noNonNullAssertion", "export const y = (z: string | null) => z!.length;\n"),
  saying("src/server/camelCase.ts", "useFilenamingConvention", x),
  saying("src/server/types.ts", "useImportType", 'import { X } from "./x.ts";\n\nexport type Y = X;\n'),
  saying("src/server/ending.ts", "useImportExtensions", 'import { x } from "./x";\n\nexport const y = x;\n'),
  saying("src/server/barrel.ts", "noBarrelFile", 'export * from "./x.ts";\n'),
  saying("src/server/long.ts", "noExcessiveLinesPerFunction", longFunction),
];

interface Diagnostic {
  readonly severity: string;
  readonly category: string;
  readonly location: { readonly path: string };
}

let folder = "";
let status: number | null = null;
const found = new Map<string, Set<string>>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "twinspool-biome-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const path of ["biome.json", ".gitignore"]) write(path, readFileSync(join(root, path), "utf8"));
  for (const { path, text } of breaches) write(path, text);
  const run = spawnSync(process.execPath, [biome, "check", "--reporter=json", "--max-diagnostics=none", "."], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  status = run.status;
  // A line in front may say that the reporter is experimental.
  const report = JSON.parse(run.stdout.slice(run.stdout.indexOf("{"))) as { readonly diagnostics: Diagnostic[] };
  for (const { severity, category, location } of report.diagnostics) {
    if (severity !== "error" || !category.startsWith("lint/")) continue;
    const path = location.path.replaceAll("\\", "/");
    const rules = found.get(path) ?? new Set();
    found.set(path, rules.add(category.split("/").at(-1) ?? ""));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("biome.json", () => {
  it("fails a project with breaches", () => {
    expect(status).toBe(1);
  });

  it.each(breaches.filter(({ rule }) => rule !== undefined))("$rule finds $path", ({ path, rule }) => {
    expect([...(found.get(path) ?? [])]).toContain(rule);
  });

  it.each(breaches.filter(({ rule }) => rule === undefined))("finds nothing in $path", ({ path }) => {
    expect([...(found.get(path) ?? [])]).toEqual([]);
  });

  it("has no rule that is not broken here", () => {
    const text = readFileSync(join(root, "biome.json"), "utf8");
    const configured = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        if (/^(use|no)[A-Z]/.test(key) && isError(inner)) configured.add(key);
        collect(inner);
      }
    };
    collect(JSON.parse(text));
    const broken = new Set(breaches.map(({ rule }) => rule));
    expect([...configured].filter((rule) => !broken.has(rule))).toEqual([]);
  });
});

function isError(level: unknown): boolean {
  return (
    level === "error" || (typeof level === "object" && level !== null && "level" in level && level.level === "error")
  );
}
