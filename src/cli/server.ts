import { openServer } from "../server/server.ts";
import type { ExitCode, Io } from "./io.ts";
import { type Role, runRole } from "./service.ts";
import type { RoleFlags } from "./settings.ts";

const server: Role = {
  name: "server",
  portKey: "listen.port",
  listen: (config) => config.listen,
  open: async (options) => {
    const opened = await openServer(options);
    return { parts: [opened], start: () => opened.start(), about: "" };
  },
};

/** The server alone: second spool, queue and history. */
export function runServer(flags: RoleFlags, io: Io): Promise<ExitCode> {
  return runRole(server, flags, io);
}
