import * as z from "zod";
import { incarnationSchema, jobIdSchema, printerNameSchema, sha256Schema } from "./ids.ts";
import { limits } from "./limits.ts";

/** Which spool the image goes to the printer from (fig. 5). */
export const sourceSchema = z.enum(["client", "server"]);
export type Source = z.infer<typeof sourceSchema>;

/** What a person may choose: a spool, or to leave it to the server when the job's turn comes. */
export const sourceChoiceSchema = z.enum([...sourceSchema.options, "auto"]);
export type SourceChoice = z.infer<typeof sourceChoiceSchema>;

/** Which spools keep the image (fig. 9). */
export const spoolsSchema = z.enum(["both", "client", "server"]);
export type Spools = z.infer<typeof spoolsSchema>;

/** How the end of output was known, best first (design §6). */
export const evidenceSchema = z.enum(["process-id", "status", "none"]);
export type Evidence = z.infer<typeof evidenceSchema>;

/** What became of a job, as the host's ledger has it. */
export const outcomeSchema = z.enum(["printed", "indeterminate", "canceled"]);

/** What the queue does with a job whose output cannot be known (design §3). */
export const indeterminatePolicySchema = z.enum(["hold", "reprint-marked", "assume-printed"]);
export type IndeterminatePolicy = z.infer<typeof indeterminatePolicySchema>;

/** What follows when an attempt fails before any byte was printed; the names are CUPS's (printer-error-policy). */
export const errorPolicySchema = z.enum(["retry-job", "retry-current-job", "abort-job", "stop-printer"]);
export type ErrorPolicy = z.infer<typeof errorPolicySchema>;

const wallMsSchema = z.int().min(0);
const durationMsSchema = z.int().min(0).max(limits.jobDelayMs);
/** IPP job-priority: 1 to 100, 100 goes first. */
const prioritySchema = z.int().min(1).max(100);
export const defaultPriority = 50;

/** What is known of a job from its first moment and never changes: the body of `jobRequested` (step 301). */
export const jobTicketSchema = z.object({
  jobId: jobIdSchema,
  printer: printerNameSchema,
  /** As first chosen; `jobSettingsSchema` has what holds now. */
  source: sourceChoiceSchema,
  spools: spoolsSchema,
  priority: prioritySchema.optional(),
  held: z.boolean().optional(),
  holdMs: durationMsSchema.optional(),
  expiresMs: durationMsSchema.optional(),
  title: z.string().max(limits.titleChars),
  clientName: z.string().max(limits.nameChars),
  /** Wall clock of the client, ms since 1970, for people to read; never compared with another machine's. */
  requestedAtMs: wallMsSchema,
  /** Modification time of the document; absent when it came from a pipe. */
  documentDateMs: wallMsSchema.optional(),
  sizeBytes: z.int().min(1).max(limits.imageBytes),
  sha256: sha256Schema,
  pages: z.int().min(1).max(limits.imagePages),
  widthDots: z.int().min(1).max(limits.imageWidthDots),
  /** Sum over all pages. */
  heightDots: z.int().min(1).max(limits.imageHeightDots),
  /** The ledger this job was made for; another ledger never prints it silently. */
  hostIncarnation: incarnationSchema,
  /** The job this one prints again, marked as a duplicate. */
  reprintOf: jobIdSchema.optional(),
  /** The job this one is, at another printer before a person moved it. */
  movedFrom: jobIdSchema.optional(),
  /** Of the document that the image was made of. */
  mediaType: z.string().max(limits.nameChars).optional(),
  /** Who chose source and spools where the person left it open: a rule, a configuration, in words. */
  chosenBy: z.string().max(limits.reasonChars).optional(),
});
export type JobTicket = z.infer<typeof jobTicketSchema>;

/**
 * What may be changed while the job waits. Durations count from the request, each side by its own clock: no clock of
 * one machine is compared with another's.
 */
export const jobSettingsSchema = z.object({
  /** Grows with each change: even numbers are the server's, odd ones the client's, so that no two changes share one. */
  revision: z.int().min(0),
  source: sourceChoiceSchema,
  spools: spoolsSchema,
  priority: prioritySchema,
  /** A person holds it until a person releases it (IPP job-hold-until `indefinite`). */
  held: z.boolean(),
  /** Not before this time after the request (IPP job-hold-until-time). */
  holdMs: durationMsSchema.optional(),
  /** A job that has not begun by then is canceled. */
  expiresMs: durationMsSchema.optional(),
});
export type JobSettings = z.infer<typeof jobSettingsSchema>;

/** What a person changes; what is absent stays. `null` takes a time away. */
export const jobChangeSchema = z
  .object({
    source: sourceChoiceSchema,
    spools: spoolsSchema,
    priority: prioritySchema,
    held: z.boolean(),
    holdMs: durationMsSchema.nullable(),
    expiresMs: durationMsSchema.nullable(),
  })
  .partial();
export type JobChange = z.infer<typeof jobChangeSchema>;

/** Something that happened to a job, for people to read. */
export const jobEventSchema = z.object({
  /** Wall clock of the side that saw it. */
  atMs: wallMsSchema,
  event: z.string().max(limits.nameChars),
  detail: z.string().max(limits.reasonChars).optional(),
});
export type JobEvent = z.infer<typeof jobEventSchema>;

/** The final word on a job: the body of `outputEnded` (step 311), read from the host's ledger. */
export const outcomeRecordSchema = z.object({
  jobId: jobIdSchema,
  sha256: sha256Schema,
  outcome: outcomeSchema,
  evidence: evidenceSchema,
  /** Who streamed the image; absent when it was canceled before anyone did. */
  sentBy: sourceSchema.optional(),
  /** Why it is indeterminate or canceled, in words. */
  reason: z.string().max(limits.reasonChars).optional(),
  /** Place in the host's order; grows by one with each ledger record. */
  sequence: z.int().min(0),
  hostIncarnation: incarnationSchema,
  /** Wall clock of the host. */
  startedAtMs: wallMsSchema.optional(),
  endedAtMs: wallMsSchema,
  epoch: z.int().min(0),
  /** Enough of the ticket to write history when nobody else is left to ask. */
  title: z.string().max(limits.titleChars),
  clientName: z.string().max(limits.nameChars),
  pages: z.int().min(0),
  heightDots: z.int().min(0),
});
export type OutcomeRecord = z.infer<typeof outcomeRecordSchema>;

/** State of a printer as its host sees it; names after IPP printer-state and printer-state-reasons. */
export const printerStateSchema = z.object({
  state: z.enum(["idle", "processing", "stopped"]),
  reasons: z.array(z.string().max(64)).max(16),
});
export type PrinterState = z.infer<typeof printerStateSchema>;

/** What a client must know of a printer to make images for it, also while the server is away. */
export const printerAttributesSchema = z.object({
  name: printerNameSchema,
  model: z.string().max(limits.nameChars),
  widthDots: z.int().min(8).max(limits.imageWidthDots),
  resolutionDpi: z.int().min(50).max(1200),
  hostIncarnation: incarnationSchema,
  /** Where the host listens, such as http://127.0.0.1:6311. */
  hostUrl: z.string().max(200),
  /** As configured where the printer stands; absent of a host that is older than these words. */
  errorPolicy: errorPolicySchema.optional(),
  indeterminate: indeterminatePolicySchema.optional(),
  /** What jobs of this printer use when neither person, rule nor client says otherwise. */
  defaults: z.object({ from: sourceChoiceSchema, spool: spoolsSchema }).partial().optional(),
});
export type PrinterAttributes = z.infer<typeof printerAttributesSchema>;

/**
 * A finished job in the server's history: one row a ledger record. What only the ticket knows is absent when the
 * client printed alone and never came back to tell.
 */
export const historyRowSchema = z.object({
  jobId: jobIdSchema,
  printer: printerNameSchema,
  title: z.string().max(limits.titleChars),
  clientName: z.string().max(limits.nameChars),
  pages: z.int().min(0),
  heightDots: z.int().min(0),
  /** As it was chosen last; `outcome.sentBy` is what was used. */
  source: sourceChoiceSchema.optional(),
  spools: spoolsSchema.optional(),
  priority: prioritySchema.optional(),
  requestedAtMs: wallMsSchema.optional(),
  documentDateMs: wallMsSchema.optional(),
  sizeBytes: z.int().min(1).optional(),
  reprintOf: jobIdSchema.optional(),
  movedFrom: jobIdSchema.optional(),
  /** The job that was made of it: moved to another printer, or printed again. */
  copiedAs: jobIdSchema.optional(),
  /** What happened on the way, oldest first. */
  events: z.array(jobEventSchema).max(limits.eventsPerJob).optional(),
  /** Of the printer when it printed: turns rows of dots into millimetres. */
  resolutionDpi: z.int().min(50).max(1200).optional(),
  outcome: outcomeRecordSchema,
  /** When the server wrote it; its own wall clock, as that of the next two and of the events. */
  recordedAtMs: wallMsSchema,
  /** When it was requested, and when the server heard that the first dot was on its way. */
  requestedHereMs: z.int().optional(),
  startedHereMs: wallMsSchema.optional(),
  /** A person kept it waiting, so its wait says nothing about the system. */
  heldBack: z.boolean().optional(),
  /** What a person or a policy decided about an indeterminate job. */
  resolution: z.enum(["assumed-printed", "reprinted", "dismissed", "moved"]).optional(),
});
export type HistoryRow = z.infer<typeof historyRowSchema>;
