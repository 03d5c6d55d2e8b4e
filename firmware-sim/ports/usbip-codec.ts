/*
 * USB/IP on the wire, version 1.1.1 (Documentation/usb/usbip_protocol.rst of the Linux kernel). All numbers are big
 * endian. A connection begins with operations; after an import it carries USB requests.
 */

/** Bytes of one transfer to the device. Linux itself allows user programs 16 MiB in all. */
export const MAX_TRANSFER_BYTES = 16 * 1024 * 1024;

const VERSION = 0x0111;
const OP_IMPORT = 0x0003;
const OP_LIST = 0x0005;
const REQUEST = 0x8000;
const CMD_SUBMIT = 1;
const CMD_UNLINK = 2;
const RET_SUBMIT = 3;
const RET_UNLINK = 4;
const OP_BYTES = 8;
const BUS_ID_BYTES = 32;
const PATH_BYTES = 256;
const HEADER_BYTES = 48;
const NOT_ISOCHRONOUS = 0xffffffff;
/** A buffer that a long transfer made grow shrinks to this again. */
const KEPT_BYTES = 64 * 1024;

/** Speeds as Linux numbers them (enum usb_device_speed). */
export const USB_SPEEDS = { full: 2, high: 3 } as const;

export interface SetupPacket {
  readonly requestType: number;
  readonly request: number;
  readonly value: number;
  readonly index: number;
  readonly length: number;
}

export interface SubmitMessage {
  readonly kind: "submit";
  readonly seqnum: number;
  readonly isIn: boolean;
  readonly endpoint: number;
  /** What the host has room for, or has sent. */
  readonly length: number;
  readonly setup: SetupPacket;
  /** Empty for transfers to the host. */
  readonly data: Uint8Array;
}

export type UsbipMessage =
  | { readonly kind: "list" }
  | { readonly kind: "import"; readonly busId: string }
  | SubmitMessage
  | { readonly kind: "unlink"; readonly seqnum: number; readonly target: number };

/** What the list says of a device. */
export interface ExportedDevice {
  readonly busId: string;
  readonly busNumber: number;
  readonly deviceNumber: number;
  readonly speed: number;
  readonly vendorId: number;
  readonly productId: number;
  readonly release: number;
  readonly interfaceClass: readonly [baseClass: number, subClass: number, protocol: number];
}

/** The peer does not speak USB/IP; its connection has to end. */
export class UsbipProtocolError extends Error {}

/** Takes messages out of a byte stream. Holds what was received and no more, whatever lengths the peer claims. */
export class UsbipReader {
  /** The device is imported: requests of it follow. */
  imported = false;
  private buffer = new Uint8Array(1024);
  private start = 0;
  private end = 0;
  /** The header of a transfer whose data is still to come. */
  private header: DataView | undefined;

  push(bytes: Uint8Array): void {
    if (this.end + bytes.length > this.buffer.length) this.makeRoom(bytes.length);
    this.buffer.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** The next whole message; undefined when more bytes are needed. Throws UsbipProtocolError. */
  next(): UsbipMessage | undefined {
    return this.imported ? this.nextRequest() : this.nextOperation();
  }

  private nextOperation(): UsbipMessage | undefined {
    const view = this.peek(OP_BYTES);
    if (view === undefined) return undefined;
    const version = view.getUint16(0);
    const code = view.getUint16(2);
    if (version !== VERSION) throw new UsbipProtocolError(`USB/IP version 0x${version.toString(16)} is not 0x111`);
    if (code === (REQUEST | OP_LIST)) {
      this.take(OP_BYTES);
      return { kind: "list" };
    }
    if (code !== (REQUEST | OP_IMPORT)) throw new UsbipProtocolError(`no USB/IP operation 0x${code.toString(16)}`);
    const whole = this.take(OP_BYTES + BUS_ID_BYTES);
    if (whole === undefined) return undefined;
    const name = whole.subarray(OP_BYTES);
    const end = name.indexOf(0);
    return { kind: "import", busId: String.fromCharCode(...(end < 0 ? name : name.subarray(0, end))) };
  }

  private nextRequest(): UsbipMessage | undefined {
    if (this.header === undefined) {
      const bytes = this.take(HEADER_BYTES);
      if (bytes === undefined) return undefined;
      this.header = viewOf(bytes);
    }
    const header = this.header;
    const command = header.getUint32(0);
    const seqnum = header.getUint32(4);
    if (command === CMD_UNLINK) {
      this.header = undefined;
      return { kind: "unlink", seqnum, target: header.getUint32(20) };
    }
    if (command !== CMD_SUBMIT) throw new UsbipProtocolError(`no USB/IP command ${command}`);
    const isIn = header.getUint32(12) === 1;
    const length = header.getUint32(24);
    checkTransfer(length, header.getUint32(32));
    const data = isIn ? new Uint8Array(0) : this.take(length);
    if (data === undefined) return undefined;
    this.header = undefined;
    return { kind: "submit", seqnum, isIn, endpoint: header.getUint32(16), length, setup: setupOf(header), data };
  }

  private makeRoom(length: number): void {
    const kept = this.buffer.subarray(this.start, this.end);
    const needed = kept.length + length;
    const buffer = needed > this.buffer.length / 2 ? new Uint8Array(needed * 2) : this.buffer;
    buffer.set(kept);
    this.buffer = buffer;
    this.end = kept.length;
    this.start = 0;
  }

  private peek(length: number): DataView | undefined {
    if (this.end - this.start < length) return undefined;
    return viewOf(this.buffer.subarray(this.start, this.start + length));
  }

  /** A copy of the next bytes, which are then gone. */
  private take(length: number): Uint8Array | undefined {
    if (this.end - this.start < length) return undefined;
    const bytes = this.buffer.slice(this.start, this.start + length);
    this.start += length;
    if (this.start === this.end) {
      this.start = 0;
      this.end = 0;
      if (this.buffer.length > KEPT_BYTES) this.buffer = new Uint8Array(KEPT_BYTES);
    }
    return bytes;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkTransfer(length: number, packets: number): void {
  if (length > MAX_TRANSFER_BYTES) throw new UsbipProtocolError(`a transfer of ${length} bytes is too long`);
  if (packets !== 0 && packets !== NOT_ISOCHRONOUS)
    throw new UsbipProtocolError("a printer has no isochronous endpoint");
}

/** USB's own numbers are little endian. */
function setupOf(header: DataView): SetupPacket {
  return {
    requestType: header.getUint8(40),
    request: header.getUint8(41),
    value: header.getUint16(42, true),
    index: header.getUint16(44, true),
    length: header.getUint16(46, true),
  };
}

/** The list of what can be attached. */
export function encodeList(devices: readonly ExportedDevice[]): Uint8Array {
  const count = new Uint8Array(4);
  viewOf(count).setUint32(0, devices.length);
  const parts = devices.flatMap((device) => [encodeDevice(device), Uint8Array.from([...device.interfaceClass, 0])]);
  return concat([operation(OP_LIST, 0), count, ...parts]);
}

/** The answer to an import; without a device it is refused. */
export function encodeImport(device: ExportedDevice | undefined): Uint8Array {
  return device === undefined ? operation(OP_IMPORT, 1) : concat([operation(OP_IMPORT, 0), encodeDevice(device)]);
}

/** `status` is 0 or a negative error number of Linux. */
export function encodeSubmitted(
  seqnum: number,
  status: number,
  length: number,
  data: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + data.length);
  const view = viewOf(message);
  view.setUint32(0, RET_SUBMIT);
  view.setUint32(4, seqnum);
  view.setInt32(20, status);
  view.setUint32(24, length);
  message.set(data, HEADER_BYTES);
  return message;
}

export function encodeUnlinked(seqnum: number, status: number): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES);
  const view = viewOf(message);
  view.setUint32(0, RET_UNLINK);
  view.setUint32(4, seqnum);
  view.setInt32(20, status);
  return message;
}

function operation(code: number, status: number): Uint8Array {
  const bytes = new Uint8Array(OP_BYTES);
  const view = viewOf(bytes);
  view.setUint16(0, VERSION);
  view.setUint16(2, code);
  view.setUint32(4, status);
  return bytes;
}

function encodeDevice(device: ExportedDevice): Uint8Array {
  const bytes = new Uint8Array(PATH_BYTES + BUS_ID_BYTES + 24);
  const view = viewOf(bytes);
  bytes.set(Buffer.from(`/sys/devices/simulated/usb${device.busNumber}/${device.busId}`, "latin1"), 0);
  bytes.set(Buffer.from(device.busId, "latin1"), PATH_BYTES);
  const at = PATH_BYTES + BUS_ID_BYTES;
  view.setUint32(at, device.busNumber);
  view.setUint32(at + 4, device.deviceNumber);
  view.setUint32(at + 8, device.speed);
  view.setUint16(at + 12, device.vendorId);
  view.setUint16(at + 14, device.productId);
  view.setUint16(at + 16, device.release);
  // Class, subclass and protocol stand at the interface; configuration 1 of 1, one interface.
  bytes.set([0, 0, 0, 1, 1, 1], at + 18);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
