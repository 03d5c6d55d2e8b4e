import type { Profile } from "../profiles.ts";
import type { HostConnection, HostLink } from "./port.ts";
import { BULK_IN, BULK_OUT, UsbPrinter, type UsbPrinterState } from "./usb-printer.ts";
import {
  encodeSubmitted,
  encodeUnlinked,
  type SubmitMessage,
  type UsbipMessage,
  UsbipProtocolError,
} from "./usbip-codec.ts";

/** Error numbers of Linux, as USB/IP carries them. */
const EPIPE = -32;
const ECONNRESET = -104;
/** What the printer has said and no host has fetched. Then it loses what it says. */
const UNREAD_BYTES = 64 * 1024;
/** Beyond this the host has lost its mind, not its patience. */
const PENDING_REQUESTS = 4096;

/** How the printer looks from its USB connector. */
export interface UsbPeer extends Pick<UsbPrinterState, "conditions" | "power" | "softReset"> {
  attach(link: HostLink): HostConnection;
}

interface OutTransfer {
  readonly seqnum: number;
  readonly data: Uint8Array;
  /** Bytes that the printer has. */
  at: number;
}

interface InTransfer {
  readonly seqnum: number;
  readonly length: number;
}

/** One attachment of the printer to a host: requests come in, answers go out through `write`. */
export class UsbipSession {
  /** Bytes of transfers that wait for the printer. */
  outstandingBytes = 0;
  private readonly device: UsbPrinter;
  private readonly connection: HostConnection;
  private readonly write: (bytes: Uint8Array) => void;
  private readonly outgoing: OutTransfer[] = [];
  private readonly incoming: InTransfer[] = [];
  private unread = new Uint8Array(0);
  /** The last packet is not yet in the receive buffer. */
  private waiting = false;
  private ended = false;

  constructor(profile: Profile, peer: UsbPeer, write: (bytes: Uint8Array) => void, drop: () => void) {
    this.write = write;
    this.device = new UsbPrinter(profile, {
      conditions: () => peer.conditions(),
      power: () => peer.power(),
      softReset: () => peer.softReset(),
      resumed: () => this.move(),
      halted: (endpoint) => this.refuse(endpoint),
    });
    this.connection = peer.attach({
      send: (bytes) => this.say(bytes),
      drop,
      drained: () => this.drained(),
    });
  }

  /** Throws UsbipProtocolError for what no host sends to a printer. */
  handle(message: UsbipMessage): void {
    if (message.kind === "submit") this.submit(message);
    else if (message.kind === "unlink") this.unlink(message.seqnum, message.target);
    else throw new UsbipProtocolError(`a second ${message.kind} on a connection that has its device`);
  }

  /** The cable is out, or the host has gone. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.outgoing.length = 0;
    this.incoming.length = 0;
    this.connection.closed();
  }

  /** The printer has room again. */
  drained(): void {
    this.waiting = false;
    this.move();
  }

  /** An endpoint stalls until the host clears it. */
  halt(endpoint: number): void {
    this.device.halt(endpoint);
  }

  private submit(message: SubmitMessage): void {
    const { seqnum, isIn, endpoint, length, data } = message;
    const address = endpoint | (isIn ? 0x80 : 0);
    if (endpoint === 0) {
      this.control(message);
      return;
    }
    if ((address !== BULK_IN && address !== BULK_OUT) || this.device.isHalted(address)) {
      this.write(encodeSubmitted(seqnum, EPIPE, 0));
      return;
    }
    if (this.incoming.length + this.outgoing.length >= PENDING_REQUESTS) {
      throw new UsbipProtocolError(`more than ${PENDING_REQUESTS} requests at once`);
    }
    if (isIn) this.incoming.push({ seqnum, length });
    else {
      this.outgoing.push({ seqnum, data, at: 0 });
      this.outstandingBytes += data.length;
    }
    this.move();
  }

  private control({ seqnum, setup, isIn, length }: SubmitMessage): void {
    const answer = this.device.control(setup);
    if (answer === "stall") this.write(encodeSubmitted(seqnum, EPIPE, 0));
    else if (isIn) {
      const data = answer.subarray(0, length);
      this.write(encodeSubmitted(seqnum, 0, data.length, data));
    } else this.write(encodeSubmitted(seqnum, 0, length));
  }

  /** A request that is not there any more has been answered; the host gets that answer first. */
  private unlink(seqnum: number, target: number): void {
    const isTarget = (transfer: { readonly seqnum: number }): boolean => transfer.seqnum === target;
    const outAt = this.outgoing.findIndex(isTarget);
    const inAt = this.incoming.findIndex(isTarget);
    const [out] = outAt < 0 ? [] : this.outgoing.splice(outAt, 1);
    if (inAt >= 0) this.incoming.splice(inAt, 1);
    if (out !== undefined) this.outstandingBytes -= out.data.length;
    this.write(encodeUnlinked(seqnum, outAt < 0 && inAt < 0 ? 0 : ECONNRESET));
    this.move();
  }

  private say(bytes: Uint8Array): boolean {
    if (this.ended || this.unread.length + bytes.length > UNREAD_BYTES) return false;
    const unread = new Uint8Array(this.unread.length + bytes.length);
    unread.set(this.unread);
    unread.set(bytes, this.unread.length);
    this.unread = unread;
    this.answerReads();
    return true;
  }

  private move(): void {
    this.answerReads();
    this.feed();
  }

  /** A transfer ends with the first short packet: it carries what there is, and waits only for something. */
  private answerReads(): void {
    while (this.unread.length > 0 && !this.device.isHalted(BULK_IN)) {
      const transfer = this.incoming.shift();
      if (transfer === undefined) return;
      const data = this.unread.slice(0, transfer.length);
      this.unread = this.unread.slice(data.length);
      this.write(encodeSubmitted(transfer.seqnum, 0, data.length, data));
    }
  }

  /** Packet by packet: what the printer has no room for stays the host's, which can still take it back. */
  private feed(): void {
    while (!this.waiting && !this.ended && !this.device.isHalted(BULK_OUT)) {
      const transfer = this.outgoing[0];
      if (transfer === undefined) return;
      const { seqnum, data, at } = transfer;
      if (at === data.length) {
        this.outgoing.shift();
        this.outstandingBytes -= data.length;
        this.write(encodeSubmitted(seqnum, 0, data.length));
        continue;
      }
      const packet = data.subarray(at, at + this.device.packetBytes);
      transfer.at += packet.length;
      this.waiting = true;
      if (this.connection.receive(packet)) this.waiting = false;
    }
  }

  private refuse(endpoint: number): void {
    if (endpoint === BULK_IN) {
      for (const { seqnum } of this.incoming.splice(0)) this.write(encodeSubmitted(seqnum, EPIPE, 0));
      return;
    }
    this.outstandingBytes = 0;
    for (const { seqnum, at } of this.outgoing.splice(0)) this.write(encodeSubmitted(seqnum, EPIPE, at));
  }
}
