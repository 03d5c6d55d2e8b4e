import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { findImports, type ImportSite, maskSource } from "./import-scanner.ts";

export interface ImportEdge extends ImportSite {
  /** The file in this tree that a relative import names; undefined for packages and computed names. */
  readonly target: string | undefined;
}

export interface SourceFile {
  /** From the root of the tree, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without comments, regular expressions and the insides of strings. */
  readonly code: string;
  readonly lines: number;
  readonly imports: readonly ImportEdge[];
}

/** A source tree in memory: of the checkout, or made up by a test of the rules. */
export interface SourceTree {
  /** Modules only: .ts, .mts, .mjs, .js. */
  readonly modules: ReadonlyMap<string, SourceFile>;
  /** Every text file of the tree, modules too. */
  readonly texts: ReadonlyMap<string, string>;
}

const modulePattern = /\.[cm]?[jt]s$/;
const textPattern =
  /\.([cm]?[jt]s|json|md|toml|txt|html|css|hex|rules|service|sh|ya?ml)$|(^|\/)(\.[\w-]+|run|LICENSE)$/;

/** A tree of the texts given: path → text. */
export function treeOf(texts: Readonly<Record<string, string>>): SourceTree {
  const modules = new Map<string, SourceFile>();
  for (const [path, text] of Object.entries(texts)) {
    if (!modulePattern.test(path)) continue;
    const code = maskSource(text);
    const imports = findImports(text, code).map((site) => ({ ...site, target: targetOf(path, site.specifier) }));
    modules.set(path, { path, text, code, lines: text.replace(/\n$/, "").split("\n").length, imports });
  }
  return { modules, texts: new Map(Object.entries(texts)) };
}

function targetOf(path: string, specifier: string | undefined): string | undefined {
  return specifier?.startsWith(".") ? posix.join(posix.dirname(path), specifier) : undefined;
}

/** The tree of a checkout: what its .gitignore names is left out, and what is no text of ours. */
export function readTree(root: string): SourceTree {
  const ignored = ignoredNames(readFileSync(join(root, ".gitignore"), "utf8"));
  const texts: Record<string, string> = {};
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (entry.name === ".git" || ignored(entry.name)) continue;
      if (entry.isDirectory()) walk(path);
      else if (textPattern.test(path)) texts[path] = readFileSync(join(root, path), "utf8");
    }
  };
  walk("");
  return treeOf(texts);
}

/** Only what this project's .gitignore uses: names of folders, and `*.ending`. */
function ignoredNames(gitignore: string): (name: string) => boolean {
  const lines = gitignore.split("\n").map((line) => line.trim().replace(/\/$/, ""));
  const names = new Set(lines.filter((line) => line !== "" && !line.startsWith("#") && !line.startsWith("*")));
  const endings = lines.filter((line) => line.startsWith("*.")).map((line) => line.slice(1));
  return (name) => names.has(name) || endings.some((ending) => name.endsWith(ending));
}
