import type { SimClock } from "../clock.ts";
import type { HostConnection, HostLink } from "./port.ts";

export interface SerialSettings {
  readonly baudRate: number;
  /** Start, data, parity and stop bits; default 10 (8N1). */
  readonly bitsPerByte?: number;
  /** How the printer says that it is busy. */
  readonly flowControl: "xon-xoff" | "dtr-dsr" | "none";
  /** False: the host goes on sending, and XON/XOFF reach its program like any other byte. */
  readonly hostObeys?: boolean;
}

const XON = 0x11;
const XOFF = 0x13;
/** Deviation of clocks must not cost a byte. */
const EPSILON_MS = 1e-6;

/** Bytes under way in one direction, each taking its time. */
class Wire {
  private readonly clock: SimClock;
  private readonly msPerByte: number;
  private readonly arrived: (bytes: Uint8Array) => void;
  private queue: number[] = [];
  /** Bytes of the queue that have gone. */
  private at = 0;
  private sinceMs = 0;
  private ticking = false;
  private held = false;

  constructor(clock: SimClock, msPerByte: number, arrived: (bytes: Uint8Array) => void) {
    this.clock = clock;
    this.msPerByte = msPerByte;
    this.arrived = arrived;
  }

  get isEmpty(): boolean {
    return this.at === this.queue.length;
  }

  push(bytes: ArrayLike<number>): void {
    if (this.isEmpty) this.sinceMs = this.clock.nowMs();
    for (let index = 0; index < bytes.length; index += 1) this.queue.push(bytes[index] ?? 0);
    this.tick();
  }

  /** A control byte overtakes everything but the byte that is on the wire. */
  overtake(byte: number): void {
    if (this.isEmpty) this.push([byte]);
    else this.queue.splice(this.at + 1, 0, byte);
  }

  /** The sender waits, after the byte that is on the wire. */
  hold(held: boolean): void {
    if (this.held && !held) this.sinceMs = this.clock.nowMs();
    this.held = held;
    if (!held) this.tick();
  }

  clear(): void {
    this.queue = [];
    this.at = 0;
  }

  private tick(): void {
    if (this.ticking || this.held || this.isEmpty) return;
    this.ticking = true;
    this.clock.schedule(this.sinceMs + this.msPerByte, () => {
      this.ticking = false;
      this.deliver();
      this.tick();
    });
  }

  private deliver(): void {
    const due = Math.floor((this.clock.nowMs() - this.sinceMs + EPSILON_MS) / this.msPerByte);
    // A byte that was on the wire when the sender was held arrives all the same.
    const count = Math.min(this.held ? 1 : due, this.queue.length - this.at);
    if (count <= 0) return;
    const bytes = Uint8Array.from(this.queue.slice(this.at, this.at + count));
    this.at += count;
    this.sinceMs += count * this.msPerByte;
    if (this.at > 4096 || this.isEmpty) {
      this.queue = this.queue.slice(this.at);
      this.at = 0;
    }
    this.arrived(bytes);
  }
}

/**
 * A serial line between a host and the printer: bytes take their time in both directions, and what the printer has no
 * room for is lost, unless the host keeps to the flow control. A host that sees XON and XOFF itself tells with `obeys`
 * whether it keeps to them at the moment.
 */
export function overSerialLine(
  settings: SerialSettings,
  clock: SimClock,
  attach: (link: HostLink) => HostConnection,
): (host: HostLink, obeys?: () => boolean) => HostConnection {
  const { baudRate, bitsPerByte = 10, flowControl, hostObeys = true } = settings;
  const msPerByte = (1000 * bitsPerByte) / baudRate;
  return (host, obeys) => {
    const toPrinter = new Wire(clock, msPerByte, (bytes) => {
      printer.receive(bytes);
      if (!toPrinter.isEmpty) return;
      host.drained();
      if (hostGone) printer.closed();
    });
    let hostGone = false;
    const toHost = new Wire(clock, msPerByte, (bytes) => {
      const rest = flowControl === "xon-xoff" && hostObeys ? bytes.filter((byte) => !obey(byte)) : bytes;
      const seen = obeys === undefined ? rest : bytes;
      if (seen.length > 0) host.send(seen);
    });
    const obey = (byte: number): boolean => {
      if (byte !== XON && byte !== XOFF) return false;
      toPrinter.hold(byte === XOFF && (obeys?.() ?? true));
      return true;
    };
    const printer = attach({
      send: (bytes) => {
        if (hostGone) return false;
        toHost.push(bytes);
        return true;
      },
      drop: () => {
        toPrinter.clear();
        toHost.clear();
        host.drop();
      },
      drained: () => {},
      busy: (busy) => {
        if (flowControl === "xon-xoff") toHost.overtake(busy ? XOFF : XON);
        else if (flowControl === "dtr-dsr" && hostObeys) toPrinter.hold(busy);
      },
      losesOverflow: true,
      msPerByte,
    });
    return {
      receive: (bytes) => {
        if (bytes.length === 0) return true;
        toPrinter.push(bytes);
        return false;
      },
      closed: () => {
        hostGone = true;
        toHost.clear();
        if (toPrinter.isEmpty) printer.closed();
      },
    };
  };
}
