import type { Reply } from "./back-channel.ts";
import { type Cancel, createFastClock, createRealClock, type SimClock } from "./clock.ts";
import { type Fault, type FaultText, parseTimedFault } from "./faults.ts";
import { NvFile } from "./nv-file.ts";
import type { Page } from "./paper.ts";
import { PaperFolder } from "./paper-folder.ts";
import type { Diagnostic } from "./parser.ts";
import { connectInProcess, type InProcessConnection } from "./ports/in-process.ts";
import type { HostConnection, HostLink } from "./ports/port.ts";
import { openPty, type PtyPort, type PtySettings } from "./ports/pty.ts";
import { overSerialLine, type SerialSettings } from "./ports/serial-line.ts";
import { listenTcp, type TcpPort } from "./ports/tcp.ts";
import { listenUsbip, type UsbCable, type UsbipPort } from "./ports/usbip.ts";
import { Printer } from "./printer.ts";
import type { DrawerPulse, PrinterState, Sound } from "./printer-state.ts";
import { findProfile, type Profile } from "./profiles.ts";

export interface SimulatorOptions {
  /** A profile or its name; default `tm-m30iii`. */
  readonly profile?: string | Profile;
  /** `real` prints at the speed of the model, `fast` (default) without waiting. */
  readonly speed?: "real" | "fast";
  /** Takes the place of `speed`. */
  readonly clock?: SimClock;
  /** Listens for raw printing; 0 takes any free port. Without it there is no TCP port. */
  readonly tcpPort?: number;
  /** Default loopback. */
  readonly tcpHost?: string;
  /** Serves the printer as a USB device that Linux can attach (USB/IP); 0 takes any free port. */
  readonly usbipPort?: number;
  /** Default loopback. */
  readonly usbipHost?: string;
  /** Opens a pseudo terminal, a serial port for any program (Linux and macOS, with the optional package koffi). */
  readonly pty?: true | PtySettings;
  /** Every piece of paper becomes `ticket-0001.png` ... in this folder, the uncut rest `uncut.png` at `close`. */
  readonly paperFolder?: string;
  /** NV memory lives in this file: stored graphics, records, settings and counters. Without it, until `close`. */
  readonly nvFile?: string;
}

export interface ConnectOptions {
  readonly serial?: SerialSettings;
}

export interface Simulator {
  readonly profile: Profile;
  /** The TCP port, undefined without one. */
  readonly port: number | undefined;
  /** The path of the pseudo terminal, undefined without one. Without a link it changes when power or link comes back. */
  readonly ptyPath: string | undefined;
  /** The port of USB/IP, undefined without one. */
  readonly usbipPort: number | undefined;
  /** The USB cable, undefined without USB/IP. */
  readonly usb: UsbCable | undefined;
  /** Pages cut so far, oldest first (the latest 1000). */
  readonly paper: readonly Page[];
  /** What hangs out of the printer uncut. */
  readonly uncut: Page | undefined;
  /** Everything a person can read on the paper, pages parted by a form feed. */
  readonly text: string;
  readonly state: PrinterState;
  readonly replies: readonly Reply[];
  readonly diagnostics: readonly Diagnostic[];
  readonly pulses: readonly DrawerPulse[];
  /** What the buzzer was told to sound. */
  readonly sounds: readonly Sound[];
  /**
   * The next cut page that no earlier call has had, when it is cut (and its file written). Rejects when the simulator
   * closes first, or when the file cannot be written.
   */
  printed(): Promise<Page>;
  /** Makes something go wrong, or right again: a fault or its name, now or on the simulator's clock: `cover-open@3s`. */
  fail(fault: Fault | FaultText): void;
  /** Connects within the process, over a serial line when asked to. Throws while power or link is away. */
  connect(options?: ConnectOptions): InProcessConnection;
  /** Ends connections, flushes `uncut.png`, and resolves when all files are written. */
  close(): Promise<void>;
}

const REMEMBERED_PAGES = 1000;
const LOOPBACK = "127.0.0.1";

/** Hands out pages in order to whoever asks, before or after they exist. */
class PageQueue {
  private readonly ready: Promise<Page>[] = [];
  private readonly waiting: { resolve(page: Promise<Page>): void; reject(error: Error): void }[] = [];
  private closed = false;

  add(page: Promise<Page>): void {
    // Whoever asks gets the rejection; until then it must not end the process.
    page.catch(() => {});
    const waiter = this.waiting.shift();
    if (waiter !== undefined) waiter.resolve(page);
    else if (this.ready.push(page) > REMEMBERED_PAGES) this.ready.shift();
  }

  next(): Promise<Page> {
    const page = this.ready.shift();
    if (page !== undefined) return page;
    if (this.closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
    });
  }

  close(): void {
    this.closed = true;
    for (const waiter of this.waiting.splice(0)) waiter.reject(closedError());
  }
}

function closedError(): Error {
  return new Error("the simulator was closed before another page was cut");
}

/** Keeps a write in the set until it has ended, either way. */
function track(writes: Set<Promise<void>>, written: Promise<unknown>): void {
  const settled: Promise<void> = written.then(
    () => {
      writes.delete(settled);
    },
    () => {
      writes.delete(settled);
    },
  );
  writes.add(settled);
}

function chooseClock(options: SimulatorOptions): SimClock {
  return options.clock ?? (options.speed === "real" ? createRealClock() : createFastClock());
}

/** What every port that hosts reach from outside can do. */
interface OuterPort {
  /** Stops serving while power or link is away. */
  suspend(): void;
  resume(): void;
  close(): Promise<void>;
}

interface OuterPorts {
  readonly tcp?: TcpPort;
  readonly usbip?: UsbipPort;
  readonly pty?: PtyPort;
}

/** Opens the ports that are asked for, each noted in `opened`. When one cannot be opened, the others are closed again. */
async function openPorts(
  options: SimulatorOptions,
  printer: Printer,
  profile: Profile,
  clock: SimClock,
  opened: OuterPort[],
): Promise<OuterPorts> {
  const attach = (link: HostLink): HostConnection => printer.attach(link);
  const keep = <Port extends OuterPort>(port: Port): Port => {
    opened.push(port);
    return port;
  };
  const { tcpPort, tcpHost = LOOPBACK, usbipPort, usbipHost = LOOPBACK, pty } = options;
  const usb = {
    attach,
    conditions: () => printer.state.conditions,
    power: () => printer.state.power,
    softReset: () => printer.softReset(),
  };
  try {
    return {
      ...(tcpPort === undefined ? {} : { tcp: keep(await listenTcp(tcpPort, tcpHost, attach)) }),
      ...(usbipPort === undefined ? {} : { usbip: keep(await listenUsbip(usbipPort, usbipHost, profile, usb)) }),
      ...(pty === undefined ? {} : { pty: keep(await openPty(pty === true ? {} : pty, clock, attach)) }),
    };
  } catch (error) {
    await Promise.all(opened.map((port) => port.close()));
    throw error;
  }
}

/** Starts a printer. Rejects when a port is in use or the paper folder cannot be made. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const profile = typeof options.profile === "object" ? options.profile : findProfile(options.profile);
  const clock = chooseClock(options);
  const folder = options.paperFolder === undefined ? undefined : await PaperFolder.open(options.paperFolder);
  const nvFile = options.nvFile === undefined ? undefined : await NvFile.open(options.nvFile);
  const pages: Page[] = [];
  const queue = new PageQueue();
  const writes = new Set<Promise<void>>();
  const planned: Cancel[] = [];
  const ports: OuterPort[] = [];
  const printer = new Printer(
    profile,
    clock,
    {
      page: (page) => {
        pages.push(page);
        if (pages.length > REMEMBERED_PAGES) pages.shift();
        const written = folder === undefined ? Promise.resolve(page) : folder.writeTicket(page).then(() => page);
        track(writes, written);
        queue.add(written);
      },
      reachable: (reachable) => {
        for (const port of ports) reachable ? port.resume() : port.suspend();
      },
    },
    nvFile?.nv,
  );
  const attach = (link: HostLink): HostConnection => printer.attach(link);
  const { tcp, usbip, pty } = await openPorts(options, printer, profile, clock, ports);
  return {
    profile,
    port: tcp?.port,
    get ptyPath() {
      return pty?.path;
    },
    usbipPort: usbip?.port,
    usb: usbip?.cable,
    paper: pages,
    get uncut() {
      return printer.paper.uncut();
    },
    get text() {
      const uncut = printer.paper.uncut();
      return [...pages, ...(uncut === undefined ? [] : [uncut])].map((page) => page.text).join("\f");
    },
    get state() {
      return printer.state;
    },
    get replies() {
      return printer.replies;
    },
    diagnostics: printer.diagnostics,
    pulses: printer.pulses,
    sounds: printer.sounds,
    printed: () => queue.next(),
    fail: (wanted) => {
      const { fault, afterMs } = typeof wanted === "string" ? parseTimedFault(wanted) : { fault: wanted, afterMs: 0 };
      if (afterMs === 0) printer.fail(fault);
      else planned.push(clock.schedule(clock.nowMs() + afterMs, () => printer.fail(fault)));
    },
    connect: ({ serial } = {}) => {
      if (!printer.reachable) throw new Error("the printer cannot be reached: its power or its link is cut");
      return connectInProcess(clock, serial === undefined ? attach : overSerialLine(serial, clock, attach));
    },
    close: async () => {
      for (const cancel of planned) cancel();
      await Promise.all(ports.map((port) => port.close()));
      printer.shutDown();
      const uncut = printer.paper.uncut();
      if (folder !== undefined && uncut !== undefined) await folder.writeUncut(uncut);
      await Promise.all(writes);
      await nvFile?.close();
      queue.close();
    },
  };
}
