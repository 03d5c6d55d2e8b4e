import { openClient } from "../client/client.ts";
import { publishEndpoint } from "../runtime/endpoint-file.ts";
import type { ExitCode, Io } from "./io.ts";
import { type Role, runRole } from "./service.ts";
import type { RoleFlags } from "./settings.ts";

const client: Role = {
  name: "client",
  portKey: "clientPort",
  // For programs of this machine only; what is beyond it talks to the server.
  listen: (config) => ({ address: "127.0.0.1", port: config.clientPort }),
  open: async (options) => {
    const { config } = options;
    const opened = await openClient(options);
    return {
      parts: [opened],
      start: (listener) => {
        opened.start();
        if (opened.diskless !== undefined) return undefined;
        return publishEndpoint(config.data, "client", { url: listener.url, pid: process.pid });
      },
      about: `, server: ${config.server}${opened.diskless === undefined ? "" : `, no disk: ${opened.diskless} cannot be written`}`,
      facts: { server: config.server, ...(opened.diskless === undefined ? {} : { diskless: opened.diskless }) },
    };
  },
};

/** The client process of a machine: first spool, and the jobs of all its programs. */
export function runClient(flags: RoleFlags, io: Io): Promise<ExitCode> {
  return runRole(client, flags, io);
}
