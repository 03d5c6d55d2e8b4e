#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { reportFailure } from "./cli/failure.ts";
import { exitCodes, nodeIo } from "./cli/io.ts";
import { isDebug, runProgram } from "./cli/program.ts";

const io = nodeIo();

// A reader that has seen enough (head, less) closes the pipe; the work goes on without being watched.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") process.exit(exitCodes.failed);
});
const die = (error: unknown): void => process.exit(reportFailure(io, error, isDebug(io)));
process.on("uncaughtException", die);
process.on("unhandledRejection", die);

// In source and in the bundle alike, the package is one folder up.
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
process.exitCode = await runProgram(process.argv.slice(2), io, version);
// Whatever a verb has left open (the standard input, a connection in its last breath) does not keep the user waiting.
setTimeout(() => process.exit(), 500).unref();
