/**
 * Shows the whole system as real processes on this machine: `npm run demo`. A simulated printer, a print box and a
 * client print the samples from either spool; then the client is killed and the server prints in its place. Everything
 * that is claimed is checked, on the printer's paper, in the history and in both spools. Exits with 1 and the reason
 * when something is not so.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PNG } from "pngjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = join(root, "dist", "main.js");
const samples = join(root, "docs", "samples");
const outputFolder = join(root, "demo-output");
const patienceMs = 15_000;

type Event = Readonly<Record<string, unknown>>;

class DemoError extends Error {}

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

function say(text = ""): void {
  console.log(text);
}

let steps = 0;
function step(text: string): void {
  steps += 1;
  say(`\n${steps}. ${text}`);
}

// ---- processes

/** A twinspool process that goes on until it is told to end, and the JSON lines it has printed. */
class Service {
  readonly name: string;
  readonly child: ChildProcess;
  readonly #events: Event[] = [];
  readonly #waiting = new Set<() => void>();
  #errors = "";
  #ended = false;

  constructor(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.name = name;
    this.child = spawn(process.execPath, [program, name, ...args, "--json"], { env: { ...cleanEnv(), ...env } });
    children.add(this.child);
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new DemoError(`${name} has no output`);
    createInterface({ input: stdout }).on("line", (line) => {
      this.#events.push(JSON.parse(line) as Event);
      this.#wake();
    });
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-2_000);
    });
    this.child.on("exit", () => {
      this.#ended = true;
      children.delete(this.child);
      this.#wake();
    });
  }

  events(name: string): Event[] {
    return this.#events.filter((event) => event["event"] === name);
  }

  /** The n-th event of that name, when it has come. */
  async wait(name: string, count = 1): Promise<Event> {
    const giveUpAtMs = performance.now() + patienceMs;
    for (;;) {
      const found = this.events(name)[count - 1];
      if (found !== undefined) return found;
      if (this.#ended) throw new DemoError(`${this.name} has ended: ${this.#errors.trim()}`);
      const leftMs = giveUpAtMs - performance.now();
      if (leftMs <= 0) throw new DemoError(`${this.name} did not say "${name}" in time: ${this.#errors.trim()}`);
      await this.#change(leftMs);
    }
  }

  write(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    const giveUpAtMs = performance.now() + 3_000;
    while (!this.#ended) {
      const leftMs = giveUpAtMs - performance.now();
      if (leftMs <= 0) {
        this.child.kill("SIGKILL");
        return;
      }
      await this.#change(leftMs);
    }
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, timeoutMs);
      const waiting = this.#waiting;
      waiting.add(done);
      function done(): void {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      }
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** Settings of the user at home must not reach into the demo. */
function cleanEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TWINSPOOL_")));
}

/** Runs one command to its end and returns what it printed. */
async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...cleanEnv(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  children.delete(child);
  if (code !== 0) throw new DemoError(`twinspool ${args[0] ?? ""} ended with ${code}: ${errors.trim()}`);
  return output;
}

// ---- the stage

interface Stage {
  readonly folder: string;
  readonly sim: Service;
  readonly box: Service;
  client: Service;
  readonly env: NodeJS.ProcessEnv;
  /** Tickets on the paper so far. */
  tickets: number;
}

async function openStage(folder: string): Promise<Stage> {
  step("A printer: the simulator listens for raw printing, like a receipt printer on the LAN.");
  const sim = new Service("sim", ["--tcp", "0", "--paper", outputFolder]);
  const { uri, profile } = await sim.wait("ready");
  say(`   ${String(profile)} at ${String(uri)}`);

  step("The print box: server and printer host in one process.");
  const printer = ["--printer", `kitchen=${String(uri)}`, "--model", "tm-m30iii"];
  // A client that does not answer is given one second here, so that nobody waits long in the last act.
  const timers = { TWINSPOOL_TIMERS_START_TIMEOUT_MS: "1000" };
  const box = new Service("box", ["--port", "0", "--data", join(folder, "box"), ...printer], timers);
  const { url } = await box.wait("ready");
  say(`   ${String(url)}, printer kitchen`);
  const env = { TWINSPOOL_SERVER: String(url), TWINSPOOL_DATA: join(folder, "client") };

  step("The client: the process on a cash register that keeps the first spool.");
  const client = await startClient(env);
  return { folder, sim, box, client, env, tickets: 0 };
}

async function startClient(env: NodeJS.ProcessEnv): Promise<Service> {
  const client = new Service("client", ["--port", "0"], env);
  const { url } = await client.wait("ready");
  await until(async () => {
    const response = await fetch(`${String(url)}/api/health`);
    const health = (await response.json()) as { serverLinked: boolean };
    const printers = (await (await fetch(`${String(url)}/api/printers`)).json()) as { printers: unknown[] };
    return health.serverLinked && printers.printers.length > 0;
  }, "the client does not reach the server");
  say(`   ${String(url)}, knows the printer`);
  return client;
}

async function until(isSo: () => Promise<boolean>, complaint: string): Promise<void> {
  const giveUpAtMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > giveUpAtMs) throw new DemoError(complaint);
    await pause(20);
  }
}

// ---- the acts

/** Prints a sample and returns its ticket. */
async function print(stage: Stage, file: string, from: "client" | "server"): Promise<string> {
  const output = await run(["print", join(samples, file), "--from", from, "--wait", "--json"], stage.env);
  const events = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
  say(
    `   ${events
      .map((event) => String(event["event"]))
      .filter(isNews)
      .join(" -> ")}`,
  );
  const ticket = await nextTicket(stage);
  say(`   on paper: ${relative(process.cwd(), ticket)}`);
  return ticket;
}

function isNews(event: string, index: number, all: readonly string[]): boolean {
  return event !== "waiting" && event !== "progressed" && all.indexOf(event) === index;
}

async function nextTicket(stage: Stage): Promise<string> {
  stage.tickets += 1;
  return String((await stage.sim.wait("ticket", stage.tickets))["path"]);
}

async function printSamples(stage: Stage): Promise<void> {
  step("receipt.png, from the client's spool.");
  const fromClient = await print(stage, "receipt.png", "client");
  step("menu-ja.txt, from the server's spool.");
  await print(stage, "menu-ja.txt", "server");
  if (await hasSharp()) {
    step("photo.jpg, from the client's spool.");
    await print(stage, "photo.jpg", "client");
  } else {
    say("\n   (photo.jpg is left out: the optional package sharp is not installed)");
  }
  step("receipt.png again, from the server's spool: the same dots?");
  const fromServer = await print(stage, "receipt.png", "server");
  const dots = await compareDots(fromClient, fromServer);
  say(`   ${dots} dots compared, all the same`);

  step("And the same as what `twinspool render` shows without any printer?");
  const rendered = join(stage.folder, "render.png");
  await run(["render", join(samples, "receipt.png"), "-o", rendered], stage.env);
  await compareDots(fromClient, rendered);
  say("   the same");
}

async function hasSharp(): Promise<boolean> {
  try {
    await import("sharp");
    return true;
  } catch {
    return false;
  }
}

/** Compares two pictures dot for dot and returns how many dots that were. */
async function compareDots(first: string, second: string): Promise<number> {
  const [a, b] = [PNG.sync.read(await readFile(first)), PNG.sync.read(await readFile(second))];
  const sizes = `${a.width} x ${a.height} and ${b.width} x ${b.height} dots`;
  if (a.width !== b.width || a.height !== b.height) throw new DemoError(`${first} and ${second} differ: ${sizes}`);
  let different = 0;
  for (let at = 0; at < a.data.length; at += 4) if (a.data[at] !== b.data[at]) different += 1;
  if (different > 0) throw new DemoError(`${first} and ${second} differ in ${different} dots`);
  return a.width * a.height;
}

async function checkSpools(stage: Stage): Promise<void> {
  const spools = { client: join(stage.folder, "client", "client"), server: join(stage.folder, "box", "server") };
  for (const [name, folder] of Object.entries(spools)) {
    await until(
      async () => (await readdir(join(folder, "images"))).filter((file) => file.includes("-")).length === 0,
      `the ${name}'s spool still holds images`,
    );
    say(`   the ${name}'s spool is empty`);
  }
}

async function checkHistory(stage: Stage, sentBy: readonly ("client" | "server" | "either")[]): Promise<void> {
  const { rows } = JSON.parse(await run(["history", "--json"], stage.env)) as {
    rows: { outcome: { outcome: string; sentBy: string } }[];
  };
  const seen = rows.map(({ outcome }) => outcome).reverse();
  const isRight = sentBy.every((who, index) => {
    const outcome = seen[index];
    return outcome?.outcome === "printed" && (who === "either" || who === outcome.sentBy);
  });
  if (!isRight || seen.length !== sentBy.length) {
    const told = seen.map((outcome) => `${outcome.outcome} by ${outcome.sentBy}`).join(", ");
    throw new DemoError(`the history says ${told}; expected printed by ${sentBy.join(", ")}`);
  }
  const table = await run(["history"], stage.env);
  say(table.trimEnd().replace(/^/gm, "   "));
}

/** Out of paper, two jobs wait; the client that should send the second is killed; then paper comes. */
async function killTheClient(stage: Stage): Promise<void> {
  step("The printer runs out of paper, and two more documents are printed from the client's spool.");
  stage.sim.write("paper-end");
  await stage.sim.wait("fault");
  for (const file of ["receipt.png", "menu-ja.txt"]) {
    await run(["print", join(samples, file), "--from", "client"], stage.env);
  }
  await until(async () => {
    const { jobs } = JSON.parse(await run(["jobs", "--json"], stage.env)) as {
      jobs: { held: { client: boolean; server: boolean }; state: string }[];
    };
    return jobs.length === 2 && jobs.every((job) => job.held.client && job.held.server);
  }, "the two jobs are not in both spools");
  say("   both jobs are in both spools, and wait");

  step("The client is killed (kill -9), and then the paper is loaded.");
  await stage.client.end("SIGKILL");
  stage.sim.write("paper-loaded");
  for (const name of ["receipt.png", "menu-ja.txt"]) {
    say(`   ${name} on paper: ${relative(process.cwd(), await nextTicket(stage))}`);
  }
  step("The client comes back, hears that its jobs were printed, and prints nothing twice.");
  stage.client = await startClient(stage.env);
  await checkSpools(stage);
}

async function perform(folder: string): Promise<void> {
  await rm(outputFolder, { recursive: true, force: true });
  await mkdir(outputFolder, { recursive: true });
  const stage = await openStage(folder);
  await printSamples(stage);
  step("Nothing is left over.");
  await checkSpools(stage);
  await killTheClient(stage);
  step("The record log.");
  const samplesSent = (await hasSharp())
    ? (["client", "server", "client", "server"] as const)
    : (["client", "server", "server"] as const);
  // The host may have had the image of the first waiting job in its memory already; the second came from the server.
  await checkHistory(stage, [...samplesSent, "either", "server"]);
  const printed = stage.sim.events("ticket").length;
  if (printed !== samplesSent.length + 2) throw new DemoError(`${printed} tickets came out`);
  step(`All ${printed} tickets are on paper once. The pictures:`);
  for (const event of stage.sim.events("ticket")) say(`   ${relative(process.cwd(), String(event["path"]))}`);
  for (const service of [stage.client, stage.box, stage.sim]) await service.end("SIGTERM");
}

const startedMs = performance.now();
const folder = await mkdtemp(join(tmpdir(), "twinspool-demo-"));
try {
  await perform(folder);
  say(`\nDone in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
} catch (error) {
  process.exitCode = 1;
  console.error(`\nThe demo failed: ${error instanceof DemoError ? error.message : String(error)}`);
} finally {
  for (const child of children) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
