import { TwinspoolError } from "../protocol/errors.ts";
import type { Config } from "../runtime/config-schema.ts";
import { type Api, clientApi, jobPath, serverApi } from "./api.ts";
import { type ExitCode, exitCodes, type Io, writeJson } from "./io.ts";
import { writeOutputFile } from "./output-file.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

export interface PreviewFlags extends CommonFlags {
  readonly output?: string;
}

const spoolNames = { client: "this machine's client spool", server: "the server's spool" } as const;

/** The dots that will be printed, as PNG: from the spool at hand, else from the other. */
export async function runPreview(jobId: string, flags: PreviewFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const { png, whose } = await fetchPreview(config, jobId);
  // An id that a server answered for is also a good file name.
  const path = flags.output ?? `${jobId}.png`;
  if (path === "-") {
    process.stdout.write(png);
    return exitCodes.done;
  }
  await writeOutputFile(path, png);
  if (flags.json) writeJson(io.stdout, { jobId, path, spool: whose });
  else io.stdout.write(`${path}: ${jobId} from ${spoolNames[whose]}\n`);
  return exitCodes.done;
}

async function fetchPreview(config: Config, jobId: string): Promise<{ png: Uint8Array; whose: "client" | "server" }> {
  const fetch = async (api: Api) => ({ png: await api.fetch(jobPath(jobId, "/preview.png")), whose: api.whose });
  const client = await clientApi(config);
  try {
    if (client !== undefined) return await fetch(client);
  } catch (error) {
    if (!(error instanceof TwinspoolError)) throw error;
    if (error.code !== "job-unknown" && error.code !== "image-missing") throw error;
  }
  return fetch(serverApi(config));
}
