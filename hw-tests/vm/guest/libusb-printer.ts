import { getDeviceList, type InEndpoint, type Interface, type OutEndpoint, type usb } from "usb";
import { until } from "./checks.ts";

const PRINTER_CLASS = 7;
/** Requests of the printer class (4.2): recipient interface, type class, to the host. */
const CLASS_IN = 0xa1;
const GET_DEVICE_ID = 0;
const GET_PORT_STATUS = 1;
const DEVICE_ID_BYTES = 1024;

/** A printer behind libusb. */
export class LibusbPrinter {
  readonly #device: usb.Device;
  readonly #interface: Interface;

  private constructor(device: usb.Device) {
    this.#device = device;
    this.#interface = device.interface(0);
  }

  /** Waits until libusb lists it, which it does once udevd has heard of it. Opened, not yet claimed. */
  static async open(): Promise<LibusbPrinter> {
    const device = await until("libusb lists a printer", () => getDeviceList().find(isPrinter));
    device.open();
    return new LibusbPrinter(device);
  }

  get kernelDriverActive(): boolean {
    return this.#interface.isKernelDriverActive();
  }

  /** libusb takes nothing from a driver by itself. */
  claimFromKernel(): void {
    this.#interface.detachKernelDriver();
    this.#interface.claim();
  }

  claim(): void {
    this.#interface.claim();
  }

  /** Resolves with the bytes sent; waits as long as the printer does. */
  write(bytes: Uint8Array): Promise<number> {
    const endpoint = this.#endpoint("out") as OutEndpoint;
    return new Promise((resolve, reject) => {
      endpoint.transfer(Buffer.from(bytes), (error, sent) => (error === undefined ? resolve(sent) : reject(error)));
    });
  }

  /** One transfer: resolves with what the printer says next. */
  read(maxBytes: number): Promise<Buffer> {
    const endpoint = this.#endpoint("in") as InEndpoint;
    return new Promise((resolve, reject) => {
      endpoint.transfer(maxBytes, (error, data) =>
        error === undefined ? resolve(data ?? Buffer.alloc(0)) : reject(error),
      );
    });
  }

  clearHalt(direction: "in" | "out"): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#endpoint(direction).clearHalt((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  async portStatus(): Promise<number | undefined> {
    return (await this.#classRequest(GET_PORT_STATUS, 1))[0];
  }

  /** IEEE 1284; the first two bytes are its length. */
  async deviceId(): Promise<string> {
    return (await this.#classRequest(GET_DEVICE_ID, DEVICE_ID_BYTES)).toString("latin1", 2);
  }

  release(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#interface.release((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  returnToKernel(): void {
    this.#interface.attachKernelDriver();
  }

  close(): void {
    this.#device.close();
  }

  #endpoint(direction: "in" | "out"): InEndpoint | OutEndpoint {
    const found = this.#interface.endpoints.find((endpoint) => endpoint.direction === direction);
    if (found === undefined) throw new Error(`the printer has no endpoint ${direction}`);
    return found as InEndpoint | OutEndpoint;
  }

  #classRequest(request: number, length: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#device.controlTransfer(CLASS_IN, request, 0, 0, length, (error, answer) => {
        if (error !== undefined) reject(error);
        else resolve(Buffer.isBuffer(answer) ? answer : Buffer.alloc(0));
      });
    });
  }
}

function isPrinter(device: usb.Device): boolean {
  const settings = device.configDescriptor?.interfaces.flat() ?? [];
  return settings.some(({ bInterfaceClass }) => bInterfaceClass === PRINTER_CLASS);
}
