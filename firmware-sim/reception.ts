import type { BackChannel } from "./back-channel.ts";
import { BusySignal } from "./busy-signal.ts";
import type { Fault } from "./faults.ts";
import { createFraming } from "./interpreter.ts";
import { LineNoise } from "./line-noise.ts";
import type { HostConnection, HostLink } from "./ports/port.ts";
import type { Profile } from "./profiles.ts";
import { type RealTimeCommand, RealTimeScanner } from "./realtime-scanner.ts";
import { type BufferedRun, joined, ReceiveBuffer } from "./receive-buffer.ts";

/** What came in on one connection. */
interface Inflow {
  readonly id: number;
  readonly link: HostLink;
  scanner: RealTimeScanner;
  /** Received, but not yet in the receive buffer. */
  waiting: Uint8Array;
  hostGone: boolean;
}

interface ReceptionEvents {
  /** Whether the printer hears anything at all. */
  isListening(): boolean;
  isOffline(): boolean;
  /** A real-time command was received on this connection. */
  realTime(command: RealTimeCommand, connection: number): void;
  /** Bytes may have come into the receive buffer. */
  received(): void;
}

type ReceptionTraits = Pick<Profile, "bufferBytes" | "busyAtFreeBytes" | "readyAtFreeBytes" | "busyWhenOffline">;

const NO_BYTES = new Uint8Array(0);

/** Everything between the lines and the interpreter: connections, real-time commands, receive buffer and BUSY. */
export class Reception {
  /** On all connections, since the start. */
  receivedBytes = 0;
  /** What a line without flow control sent beyond the receive buffer. */
  lostBytes = 0;
  private readonly profile: Profile;
  private readonly events: ReceptionEvents;
  private readonly backChannel: BackChannel;
  private buffer: ReceiveBuffer;
  private busy: BusySignal;
  private readonly noise = new LineNoise();
  private readonly inflows = new Map<number, Inflow>();
  private nextConnection = 1;
  private admitting = false;

  constructor(profile: Profile, backChannel: BackChannel, events: ReceptionEvents) {
    this.profile = profile;
    this.backChannel = backChannel;
    this.events = events;
    this.buffer = new ReceiveBuffer(profile.bufferBytes);
    this.busy = new BusySignal(profile);
  }

  /** Connections that are open. */
  get connections(): number {
    return [...this.inflows.values()].filter((inflow) => !inflow.hostGone).length;
  }

  get bufferedBytes(): number {
    return this.buffer.length;
  }

  /** Something was received and has found no room yet. */
  get isWaiting(): boolean {
    return [...this.inflows.values()].some((inflow) => inflow.waiting.length > 0);
  }

  /** A host has connected. */
  attach(link: HostLink): HostConnection {
    const id = this.nextConnection++;
    const inflow: Inflow = { id, link, scanner: this.newScanner(id, link), waiting: NO_BYTES, hostGone: false };
    this.inflows.set(id, inflow);
    this.backChannel.attach(id, link);
    if (this.busy.isBusy) link.busy?.(true);
    return {
      receive: (bytes) => {
        if (this.inflows.get(id) !== inflow || !this.events.isListening()) return true;
        this.receivedBytes += bytes.length;
        const heard = this.noise.apply(bytes);
        inflow.waiting = inflow.waiting.length === 0 ? heard : joined(inflow.waiting, heard);
        this.admit(inflow);
        return inflow.waiting.length === 0;
      },
      closed: () => {
        inflow.hostGone = true;
        this.backChannel.detach(id);
        if (inflow.waiting.length === 0) this.inflows.delete(id);
      },
    };
  }

  /** Ends every connection. What never reached the receive buffer is still the network's, and lost with it. */
  dropAll(): void {
    this.inflows.clear();
    this.backChannel.dropAll();
  }

  /** What waits for room is never heard. */
  dropWaiting(): void {
    for (const inflow of this.inflows.values()) inflow.waiting = NO_BYTES;
  }

  disturb(noise: Extract<Fault, { kind: "lost-bytes" | "corrupted-bytes" | "line-clean" }>): void {
    this.noise.become(noise);
  }

  /** Begins anew with an empty receive buffer of this size and with these marks. */
  configure(traits: ReceptionTraits): void {
    this.buffer = new ReceiveBuffer(traits.bufferBytes);
    this.busy = new BusySignal(traits);
    this.clear();
  }

  /** The receive buffer is empty, and whatever command was half received is forgotten. */
  clear(): void {
    this.buffer.clear();
    this.updateBusy();
    for (const inflow of this.inflows.values()) inflow.scanner.restart(createFraming(this.profile));
  }

  /** The bytes at the front of the receive buffer that came in on one connection. */
  peek(): BufferedRun | undefined {
    return this.buffer.peek();
  }

  drop(count: number): void {
    this.buffer.drop(count);
    this.updateBusy();
  }

  updateBusy(): void {
    if (!this.busy.update(this.buffer.free, this.events.isOffline())) return;
    for (const inflow of this.inflows.values()) inflow.link.busy?.(this.busy.isBusy);
  }

  /** Lets in what waits for room, as far as there is some. */
  admitWaiting(): void {
    if (this.admitting) return;
    this.admitting = true;
    for (const inflow of [...this.inflows.values()]) {
      if (inflow.waiting.length === 0) continue;
      this.admit(inflow);
      if (inflow.waiting.length > 0) break;
      if (inflow.hostGone) this.inflows.delete(inflow.id);
      else inflow.link.drained();
    }
    this.admitting = false;
  }

  /** Moves what waits on a connection into the receive buffer, as far as there is room. */
  private admit(inflow: Inflow): void {
    const bytes = inflow.waiting;
    let at = 0;
    while (at < bytes.length && this.events.isListening()) {
      const taken = inflow.scanner.scan(bytes, at);
      if (taken === 0) break;
      at += taken;
    }
    if (!this.events.isListening()) at = bytes.length;
    inflow.waiting = at === bytes.length ? NO_BYTES : bytes.subarray(at);
    this.events.received();
  }

  private newScanner(id: number, link: HostLink): RealTimeScanner {
    return new RealTimeScanner(
      createFraming(this.profile),
      {
        realTime: (command) => this.events.realTime(command, id),
        ordinary: (bytes, from, to) => this.store(bytes.subarray(from, to), id),
        overflow: (count) => this.overflow(count, link),
      },
      this.profile.supports.realTimeInData,
    );
  }

  private store(bytes: Uint8Array, id: number): number {
    const taken = this.buffer.push(bytes, id);
    if (taken > 0) this.updateBusy();
    return taken;
  }

  /** The fate of bytes that find no room: true when they are lost, false when their host keeps them. */
  private overflow(count: number, link: HostLink): boolean {
    const overflow = this.profile.overflow ?? (link.losesOverflow === true ? "lost" : "waits");
    if (overflow === "waits") return false;
    this.lostBytes += count;
    return true;
  }
}
