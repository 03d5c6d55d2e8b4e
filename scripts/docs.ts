import { writeFileSync } from "node:fs";
import { configurationMarkdown } from "./configuration-md.ts";
import { errorsMarkdown } from "./errors-md.ts";

// The documents that follow from tables in the code; the architecture test compares them.
for (const [name, text] of Object.entries({ errors: errorsMarkdown(), configuration: configurationMarkdown() })) {
  writeFileSync(new URL(`../docs/${name}.md`, import.meta.url), text);
}
