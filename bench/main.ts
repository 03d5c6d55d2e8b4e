import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
import { benchBigDocument } from "./big-document.ts";
import { benchDiskWrites } from "./disk-writes.ts";
import { benchHistory } from "./history-figures.ts";
import { benchPrintPath } from "./print-path-figures.ts";
import { benchSimulator, benchSimulatorInRealTime } from "./simulator-figures.ts";

const benches: Readonly<Record<string, Bench>> = {
  "print-path": { about: "jobs from client to printer, beside plain fdatasync (default)", run: benchPrintPath },
  "big-document": {
    about: "memory of client and server over a document of 1 GiB and a gigapixel (Linux)",
    run: benchBigDocument,
  },
  "disk-writes": {
    about: "bytes that reach the disks of client, server and host per job (Linux, root)",
    run: benchDiskWrites,
  },
  history: { about: "what a history of 10,000 jobs costs its readers", run: benchHistory },
  simulator: { about: "the printer simulator, beside one plain pass over the same bytes", run: benchSimulator },
  "simulator-real-time": {
    about: "a minute of printing in real time, compared with the virtual clock",
    run: benchSimulatorInRealTime,
  },
};

const usage = `Usage: npm run bench -- [NAME] [--json]

${Object.entries(benches)
  .map(([name, { about }]) => `  ${name.padEnd(21)}${about}`)
  .join("\n")}

Times differ from machine to machine and from day to day; the ratios are the result.
  --json   one JSON object at the end instead of lines

Examples:
  npm run bench
  npm run bench -- simulator
  npm run --silent bench -- simulator --json`;

function fail(message: string): never {
  console.error(`${message}\n\n${usage}`);
  process.exit(2);
}

function readArguments(): { readonly name: string; readonly json: boolean; readonly help: boolean } {
  try {
    const options = { json: { type: "boolean", default: false }, help: { type: "boolean", default: false } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length > 1) fail(`one benchmark at a time, not ${positionals.join(" and ")}`);
    return { name: positionals[0] ?? "print-path", ...values };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const { name, json, help } = readArguments();
const bench = benches[name];
if (help) {
  console.log(usage);
} else if (bench === undefined) {
  fail(`no benchmark "${name}"`);
} else {
  const figures = await bench.run(json ? () => {} : (line) => console.log(line));
  if (json) console.log(JSON.stringify({ bench: name, node: process.version, ...figures }, null, 2));
}
