import { networkInterfaces } from "node:os";
import type { Config } from "../runtime/config-schema.ts";
import { deferred } from "../runtime/deferred.ts";
import { type Listener, type Routes, startListener } from "../runtime/listener.ts";
import { createLog, type Log } from "../runtime/log.ts";
import { type ExitCode, exitCodes, type Io, interrupted } from "./io.ts";
import { loadSettings, type PortKey, type RoleFlags } from "./settings.ts";

/** One of the processes of design §1, as its shell gives it. */
export interface Part {
  mount(routes: Routes): void;
  close(): Promise<void>;
}

export interface PartOptions {
  readonly config: Config;
  readonly log: Log;
  readonly onFatal: (error: unknown) => void;
}

/** What a role is made of once its data folders are open. */
export interface OpenedRole {
  readonly parts: readonly Part[];
  /** Begins the work. May return what takes a published endpoint back. */
  start(listener: Listener): void | Promise<() => void>;
  /** Words of the ready line behind the URL. */
  readonly about: string;
  /** The same for programs. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface Role {
  readonly name: "box" | "server" | "host" | "client";
  readonly portKey: PortKey;
  /** Refuses what cannot work, before anything is opened. */
  check?(config: Config): void;
  listen(config: Config): { readonly address: string; readonly port: number };
  open(options: PartOptions): Promise<OpenedRole>;
}

/** A fatal error must end the process even when closing hangs on the same broken disk. */
const fatalGraceMs = 3_000;

/** Runs a role until SIGINT or SIGTERM. Throws what keeps it from starting, or what it died of. */
export async function runRole(role: Role, flags: RoleFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io, role.portKey);
  role.check?.(config);
  const { level, file } = config.log;
  const log = createLog(level, role.name, { file, human: file === undefined && io.stderr.isTerminal });
  const fatal = deferred<never>();
  // Raced below; until then an early failure must not count as unhandled.
  fatal.promise.catch(() => {});
  const stop = interrupted();
  const opened = await role.open({ config, log, onFatal: (error) => fatal.reject(error) });
  let listener: Listener | undefined;
  let unpublish: (() => void) | undefined;
  const close = async (): Promise<void> => {
    unpublish?.();
    await listener?.close();
    for (const part of opened.parts) await part.close();
  };
  try {
    listener = await startListener({ ...role.listen(config), key: config.key, log }, (routes) => {
      for (const part of opened.parts) part.mount(routes);
    });
    unpublish = (await opened.start(listener)) ?? undefined;
    tellReady(role, opened, listener, flags, io);
    await Promise.race([stop.signal, fatal.promise]);
  } catch (error) {
    const patience = setTimeout(() => process.exit(exitCodes.failed), fatalGraceMs);
    await close().catch((second: unknown) => log.error({ err: second }, "could not close"));
    clearTimeout(patience);
    throw error;
  }
  await close();
  stop.release();
  return exitCodes.done;
}

function tellReady(role: Role, opened: OpenedRole, listener: Listener, flags: RoleFlags, io: Io): void {
  const { url } = listener;
  const { name } = role;
  if (flags.json) io.stdout.write(`${JSON.stringify({ event: "ready", role: name, url, ...opened.facts })}\n`);
  else io.stdout.write(`${name} ready on ${url}${opened.about}\n`);
}

/** `, printers: kitchen, bar`, or how to get one. */
export function aboutPrinters(config: Config): string {
  const names = config.printers.map((printer) => printer.name).join(", ");
  return names === "" ? ", no printers of its own" : `, printers: ${names}`;
}

/**
 * How other machines reach this one: a listener on all addresses is told by its loopback URL, which would send the
 * clients of other machines to themselves.
 */
export function reachableUrl(listener: Listener, address: string, log: Log): string {
  if (address !== "0.0.0.0" && address !== "::") return listener.url;
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4");
  if (outer === undefined) return listener.url;
  const url = `http://${outer.address}:${listener.port}`;
  log.info({ url }, "clients are told this address of the printer host; host.url sets another");
  return url;
}
