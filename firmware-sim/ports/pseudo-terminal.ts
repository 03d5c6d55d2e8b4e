import { closeSync, constants, lstatSync, openSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { ReadStream } from "node:tty";

/** Calls of the C library that Node does not have. */
export interface TerminalCalls {
  /** A new pair; returns the master. Throws when the system has none left. */
  open(): { readonly master: number; readonly path: string };
  /** Bytes pass as they are, both ways. */
  makeRaw(fd: number): void;
  /** The system itself holds back the host's output between XOFF and XON. */
  obeysXoff(fd: number): boolean;
}

/** Room for the largest `struct termios`. */
const TERMIOS_BYTES = 256;
/** F_SETFD, FD_CLOEXEC: the same numbers everywhere. */
const SET_FLAGS = 2;
const CLOSE_ON_EXEC = 1;
/** IXON of `c_iflag`, which comes first in the structure. */
const IXON = process.platform === "darwin" ? 0x200 : 0x400;

/** Loads what makes pseudo terminals. Rejects with what to do where that is not possible. */
export async function loadTerminalCalls(): Promise<TerminalCalls> {
  if (process.platform === "win32") {
    throw new Error("Windows has no pseudo terminals; use TCP, or a pair of virtual COM ports with a program between");
  }
  const koffi = await import("koffi").then(
    (module) => module.default,
    (cause: unknown) => {
      throw new Error("a pseudo terminal needs the optional package koffi: npm install koffi@3.3.4", { cause });
    },
  );
  const library = koffi.load(null);
  const openMaster = library.func("int posix_openpt(int flags)");
  const grant = library.func("int grantpt(int fd)");
  const unlock = library.func("int unlockpt(int fd)");
  const nameOf = library.func("const char *ptsname(int fd)");
  const control = library.func("int fcntl(int fd, int command, ...)");
  const getAttributes = library.func("int tcgetattr(int fd, void *termios)");
  const setAttributes = library.func("int tcsetattr(int fd, int when, const void *termios)");
  const makeRaw = library.func("void cfmakeraw(void *termios)");
  const attributes = (fd: number): Buffer => {
    const termios = Buffer.alloc(TERMIOS_BYTES);
    if (getAttributes(fd, termios) !== 0) throw new Error("the pseudo terminal does not tell its settings");
    return termios;
  };
  return {
    open: () => {
      const master: number = openMaster(constants.O_RDWR | constants.O_NOCTTY);
      if (master < 0) throw new Error("the system has no pseudo terminal left");
      // A program that this process starts would keep the terminal from hanging up.
      control(master, SET_FLAGS, "int", CLOSE_ON_EXEC);
      const path: string | null = grant(master) === 0 && unlock(master) === 0 ? nameOf(master) : null;
      if (path !== null) return { master, path };
      closeSync(master);
      throw new Error("the system gives out no pseudo terminal");
    },
    makeRaw: (fd) => {
      const termios = attributes(fd);
      makeRaw(termios);
      if (setAttributes(fd, 0, termios) !== 0) throw new Error("the pseudo terminal cannot be made raw");
    },
    obeysXoff: (fd) => (attributes(fd).readUInt32LE(0) & IXON) !== 0,
  };
}

/** A pair of terminals: what a host writes to `path` is read from `stream`, and the other way. */
export class PseudoTerminal {
  readonly path: string;
  readonly stream: ReadStream;
  private readonly calls: TerminalCalls;
  /** Kept open, so that the pair outlives every host that closes it. */
  private readonly slave: number;

  constructor(calls: TerminalCalls) {
    this.calls = calls;
    const { master, path } = calls.open();
    this.path = path;
    this.slave = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    // Before anything is written: a terminal that is not raw echoes.
    calls.makeRaw(this.slave);
    this.stream = new ReadStream(master);
  }

  get hostObeysXoff(): boolean {
    return this.calls.obeysXoff(this.slave);
  }

  /** Hangs up: whoever has the terminal open finds it gone. */
  close(): void {
    this.stream.destroy();
    closeSync(this.slave);
  }
}

/** Makes `link` a symbolic link to `target`. Only another symbolic link is replaced. */
export function placeLink(link: string, target: string): void {
  const existing = lstatSync(link, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isSymbolicLink()) {
    throw new Error(`${link} is there already and is no symbolic link; name another path for the pseudo terminal`);
  }
  const aside = `${link}.${process.pid}.tmp`;
  symlinkSync(target, aside);
  renameSync(aside, link);
}

/** Removes `link` if it still leads to `target`. */
export function removeLink(link: string, target: string): void {
  try {
    if (readlinkSync(link) === target) unlinkSync(link);
  } catch {
    // Whoever removed it or put something else in its place wants it so.
  }
}
