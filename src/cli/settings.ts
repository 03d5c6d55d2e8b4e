import { loadConfig } from "../runtime/config.ts";
import type { Config } from "../runtime/config-schema.ts";
import { UsageError } from "./failure.ts";
import type { Io } from "./io.ts";

/** Flags that every verb knows. */
export interface CommonFlags {
  readonly config?: string;
  readonly data?: string;
  readonly server?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** Flags of the roles. */
export interface RoleFlags extends CommonFlags {
  readonly name?: string;
  readonly port?: string;
  readonly address?: string;
  readonly printer?: readonly string[];
  readonly model?: string;
}

/** The port that `--port` means for a role. */
export type PortKey = "listen.port" | "host.port" | "clientPort";

/** The configuration of file, environment and flags. Throws `config-invalid` and the like, and UsageError. */
export function loadSettings(flags: RoleFlags, io: Io, portKey?: PortKey): Promise<Config> {
  const { config, data, server, key, name, address } = flags;
  const port = portKey === undefined || flags.port === undefined ? {} : { [portKey]: flags.port };
  const printers = parsePrinters(flags);
  return loadConfig({
    env: io.env,
    argvFlags: { config, data, server, key, name, "listen.address": address, ...port, printers },
  });
}

/** `--printer kitchen=socket://192.168.0.9:9100`, each with the `--model` when there is one. */
function parsePrinters(flags: RoleFlags): object[] | undefined {
  if (flags.printer === undefined || flags.printer.length === 0) {
    if (flags.model !== undefined) throw new UsageError("--model needs a --printer NAME=URI that it is the model of");
    return undefined;
  }
  return flags.printer.map((text) => {
    const at = text.indexOf("=");
    if (at < 1 || at === text.length - 1) {
      throw new UsageError(`--printer ${text}: expected NAME=URI, such as kitchen=socket://192.168.0.9:9100`);
    }
    const printer = { name: text.slice(0, at), uri: text.slice(at + 1) };
    return flags.model === undefined ? printer : { ...printer, model: flags.model };
  });
}
