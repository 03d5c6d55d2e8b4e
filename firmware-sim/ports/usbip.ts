import { createServer, type Socket } from "node:net";
import type { Profile } from "../profiles.ts";
import { listen } from "./tcp.ts";
import { BULK_IN, BULK_OUT, BUS_ID, exportedDevice } from "./usb-printer.ts";
import {
  encodeImport,
  encodeList,
  MAX_TRANSFER_BYTES,
  type UsbipMessage,
  UsbipProtocolError,
  UsbipReader,
} from "./usbip-codec.ts";
import { UsbipSession, type UsbPeer } from "./usbip-session.ts";

/** The USB cable, as a test pulls and plugs it. */
export interface UsbCable {
  /** What a host names when it attaches the printer: `usbip attach -r HOST -b BUSID`. */
  readonly busId: string;
  /** A host has the printer attached. */
  readonly attached: boolean;
  /** Pulls the cable out of the printer: the host sees its device vanish, in the middle of whatever it does. */
  unplug(): void;
  /** The printer is there to be attached again. */
  plug(): void;
  /** An endpoint stalls until the host clears it. */
  stall(direction: "in" | "out"): void;
}

export interface UsbipPort {
  readonly port: number;
  readonly cable: UsbCable;
  /** Power or link is away, or back: the cable stays as it is. */
  suspend(): void;
  resume(): void;
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 16;
/** A connection that asks for nothing. */
const IDLE_MS = 10_000;
/** A host that does not take its answers is not heard any further. */
const UNSENT_BYTES = 1024 * 1024;

/** Serves the printer as a USB device (USB/IP) on `host`; `port` 0 takes any free one. Rejects when it is in use. */
export async function listenUsbip(port: number, host: string, profile: Profile, peer: UsbPeer): Promise<UsbipPort> {
  const sockets = new Set<Socket>();
  const state: Attachment = { plugged: true, powered: true, current: undefined };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, state, profile, peer);
  });
  server.maxConnections = MAX_CONNECTIONS;
  const actualPort = await listen(server, port, host);
  return {
    port: actualPort,
    cable: {
      busId: BUS_ID,
      get attached() {
        return state.current !== undefined;
      },
      unplug: () => {
        state.plugged = false;
        detach(state);
      },
      plug: () => {
        state.plugged = true;
      },
      stall: (direction) => state.current?.session.halt(direction === "in" ? BULK_IN : BULK_OUT),
    },
    suspend: () => {
      state.powered = false;
      detach(state);
    },
    resume: () => {
      state.powered = true;
      // A printer that switched itself off has forgotten what it had not taken.
      state.current?.session.drained();
    },
    close: async () => {
      detach(state);
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Attachment {
  plugged: boolean;
  powered: boolean;
  current: { readonly socket: Socket; readonly session: UsbipSession } | undefined;
}

/** Ends the attachment at once: the device may be attached again before the old connection has closed. */
function detach(state: Attachment): void {
  const { current } = state;
  state.current = undefined;
  current?.socket.destroy();
  current?.session.end();
}

function serve(socket: Socket, state: Attachment, profile: Profile, peer: UsbPeer): void {
  const reader = new UsbipReader();
  let session: UsbipSession | undefined;
  const isFree = (): boolean => state.plugged && state.powered && state.current === undefined;
  const leave = (): void => {
    if (state.current?.socket === socket) detach(state);
    else socket.destroy();
  };
  const readOrWait = (): void => {
    const full = (session?.outstandingBytes ?? 0) > MAX_TRANSFER_BYTES || socket.writableLength > UNSENT_BYTES;
    if (full) socket.pause();
    else socket.resume();
  };
  const send = (bytes: Uint8Array): void => {
    if (socket.writable) socket.write(bytes);
    readOrWait();
  };
  const attach = (): void => {
    reader.imported = true;
    socket.setTimeout(0);
    send(encodeImport(exportedDevice(profile)));
    session = new UsbipSession(profile, peer, send, leave);
    state.current = { socket, session };
  };
  const handle = (message: UsbipMessage): void => {
    if (session !== undefined) session.handle(message);
    else if (message.kind === "list") socket.end(encodeList(isFree() ? [exportedDevice(profile)] : []));
    else if (message.kind === "import" && message.busId === BUS_ID && isFree()) attach();
    else socket.end(encodeImport(undefined));
  };
  socket.setNoDelay(true);
  socket.setTimeout(IDLE_MS, leave);
  socket.on("data", (bytes: Buffer) => {
    reader.push(bytes);
    try {
      for (let message = reader.next(); message !== undefined && socket.writable; message = reader.next()) {
        handle(message);
      }
      readOrWait();
    } catch (error) {
      if (!(error instanceof UsbipProtocolError)) throw error;
      leave();
    }
  });
  socket.on("drain", readOrWait);
  socket.on("error", leave);
  socket.on("close", leave);
}
