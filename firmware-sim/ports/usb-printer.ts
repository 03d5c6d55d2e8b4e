import type { Profile } from "../profiles.ts";
import { type Conditions, isOffline } from "../status.ts";
import { type ExportedDevice, type SetupPacket, USB_SPEEDS } from "./usbip-codec.ts";

/*
 * A printer of the USB printer class: interface 7/1/2, bulk OUT 1, bulk IN 2 (Universal Serial Bus Device Class
 * Definition for Printing Devices 1.1; chapter 9 of the USB specification 2.0).
 */

export const BULK_OUT = 0x01;
export const BULK_IN = 0x82;
/** The printer is the only device of its bus. */
export const BUS_ID = "1-1";

/** What the host asks for is not there, or the endpoint is halted. */
const STALL = "stall";
type Answer = Uint8Array | typeof STALL;

interface UsbTraits {
  readonly vendorId: number;
  readonly productId: number;
  readonly speed: keyof typeof USB_SPEEDS;
}

/** By the maker of the profile's identity. */
const TRAITS: Readonly<Record<string, UsbTraits>> = {
  EPSON: { vendorId: 0x04b8, productId: 0x0202, speed: "high" },
  XP: { vendorId: 0x1fc9, productId: 0x2016, speed: "full" },
};
const CLONE_TRAITS: UsbTraits = { vendorId: 0x0416, productId: 0x5011, speed: "full" };

function traitsOf(profile: Profile): UsbTraits {
  return TRAITS[profile.identity.maker] ?? CLONE_TRAITS;
}

/** What a list of devices says of the printer. */
export function exportedDevice(profile: Profile): ExportedDevice {
  const { vendorId, productId, speed } = traitsOf(profile);
  return {
    busId: BUS_ID,
    busNumber: 1,
    deviceNumber: 2,
    speed: USB_SPEEDS[speed],
    vendorId,
    productId,
    release: RELEASE,
    interfaceClass: [7, 1, 2],
  };
}

/** What control requests reach beyond the USB device itself. */
export interface UsbPrinterState {
  conditions(): Conditions;
  power(): boolean;
  /** SOFT_RESET: everything received and not yet printed is thrown away. */
  softReset(): void;
  /** An endpoint works again. */
  resumed(endpoint: number): void;
  /** An endpoint is halted. */
  halted(endpoint: number): void;
}

/** The USB device: its descriptors, and what it answers to control requests. */
export class UsbPrinter {
  readonly packetBytes: number;
  private readonly profile: Profile;
  private readonly traits: UsbTraits;
  private readonly state: UsbPrinterState;
  private readonly halts = new Set<number>();
  private configuration = 0;

  constructor(profile: Profile, state: UsbPrinterState) {
    this.profile = profile;
    this.state = state;
    this.traits = traitsOf(profile);
    this.packetBytes = packetBytesOf(this.traits.speed);
  }

  isHalted(endpoint: number): boolean {
    return this.halts.has(endpoint);
  }

  /** True for an endpoint that can be halted. */
  halt(endpoint: number): boolean {
    if (endpoint !== BULK_OUT && endpoint !== BULK_IN) return false;
    this.halts.add(endpoint);
    this.state.halted(endpoint);
    return true;
  }

  control(setup: SetupPacket): Answer {
    const row = CONTROL_REQUESTS.find(
      ([requestType, request]) => requestType === setup.requestType && request === setup.request,
    );
    const answer = row?.[2](setup, this) ?? STALL;
    return answer === STALL ? STALL : answer.subarray(0, setup.length);
  }

  describe(type: number, index: number): Answer {
    const { speed } = this.traits;
    switch (type) {
      case 1:
        return this.deviceDescriptor();
      case 2:
        return index === 0 ? configurationDescriptor(2, speed) : STALL;
      case 3:
        return this.stringDescriptor(index);
      case 6:
        // Only a device that can do high speed has another one to describe.
        return speed === "high" ? Uint8Array.from([10, 6, 0x00, 0x02, 0, 0, 0, 64, 1, 0]) : STALL;
      case 7:
        return speed === "high" && index === 0 ? configurationDescriptor(7, "full") : STALL;
      default:
        return STALL;
    }
  }

  endpointStatus(endpoint: number): Answer {
    if (endpoint !== 0 && endpoint !== 0x80 && endpoint !== BULK_OUT && endpoint !== BULK_IN) return STALL;
    return Uint8Array.from([this.halts.has(endpoint) ? 1 : 0, 0]);
  }

  clearHalt(endpoint: number): Answer {
    if (this.endpointStatus(endpoint) === STALL) return STALL;
    if (this.halts.delete(endpoint)) this.state.resumed(endpoint);
    return NOTHING;
  }

  /** Setting a configuration also clears halts (9.4.5). */
  configure(value: number): Answer {
    if (value > 1) return STALL;
    this.configuration = value;
    return this.clearHalts();
  }

  clearHalts(): Uint8Array {
    for (const endpoint of [BULK_OUT, BULK_IN]) this.clearHalt(endpoint);
    return NOTHING;
  }

  get configured(): Uint8Array {
    return Uint8Array.from([this.configuration]);
  }

  /** Keys as Epson's printers order them; the length of two bytes counts itself. */
  get deviceId(): Uint8Array {
    const { maker, model, serial } = this.profile.identity;
    const name = (text: string): string => text.replace(/[^ -~]|[;:,]/g, " ");
    const keys = [
      `MFG:${name(maker)}`,
      "CMD:ESC/POS",
      `MDL:${name(model)}`,
      "CLS:PRINTER",
      `DES:${name(maker)} ${name(model)}`,
      `SN:${name(serial)}`,
    ];
    const text = Buffer.from(`${keys.join(";")};`, "latin1");
    const length = text.length + 2;
    return Uint8Array.from([length >> 8, length & 0xff, ...text]);
  }

  /** Bit 5 paper empty, bit 4 selected, bit 3 no error; offline counts as an error, as on the parallel line. */
  get portStatus(): Uint8Array {
    const conditions = this.state.conditions();
    const power = this.state.power();
    const ready = power && !isOffline(conditions);
    return Uint8Array.from([(conditions.paperEnd ? 0x20 : 0) | (power ? 0x10 : 0) | (ready ? 0x08 : 0)]);
  }

  softReset(): Uint8Array {
    this.state.softReset();
    return this.clearHalts();
  }

  private deviceDescriptor(): Uint8Array {
    const { vendorId, productId } = this.traits;
    const ids = [vendorId & 0xff, vendorId >> 8, productId & 0xff, productId >> 8, RELEASE & 0xff, RELEASE >> 8];
    return Uint8Array.from([18, 1, 0x00, 0x02, 0, 0, 0, 64, ...ids, 1, 2, 3, 1]);
  }

  private stringDescriptor(index: number): Answer {
    const { maker, model, serial } = this.profile.identity;
    // 0 lists the languages: English (US).
    const text = ["\u0409", maker, model, serial][index];
    if (text === undefined) return STALL;
    const bytes = Buffer.from(text.slice(0, 126), "utf16le");
    return Uint8Array.from([bytes.length + 2, 3, ...bytes]);
  }
}

const RELEASE = 0x0100;
const NOTHING = new Uint8Array(0);
const NO_REQUEST_DATA = Uint8Array.from([0, 0]);

function packetBytesOf(speed: keyof typeof USB_SPEEDS): number {
  return speed === "high" ? 512 : 64;
}

function configurationDescriptor(type: number, speed: keyof typeof USB_SPEEDS): Uint8Array {
  const size = packetBytesOf(speed);
  const endpoint = (address: number): number[] => [7, 5, address, 2, size & 0xff, size >> 8, 0];
  // Self-powered, 2 mA from the bus.
  const configuration = [9, type, 32, 0, 1, 1, 0, 0xc0, 1];
  return Uint8Array.from([...configuration, 9, 4, 0, 0, 2, 7, 1, 2, 0, ...endpoint(BULK_OUT), ...endpoint(BULK_IN)]);
}

type ControlRow = readonly [
  requestType: number,
  request: number,
  answer: (setup: SetupPacket, device: UsbPrinter) => Answer,
];

const ENDPOINT_HALT = 0;

/** Standard requests (9.4), then those of the printer class (4.2). What is not here stalls. */
const CONTROL_REQUESTS: readonly ControlRow[] = [
  // GET_STATUS of the device: self-powered.
  [0x80, 0, () => Uint8Array.from([1, 0])],
  [0x81, 0, ({ index }) => (index === 0 ? NO_REQUEST_DATA : STALL)],
  [0x82, 0, ({ index }, device) => device.endpointStatus(index)],
  // CLEAR_FEATURE, SET_FEATURE.
  [0x02, 1, ({ value, index }, device) => (value === ENDPOINT_HALT ? device.clearHalt(index) : STALL)],
  [0x02, 3, ({ value, index }, device) => (value === ENDPOINT_HALT && device.halt(index) ? NOTHING : STALL)],
  // SET_ADDRESS is the virtual host controller's own affair; others may pass it on.
  [0x00, 5, () => NOTHING],
  // GET_DESCRIPTOR.
  [0x80, 6, ({ value }, device) => device.describe(value >> 8, value & 0xff)],
  // GET_CONFIGURATION, SET_CONFIGURATION.
  [0x80, 8, (_, device) => device.configured],
  [0x00, 9, ({ value }, device) => device.configure(value & 0xff)],
  // GET_INTERFACE, SET_INTERFACE: there is one, with one setting.
  [0x81, 10, ({ index }) => (index === 0 ? Uint8Array.from([0]) : STALL)],
  [0x01, 11, ({ value, index }, device) => (value === 0 && index === 0 ? device.clearHalts() : STALL)],
  // GET_DEVICE_ID: the interface is the high byte of the index.
  [0xa1, 0, ({ value, index }, device) => (value === 0 && index >> 8 === 0 ? device.deviceId : STALL)],
  // GET_PORT_STATUS.
  [0xa1, 1, ({ index }, device) => (index === 0 ? device.portStatus : STALL)],
  // SOFT_RESET. Version 1.0 of the class had it at the recipient "other", where Linux still sends it.
  [0x21, 2, (_, device) => device.softReset()],
  [0x23, 2, (_, device) => device.softReset()],
];
