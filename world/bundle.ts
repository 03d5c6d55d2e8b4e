import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type * as world from "./world.ts";

/** One place of the source, changed in memory only. `find` must stand there exactly once. */
export interface Patch {
  /** From the root of the source tree. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export type WorldModule = Pick<typeof world, "World" | "runPlan" | "runSeed">;

const root = fileURLToPath(new URL("..", import.meta.url));

/** An entry of this folder and all that it imports, as one file of JavaScript in `folder`; returns its path. */
export async function bundleInto(folder: string, entry: string, patches: readonly Patch[] = []): Promise<string> {
  const open = new Set(patches);
  const result = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    write: false,
    logLevel: "silent",
    plugins: [
      {
        name: "patches",
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            const file = relative(root, path).split(sep).join("/");
            const here = patches.filter((patch) => patch.file === file);
            if (here.length === 0) return undefined;
            let contents = await readFile(path, "utf8");
            for (const patch of here) {
              contents = applyPatch(contents, patch);
              open.delete(patch);
            }
            return { contents, loader: "ts" };
          });
        },
      },
    ],
  });
  for (const { file } of open) throw new Error(`${file} is to be patched, and nothing imports it`);
  const path = join(folder, `${entry.replace(/\W+/g, "-")}.cjs`);
  await writeFile(path, result.outputFiles[0]?.contents ?? "");
  return path;
}

/** The machines and their world with these changes. */
export async function loadPatchedWorld(patches: readonly Patch[]): Promise<WorldModule> {
  const folder = await mkdtemp(join(tmpdir(), "twinspool-world-"));
  try {
    const path = await bundleInto(folder, "./world.ts", patches);
    return createRequire(import.meta.url)(path) as WorldModule;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Throws when the text is gone, or stands there twice: then the patch would not take away what it says. */
export function applyPatch(source: string, { file, find, replace }: Patch): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times:\n${find}`);
  return parts.join(replace);
}
