import { type ErrorRow, errorTable } from "../src/protocol/errors.ts";

const header = `<!-- Made by \`npm run docs\` from src/protocol/errors.ts. Do not edit. -->

# Errors

Every error has a code for programs and a sentence for people. The sentence says what happened, what was seen this time, and
what to do next:

\`\`\`
twinspool: there is no printer of this name: ktichen; there is: kitchen. What to do: see the names with: twinspool printers.
\`\`\`

The HTTP API sends the code as \`code\`, the sentence as \`message\`, and the status named below.
"Tried again" says whether the same request can work later without a change.
`;

const faults: Readonly<Record<ErrorRow["fault"], string>> = {
  user: "the request or the settings",
  peer: "the other process",
  here: "the process or machine that reports it",
  printer: "the printer or its ledger",
  nobody: "nobody; this happens",
};

/** docs/errors.md, whole, from the table of errors. */
export function errorsMarkdown(table: Readonly<Record<string, ErrorRow>> = errorTable): string {
  return [header, ...Object.entries(table).map(([code, row]) => section(code, row))].join("\n");
}

function section(code: string, row: ErrorRow): string {
  return `### \`${code}\`

${row.sentence.charAt(0).toUpperCase()}${row.sentence.slice(1)}.

- What to do: ${row.next}.
- Cause: ${faults[row.fault]}.
- HTTP status ${row.httpStatus}. Tried again: ${row.retryable ? "yes" : "no"}.
`;
}
