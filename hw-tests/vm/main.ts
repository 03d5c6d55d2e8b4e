/**
 * `npm run test:hw:vm`: a virtual machine with Debian's kernel, in which the simulator is a USB printer, and what the
 * kernel's usblp and libusb make of it. Exits with 0 only when every check passed and the guest came to its end.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildGuest, GuestBuildError } from "./build-guest.ts";
import { runGuest } from "./run-guest.ts";

const projectFolder = fileURLToPath(new URL("../..", import.meta.url));
const programFolder = "node_modules/.cache/twinspool-vm";
const capMs = 170_000;

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

async function timed<T>(name: string, work: () => Promise<T> | T): Promise<T> {
  const startedMs = performance.now();
  const result = await work();
  console.log(`== ${name}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return result;
}

async function bundleProgram(): Promise<void> {
  await build({
    absWorkingDir: projectFolder,
    entryPoints: ["hw-tests/vm/guest/main.ts", "hw-tests/vm/guest/simulator-thread.ts"],
    outdir: join(projectFolder, programFolder),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // It looks for its native part beside itself.
    external: ["usb"],
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
}

try {
  const script = readFileSync(new URL("guest/init.sh", import.meta.url), "utf8");
  const guest = await timed("guest", () => buildGuest(script));
  console.log(`   ${guest.name}${guest.fromCache ? ", from the cache" : ""}`);
  await timed("program", bundleProgram);
  const faults = await timed("virtual machine", () =>
    runGuest({
      guest,
      projectFolder,
      program: `${programFolder}/main.mjs`,
      capMs,
      onLine: (line) => console.log(`   ${line}`),
    }),
  );
  for (const fault of faults) console.log(`FAULT ${fault}`);
  console.log(faults.length === 0 ? "all checks passed" : "FAILED");
  process.exitCode = faults.length === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof GuestBuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
