import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  DEFAULT_PROFILE_NAME,
  FAULT_KINDS,
  type Fault,
  findProfile,
  type Page,
  parseFault,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
  startWebPage,
  type WebPage,
} from "../../firmware-sim/mod.ts";
import { deferred } from "../runtime/deferred.ts";
import { UsageError } from "./failure.ts";
import { type ExitCode, exitCodes, type Io, interrupted, note } from "./io.ts";
import { LOOK_MS, printStandardInput } from "./sim-input.ts";
import { drawTicket } from "./sim-picture.ts";
import { describeState, openStatusLine } from "./sim-status.ts";

/** The port that USB/IP has by itself. */
const USBIP_PORT = 3240;

export interface SimFlags {
  /** Without it the port is 9100, unless another way in is named. */
  readonly tcp?: string;
  /** A port; true is the usual one. */
  readonly usbip?: string | true;
  /** A link; true is none. */
  readonly pty?: string | true;
  readonly baud?: string;
  readonly xonXoff?: boolean;
  readonly stdin?: boolean;
  readonly replies?: string;
  readonly nv?: string;
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
export async function runSim(flags: SimFlags, outer: Io): Promise<ExitCode> {
  const faults = (flags.fault ?? []).map(parsePlannedFault);
  const ports = parsePorts(flags);
  const webPort = flags.web === undefined ? undefined : parsePort(flags.web, "--web");
  if (flags.speed !== "real" && flags.speed !== "fast") {
    throw new UsageError(`--speed ${flags.speed}: expected real or fast`);
  }
  checkProfile(flags.profile);
  const stop = interrupted();
  let number = flags.paper === undefined ? 0 : await lastTicket(flags.paper);
  const sim = await start(flags, flags.speed, ports);
  const web = await openWebPage(sim, webPort);
  const { bufferBytes } = sim.profile;
  const status = openStatusLine(outer, flags.json !== true, () => describeState(sim.state, bufferBytes));
  const { io } = status;
  tellReady(sim, flags, io);
  if (web !== undefined) tellWeb(web, flags, io);
  const timers = faults.map((planned) => setTimeout(() => fail(sim, planned, flags, io), planned.afterMs));
  const ended = new AbortController();
  // What comes on the standard input is either for the paper or faults.
  const input = flags.stdin ? printStandardInput(sim, io, flags.replies, ended.signal) : undefined;
  const stopReading = flags.stdin ? () => io.stdin.destroy() : readFaults(sim, timers, flags, io, status.typed);
  const broken = deferred<never>();
  let told = 0;
  const tellPages = async (): Promise<void> => {
    for (;;) {
      const page = await sim.printed();
      number += 1;
      tellTicket(page, number, flags, io);
      told += 1;
    }
  };
  const inputPrinted = async (): Promise<void> => {
    await input;
    // A ticket is told when its file is written.
    while (told < sim.paper.length) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  };
  let isClosing = false;
  tellPages().catch((error: unknown) => {
    if (!isClosing) broken.reject(error);
  });
  try {
    await Promise.race([stop.signal, broken.promise, ...(input === undefined ? [] : [inputPrinted()])]);
  } finally {
    isClosing = true;
    ended.abort();
    for (const timer of timers) clearTimeout(timer);
    stopReading();
    status.close();
    tellUncut(sim, flags, io);
    await web?.close();
    await sim.close();
    stop.release();
  }
  return exitCodes.done;
}

async function start(flags: SimFlags, speed: "real" | "fast", ports: Partial<SimulatorOptions>): Promise<Simulator> {
  const { profile = DEFAULT_PROFILE_NAME, address, nv, paper } = flags;
  const hosts = { tcpHost: address, usbipHost: address };
  const files = {
    ...(nv === undefined ? {} : { nvFile: nv }),
    ...(paper === undefined ? {} : { paperFolder: paper }),
  };
  try {
    return await startSimulator({ profile, speed, ...ports, ...hosts, ...files });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** What the options of `startSimulator` say of the ports. Throws UsageError. */
export function parsePorts(flags: SimFlags): Pick<SimulatorOptions, "tcpPort" | "usbipPort" | "pty"> {
  const { tcp, usbip, pty, baud, xonXoff, stdin, replies } = flags;
  if (pty === undefined && (baud !== undefined || xonXoff)) {
    throw new UsageError("--baud and --xon-xoff are for the line of --pty; add --pty");
  }
  if (replies !== undefined && !stdin) throw new UsageError("--replies is for what --stdin prints; add --stdin");
  const isElsewhere = usbip !== undefined || pty !== undefined || stdin === true;
  const tcpText = tcp ?? (isElsewhere ? undefined : "9100");
  return {
    ...(tcpText === undefined ? {} : { tcpPort: parsePort(tcpText, "--tcp") }),
    ...(usbip === undefined ? {} : { usbipPort: usbip === true ? USBIP_PORT : parsePort(usbip, "--usbip") }),
    ...(pty === undefined
      ? {}
      : {
          pty: {
            ...(pty === true ? {} : { link: pty }),
            ...(baud === undefined ? {} : { baudRate: parseBaud(baud) }),
            ...(xonXoff ? { flowControl: "xon-xoff" as const } : {}),
          },
        }),
  };
}

function parseBaud(text: string): number {
  const rate = Number(text);
  if (/^\d+$/.test(text) && rate >= 300 && rate <= 4_000_000) return rate;
  throw new UsageError(`--baud ${text}: expected bits a second, 300 to 4000000`);
}

function tellReady(sim: Simulator, flags: SimFlags, io: Io): void {
  const host = flags.address.includes(":") ? `[${flags.address}]` : flags.address;
  const { port, usbipPort, ptyPath } = sim;
  const uri = port === undefined ? undefined : `socket://${host}:${port}`;
  const { name, widthDots, dpi } = sim.profile;
  if (flags.json) {
    const ready = { event: "ready", uri, port, ptyPath, usbipPort, stdin: flags.stdin, profile: name };
    io.stdout.write(`${JSON.stringify(ready)}\n`);
    return;
  }
  const ways = [
    uri,
    ptyPath,
    usbipPort === undefined ? undefined : `USB/IP port ${usbipPort}`,
    flags.stdin ? "the standard input" : undefined,
  ];
  const where = ways.filter((way) => way !== undefined).join(" and ");
  const paper = flags.paper === undefined ? "" : `, paper in ${flags.paper}`;
  io.stdout.write(`sim ready on ${where}, ${name}, ${widthDots} dots wide at ${dpi} dpi${paper}\n`);
  if (usbipPort === undefined) return;
  const option = usbipPort === USBIP_PORT ? "" : ` --tcp-port ${usbipPort}`;
  io.stdout.write(`attach it with: sudo modprobe vhci-hcd; sudo usbip${option} attach -r ${host} -b 1-1\n`);
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
  if (flags.view ?? io.stdout.isTerminal) io.stdout.write(drawTicket(page, io));
}

function tellUncut(sim: Simulator, flags: SimFlags, io: Io): void {
  const { uncut } = sim;
  if (uncut === undefined || flags.json) return;
  const where = flags.paper === undefined ? "" : `, ${join(flags.paper, "uncut.png")}`;
  io.stdout.write(`uncut paper: ${uncut.widthDots} x ${uncut.heightDots} dots${where}\n`);
}

/** Lines of the standard input are faults while it is open; its end is not the end of the printer. */
function readFaults(sim: Simulator, timers: NodeJS.Timeout[], flags: SimFlags, io: Io, typed: () => void): () => void {
  const lines = createInterface({ input: io.stdin });
  lines.on("line", (line) => {
    typed();
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
