import { readFileSync, writeFileSync } from "node:fs";
import { configurationMarkdown } from "./configuration-md.ts";
import { coverageMarkdown } from "./coverage-md.ts";
import { errorsMarkdown } from "./errors-md.ts";
import { simulatorMarkdown } from "./simulator-md.ts";

// The documents that follow from tables in the code; the architecture test compares them.
const documents = {
  errors: errorsMarkdown(),
  configuration: configurationMarkdown(),
  "escpos-coverage": coverageMarkdown(),
  simulator: simulatorMarkdown(readFileSync(new URL("../docs/simulator.md", import.meta.url), "utf8")),
};
for (const [name, text] of Object.entries(documents)) {
  writeFileSync(new URL(`../docs/${name}.md`, import.meta.url), text);
}
