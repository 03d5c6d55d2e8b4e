import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { until } from "./checks.ts";

/*
 * What usbip(8) does to plug a device of a USB/IP server into this kernel: list, import, and hand the socket to the
 * virtual host controller (Documentation/usb/usbip_protocol.rst of the Linux kernel).
 */

const CONTROLLER = "/sys/devices/platform/vhci_hcd.0";
const VERSION = 0x0111;
const REQUEST_LIST = 0x8005;
const REQUEST_IMPORT = 0x8003;
const BUS_ID_BYTES = 32;
const DEVICE_BYTES = 256 + BUS_ID_BYTES + 24;
const OPERATION_BYTES = 8;
/** State of a port that holds nothing (VDEV_ST_NULL). */
const FREE = 4;

/** A device on a port of the virtual host controller. */
export interface PluggedDevice {
  /** The kernel lets go of the port, as `usbip detach` does. */
  detach(): void;
  /** The port is empty again, whoever emptied it. */
  gone(): Promise<void>;
}

interface ListedDevice {
  readonly busId: string;
  readonly deviceId: number;
  readonly speed: number;
}

/** Plugs the first device of the server in. */
export async function plugIn(tcpPort: number): Promise<PluggedDevice> {
  const [device] = await listDevices(tcpPort);
  if (device === undefined) throw new Error("the USB/IP server exports no device");
  const socket = await open(tcpPort);
  const busId = Buffer.alloc(BUS_ID_BYTES);
  busId.write(device.busId, "latin1");
  socket.write(Buffer.concat([operation(REQUEST_IMPORT), busId]));
  const reply = await take(socket, OPERATION_BYTES);
  if (reply.readUInt32BE(4) !== 0) throw new Error(`the import of ${device.busId} was refused`);
  await take(socket, DEVICE_BYTES);
  const port = freePort();
  // Node must not read from it any more; the kernel keeps the socket when Node lets go of its own descriptor.
  socket.removeAllListeners("readable");
  writeFileSync(`${CONTROLLER}/attach`, `${port} ${descriptorOf(socket)} ${device.deviceId} ${device.speed}`);
  socket.destroy();
  const gone = async (): Promise<void> => {
    await until(`port ${port} is free`, () => (portState(port) === FREE ? true : undefined));
  };
  return {
    detach: () => writeFileSync(`${CONTROLLER}/detach`, String(port)),
    gone,
  };
}

async function listDevices(tcpPort: number): Promise<ListedDevice[]> {
  const socket = await open(tcpPort);
  socket.write(operation(REQUEST_LIST));
  const head = await take(socket, OPERATION_BYTES + 4);
  const devices: ListedDevice[] = [];
  for (let count = head.readUInt32BE(8); count > 0; count--) {
    const row = await take(socket, DEVICE_BYTES);
    const at = 256 + BUS_ID_BYTES;
    devices.push({
      busId: row.toString("latin1", 256, at).replace(/\0.*$/s, ""),
      deviceId: (row.readUInt32BE(at) << 16) | row.readUInt32BE(at + 4),
      speed: row.readUInt32BE(at + 8),
    });
    await take(socket, row.readUInt8(DEVICE_BYTES - 1) * 4);
  }
  socket.destroy();
  return devices;
}

function operation(code: number): Buffer {
  const bytes = Buffer.alloc(OPERATION_BYTES);
  bytes.writeUInt16BE(VERSION, 0);
  bytes.writeUInt16BE(code, 2);
  return bytes;
}

function open(tcpPort: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: tcpPort, host: "127.0.0.1", noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Exactly so many bytes: what comes after them is not Node's. */
async function take(socket: Socket, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0);
  return await new Promise((resolve, reject) => {
    const read = (): void => {
      const bytes: unknown = socket.read(length);
      if (!Buffer.isBuffer(bytes)) return;
      socket.off("readable", read);
      resolve(bytes);
    };
    socket.on("readable", read);
    socket.once("close", () => reject(new Error("the USB/IP server closed the connection")));
    read();
  });
}

/** The kernel wants the number of the descriptor, which Node keeps to itself. */
function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, "_handle");
  const descriptor: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
  if (typeof descriptor !== "number" || descriptor < 0) throw new Error("the socket has no descriptor");
  return descriptor;
}

/** Rows of the controller: hub, port, state, speed, device, socket, bus id. */
function ports(): { readonly hub: string; readonly port: number; readonly state: number }[] {
  return readFileSync(`${CONTROLLER}/status`, "utf8")
    .split("\n")
    .flatMap((row) => {
      const [hub, port, state] = row.trim().split(/\s+/);
      return hub === undefined || !/^\d+$/.test(port ?? "") ? [] : [{ hub, port: Number(port), state: Number(state) }];
    });
}

function freePort(): number {
  const found = ports().find(({ hub, state }) => hub === "hs" && state === FREE);
  if (found === undefined) throw new Error("no port of the virtual host controller is free");
  return found.port;
}

function portState(port: number): number | undefined {
  return ports().find((row) => row.port === port)?.state;
}

/** The folder of the printer's interface in sysfs, while a driver or none holds it. */
export function printerInterface(): string | undefined {
  const devices = "/sys/bus/usb/devices";
  const name = readdirSync(devices).find(
    (entry) =>
      existsSync(`${devices}/${entry}/bInterfaceClass`) &&
      readFileSync(`${devices}/${entry}/bInterfaceClass`, "utf8").trim() === "07",
  );
  return name === undefined ? undefined : `${devices}/${name}`;
}
