import type { ImportEdge, SourceFile, SourceTree } from "./source-tree.ts";

/** One breach of a rule: `path:line: what is wrong`. */
export type Violation = string;

function at(file: SourceFile, line: number, message: string): Violation {
  return `${file.path}:${line}: ${message}`;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Tests, and what only tests use. */
export function isTest(path: string): boolean {
  return /\.test\.ts$|(^|\/)test-[\w-]+\.ts$|^(tests|bench|world|chaos|spec|hw-tests)\//.test(path);
}

// ---- directions (design: protocol, image <- runtime <- spool <- devices | server | client <- cli <- main)

/** Which layers the files of a layer may import; a layer always may import itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  image: ["protocol"],
  runtime: ["protocol", "image"],
  spool: ["protocol", "image", "runtime"],
  devices: ["protocol", "image", "runtime", "spool"],
  server: ["protocol", "image", "runtime", "spool"],
  client: ["protocol", "image", "runtime", "spool"],
  library: ["protocol", "image", "runtime", "spool", "client"],
  mod: ["protocol", "library"],
  cli: ["protocol", "image", "runtime", "spool", "devices", "server", "client"],
  main: ["protocol", "image", "runtime", "spool", "devices", "server", "client", "cli"],
};

/** `src/runtime/clock.ts` → `runtime`, `src/main.ts` → `main`; undefined outside of src. */
function layerOf(path: string): string | undefined {
  return /^src\/([\w-]+)(?:\/|\.ts$)/.exec(path)?.[1];
}

/** Imports run one way, types too: who needs a type from above has put it into the wrong room. */
export function checkDirections(tree: SourceTree): Violation[] {
  return edges(tree).flatMap(({ file, edge }) => {
    const from = layerOf(file.path);
    if (from === undefined || edge.target === undefined) return [];
    const allowed = mayImport[from];
    if (allowed === undefined) return [at(file, edge.line, `src/${from} is no layer of the design`)];
    const to = layerOf(edge.target);
    if (to === from || (to !== undefined && allowed.includes(to))) return [];
    if (to === undefined && edge.target.startsWith("firmware-sim/")) return [];
    return [at(file, edge.line, `${from} may not import ${edge.target}`)];
  });
}

const simulatorUsers = /^src\/(image\/formats\/escpos\.ts$|devices\/transports\/sim\.ts$|cli\/)/;

/** The simulator is a second, independent printer: it knows nothing of src, and few know it, by one door. */
export function checkSimulator(tree: SourceTree): Violation[] {
  return edges(tree).flatMap(({ file, edge }) => {
    if (edge.target === undefined) return [];
    const inside = file.path.startsWith("firmware-sim/");
    const toSimulator = edge.target.startsWith("firmware-sim/");
    if (inside && !toSimulator) return [at(file, edge.line, `the simulator may not import ${edge.target}`)];
    if (inside || !toSimulator) return [];
    if (edge.target !== "firmware-sim/mod.ts") {
      return [at(file, edge.line, `${edge.target} is inside the simulator; its door is firmware-sim/mod.ts`)];
    }
    if (!file.path.startsWith("src/") || isTest(file.path) || simulatorUsers.test(file.path)) return [];
    return [at(file, edge.line, "only escpos.ts, sim.ts and the command line may import the simulator")];
  });
}

/** The checker of the processes is independent: it reads paper, ledger and databases with readers of its own. */
export function checkWitness(tree: SourceTree): Violation[] {
  return edges(tree).flatMap(({ file, edge }) => {
    if (!file.path.startsWith("chaos/") || edge.target === undefined) return [];
    const isOwn = edge.target.startsWith("chaos/") || edge.target.startsWith("dist/");
    return isOwn ? [] : [at(file, edge.line, `the witness may not import ${edge.target}`)];
  });
}

const doorPattern = /^src\/server\/doors\//;

/** A door translates and never decides: what two doors share belongs behind them. */
export function checkDoors(tree: SourceTree): Violation[] {
  return edges(tree).flatMap(({ file, edge }) => {
    if (!doorPattern.test(file.path) || isTest(file.path)) return [];
    if (edge.target === undefined || !doorPattern.test(edge.target)) return [];
    return [at(file, edge.line, `a door may not import a door: ${edge.target}`)];
  });
}

/** The product never imports tests, and nothing imports a file that is not there or a name it computes. */
export function checkTargets(tree: SourceTree): Violation[] {
  return edges(tree).flatMap(({ file, edge }) => {
    if (edge.specifier === undefined) return [at(file, edge.line, "an import of a computed name cannot be checked")];
    if (edge.target === undefined) return [];
    // Tests of the finished program start what the build has made.
    const built = edge.target.startsWith("dist/") && isTest(file.path);
    if (!built && !tree.texts.has(edge.target)) {
      return [at(file, edge.line, `there is no ${edge.target}`)];
    }
    const product = /^(src|firmware-sim)\//.test(file.path) && !isTest(file.path);
    if (product && isTest(edge.target)) return [at(file, edge.line, `the product may not import ${edge.target}`)];
    return [];
  });
}

function edges(tree: SourceTree): { readonly file: SourceFile; readonly edge: ImportEdge }[] {
  return [...tree.modules.values()].flatMap((file) => file.imports.map((edge) => ({ file, edge })));
}

// ---- purity

/** zod only describes values; everything else could do I/O. */
const purePackages = new Set(["zod"]);
const impureGlobals =
  /(?<![.\w$#])(?:Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|process|crypto|fetch|console|Buffer|globalThis|require|WebSocket|Worker)(?![\w$])|(?<![.\w$])Math\s*\.\s*random(?![\w$])/g;

/** Machines and the protocol are pure, with everything they import: a clock hidden three files away is still a clock. */
export function checkPurity(tree: SourceTree): Violation[] {
  const violations = new Map<string, Violation>();
  const seen = new Set<string>();
  const visit = (path: string, chain: readonly string[]): void => {
    const file = tree.modules.get(path);
    if (file === undefined || seen.has(path)) return;
    seen.add(path);
    const here = [...chain, path];
    const via = chain.length === 0 ? "" : ` (pure because of ${here.join(" <- ")})`;
    for (const [line, what] of impurities(file)) violations.set(`${path}:${line}:${what}`, at(file, line, what + via));
    for (const edge of file.imports) if (!edge.typeOnly && edge.target !== undefined) visit(edge.target, here);
  };
  for (const path of tree.modules.keys()) if (isPureRoot(path)) visit(path, []);
  return [...violations.values()];
}

function isPureRoot(path: string): boolean {
  return !isTest(path) && (path.startsWith("src/protocol/") || /^src\/.*-machine\.ts$/.test(path));
}

function impurities(file: SourceFile): [number, string][] {
  const found: [number, string][] = [];
  for (const { specifier, typeOnly, target, line } of file.imports) {
    if (typeOnly || target !== undefined) continue;
    if (specifier === undefined || !purePackages.has(specifier))
      found.push([line, `imports ${specifier ?? "anything"}`]);
  }
  for (const match of file.code.matchAll(impureGlobals)) {
    if (isKey(file.code, match.index, match.index + match[0].length)) continue;
    found.push([lineOf(file.code, match.index), `uses ${match[0]}`]);
  }
  for (const match of file.code.matchAll(/(?<![.\w$])(?:async|await)(?![\w$])/g)) {
    if (/-machine\.ts$/.test(file.path)) found.push([lineOf(file.code, match.index), `uses ${match[0]}`]);
  }
  return found;
}

/** `{ process: 1 }` and `readonly process: string` name a key, not the global. */
function isKey(code: string, start: number, end: number): boolean {
  return (
    /(?:[{,;]|readonly)\s*$/.test(code.slice(Math.max(0, start - 80), start)) &&
    /^\??\s*:/.test(code.slice(end, end + 8))
  );
}

/** The simulated world runs again from its seed alone. */
export function checkWorldIsSeeded(tree: SourceTree): Violation[] {
  const files = [...tree.modules.values()].filter(
    ({ path }) => path.startsWith("world/") && !/\.test\.ts$|\/(main|campaign)\.ts$/.test(path),
  );
  return files.flatMap((file) =>
    [
      ...file.code.matchAll(
        /(?<![.\w$#])(?:Date|performance|setTimeout|setInterval|setImmediate)(?![\w$])|Math\s*\.\s*random/g,
      ),
    ].map((match) => at(file, lineOf(file.code, match.index), `uses ${match[0]}`)),
  );
}

// ---- the shape of files

export const maxFileLines = 500;

/** A ratchet: files over the limit are listed with their length, which may only shrink. */
export function checkSizes(tree: SourceTree, allowed: Readonly<Record<string, number>>): Violation[] {
  const violations: Violation[] = [];
  for (const file of tree.modules.values()) {
    const limit = allowed[file.path] ?? maxFileLines;
    if (file.lines > limit) violations.push(`${file.path}: ${file.lines} lines, allowed are ${limit}: take it apart`);
  }
  for (const [path, limit] of Object.entries(allowed)) {
    const lines = tree.modules.get(path)?.lines;
    if (lines === undefined || lines <= maxFileLines) violations.push(`${path}: is not too long, take it off the list`);
    else if (lines < limit) violations.push(`${path}: has shrunk to ${lines} lines, write that into the list`);
  }
  return violations;
}

/** A test that does not run says nothing. `skipIf(platform)` is allowed: it says where it cannot run. */
export function checkTestsRun(tree: SourceTree): Violation[] {
  const pattern =
    /(?<![.\w$])(?:(?:it|test|describe|suite)(?:\s*\.\s*\w+)*\s*\.\s*(?:skip|only|todo|fails)|xit|fit|xdescribe|fdescribe)(?![\w$])/g;
  return findAll(tree, pattern, (match) => `${match.replace(/\s/g, "")}: a test runs or goes`);
}

export function checkDefaultExports(tree: SourceTree): Violation[] {
  const found = findAll(
    tree,
    /(?<![.\w$])export\s+default(?![\w$])|(?<![\w$])as\s+default(?![\w$])/g,
    () => "a default export",
  );
  return found.filter((violation) => !violation.startsWith("vitest.config.ts:"));
}

function findAll(tree: SourceTree, pattern: RegExp, say: (match: string) => string): Violation[] {
  return [...tree.modules.values()].flatMap((file) =>
    [...file.code.matchAll(pattern)].map((match) => at(file, lineOf(file.code, match.index), say(match[0]))),
  );
}

// ---- texts

/** Folders of a development machine, which exist nowhere else. Put together so that this file has none. */
const machinePaths = new RegExp(["work", "root"].map((name) => `(?<![\\w.])/${name}/`).join("|"));

export function checkMachinePaths(tree: SourceTree): Violation[] {
  return [...tree.texts].flatMap(([path, text]) =>
    text.split("\n").flatMap((line, index) => {
      const found = machinePaths.exec(line)?.[0];
      return found === undefined ? [] : [`${path}:${index + 1}: the path ${found} of a development machine`];
    }),
  );
}

/** Relative links of the documents lead to files. Images and generated files must exist in the checkout. */
export function checkLinks(tree: SourceTree, exists: (path: string) => boolean): Violation[] {
  return [...tree.texts].flatMap(([path, text]) => {
    if (!path.endsWith(".md")) return [];
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
      const target = (match[1] ?? "").split("#", 1)[0] ?? "";
      if (target === "" || /^[a-z]+:/.test(target)) return [];
      const full = new URL(folder + target, "file:///").pathname.slice(1);
      return exists(full) ? [] : [`${path}:${lineOf(text, match.index)}: the link to ${target} leads nowhere`];
    });
  });
}

const namedPath = /`((?:\.ci|src|firmware-sim|world|chaos|spec|tests|hw-tests|scripts|bench|docs|fonts)\/[\w./-]*)`/g;

/** Files and folders that a document names in code style exist. Words in capitals stand for any name. */
export function checkNamedPaths(tree: SourceTree, exists: (path: string) => boolean): Violation[] {
  return [...tree.texts].flatMap(([path, text]) => {
    // The changelog names what was, SOURCES.md what others have.
    if (!path.endsWith(".md") || /(^|\/)(CHANGELOG|SOURCES)\.md$/.test(path)) return [];
    return [...text.matchAll(namedPath)].flatMap((match) => {
      const named = match[1] ?? "";
      if (/(^|\/)[A-Z]+(\.|$)/.test(named) || exists(named)) return [];
      return [`${path}:${lineOf(text, match.index)}: there is no ${named}`];
    });
  });
}

interface PackageJson {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly [section: string]: unknown;
}

const dependencySections = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides"];

/** One version, tested together: no range that means something else tomorrow. */
export function checkVersions(packageJson: PackageJson): Violation[] {
  return dependencySections.flatMap((section) =>
    Object.entries((packageJson[section] ?? {}) as Readonly<Record<string, string>>)
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `package.json: ${section}.${name} is ${version}, not one exact version`),
  );
}

/** Commands that a document tells its reader to type exist as scripts of package.json. */
export function checkCommands(path: string, text: string, packageJson: PackageJson): Violation[] {
  const scripts = packageJson.scripts ?? {};
  return [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)].flatMap((match) => {
    const name = match[1] ?? match[2] ?? "";
    return name in scripts ? [] : [`${path}: npm has no script ${name}`];
  });
}

/** The documented headings `### code` of docs/errors.md and the codes of the table are the same. */
export function checkErrorsDocumented(codes: readonly string[], document: string): Violation[] {
  const headings = new Set([...document.matchAll(/^### `([\w-]+)`$/gm)].map((match) => match[1] ?? ""));
  return [
    ...codes.filter((code) => !headings.has(code)).map((code) => `docs/errors.md: ${code} is missing`),
    ...[...headings].filter((code) => !codes.includes(code)).map((code) => `docs/errors.md: there is no error ${code}`),
  ];
}
