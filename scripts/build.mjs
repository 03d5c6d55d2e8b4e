// Bundles the program for Node: one file per entry, native packages left outside (they carry their own binaries).
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const entryPoints = {
  main: `${root}src/main.ts`,
  "firmware-sim": `${root}firmware-sim/mod.ts`,
  twinspool: `${root}src/mod.ts`,
  "node-escpos": `${root}src/library/node-escpos.ts`,
};
rmSync(`${root}dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(Object.entries(entryPoints).filter(([, path]) => existsSync(path))),
  outdir: "dist",
  bundle: true,
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  format: "esm",
  platform: "node",
  target: "node20.19",
  external: ["@bwip-js/node", "@photostructure/sqlite", "koffi", "sharp"],
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: "linked",
  legalComments: "none",
  logLevel: "warning",
  // Bundled CommonJS packages (ws, pino, commander) call require for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});

// The simulator's live page is served as it is written.
cpSync(`${root}firmware-sim/web`, `${root}dist/web`, { recursive: true });

// Programs import the simulator and the library with their types.
const compiler = join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");
execFileSync(process.execPath, [compiler, "-p", `${root}scripts/tsconfig.types.json`], { stdio: "inherit" });
const types = join(root, "dist/types");
const wanted = new Set();
for (const [name, path] of Object.entries(entryPoints)) {
  if (name === "main") continue;
  const declaration = relative(root, path).replaceAll("\\", "/").replace(/\.ts$/, ".d.ts");
  writeFileSync(`${root}dist/${name}.d.ts`, `export * from "./types/${declaration.replace(/\.d\.ts$/, ".js")}";\n`);
  keepDeclaration(join(types, declaration));
}
for (const name of readdirSync(types, { recursive: true })) {
  const path = join(types, name.toString());
  if (path.endsWith(".d.ts") && !wanted.has(path)) rmSync(path);
}

/** Declarations name files as the bundler's sources do; a reader of the package has only the declarations. */
function keepDeclaration(path) {
  if (wanted.has(path)) return;
  wanted.add(path);
  const text = readFileSync(path, "utf8").replaceAll(/(from |import\()"(\.[^"]*)\.ts"/g, '$1"$2.js"');
  writeFileSync(path, text);
  for (const match of text.matchAll(/(?:from |import\()"(\.[^"]*)\.js"/g))
    keepDeclaration(join(path, "..", `${match[1]}.d.ts`));
}
