import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulator } from "../../firmware-sim/mod.ts";
import { Program } from "../process/processes.ts";

/** What is printed, one after another, each from other spools. Runs as a process of its own, watched by strace. */
export const documents = [
  ["both-from-client.txt", "--from", "client"],
  ["both-from-server.txt", "--from", "server"],
  ["client-alone.txt", "--spool", "client"],
  ["server-alone.txt", "--spool", "server"],
] as const;

export async function referenceRun(folder: string): Promise<void> {
  const printer = await startSimulator({ tcpPort: 0, paperFolder: join(folder, "paper") });
  const box = startBox(folder, printer.port ?? 0);
  const url = await box.ready();
  const client = startClient(folder, url);
  await client.ready();
  mkdirSync(join(folder, "documents"));
  for (const [name, ...flags] of documents) {
    const path = join(folder, "documents", name);
    writeFileSync(path, `${name}\n${"-".repeat(name.length)}\nIs printed once.\n`);
    const print = new Program(["print", path, "--json", "--wait", "--server", url, ...flags], join(folder, "till"));
    if ((await print.exited) !== 0) throw new Error(`${name} was not printed:\n${print.log.join("\n")}`);
  }
  await client.kill();
  await box.kill();
  await printer.close();
}

export function startBox(folder: string, printerPort: number): Program {
  const printer = ["--printer", `kitchen=socket://127.0.0.1:${printerPort}`, "--model", "tm-m30iii"];
  return new Program(["box", "--json", "--port", "0", ...printer], join(folder, "box"));
}

export function startClient(folder: string, serverUrl: string): Program {
  return new Program(["client", "--json", "--server", serverUrl], join(folder, "till"));
}

const [, script = "", folder] = process.argv;
if (script.endsWith("reference-run.ts") && folder !== undefined) await referenceRun(folder);
