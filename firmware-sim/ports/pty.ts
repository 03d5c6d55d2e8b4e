import type { SimClock } from "../clock.ts";
import type { HostConnection, HostLink } from "./port.ts";
import { loadTerminalCalls, PseudoTerminal, placeLink, removeLink, type TerminalCalls } from "./pseudo-terminal.ts";
import { overSerialLine } from "./serial-line.ts";

export interface PtySettings {
  /** A symbolic link to the terminal, so that its name stays the same. */
  readonly link?: string;
  /** Bytes take the time of a serial line; without it they take none. */
  readonly baudRate?: number;
  /**
   * `xon-xoff`: BUSY sends XOFF and XON. `none` (default): with a baud rate, what finds no room is lost, as on a line
   * without handshake; without one the host just waits.
   */
  readonly flowControl?: "xon-xoff" | "none";
}

export interface PtyPort {
  /** Where hosts open it: the link, or the terminal's own name, which is another one after a power cut. */
  readonly path: string;
  /** Hangs up, as when the adapter is pulled out; `resume` makes a new terminal. */
  suspend(): void;
  resume(): void;
  close(): Promise<void>;
}

const XON = Uint8Array.of(0x11);
const XOFF = Uint8Array.of(0x13);
/** What nobody reads is lost beyond this. */
const UNREAD_BYTES = 64 * 1024;

/** A pseudo terminal that any program can open as a serial port. Rejects where there are none, or without koffi. */
export async function openPty(
  settings: PtySettings,
  clock: SimClock,
  attach: (link: HostLink) => HostConnection,
): Promise<PtyPort> {
  const calls = await loadTerminalCalls();
  const { link } = settings;
  let terminal: PseudoTerminal | undefined;
  const hangUp = (): void => {
    if (terminal === undefined) return;
    const gone = terminal;
    terminal = undefined;
    if (link !== undefined) removeLink(link, gone.path);
    gone.close();
  };
  const connect = (): void => {
    if (terminal !== undefined) return;
    terminal = openTerminal(calls, link);
    serve(terminal, settings, clock, attach, hangUp);
  };
  let path = "";
  connect();
  return {
    get path() {
      path = link ?? terminal?.path ?? path;
      return path;
    },
    suspend: hangUp,
    resume: connect,
    close: () => {
      hangUp();
      return Promise.resolve();
    },
  };
}

function openTerminal(calls: TerminalCalls, link: string | undefined): PseudoTerminal {
  const terminal = new PseudoTerminal(calls);
  if (link === undefined) return terminal;
  try {
    placeLink(link, terminal.path);
    return terminal;
  } catch (error) {
    terminal.close();
    throw error;
  }
}

/** A line has no connections: hosts that open and close the terminal are one and the same to the printer. */
function serve(
  terminal: PseudoTerminal,
  settings: PtySettings,
  clock: SimClock,
  attach: (link: HostLink) => HostConnection,
  hangUp: () => void,
): void {
  const { stream } = terminal;
  const { baudRate, flowControl = "none" } = settings;
  const send = (bytes: Uint8Array): boolean => {
    if (stream.destroyed) return false;
    // The wire does not know whether anybody listens.
    if (stream.writableLength < UNREAD_BYTES) stream.write(bytes);
    return true;
  };
  const host: HostLink = {
    send,
    drop: hangUp,
    drained: () => void stream.resume(),
    ...(flowControl === "none" ? {} : { busy: (busy) => void send(busy ? XOFF : XON) }),
  };
  const connection =
    baudRate === undefined
      ? attach(host)
      : overSerialLine({ baudRate, flowControl }, clock, attach)(host, () => terminal.hostObeysXoff);
  stream.on("data", (bytes: Buffer) => {
    if (!connection.receive(new Uint8Array(bytes))) stream.pause();
  });
  stream.on("error", hangUp);
  stream.on("close", () => connection.closed());
}
