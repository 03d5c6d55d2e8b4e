import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSimulator } from "../../firmware-sim/mod.ts";
import type { JobView } from "../../src/protocol/api.ts";
import { blankTicket, getJson, history, jobs, type Program, ticketsIn, until } from "../process/processes.ts";
import { filesAfterPowerCut, type Luck } from "./lost-writes.ts";
import { documents, startBox, startClient } from "./reference-run.ts";
import { type DiskCall, readStrace, straceOptions } from "./strace-log.ts";

/** A run that was watched, and what came out of it. */
export interface Reference {
  readonly folder: string;
  readonly calls: readonly DiskCall[];
  /** Digests of the dots, in the order of the documents. */
  readonly tickets: readonly string[];
}

const referenceScript = fileURLToPath(new URL("reference-run.ts", import.meta.url));

export function hasStrace(): boolean {
  return process.platform === "linux" && spawnSync("strace", ["-f", "true"]).status === 0;
}

/** Runs box, client and simulator under strace until every document is printed. */
export function watchReference(): Reference {
  const folder = mkdtempSync(join(tmpdir(), "twinspool-power-"));
  const log = join(folder, "strace.log");
  const command = [...straceOptions, "-o", log, process.execPath, "--import", "tsx", referenceScript, folder];
  const { status, stderr } = spawnSync("strace", command, {
    encoding: "utf8",
    env: { ...process.env, UV_USE_IO_URING: "0" },
  });
  if (status !== 0) throw new Error(`the reference run ended with ${status}:\n${stderr.slice(-2_000)}`);
  const calls = readStrace(readFileSync(log, "utf8"), folder);
  rmSync(log);
  return { folder, calls, tickets: ticketsIn(join(folder, "paper")) };
}

/** Cuts the power of everything after so many calls, starts it all again, waits until it is quiet, and looks. */
export async function recoverAfter(reference: Reference, until: number, luck: Luck): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "twinspool-power-"));
  for (const part of ["box", "till"]) mkdirSync(join(folder, part), { recursive: true });
  for (const [path, bytes] of filesAfterPowerCut(reference.calls, until, luck)) {
    const here = join(folder, path.slice(reference.folder.length));
    mkdirSync(dirname(here), { recursive: true });
    writeFileSync(here, bytes, { mode: 0o600 });
  }
  rmSync(join(folder, "paper"), { recursive: true, force: true });
  const paper = join(folder, "paper-after");
  const printer = await startSimulator({ tcpPort: 0, paperFolder: paper });
  const programs: Program[] = [];
  try {
    const box = startBox(folder, printer.port ?? 0);
    programs.push(box);
    const boxUrl = await box.ready();
    const client = startClient(folder, boxUrl);
    programs.unshift(client);
    const clientUrl = await client.ready();
    const queued = await quiet(boxUrl, clientUrl);
    return judge(reference, until, await history(boxUrl), queued, ticketsIn(paper));
  } catch (error) {
    const logs = programs.flatMap((program) => program.log.slice(-5));
    return [`it does not come back: ${error instanceof Error ? error.message : String(error)}\n${logs.join("\n")}`];
  } finally {
    for (const program of programs) await program.kill();
    await printer.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Until nothing is under way any more at either side, looked at twice; what a person has to decide stays. */
async function quiet(boxUrl: string, clientUrl: string): Promise<JobView[]> {
  let calm = 0;
  return until(
    async () => {
      const health = await getJson<{ serverLinked?: boolean }>(`${clientUrl}/api/health`);
      const printers = await getJson<{ printers: { linked: boolean }[] }>(`${boxUrl}/api/printers`);
      const all = [...(await jobs(boxUrl)), ...(await jobs(clientUrl))];
      const resting = all.every(({ state }) => state === "pending-held");
      calm = resting && health.serverLinked === true && printers.printers.every(({ linked }) => linked) ? calm + 1 : 0;
      return all;
    },
    () => calm > 4,
    "everything quiet",
  );
}

interface Row {
  readonly jobId: string;
  readonly title: string;
  readonly outcome: { readonly outcome: string };
}

function judge(
  { calls, tickets }: Reference,
  until: number,
  rows: readonly Row[],
  queued: readonly JobView[],
  after: readonly string[],
): string[] {
  const violations: string[] = [];
  const past = calls.slice(0, until);
  const cut = past.filter((call) => call.kind === "rename" && /\/paper\/ticket-\d+\.png$/.test(call.to)).length;
  const before = tickets.slice(0, cut);
  for (const [index, ticket] of tickets.entries()) {
    const copies = [...before, ...after].filter((other) => other === ticket).length;
    const name = documents[index]?.[0] ?? "";
    if (copies > 1) violations.push(`I1 ${name} is on paper ${copies} times`);
    // One more may have come out whose picture was not written yet when the power went.
    const maybe = index === cut;
    const printed = rows.some((row) => row.title === name && row.outcome.outcome === "printed");
    if (printed && copies === 0 && !maybe) violations.push(`I2 ${name} is PRINTED and not on paper`);
  }
  for (const call of past) {
    if (call.kind !== "told") continue;
    const jobId = /"jobId":"([^"]+)"/.exec(call.text)?.[1] ?? "";
    const known = rows.some((row) => row.jobId === jobId) || queued.some((job) => job.jobId === jobId);
    const dropped = rows.some((row) => row.jobId === jobId && row.outcome.outcome === "canceled");
    if (!known || dropped) violations.push(`I4 ${jobId} was accepted and is ${dropped ? "canceled" : "nowhere"}`);
  }
  const known = new Set([...tickets, blankTicket]);
  for (const ticket of after) if (!known.has(ticket)) violations.push("something else was printed");
  return violations;
}
