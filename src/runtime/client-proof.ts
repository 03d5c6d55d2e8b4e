import { createHash, timingSafeEqual } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { TwinspoolError } from "../protocol/errors.ts";
import { clientIdSchema, clientSecretSchema } from "../protocol/ids.ts";
import { randomText } from "./identity.ts";

/** How a client proves in API requests that it is the one it says: `CLIENT-ID SECRET`. */
export const clientProofHeader = "x-twinspool-client";

const proofSchema = z.object({ clientId: clientIdSchema, secret: clientSecretSchema });
/** A client and the secret that only it and its server know. */
export type ClientProof = z.output<typeof proofSchema>;

export function proofHeaders({ clientId, secret }: ClientProof): Readonly<Record<string, string>> {
  return { [clientProofHeader]: `${clientId} ${secret}` };
}

/** Undefined without one. Throws `client-wrong` for what is none. */
export function parseProof(header: string | undefined): ClientProof | undefined {
  if (header === undefined) return undefined;
  const [clientId, secret] = header.split(" ");
  const parsed = proofSchema.safeParse({ clientId, secret });
  if (!parsed.success) throw new TwinspoolError("client-wrong", `the header ${clientProofHeader} cannot be read`);
  return parsed.data;
}

export function digestOfSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Digests have one length, as the constant-time comparison asks for. */
export function isSecretOf(digest: string, secret: string): boolean {
  return timingSafeEqual(Buffer.from(digest, "hex"), Buffer.from(digestOfSecret(secret), "hex"));
}

function proofPath(dataFolder: string): string {
  return join(dataFolder, "client", "identity.json");
}

/** For the other programs of this user that ask the server: the client itself has it in its database. */
export async function publishProof(dataFolder: string, proof: ClientProof): Promise<void> {
  const path = proofPath(dataFolder);
  const known = await readProof(dataFolder);
  if (known?.clientId === proof.clientId && known.secret === proof.secret) return;
  const temporary = `${path}.${randomText(8)}.tmp`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(proof)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new TwinspoolError("disk-failed", path, { cause });
  }
}

/** The proof of the client that keeps its data in this folder; undefined when there was none yet. */
export async function readProof(dataFolder: string): Promise<ClientProof | undefined> {
  try {
    return proofSchema.safeParse(JSON.parse(await readFile(proofPath(dataFolder), "utf8"))).data;
  } catch {
    return undefined;
  }
}
