import { homedir, hostname } from "node:os";
import { posix, resolve, win32 } from "node:path";
import { TwinspoolError } from "../protocol/errors.ts";
import type { SourceChoice, Spools } from "../protocol/job.ts";
import { sourceFitsSpools } from "../protocol/job-settings.ts";
import { limits } from "../protocol/limits.ts";
import {
  type Config,
  type ConfigKey,
  configKeys,
  configSchema,
  printerConfigSchema,
  ruleConditionSchema,
  ruleConfigSchema,
} from "./config-schema.ts";
import { nearestWord } from "./did-you-mean.ts";
import { isLoopback } from "./loopback.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigSources {
  /**
   * What the command line said: sections as objects, or keys as dotted paths (`"listen.port": "6400"`). Texts become
   * numbers where the key is one; undefined is left out. `config` is the path of the file.
   */
  readonly argvFlags?: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  /** Reads a file as UTF-8. Throws an error with `code: "ENOENT"` when there is none. */
  readonly readFile?: (path: string) => string | Promise<string>;
  readonly platform?: NodeJS.Platform;
}

interface Tree {
  [key: string]: unknown;
}

/** Values of all sources so far, and for each key where its value came from. */
interface Merged {
  readonly values: Tree;
  readonly origins: Map<string, string>;
}

/**
 * Reads and checks the configuration: flags before environment before file before default.
 * Throws `config-invalid` that names key, origin, value and what is allowed, and `spools-contradict`.
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { env, platform = process.platform } = sources;
  const { config: flagPath, ...flags } = sources.argvFlags ?? {};
  const keys = configKeys();
  const merged: Merged = { values: emptyTree(), origins: new Map() };
  // Cut as the schema asks for: a machine with a very long name must still start.
  merge(merged, { name: (hostname() || "twinspool").slice(0, limits.nameChars) }, "the machine");
  merge(merged, { data: dataFolder(env, platform) }, "the platform");
  const file = await readConfigFile(typeof flagPath === "string" ? flagPath : undefined, sources, platform);
  if (file !== undefined) merge(merged, file.values, file.path);
  mergeEnvironment(merged, env, keys);
  merge(merged, unfold(flags, keys), "the command line");

  const parsed = configSchema.safeParse(merged.values);
  if (!parsed.success) throw new TwinspoolError("config-invalid", explain(parsed.error.issues, merged));
  const config = parsed.data;
  const { from, spool } = config;
  // One without the other may still be made whole by a printer's default.
  if (from !== undefined && spool !== undefined) checkSpools(from, spool);
  return { ...config, data: resolve(config.data) };
}

/** The image can only come from a spool that keeps it (fig. 9). Throws `spools-contradict`. */
export function checkSpools(from: SourceChoice, spool: Spools): void {
  if (sourceFitsSpools({ source: from, spools: spool })) return;
  throw new TwinspoolError(
    "spools-contradict",
    `from is ${from}, but spool is ${spool}; --from ${spool}, or --spool both, works`,
  );
}

/** Beyond this machine only with a shared key (design §12). Throws `address-needs-key`. */
export function checkListen(config: {
  readonly listen: { readonly address: string };
  readonly key?: string | undefined;
}): void {
  if (config.key !== undefined || isLoopback(config.listen.address)) return;
  throw new TwinspoolError("address-needs-key", `listen.address is ${config.listen.address}`);
}

/** The platform's place for state that survives a restart. */
export function dataFolder(env: Environment, platform: NodeJS.Platform): string {
  const home = homeOf(env, platform);
  if (platform === "win32") {
    return win32.join(env["LOCALAPPDATA"] || win32.join(home, "AppData", "Local"), "twinspool");
  }
  if (platform === "darwin") return posix.join(home, "Library", "Application Support", "twinspool");
  return posix.join(absolute(env["XDG_STATE_HOME"]) ?? posix.join(home, ".local", "state"), "twinspool");
}

/** The platform's place for configuration. */
export function configFolder(env: Environment, platform: NodeJS.Platform): string {
  const home = homeOf(env, platform);
  if (platform === "win32") {
    return win32.join(env["APPDATA"] || win32.join(home, "AppData", "Roaming"), "twinspool");
  }
  if (platform === "darwin") return posix.join(home, "Library", "Application Support", "twinspool");
  return posix.join(absolute(env["XDG_CONFIG_HOME"]) ?? posix.join(home, ".config"), "twinspool");
}

function homeOf(env: Environment, platform: NodeJS.Platform): string {
  return (platform === "win32" ? env["USERPROFILE"] : env["HOME"]) || homedir();
}

/** XDG Base Directory Specification: a relative path in these variables is invalid and to be ignored. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && posix.isAbsolute(path) ? path : undefined;
}

function emptyTree(): Tree {
  // Without a prototype, a key "__proto__" is a key like any other, and refused as unknown.
  return Object.create(null) as Tree;
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merge(into: Merged, values: Tree, origin: string): void {
  mergeTree(into.values, values, [], (path) => into.origins.set(path, origin));
}

function mergeTree(into: Tree, from: Tree, path: readonly string[], note: (path: string) => void): void {
  for (const [key, value] of Object.entries(from)) {
    if (value === undefined) continue;
    const here = [...path, key];
    note(here.join("."));
    if (isTree(value)) {
      const old = into[key];
      const next = isTree(old) ? old : emptyTree();
      into[key] = next;
      mergeTree(next, value, here, note);
    } else {
      into[key] = value;
    }
  }
}

function mergeEnvironment(merged: Merged, env: Environment, keys: readonly ConfigKey[]): void {
  const byName = new Map(keys.map((key) => [key.env, key]));
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith("TWINSPOOL_") || name === "TWINSPOOL_CONFIG" || value === undefined || value === "") continue;
    const key = byName.get(name);
    if (key !== undefined) {
      merge(merged, nest(key.path.split("."), fromText(value, key.kind)), `the environment (${name})`);
      continue;
    }
    // Others put names of their own here (container runtimes announce a service "twinspool" as TWINSPOOL_PORT_…), so
    // only what looks like a slip is refused.
    const meant = nearestWord(
      name.slice(10),
      [...byName.keys()].map((known) => known.slice(10)),
    );
    if (meant === undefined) continue;
    throw new TwinspoolError(
      "config-invalid",
      `the environment has an unknown variable ${name}; did you mean TWINSPOOL_${meant}?`,
    );
  }
}

function nest(path: readonly string[], value: unknown): Tree {
  return path.reduceRight<unknown>((inner, part) => Object.assign(emptyTree(), { [part]: inner }), value) as Tree;
}

/** Dotted keys become sections, texts become what their key holds. */
function unfold(flags: Tree, keys: readonly ConfigKey[]): Tree {
  const kinds = new Map(keys.map((key) => [key.path, key.kind]));
  const result = emptyTree();
  const add = (path: string, value: unknown): void => {
    if (isTree(value)) {
      for (const [key, inner] of Object.entries(value)) add(`${path}.${key}`, inner);
    } else if (value !== undefined) {
      const typed = typeof value === "string" ? fromText(value, kinds.get(path) ?? "text") : value;
      mergeTree(result, nest(path.split("."), typed), [], () => {});
    }
  };
  for (const [key, value] of Object.entries(flags)) add(key, value);
  return result;
}

/** What cannot be read stays a text, so that the schema says what is allowed there. */
function fromText(value: string, kind: ConfigKey["kind"]): unknown {
  if (kind === "number") return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  if (kind === "text") return value;
  if (kind === "boolean") return value === "true" ? true : value === "false" ? false : value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

async function readConfigFile(
  flagPath: string | undefined,
  sources: ConfigSources,
  platform: NodeJS.Platform,
): Promise<{ readonly path: string; readonly values: Tree } | undefined> {
  const named = flagPath ?? (sources.env["TWINSPOOL_CONFIG"] || undefined);
  const join = platform === "win32" ? win32.join : posix.join;
  const path = named ?? join(configFolder(sources.env, platform), "twinspool.toml");
  let text: string;
  try {
    text = await (sources.readFile ?? readUtf8)(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    if (named === undefined && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
    throw new TwinspoolError("config-invalid", `the file ${path} cannot be read (${code})`, { cause });
  }
  // Editors on Windows begin UTF-8 files with a byte order mark, which neither grammar knows.
  return { path, values: await parseConfigFile(path, text.replace(/^\uFEFF/, "")) };
}

async function readUtf8(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(path, "utf8");
}

async function parseConfigFile(path: string, text: string): Promise<Tree> {
  let values: unknown;
  try {
    // Loaded only when there is a TOML file: most processes of the command line have none.
    values = /\.json$/i.test(path) ? JSON.parse(text) : (await import("smol-toml")).parse(text);
  } catch (cause) {
    const place =
      cause instanceof Error && "line" in cause && "column" in cause
        ? ` line ${cause.line}, column ${cause.column}`
        : "";
    // Only the first line: what follows quotes the text around the fault, and that may be the key. JSON quotes at once.
    const why = place === "" || !(cause instanceof Error) ? "it is not JSON" : cause.message.split("\n", 1)[0];
    throw new TwinspoolError("config-invalid", `the file ${path}${place} cannot be understood: ${why}`);
  }
  if (!isTree(values)) throw new TwinspoolError("config-invalid", `the file ${path} holds no keys`);
  return values;
}

type Issue = NonNullable<ReturnType<typeof configSchema.safeParse>["error"]>["issues"][number];

function explain(issues: readonly Issue[], merged: Merged): string {
  const shown = issues.slice(0, 5).flatMap((issue) => explainIssue(issue, merged));
  if (issues.length > 5) shown.push(`and ${issues.length - 5} more`);
  return shown.join("; ");
}

function explainIssue(issue: Issue, merged: Merged): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const known = knownKeys(path);
      const meant = nearestWord(key, known);
      const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${joined(path, meant)}?`;
      return `${joined(path, key)} from ${originOf([...path, key], merged)} is no known key; ${hint}`;
    });
  }
  const name = path.join(".");
  const value = path.reduce<unknown>((at, part) => (at as Tree | undefined)?.[part], merged.values);
  if (value === undefined) return [`${name} from ${originOf(path, merged)} is missing, allowed: ${issue.message}`];
  return [`${name} from ${originOf(path, merged)} is ${show(name, value)}, allowed: ${issue.message}`];
}

function joined(path: readonly string[], key: string): string {
  return [...path, key].join(".");
}

/** Keys of the section at a path; a number in the path is a place in a list. */
function knownKeys(path: readonly string[]): string[] {
  if (path[0] === "printers") return Object.keys(printerConfigSchema.shape);
  if (path[0] === "rules") return Object.keys((path[2] === "when" ? ruleConditionSchema : ruleConfigSchema).shape);
  const prefix = path.length === 0 ? "" : `${path.join(".")}.`;
  const below = configKeys().filter((key) => key.path.startsWith(prefix));
  return [...new Set(below.map((key) => key.path.slice(prefix.length).split(".", 1)[0] ?? ""))];
}

function originOf(path: readonly string[], merged: Merged): string {
  for (let length = path.length; length > 0; length--) {
    const origin = merged.origins.get(path.slice(0, length).join("."));
    if (origin !== undefined) return origin;
  }
  return "the defaults";
}

function show(name: string, value: unknown): string {
  // A section may hold the key, written one line too low.
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "a section";
  if (name === "key") return "(not shown)";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
