import { openHost } from "../devices/host/host.ts";
import { UsageError } from "./failure.ts";
import type { ExitCode, Io } from "./io.ts";
import { aboutPrinters, type Role, reachableUrl, runRole } from "./service.ts";
import type { RoleFlags } from "./settings.ts";

const host: Role = {
  name: "host",
  portKey: "host.port",
  check: (config) => {
    if (config.printers.length > 0) return;
    throw new UsageError("a printer host needs a printer, such as --printer kitchen=socket://192.168.0.9:9100");
  },
  listen: (config) => ({ address: config.listen.address, port: config.host.port }),
  open: async (options) => {
    const { config, log } = options;
    const opened = await openHost(options);
    return {
      parts: [opened],
      start: (listener) => {
        const hostBaseUrl = config.host.url ?? reachableUrl(listener, config.listen.address, log);
        opened.start({ hostBaseUrl, serverUrl: config.server });
      },
      about: aboutPrinters(config),
      facts: { printers: config.printers.map((printer) => printer.name) },
    };
  },
};

/** The printer hosts of this machine, for a server elsewhere. */
export function runHost(flags: RoleFlags, io: Io): Promise<ExitCode> {
  return runRole(host, flags, io);
}
