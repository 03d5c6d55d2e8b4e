import * as z from "zod";
import { jobIdSchema, sha256Schema } from "../../protocol/ids.ts";
import { evidenceSchema, sourceSchema } from "../../protocol/job.ts";
import { limits } from "../../protocol/limits.ts";

/**
 * What the printer host durably knows of a job (design §3): INTENT before the first byte, then exactly one final
 * state. A later record of the same job replaces the earlier one.
 */
export const jobRecordSchema = z.object({
  kind: z.literal("job"),
  /** Grows by one with every record of this ledger. */
  sequence: z.int().min(0),
  jobId: jobIdSchema,
  sha256: sha256Schema,
  state: z.enum(["intent", "printed", "indeterminate", "canceled"]),
  epoch: z.int().min(0),
  evidence: evidenceSchema.optional(),
  sentBy: sourceSchema.optional(),
  reason: z.string().max(limits.reasonChars).optional(),
  startedAtMs: z.int().min(0).optional(),
  endedAtMs: z.int().min(0).optional(),
  title: z.string().max(limits.titleChars),
  clientName: z.string().max(limits.nameChars),
  pages: z.int().min(0),
  heightDots: z.int().min(0),
  processIds: z.tuple([z.string().length(4), z.string().length(4)]),
});
export type JobRecord = z.infer<typeof jobRecordSchema>;

/** Jobs of this origin with a lower sequence number were final and are forgotten: refused for ever. */
export const horizonRecordSchema = z.object({
  kind: z.literal("horizon"),
  sequence: z.int().min(0),
  /** `client id-nonce` */
  origin: z.string().regex(/^[a-z0-9]{8}-[a-z0-9]{6}$/),
  lowestOpen: z.int().min(1),
});
export type HorizonRecord = z.infer<typeof horizonRecordSchema>;

export const ledgerRecordSchema = z.discriminatedUnion("kind", [jobRecordSchema, horizonRecordSchema]);
export type LedgerRecord = z.infer<typeof ledgerRecordSchema>;
