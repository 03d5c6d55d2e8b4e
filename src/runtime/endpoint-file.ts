import { rmSync } from "node:fs";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import * as z from "zod";
import { TwinspoolError } from "../protocol/errors.ts";
import { randomText } from "./identity.ts";

const endpointSchema = z.object({ url: z.url({ protocol: /^https?$/ }), pid: z.int().min(1) });

/** Where a running process of this machine listens. */
export type Endpoint = z.output<typeof endpointSchema>;

/** How long a process of this machine may take to accept a connection before it counts as gone. */
const probeTimeoutMs = 1_000;

function endpointPath(folder: string, role: string): string {
  return join(folder, `${role}.endpoint.json`);
}

/**
 * Says in the data folder where this process listens, for the other processes of this user. The returned function
 * takes it back; so does the end of the process, unless it is killed.
 */
export async function publishEndpoint(folder: string, role: string, endpoint: Endpoint): Promise<() => void> {
  await mkdir(folder, { recursive: true });
  const path = endpointPath(folder, role);
  const temporary = `${path}.${randomText(8)}.tmp`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(endpoint)}\n`);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new TwinspoolError("disk-failed", path, { cause });
  }
  const remove = (): void => {
    process.off("exit", remove);
    rmSync(path, { force: true });
  };
  process.once("exit", remove);
  return remove;
}

/**
 * Finds the process of this role that keeps its data in this folder. Undefined when none runs: a file left behind by a
 * killed process is recognised, because its process is gone or nothing listens there (process ids are used again,
 * after a power cut even soon).
 */
export async function findEndpoint(folder: string, role: string): Promise<Endpoint | undefined> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(endpointPath(folder, role), "utf8"));
  } catch {
    // Not there, not readable for this user, or not whole: no process is to be found through it.
    return undefined;
  }
  const endpoint = endpointSchema.safeParse(parsed);
  if (!endpoint.success || !isRunning(endpoint.data.pid)) return undefined;
  return (await accepts(new URL(endpoint.data.url))) ? endpoint.data : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function accepts(url: URL): Promise<boolean> {
  const port = Number(url.port === "" ? (url.protocol === "https:" ? 443 : 80) : url.port);
  return new Promise((resolve) => {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(probeTimeoutMs, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
