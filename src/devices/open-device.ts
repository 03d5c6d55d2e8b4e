import { fileURLToPath } from "node:url";
import { TwinspoolError } from "../protocol/errors.ts";
import type { Device } from "./device.ts";
import { findPrinterModel } from "./escpos/models.ts";
import type { EscposDeviceOptions } from "./escpos-device.ts";
import { EscposDevice } from "./escpos-device.ts";
import { FileTransport } from "./transports/file.ts";
import { SimTransport } from "./transports/sim.ts";
import { SocketTransport } from "./transports/socket.ts";

export interface OpenDeviceOptions extends EscposDeviceOptions {
  /** A name of `printerModels`; default: what the simulator simulates, else the 80 mm printer of no known maker. */
  readonly modelName?: string;
}

const schemes = "socket://host:9100, sim:?profile=tm-m30iii&paper=FOLDER&speed=real, file:/path";
const rawPort = 9100;

/**
 * The device of a URI; it does nothing before its `open`. Throws `config-invalid` for an unknown scheme, model or
 * parameter, saying which ones work.
 */
export function openDevice(uri: string, options: OpenDeviceOptions = {}): Device {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case "socket":
      return openSocket(uri, options);
    case "sim":
      return openSim(uri, options);
    case "file":
      return openFile(uri, options);
    default:
      throw new TwinspoolError("config-invalid", `device: "${uri.slice(0, 100)}" is none of ${schemes}`);
  }
}

function openSocket(uri: string, options: OpenDeviceOptions): Device {
  const url = parse(uri);
  const port = url.port === "" ? rawPort : Number(url.port);
  // URL keeps the brackets of an IPv6 address; sockets want it without.
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (host === "" || port === 0) throw new TwinspoolError("config-invalid", `device: ${uri} names no host and port`);
  return new EscposDevice(
    findPrinterModel(options.modelName ?? "generic-80"),
    new SocketTransport({ host, port }),
    options,
  );
}

const simParameters = ["profile", "paper", "speed"];

function openSim(uri: string, options: OpenDeviceOptions): Device {
  const parameters = parse(uri).searchParams;
  for (const name of parameters.keys()) {
    if (simParameters.includes(name)) continue;
    throw new TwinspoolError("config-invalid", `device: "${name}" is not one of ${simParameters.join(", ")}`);
  }
  const profile = parameters.get("profile") ?? options.modelName?.toLowerCase() ?? "tm-m30iii";
  const speed = parameters.get("speed") ?? "fast";
  if (speed !== "fast" && speed !== "real") {
    throw new TwinspoolError("config-invalid", `device: speed "${speed}" is neither fast nor real`);
  }
  const paperFolder = parameters.get("paper");
  const transport = new SimTransport({ profile, speed, ...(paperFolder === null ? {} : { paperFolder }) });
  return new EscposDevice(findPrinterModel(options.modelName ?? profile), transport, { padAtFirst: false, ...options });
}

function openFile(uri: string, options: OpenDeviceOptions): Device {
  const model = findPrinterModel(options.modelName ?? "generic-80");
  const path = uri.startsWith("file:/") ? fileURLToPath(parse(uri)) : uri.slice("file:".length);
  if (path === "") throw new TwinspoolError("config-invalid", `device: ${uri} names no file`);
  // A file answers nothing, whatever the printer would that its bytes are meant for.
  const silent = { ...model, evidence: "none", answers: false } as const;
  return new EscposDevice(silent, new FileTransport(path), { padAtFirst: false, ...options });
}

function parse(uri: string): URL {
  try {
    return new URL(uri);
  } catch (error) {
    throw new TwinspoolError("config-invalid", `device: "${uri.slice(0, 100)}" is no URI`, { cause: error });
  }
}
