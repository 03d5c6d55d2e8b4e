import * as z from "zod";
import { errorCodes } from "./errors.ts";
import { jobIdSchema } from "./ids.ts";
import {
  historyRowSchema,
  jobEventSchema,
  outcomeRecordSchema,
  printerAttributesSchema,
  printerStateSchema,
  sourceChoiceSchema,
  sourceSchema,
  spoolsSchema,
} from "./job.ts";

/** Which spool an image of the API came from: `client` or `server`. */
export const spoolHeader = "x-twinspool-spool";

/**
 * What the HTTP API of the server, and of a client for its own jobs, says. The paths:
 *
 *     GET  /api/jobs                      { jobs: JobView[] }
 *     GET  /api/jobs/JOB                  { job: JobView } or { history: HistoryRow }
 *     GET  /api/jobs/JOB/image            the print image (PWG Raster); a client asks the server for what it has not
 *     GET  /api/jobs/JOB/preview.png      the same dots as PNG
 *     POST /api/jobs/JOB/cancel           { job: JobView } or { history: HistoryRow }
 *     POST /api/jobs/JOB/retry            body: { unmarked? }; the same, `copy` is the new job's id (server only)
 *     POST /api/jobs/JOB/move             body: { printer }; the same as of cancel (server only)
 *     PATCH /api/jobs/JOB                 body: JobChange; the same; 409 when the job is on its way (also at the client)
 *     GET  /api/history?FILTERS&limit=&before=   { rows: HistoryRow[], next?: string }, newest first; `before` is the
 *          `next` of the page before. FILTERS: printer, client, source (chosen), sentBy (used), outcome, from and to
 *          (ISO 8601 or ms since 1970), text (in the title), job (beginning of its id). A client passes on what the
 *          server says, and while that is away what it has seen last: then with seenMsAgo, and at most 500 rows in all
 *     GET  /api/history.csv?FILTERS&excel=       all rows as CSV (server only); excel=true: byte order mark, local times
 *     GET  /api/history.ndjson?FILTERS           all rows as JSON lines (server only)
 *     GET  /api/statistics?FILTERS               StatisticsAnswer (server only)
 *     GET  /api/printers                  { printers: PrinterView[] }
 *     POST /api/printers/NAME/pause       body: { reason? }; { printers } (server only); /resume without a body
 *     GET  /api/spool                     { spool: SpoolView }: how full this side's spool is, how loaded its network
 *     PUT  /api/documents?title=&printer=&source=&spools=&copies=&documentDateMs=&name=&format=escpos   (client only)
 *          body: the document; answer: a line of JSON for each PrintEvent until the job has ended
 */
export const jobViewSchema = z.object({
  jobId: jobIdSchema,
  title: z.string(),
  clientName: z.string(),
  printer: z.string(),
  /** IPP job-state. */
  state: z.enum(["pending", "pending-held", "processing", "canceling", "ended"]),
  /** What it waits for or why it is held, as a sentence. */
  reason: z.string(),
  source: sourceChoiceSchema,
  spools: spoolsSchema,
  priority: z.int(),
  /** Wall clock of the answering side; absent when it may go at once, or never expires. */
  holdUntilMs: z.int().optional(),
  expiresAtMs: z.int().optional(),
  /** Which spools hold the image at this moment, as far as the answering side knows. */
  held: z.object({ client: z.boolean(), server: z.boolean() }),
  sizeBytes: z.int(),
  pages: z.int(),
  heightDots: z.int(),
  rowsDone: z.int(),
  requestedAtMs: z.int(),
  documentDateMs: z.int().optional(),
  /** Who sends the image while it is processing. */
  sentBy: sourceSchema.optional(),
  outcome: outcomeRecordSchema.optional(),
  reprintOf: jobIdSchema.optional(),
  movedFrom: jobIdSchema.optional(),
  /** The printer it is on its way to, once its own printer host has said that it will not print it. */
  moveTo: z.string().optional(),
  /** What happened to it, oldest first; only the server tells. */
  events: z.array(jobEventSchema).optional(),
});
export type JobView = z.infer<typeof jobViewSchema>;

export const printerViewSchema = z.object({
  attributes: printerAttributesSchema,
  state: printerStateSchema,
  /** The server has a link to its printer host. */
  linked: z.boolean(),
  queuedJobs: z.int(),
  /** Its queue stands still until a person resumes it. */
  paused: z.object({ reason: z.string(), sinceMs: z.int() }).optional(),
});
export type PrinterView = z.infer<typeof printerViewSchema>;

export const spoolLevelSchema = z.enum(["ok", "near-full", "full"]);

/** How much of its links a machine uses. */
export const networkViewSchema = z.object({
  measured: z.boolean(),
  loaded: z.boolean(),
  /** Why it is loaded, or why it is not measured; empty otherwise. */
  reason: z.string(),
  loadedPercent: z.number(),
  interface: z.string().optional(),
  percent: z.number().optional(),
  bytesPerS: z.number().optional(),
  capacityMbit: z.number().optional(),
});
export type NetworkView = z.infer<typeof networkViewSchema>;

/** One spool: what is in it, how much more it takes, and why it keeps no more (fig. 9). */
export const spoolViewSchema = z.object({
  side: sourceSchema,
  /** Display name of the machine. */
  name: z.string(),
  level: spoolLevelSchema,
  /** Why the level is not ok, in words. */
  reason: z.string(),
  images: z.int(),
  usedBytes: z.int(),
  /** Room that jobs already have been promised whose images are still to come; only the server promises. */
  promisedBytes: z.int(),
  quotaBytes: z.int(),
  /** Absent where the system does not tell. */
  disk: z.object({ totalBytes: z.number(), availableBytes: z.number() }).optional(),
  thresholds: z.object({
    nearFullPercent: z.number(),
    fullPercent: z.number(),
    reserveBytes: z.number(),
    clientSharePercent: z.number(),
    largestJobBytes: z.number(),
  }),
  network: networkViewSchema,
});
export type SpoolView = z.infer<typeof spoolViewSchema>;

export const spoolAnswerSchema = z.object({ spool: spoolViewSchema });
export const jobsAnswerSchema = z.object({ jobs: z.array(jobViewSchema) });
export const jobAnswerSchema = z.object({
  job: jobViewSchema.optional(),
  history: historyRowSchema.optional(),
  /** The job that prints it again. */
  copy: jobIdSchema.optional(),
});
export type JobAnswer = z.infer<typeof jobAnswerSchema>;
export const printersAnswerSchema = z.object({ printers: z.array(printerViewSchema) });

/** What happens to one print request, told while it happens. `closed`, `refused` and `failed` are the last. */
export const printEventSchema = z.object({
  event: z.enum([
    "rendered",
    "accepted",
    "waiting",
    "started",
    "progressed",
    "ended",
    "held",
    "canceling",
    "closed",
    "refused",
    "failed",
  ]),
  jobId: jobIdSchema.optional(),
  code: z.enum(errorCodes).optional(),
  detail: z.string().optional(),
  rowsDone: z.int().optional(),
  heightDots: z.int().optional(),
});
export type PrintEvent = z.infer<typeof printEventSchema>;
