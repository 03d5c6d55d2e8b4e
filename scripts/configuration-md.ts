import {
  configKeys,
  printerConfigSchema,
  ruleConditionSchema,
  ruleConfigSchema,
} from "../src/runtime/config-schema.ts";

const header = `<!-- Made by \`npm run docs\` from src/runtime/config-schema.ts. Do not edit. -->

# Configuration

One set of keys for all roles. A value comes from the first of these that has it:

1. the command line (\`twinspool box --help\` lists the flags of a role)
2. the environment (the variables below; an empty one counts as not set)
3. the file
4. the default

The file is \`twinspool.toml\` in the platform's folder for configuration: \`~/.config/twinspool\` on Linux,
\`~/Library/Application Support/twinspool\` on macOS, \`%APPDATA%\\twinspool\` on Windows. \`--config FILE\` or \`TWINSPOOL_CONFIG\`
names another one. It may be TOML, or JSON when its name ends in \`.json\`. An unknown key is refused, with the key that was
probably meant.

\`\`\`toml
key = "sixteen-characters-or-more"
spool = "both"

[listen]
address = "0.0.0.0"

[[printers]]
name = "kitchen"
uri = "socket://192.168.0.9:9100"
model = "tm-m30iii"
\`\`\`

Without \`key\` a process listens on this machine only.

## Keys

| key | environment | default | meaning |
|---|---|---|---|
`;

const printersHeader = `
## Printers

\`printers\` is a list. In the environment it is JSON. This version opens \`socket://HOST:PORT\`, \`sim:\` and \`file:PATH\`
only.

| key | default | meaning |
|---|---|---|
`;

const rulesHeader = `
## Rules

\`rules\` is a list. The first rule whose \`when\` fits a job says what the person left open, see
[spools.md](spools.md).

\`\`\`toml
[[rules]]
when = { title = "*.pdf", minBytes = 200000 }
from = "server"
spool = "server"

[[rules]]
when = { client = "till-*" }
priority = 80
expires = "2h"
\`\`\`

| key | meaning |
|---|---|
`;

/** docs/configuration.md, whole, from the schema. */
export function configurationMarkdown(): string {
  const keys = configKeys().map(
    ({ path, env, description, default: value }) =>
      `| \`${path}\` | \`${env}\` | ${shown(value)} | ${cell(description)} |\n`,
  );
  const printers = Object.entries(printerConfigSchema.shape).map(([name, schema]) => {
    const absent = schema.safeParse(undefined);
    const fallback = absent.success ? shown(absent.data) : "must be given";
    return `| \`${name}\` | ${fallback} | ${cell(schema.description ?? "")} |\n`;
  });
  const ruleRow = ([name, schema]: [string, { description?: string | undefined }]): string =>
    `| \`${name}\` | ${cell(schema.description ?? "")} |\n`;
  const { when, ...follows } = ruleConfigSchema.shape;
  const rules = [
    ruleRow(["when", when]),
    ...Object.entries(ruleConditionSchema.shape).map(([name, schema]) => ruleRow([`when.${name}`, schema])),
    ...Object.entries(follows).map(ruleRow),
  ];
  return [header, ...keys, printersHeader, ...printers, rulesHeader, ...rules].join("");
}

function shown(value: unknown): string {
  return value === undefined ? "" : `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
