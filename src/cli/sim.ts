import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  DEFAULT_PROFILE_NAME,
  FAULT_KINDS,
  type Fault,
  findProfile,
  type Page,
  pageToHalfBlocks,
  parseFault,
  type Simulator,
  startSimulator,
  startWebPage,
  type WebPage,
} from "../../firmware-sim/mod.ts";
import { UsageError } from "./failure.ts";
import { deferred, type ExitCode, exitCodes, type Io, interrupted, note } from "./io.ts";

export interface SimFlags {
  readonly tcp: string;
  readonly address: string;
  readonly profile?: string;
  readonly paper?: string;
  readonly speed: string;
  readonly fault?: readonly string[];
  readonly view?: boolean;
  readonly web?: string;
  readonly json?: boolean;
}

/** A fault, and how long after the start it happens. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly text: string;
  readonly afterMs: number;
}

/** Runs a simulated printer until SIGINT or SIGTERM. */
export async function runSim(flags: SimFlags, io: Io): Promise<ExitCode> {
  const faults = (flags.fault ?? []).map(parsePlannedFault);
  const tcpPort = parsePort(flags.tcp, "--tcp");
  const webPort = flags.web === undefined ? undefined : parsePort(flags.web, "--web");
  if (flags.speed !== "real" && flags.speed !== "fast") {
    throw new UsageError(`--speed ${flags.speed}: expected real or fast`);
  }
  checkProfile(flags.profile);
  const stop = interrupted();
  const folder = flags.paper;
  let number = folder === undefined ? 0 : await lastTicket(folder);
  const sim = await startSimulator({
    profile: flags.profile ?? DEFAULT_PROFILE_NAME,
    speed: flags.speed,
    tcpPort,
    tcpHost: flags.address,
    ...(folder === undefined ? {} : { paperFolder: folder }),
  }).catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  });
  const web = await openWebPage(sim, webPort);
  tellReady(sim, flags, io);
  if (web !== undefined) tellWeb(web, flags, io);
  const timers = faults.map((planned) => setTimeout(() => fail(sim, planned, flags, io), planned.afterMs));
  const stopReading = readFaults(sim, timers, flags, io);
  const broken = deferred<never>();
  const tellPages = async (): Promise<void> => {
    for (;;) {
      const page = await sim.printed();
      number += 1;
      tellTicket(page, number, flags, io);
    }
  };
  let isClosing = false;
  tellPages().catch((error: unknown) => {
    if (!isClosing) broken.reject(error);
  });
  try {
    await Promise.race([stop.signal, broken.promise]);
  } finally {
    isClosing = true;
    for (const timer of timers) clearTimeout(timer);
    stopReading();
    tellUncut(sim, flags, io);
    await web?.close();
    await sim.close();
    stop.release();
  }
  return exitCodes.done;
}

function tellReady(sim: Simulator, flags: SimFlags, io: Io): void {
  const host = flags.address.includes(":") ? `[${flags.address}]` : flags.address;
  const uri = `socket://${host}:${sim.port ?? 0}`;
  const { name, widthDots, dpi } = sim.profile;
  if (flags.json) {
    io.stdout.write(`${JSON.stringify({ event: "ready", uri, port: sim.port, profile: name })}\n`);
  } else {
    const paper = flags.paper === undefined ? "" : `, paper in ${flags.paper}`;
    io.stdout.write(`sim ready on ${uri}, ${name}, ${widthDots} dots wide at ${dpi} dpi${paper}\n`);
  }
}

async function openWebPage(sim: Simulator, port: number | undefined): Promise<WebPage | undefined> {
  if (port === undefined) return undefined;
  try {
    return await startWebPage(sim, port);
  } catch (error) {
    await sim.close();
    throw new UsageError(`--web ${port}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function tellWeb({ url }: WebPage, flags: SimFlags, io: Io): void {
  io.stdout.write(flags.json ? `${JSON.stringify({ event: "web", url })}\n` : `live page on ${url}\n`);
}

function tellTicket(page: Page, number: number, flags: SimFlags, io: Io): void {
  const { widthDots, heightDots, dpi } = page;
  const path =
    flags.paper === undefined ? undefined : join(flags.paper, `ticket-${String(number).padStart(4, "0")}.png`);
  if (flags.json) {
    io.stdout.write(`${JSON.stringify({ event: "ticket", number, widthDots, heightDots, path })}\n`);
    return;
  }
  const millimetres = Math.round((heightDots / dpi) * 25.4);
  const where = path === undefined ? "" : `, ${path}`;
  io.stdout.write(`ticket ${number}: ${widthDots} x ${heightDots} dots, ${millimetres} mm long${where}\n`);
  if (flags.view ?? io.stdout.isTerminal) io.stdout.write(`${pageToHalfBlocks(page, viewColumns(io)).join("\n")}\n`);
}

/** As wide as the terminal: the more columns, the more of the letters can be read. */
function viewColumns(io: Io): number {
  return Math.max(16, (io.stdout.columns ?? 73) - 1);
}

function tellUncut(sim: Simulator, flags: SimFlags, io: Io): void {
  const { uncut } = sim;
  if (uncut === undefined || flags.json) return;
  const where = flags.paper === undefined ? "" : `, ${join(flags.paper, "uncut.png")}`;
  io.stdout.write(`uncut paper: ${uncut.widthDots} x ${uncut.heightDots} dots${where}\n`);
}

/** Lines of the standard input are faults while it is open; its end is not the end of the printer. */
function readFaults(sim: Simulator, timers: NodeJS.Timeout[], flags: SimFlags, io: Io): () => void {
  const lines = createInterface({ input: io.stdin });
  lines.on("line", (line) => {
    const text = line.trim();
    if (text === "") return;
    try {
      const planned = parsePlannedFault(text);
      if (planned.afterMs === 0) fail(sim, planned, flags, io);
      else timers.push(setTimeout(() => fail(sim, planned, flags, io), planned.afterMs));
    } catch (error) {
      note(io, error instanceof Error ? error.message : String(error));
    }
  });
  return () => {
    lines.close();
    // A pipe that is still open at its other end would keep the process.
    io.stdin.destroy();
  };
}

function fail(sim: Simulator, { fault, text }: PlannedFault, flags: SimFlags, io: Io): void {
  sim.fail(fault);
  if (flags.json) io.stdout.write(`${JSON.stringify({ event: "fault", fault: text })}\n`);
  else io.stdout.write(`fault: ${text}\n`);
}

/** `paper-end`, `paper-end@1200` (at a row), `power-cut@3s`, `paper-loaded@500ms`. Throws UsageError. */
export function parsePlannedFault(text: string): PlannedFault {
  const [, name = text, amount, unit] = /^(.+)@(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? [];
  const afterMs = amount === undefined ? 0 : Number(amount) * (unit === "s" ? 1000 : 1);
  try {
    return { fault: parseFault(name), text: name, afterMs };
  } catch {
    const known = `${FAULT_KINDS.join(", ")}, paper-end@ROW; add @3s to any for later`;
    throw new UsageError(`fault ${text}: expected one of ${known}`);
  }
}

function parsePort(text: string, flag: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`${flag} ${text}: expected a port from 0 (any free one) to 65535`);
}

function checkProfile(name: string | undefined): void {
  try {
    findProfile(name);
  } catch (error) {
    throw new UsageError(`--profile: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Tickets are numbered on after those that the folder has already. */
async function lastTicket(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return Math.max(0, ...names.map((name) => Number(/^ticket-(\d+)\.png$/.exec(name)?.[1] ?? 0)));
}
