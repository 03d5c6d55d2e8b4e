/** How one module names another. */
export interface ImportSite {
  /** What stands between the quotes; undefined when it is computed at run time. */
  readonly specifier: string | undefined;
  /** Erased by the compiler: `import type`, `export type`, `typeof import()`. */
  readonly typeOnly: boolean;
  /** 1 for the first line. */
  readonly line: number;
}

/** Words after which a slash begins a regular expression, not a division. */
const wordsBeforeExpression = new Set(
  "return typeof case in of do else instanceof new delete void throw yield await".split(" "),
);

/**
 * The text with comments, regular expressions and the insides of strings blanked, character for character, so that
 * positions and line numbers stay those of the file. Code inside `${}` of a template stays.
 */
export function maskSource(text: string): string {
  const out: string[] = [];
  /** For each open `${`: how many braces were opened inside it. */
  const templates: number[] = [];
  let at = 0;
  let before = "";
  const blank = (end: number, filler: string): void => {
    for (; at < end; at++) out.push(text[at] === "\n" ? "\n" : filler);
  };
  const templateText = (): void => {
    while (at < text.length && text[at] !== "`") {
      if (text[at] === "$" && text[at + 1] === "{") {
        out.push("$", "{");
        at += 2;
        templates.push(0);
        before = "{";
        return;
      }
      blank(Math.min(text.length, at + (text[at] === "\\" ? 2 : 1)), "_");
    }
    out.push(text[at++] ?? "");
    before = "`";
  };
  while (at < text.length) {
    const char = text[at] ?? "";
    const depth = templates.at(-1);
    if (char === "/" && text[at + 1] === "/") blank(endOf(text, "\n", at), " ");
    else if (char === "/" && text[at + 1] === "*") blank(Math.min(text.length, endOf(text, "*/", at + 2) + 2), " ");
    else if (char === '"' || char === "'") {
      const end = endOfQuoted(text, at);
      out.push(char);
      at += 1;
      blank(Math.max(at, end - 1), "_");
      if (at < end) out.push(text[at++] ?? "");
      before = char;
    } else if (char === "`") {
      out.push(char);
      at += 1;
      templateText();
    } else if (char === "/" && startsExpression(before)) {
      blank(endOfRegex(text, at), " ");
      before = ")";
    } else if (depth !== undefined && char === "}" && depth === 0) {
      out.push(char);
      at += 1;
      templates.pop();
      templateText();
    } else {
      if (depth !== undefined && char === "{") templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && char === "}") templates[templates.length - 1] = depth - 1;
      const word = /[\w$]+/y;
      word.lastIndex = at;
      const token = word.exec(text)?.[0] ?? char;
      out.push(...token);
      at += token.length;
      if (token.trim() !== "") before = token;
    }
  }
  return out.join("");
}

function startsExpression(before: string): boolean {
  return before === "" || wordsBeforeExpression.has(before) || /^[([{},;=:!&|?+\-*%~^<>]$/.test(before);
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found;
}

function endOfQuoted(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === text[start] || text[at] === "\n") return at + 1;
  }
  return text.length;
}

function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at += 1;
    else if (char === "\n") return at;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return at + 1;
  }
  return text.length;
}

/** Patterns over the masked text; the string stands at the end of each match, its inside is underscores. */
const sites: readonly { readonly pattern: RegExp; readonly typeOnly: (match: RegExpExecArray) => boolean }[] = [
  {
    pattern:
      /(?<![.\w$])(?:import|export)(\s+type(?=\s*[\w$*{])(?!\s+from\b))?\s*[\w$*{][\w$*{}\s,]*?\bfrom\s*(["'])_*\2/g,
    typeOnly: (match) => match[1] !== undefined,
  },
  { pattern: /(?<![.\w$])export\s*(type\s*)?\*\s*from\s*(["'])_*\2/g, typeOnly: (match) => match[1] !== undefined },
  { pattern: /(?<![.\w$])import\s*(["'])_*\1/g, typeOnly: () => false },
  {
    pattern: /(?<![.\w$])(typeof\s+)?(?:import|require)\s*\(\s*(?:(["'])_*\2)?/g,
    typeOnly: (match) => match[1] !== undefined,
  },
  // A worker's file, named by its URL.
  { pattern: /(?<![.\w$])new\s+URL\s*\(\s*(["'])_*\1(?=\s*,\s*import\.meta\.url)/g, typeOnly: () => false },
];

/** Every place where a file names another module, in the order of the file. `masked` comes from `maskSource`. */
export function findImports(text: string, masked: string): ImportSite[] {
  const found = new Map<number, ImportSite>();
  for (const { pattern, typeOnly } of sites) {
    for (const match of masked.matchAll(pattern)) {
      const end = match.index + match[0].length;
      const quoted = /(["'])_*\1$/.exec(match[0])?.[0];
      const specifier = quoted === undefined ? undefined : text.slice(end - quoted.length + 1, end - 1);
      if (pattern.source.includes("URL") && !/\.[cm]?[jt]s$/.test(specifier ?? "")) continue;
      found.set(end, { specifier, typeOnly: typeOnly(match), line: masked.slice(0, end).split("\n").length });
    }
  }
  return [...found].sort(([a], [b]) => a - b).map(([, site]) => site);
}
