import { describe, expect, it } from "vitest";
import { findImports, maskSource } from "./import-scanner.ts";

function scan(text: string): string[] {
  return findImports(text, maskSource(text)).map(
    ({ specifier, typeOnly, line }) => `${line} ${specifier ?? "?"}${typeOnly ? " type" : ""}`,
  );
}

describe("finding imports", () => {
  it.each([
    ['import { a } from "./a.ts";', ["1 ./a.ts"]],
    ["import a, * as b from './a.ts';", ["1 ./a.ts"]],
    ['import * as z from "zod";', ["1 zod"]],
    ['import "./a.ts";', ["1 ./a.ts"]],
    ['import {\n  a,\n  b as c,\n} from "./a.ts";', ["4 ./a.ts"]],
    ['import type { A } from "./a.ts";', ["1 ./a.ts type"]],
    ['import type A from "./a.ts";', ["1 ./a.ts type"]],
    ['import type * as a from "./a.ts";', ["1 ./a.ts type"]],
    // With verbatimModuleSyntax this keeps an import at run time.
    ['import { type A } from "./a.ts";', ["1 ./a.ts"]],
    ['import type from "./a.ts";', ["1 ./a.ts"]],
    ['export { a } from "./a.ts";', ["1 ./a.ts"]],
    ['export type { A } from "./a.ts";', ["1 ./a.ts type"]],
    ['export * from "./a.ts";', ["1 ./a.ts"]],
    ['export * as a from "./a.ts";', ["1 ./a.ts"]],
    ['export type * from "./a.ts";', ["1 ./a.ts type"]],
    ['const a = await import("./a.ts");', ["1 ./a.ts"]],
    ['const a = await import(\n  "./a.ts"\n);', ["2 ./a.ts"]],
    ["const a = await import(name);", ["1 ?"]],
    ["const a = await import(`./a.ts`);", ["1 ?"]],
    ['let a: typeof import("sharp");', ["1 sharp type"]],
    ['const a = require("node:fs");', ["1 node:fs"]],
    ['new Worker(new URL("./worker.ts", import.meta.url));', ["1 ./worker.ts"]],
    ['import { a } from "./a.ts";\nexport const b = 1;\nexport { c } from "./c.ts";', ["1 ./a.ts", "3 ./c.ts"]],
    ['import { a } from "./a.ts"\nimport { b } from "./b.ts"', ["1 ./a.ts", "2 ./b.ts"]],
  ])("%s", (text, expected) => {
    expect(scan(text)).toEqual(expected);
  });

  it.each([
    '// import { a } from "./a.ts";',
    '/* import "./a.ts"; */',
    "const a = 'import \"./a.ts\"';",
    'const a = `import { a } from "./a.ts"`;',
    'const a = /import "x"/;',
    "export const from = 1;",
    "tool.import(1);",
    "const here = import.meta.url;",
    'new URL("..", import.meta.url);',
  ])("finds none in: %s", (text) => {
    expect(scan(text)).toEqual([]);
  });
});

describe("masking", () => {
  it.each([
    ["a // Date\nb", "a        \nb"],
    ["a /* Date\n */ b", "a        \n    b"],
    ['"Date" + Date', '"____" + Date'],
    ["'it\\'s' + Date", "'_____' + Date"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text under test is a template
    ["`Date ${Date} Date` + Date", "`_____${Date}_____` + Date"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text under test is a template
    ["`${{ a: `x${Date}` }}Date`;", "`${{ a: `_${Date}` }}____`;"],
    ["x = /[/\"']Date/u;", "x =            u;"],
    ["a / b / Date", "a / b / Date"],
    ["f(a) / Date", "f(a) / Date"],
    ["return /Date/", "return       "],
  ])("%s", (text, expected) => {
    expect(maskSource(text)).toBe(expected);
  });

  it("keeps every position, whatever the text", () => {
    for (const text of ['"open', "`open ${", "/* open", "/open", "'\\", "`\\"]) {
      expect(maskSource(text)).toHaveLength(text.length);
    }
  });
});
