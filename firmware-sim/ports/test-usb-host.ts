import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Answer to one request. */
export interface UrbResult {
  readonly status: number;
  readonly length: number;
  readonly data: Uint8Array;
}

/** For tests: the other end of USB/IP, as Linux's virtual host controller uses it, written from the protocol's text. */
export class UsbHost {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  private received = Buffer.alloc(0);
  private nextSeqnum = 1;
  private readonly submitted = new Map<
    number,
    { readonly isIn: boolean; resolve(result: UrbResult): void; reject(error: Error): void }
  >();
  private readonly unlinked = new Map<number, { readonly target: number; resolve(status: number): void }>();
  private importing: ((device: Buffer | undefined) => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes]);
      while (this.takeMessage());
    });
    socket.on("error", () => {});
    this.closed = once(socket, "close").then(() => {
      for (const { reject } of this.submitted.values()) reject(new Error("the device is gone"));
      this.submitted.clear();
      this.importing?.(undefined);
    });
  }

  static async dial(port: number | undefined): Promise<UsbHost> {
    const socket = connect({ port: port ?? 0, host: "127.0.0.1" });
    await once(socket, "connect");
    return new UsbHost(socket);
  }

  /** Dials and imports; undefined when refused. */
  static async attach(port: number | undefined): Promise<UsbHost | undefined> {
    const host = await UsbHost.dial(port);
    const device = await host.importDevice("1-1");
    return device === undefined ? undefined : host;
  }

  /** The 312 bytes that describe the device; undefined when it is refused. */
  importDevice(busId: string): Promise<Buffer | undefined> {
    const request = Buffer.alloc(40);
    request.writeUInt32BE(0x01118003, 0);
    request.write(busId, 8, "latin1");
    this.socket.write(request);
    return new Promise((resolve) => {
      this.importing = resolve;
    });
  }

  control(
    requestType: number,
    request: number,
    value = 0,
    index = 0,
    length = 0,
    data?: Uint8Array,
  ): Promise<UrbResult> {
    const setup = Buffer.from([requestType, request, 0, 0, 0, 0, 0, 0]);
    setup.writeUInt16LE(value, 2);
    setup.writeUInt16LE(index, 4);
    setup.writeUInt16LE(length, 6);
    return this.submit(0, (requestType & 0x80) !== 0, length, data, setup).result;
  }

  /** Bulk OUT 1. */
  write(data: Uint8Array): { readonly seqnum: number; readonly result: Promise<UrbResult> } {
    return this.submit(1, false, data.length, data);
  }

  /** Bulk IN 2. */
  read(length = 1024): { readonly seqnum: number; readonly result: Promise<UrbResult> } {
    return this.submit(2, true, length);
  }

  submit(
    endpoint: number,
    isIn: boolean,
    length: number,
    data: Uint8Array = new Uint8Array(0),
    setup = Buffer.alloc(8),
  ): { readonly seqnum: number; readonly result: Promise<UrbResult> } {
    const seqnum = this.nextSeqnum++;
    const header = Buffer.alloc(40);
    for (const [index, word] of [1, seqnum, 0x10002, isIn ? 1 : 0, endpoint, isIn ? 0x200 : 0, length].entries()) {
      header.writeUInt32BE(word, index * 4);
    }
    const result = new Promise<UrbResult>((resolve, reject) => {
      this.submitted.set(seqnum, { isIn, resolve, reject });
    });
    result.catch(() => {});
    this.socket.write(Buffer.concat([header, setup, data]));
    return { seqnum, result };
  }

  /** Resolves with the status: -104 when the request was taken back, 0 when it had been answered. */
  unlink(target: number): Promise<number> {
    const seqnum = this.nextSeqnum++;
    const message = Buffer.alloc(48);
    message.writeUInt32BE(2, 0);
    message.writeUInt32BE(seqnum, 4);
    message.writeUInt32BE(0x10002, 8);
    message.writeUInt32BE(target, 20);
    return new Promise((resolve) => {
      this.unlinked.set(seqnum, { target, resolve });
      this.socket.write(message);
    });
  }

  isAnswered(seqnum: number): boolean {
    return !this.submitted.has(seqnum);
  }

  private takeMessage(): boolean {
    const bytes = this.received;
    if (this.importing !== undefined) return this.takeImport();
    if (bytes.length < 48) return false;
    const seqnum = bytes.readUInt32BE(4);
    const status = bytes.readInt32BE(20);
    if (bytes.readUInt32BE(0) === 4) {
      this.received = bytes.subarray(48);
      const unlinked = this.unlinked.get(seqnum);
      if (status !== 0 && unlinked !== undefined) this.submitted.delete(unlinked.target);
      unlinked?.resolve(status);
      return true;
    }
    const request = this.submitted.get(seqnum);
    if (request === undefined) throw new Error(`an answer to ${seqnum}, which was not asked`);
    const length = bytes.readUInt32BE(24);
    const end = 48 + (request.isIn ? length : 0);
    if (bytes.length < end) return false;
    this.submitted.delete(seqnum);
    this.received = bytes.subarray(end);
    request.resolve({ status, length, data: new Uint8Array(bytes.subarray(48, end)) });
    return true;
  }

  private takeImport(): boolean {
    const bytes = this.received;
    if (bytes.length < 8) return false;
    const ok = bytes.readUInt32BE(4) === 0;
    if (ok && bytes.length < 320) return false;
    const resolve = this.importing;
    this.importing = undefined;
    this.received = bytes.subarray(ok ? 320 : 8);
    resolve?.(ok ? bytes.subarray(8, 320) : undefined);
    return true;
  }
}
