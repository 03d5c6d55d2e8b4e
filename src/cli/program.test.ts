import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAULT_KINDS, PROFILES } from "../../firmware-sim/mod.ts";
import { runProgram } from "./program.ts";
import { memoryIo } from "./test-support.ts";

const verbs = [
  "box",
  "server",
  "host",
  "client",
  "print",
  "show",
  "preview",
  "cancel",
  "retry",
  "move",
  "pause",
  "resume",
  "jobs",
  "history",
  "printers",
  "sim",
  "render",
];
/** A folder with no configuration file in it, and no server where one is looked for. */
const nowhere = join(tmpdir(), "twinspool-no-such-folder");
const env = { XDG_CONFIG_HOME: nowhere, APPDATA: nowhere, HOME: nowhere, TWINSPOOL_DATA: nowhere };

async function run(...argv: string[]) {
  const io = memoryIo({ ...env, TWINSPOOL_SERVER: "http://127.0.0.1:1" });
  const code = await runProgram(argv, io, "1.2.3");
  return { code, out: io.stdout.text, err: io.stderr.text };
}

it.each(verbs)("%s --help shows how, with examples", async (verb) => {
  const { code, out, err } = await run(verb, "--help");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain(`twinspool ${verb}`);
  expect(out).toMatch(/\nExamples:\n {2}\S/);
});

it("--help names every verb and the exit codes", async () => {
  const { code, out } = await run("--help");
  expect(code).toBe(0);
  for (const verb of verbs) expect(out).toMatch(new RegExp(`^ {2}${verb}\\b`, "m"));
  expect(out).toContain("3 held or indeterminate");
});

it("sim --help names every model and every fault", async () => {
  const { out } = await run("sim", "--help");
  const words = out.split(/[^a-z0-9-]+/);
  for (const name of [...PROFILES.map((profile) => profile.name), ...FAULT_KINDS]) expect(words).toContain(name);
});

it("--version", async () => {
  expect(await run("--version")).toEqual({ code: 0, out: "1.2.3\n", err: "" });
});

describe("wrong usage ends with 2 and says what would be right", () => {
  it.each<[string, string[], RegExp]>([
    ["a mistyped verb", ["prnt"], /^twinspool: unknown command 'prnt'\n.*print/s],
    ["a mistyped flag", ["jobs", "--jsn"], /unknown option '--jsn'\n.*--json/s],
    ["no document", ["print"], /missing required argument 'files'/],
    ["copies of nothing", ["print", "x", "--copies", "0"], /whole number from 1 to 99/],
    ["a spool that is not", ["print", "x", "--spool", "klient"], /expected one of both, client, server/],
    [
      "a contradiction",
      ["print", "x", "--from", "server", "--spool", "client"],
      /--from client, or --spool both, works/,
    ],
    ["the standard input twice", ["print", "-", "-"], /once/],
    ["no URI", ["box", "--printer", "kitchen"], /expected NAME=URI/],
    ["a model of nothing", ["box", "--model", "xp-80"], /needs a --printer/],
    ["no port", ["box", "--port", "abc"], /listen\.port from the command line is "abc"/],
    ["a printer twice", ["box", "--printer", "a=sim:", "--printer", "a=sim:"], /a name that no other printer has/],
    ["a host of nothing", ["host"], /a printer host needs a printer/],
    ["history of no length", ["history", "--limit", "none"], /--limit none/],
    ["no profile", ["sim", "--profile", "lp0"], /no printer profile "lp0"; known: /],
    ["no speed", ["sim", "--speed", "warp"], /expected real or fast/],
    ["no port of the simulator", ["sim", "--tcp", "70000"], /expected a port/],
    ["no fault", ["sim", "--fault", "fire"], /expected one of paper-end/],
    ["no file of the configuration", ["jobs", "--config", join(nowhere, "x.toml")], /cannot be read \(ENOENT\)/],
  ])("%s", async (_, argv, message) => {
    const { code, out, err } = await run(...argv);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
    expect(err).not.toContain("    at ");
  });
});

it.each([["jobs"], ["history"], ["printers"], ["show", "x"], ["cancel", "x"], ["retry", "x"], ["preview", "x"]])(
  "%s without a server fails with a sentence, not with a stack",
  async (...argv) => {
    const { code, out, err } = await run(...argv);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^twinspool: the server cannot be reached: http:\/\/127\.0\.0\.1:1.*What to do: .*\n$/);
  },
);

it("shows the stack to who asks for it", async () => {
  const io = memoryIo({ ...env, TWINSPOOL_SERVER: "http://127.0.0.1:1", TWINSPOOL_LOG_LEVEL: "debug" });
  expect(await runProgram(["jobs"], io, "1.2.3")).toBe(1);
  expect(io.stderr.text).toMatch(/\n {4}at /);
});
