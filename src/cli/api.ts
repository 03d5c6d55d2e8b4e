import { type Api, askEither } from "../client/api.ts";
import type { TwinspoolError } from "../protocol/errors.ts";
import type { Config } from "../runtime/config-schema.ts";
import { type Io, note } from "./io.ts";

/** Asks the server, and when it cannot be reached the client process of this machine, saying so. */
export function askNearest<T>(config: Config, io: Io, ask: (api: Api) => Promise<T>): Promise<T> {
  return askEither(config, ask, ["server-unreachable"], tellWho(io));
}

/** The same for one job: what the server does not know, the client may. */
export function askForJob<T>(config: Config, io: Io, ask: (api: Api) => Promise<T>): Promise<T> {
  return askEither(config, ask, ["server-unreachable", "job-unknown"], tellWho(io));
}

function tellWho(io: Io): (error: TwinspoolError) => void {
  return (error) => note(io, `${reasonOf(error)}; this is what the client of this machine says`);
}

function reasonOf(error: TwinspoolError): string {
  return error.code === "job-unknown"
    ? "the server does not know the job"
    : `the server cannot be reached (${error.detail})`;
}
