import { type Api, clientApi, jobPath, serverApi } from "../client/api.ts";
import type { Config } from "../runtime/config-schema.ts";
import { type ExitCode, exitCodes, type Io, note, writeJson } from "./io.ts";
import { writeOutputFile } from "./output-file.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

export interface PreviewFlags extends CommonFlags {
  readonly output?: string;
}

const spoolNames = { client: "this machine's client spool", server: "the server's spool" } as const;

/** The dots that will be printed, as PNG: from the spool at hand, else from the other. */
export async function runPreview(jobId: string, flags: PreviewFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const { bytes, spool } = await fetchPreview(config, jobId);
  // An id that a server answered for is also a good file name.
  const path = flags.output ?? `${jobId}.png`;
  if (path === "-") {
    process.stdout.write(bytes);
    note(io, `${jobId} from ${spoolNames[spool]}`);
    return exitCodes.done;
  }
  await writeOutputFile(path, bytes);
  if (flags.json) writeJson(io.stdout, { jobId, path, spool });
  else io.stdout.write(`${path}: ${jobId} from ${spoolNames[spool]}\n`);
  return exitCodes.done;
}

/** The client process knows where the image is: in its spool, or at its server. */
async function fetchPreview(config: Config, jobId: string): ReturnType<Api["fetch"]> {
  const api = (await clientApi(config)) ?? serverApi(config);
  return api.fetch(jobPath(jobId, "/preview.png"));
}
