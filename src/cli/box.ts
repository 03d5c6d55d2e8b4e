import { openHost } from "../devices/host/host.ts";
import { openServer } from "../server/server.ts";
import type { ExitCode, Io } from "./io.ts";
import { aboutPrinters, type Role, reachableUrl, runRole } from "./service.ts";
import type { RoleFlags } from "./settings.ts";

const box: Role = {
  name: "box",
  portKey: "listen.port",
  listen: (config) => config.listen,
  open: async (options) => {
    const { config, log } = options;
    const server = await openServer(options);
    const host = await openHost(options).catch(async (error: unknown) => {
      await server.close();
      throw error;
    });
    return {
      parts: [host, server],
      start: (listener) => {
        server.start();
        const hostBaseUrl = config.host.url ?? reachableUrl(listener, config.listen.address, log);
        host.start({ hostBaseUrl, serverUrl: listener.url });
      },
      about: aboutPrinters(config),
      facts: { printers: config.printers.map((printer) => printer.name) },
    };
  },
};

/** Server and printer hosts in one process, on one port: the print box. */
export function runBox(flags: RoleFlags, io: Io): Promise<ExitCode> {
  return runRole(box, flags, io);
}
