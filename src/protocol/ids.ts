import * as z from "zod";

/**
 * Job id = client id + incarnation nonce + sequence number (design §3). The alphabet is that of file names on every
 * system, so an id can name an image file and nothing else.
 */
export const jobIdPattern = /^[a-z0-9]{8}-[a-z0-9]{6}-[1-9][0-9]{0,9}$/;

export const jobIdSchema = z.string().regex(jobIdPattern, "expected a job id such as 1f0c9a7e-k3x9q2-42");
export const clientIdSchema = z.string().regex(/^[a-z0-9]{8}$/, "expected 8 characters of a-z and 0-9");
export const clientSecretSchema = z.string().regex(/^[a-z0-9]{32}$/, "expected 32 characters of a-z and 0-9");
export const nonceSchema = z.string().regex(/^[a-z0-9]{6}$/, "expected 6 characters of a-z and 0-9");
export const incarnationSchema = z.string().regex(/^[a-z0-9]{12}$/, "expected 12 characters of a-z and 0-9");
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hexadecimal digits");
export const printerNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, "expected 1 to 63 characters of A-Z, a-z, 0-9, dot, dash, underscore");

export type JobId = string;

/** Who made the job: one client in one life of its disk. */
export interface JobOrigin {
  readonly clientId: string;
  readonly nonce: string;
}

export function makeJobId(origin: JobOrigin, sequence: number): JobId {
  return `${origin.clientId}-${origin.nonce}-${sequence}`;
}

/** Takes a job id apart. Throws a RangeError when it is not one. */
export function parseJobId(jobId: JobId): JobOrigin & { readonly sequence: number } {
  if (!jobIdPattern.test(jobId)) throw new RangeError(`not a job id: ${jobId.slice(0, 40)}`);
  const [clientId = "", nonce = "", sequence = ""] = jobId.split("-");
  return { clientId, nonce, sequence: Number(sequence) };
}

/** The part of a job id that says whose it is: `client id-nonce`, the key of the host's horizon. */
export function originKey(origin: JobOrigin): string {
  return `${origin.clientId}-${origin.nonce}`;
}
