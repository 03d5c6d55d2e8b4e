// npm run test:package: the packed package in an empty folder, as a user has it, with node:test, Vitest, Jest and tsc.
// Fetches the newest Jest 30 with npm; everything else has the versions of this project.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "twinspool-package-"));
const windows = process.platform === "win32";

function run(title, command, args, { cwd = folder, ...more } = {}) {
  console.log(`\n== ${title}`);
  // Node's own programs are scripts on Windows, which only a shell starts.
  return execFileSync(command, args, { cwd, stdio: "inherit", shell: windows, ...more });
}

// Strict TypeScript that touches what the guide names.
const consumer = `import {
  FAULT_KINDS, type Fault, findProfile, locateText, type Page, pageToHalfBlocks, pageToPng, pageToSvg, renderEscpos,
  type Simulator, type SimulatorOptions, startSimulator, startWebPage, VirtualClock, withSmallBuffer,
} from "twinspool/firmware-sim";

const clock = new VirtualClock();
const options: SimulatorOptions = { profile: withSmallBuffer(findProfile("xp-80")), clock, tcpPort: 0, nvFile: "nv.bin" };
const printer: Simulator = await startSimulator(options);
const web = await startWebPage(printer, 0);
const connection = printer.connect({ serial: { baudRate: 9600, flowControl: "dtr-dsr" } });
connection.onData((bytes: Uint8Array) => bytes.length);
// Time stands still until the test lets it go on: over a serial line the bytes need some.
const written = connection.write(Buffer.from("hello\\n"));
clock.runAll();
await written;
const fault: Fault = { kind: "slow", times: 2 };
printer.fail(fault);
printer.fail("cover-open@3s");
const facts: readonly number[] = [printer.state.receivedBytes, printer.pulses.length, printer.sounds.length];
const pages: readonly Page[] = [...printer.paper, ...renderEscpos(Buffer.from("text\\n"))];
const shown = pages.map((page) => [pageToPng(page).length, pageToSvg(page), pageToHalfBlocks(page), locateText(page)]);
if (printer.text !== "hello" || shown.length !== 1 || facts.length !== 3 || FAULT_KINDS.length === 0) process.exitCode = 1;
connection.close();
await web.close();
await printer.close();
`;

// The library, its options and its answers.
const libraryConsumer = `import {
  type Connection, connect, type HistoryAnswer, type JobAnswer, type JobEnd, type LeftJob, type Preview, type PrintDocument,
  type PrintJob, type PrintOptions, submit, TwinspoolError,
} from "twinspool";
import { TwinspoolAdapter } from "twinspool/node-escpos";

const twinspool: Connection = await connect({ server: "http://127.0.0.1:9", data: "spool", onNote: () => {} });
const options: PrintOptions = { printer: "kitchen", copies: 2, priority: 80, source: "auto", spools: "both", expiresMs: 60_000 };
const document: PrintDocument = { text: "hello\\n" };
async function all(job: PrintJob): Promise<[JobEnd, JobAnswer, Preview, HistoryAnswer]> {
  for await (const { event, detail } of job) console.log(event.length, detail);
  return [await job.ended, await job.change({ priority: 90 }), await job.preview(), await twinspool.history({ limit: 1 })];
}
const code = await twinspool.submit(document, options).then(all, (error: unknown) => error instanceof TwinspoolError && error.code);
const left: readonly LeftJob[] = await twinspool.close();
const second = await submit(document, { ...options, data: "other", server: "http://127.0.0.1:9" }).catch(() => undefined);
const adapter = new TwinspoolAdapter({ printer: "kitchen" });
if (code !== "server-unreachable" || left.length > 0 || second !== undefined || adapter.listenerCount("error") > 0) process.exitCode = 1;
`;

try {
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root, shell: windows });
  const tarball = `./${packed.toString().trim().split("\n").at(-1)}`;
  writeFileSync(join(folder, "package.json"), '{ "name": "pos", "private": true, "type": "module" }\n');
  const tools = ["typescript", "@types/node", "vitest"].map((name) => `${name}@${devDependencies[name]}`);
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  run("install", "npm", ["install", ...quiet, tarball, ...tools, "jest@^30"]);
  for (const name of ["receipt.node.test.mjs", "kitchen.vitest.test.ts", "drawer.jest.test.mjs"]) {
    copyFileSync(join(root, "docs/examples", name), join(folder, name));
  }
  writeFileSync(join(folder, "consumer.ts"), consumer);
  writeFileSync(join(folder, "library.ts"), libraryConsumer);
  run("node --test", process.execPath, ["--test", "receipt.node.test.mjs"]);
  run("Vitest", "npx", ["vitest", "run", "kitchen.vitest.test.ts"]);
  const jest = ["jest", "--testMatch", "**/*.jest.test.mjs"];
  run("Jest", "npx", jest, { env: { ...process.env, NODE_OPTIONS: "--experimental-vm-modules" } });
  const strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--skipLibCheck", "false"];
  const modern = ["--module", "nodenext", "--target", "es2022", "--types", "node"];
  run("tsc", "npx", ["tsc", ...strict, ...modern, "consumer.ts", "library.ts"]);
  run("the compiled programs", process.execPath, ["consumer.js"]);
  run("the library", process.execPath, ["library.js"]);
  run("twinspool", "npx", ["twinspool", "--version"]);
  console.log("\nThe package works.");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
