import * as z from "zod";
import type { ErrorCode } from "../protocol/errors.ts";
import { clientIdSchema, incarnationSchema, nonceSchema, printerNameSchema } from "../protocol/ids.ts";
import {
  type HistoryRow,
  type IndeterminatePolicy,
  type JobChange,
  type JobTicket,
  jobEventSchema,
  jobSettingsSchema,
  jobTicketSchema,
  outcomeRecordSchema,
  type PrinterState,
  printerAttributesSchema,
  sourceSchema,
} from "../protocol/job.ts";
import { limits, type Timers } from "../protocol/limits.ts";
import type { ClientWay, Peer } from "../protocol/messages.ts";
import type { LinkInput, NoteEffect, PersistEffect, SendMessageEffect } from "../runtime/machine.ts";
import type { Retry } from "../runtime/retry.ts";

/** Tables of the server's job store. */
export const serverTables = {
  meta: "server_meta",
  jobs: "server_jobs",
  history: "history",
  printers: "server_printers",
  kept: "server_kept_images",
  clients: "server_clients",
} as const;

/** The server is a client of its own when it prints marked duplicates: it needs ids too. */
export const serverMetaSchema = z.object({
  clientId: clientIdSchema,
  nonce: nonceSchema,
  nextSequence: z.int().min(1),
});
export type ServerMeta = z.infer<typeof serverMetaSchema>;

export const serverJobRowSchema = z.object({
  ticket: jobTicketSchema,
  /** Absent while they are as the ticket says. */
  settings: jobSettingsSchema.optional(),
  /** When it was requested, by this server's wall clock: holding and expiry count from here. */
  requestedHereMs: z.int(),
  /** The client said that its spool keeps the image ... */
  clientKeepsImage: z.boolean(),
  /** ... and which settings it knew then. */
  clientRevision: z.int().min(0),
  /** This job uses the server's spool. */
  serverCopy: z.boolean(),
  imageStored: z.boolean(),
  /** Why the server keeps no copy although the settings ask for one, and which side does not want it. */
  narrowed: z.object({ by: sourceSchema, reason: z.string().max(limits.reasonChars) }).optional(),
  /** Of the last order; durable before the order leaves. */
  epoch: z.int().min(0),
  /** Place in the queue. */
  queueNumber: z.int().min(0),
  cancelRequested: z.boolean(),
  /** What the ledger is to say of the cancel; present when nobody asked for it, such as an expired job. */
  cancelReason: z.string().max(limits.reasonChars).optional(),
  /** A person wants it printed again, marked as a duplicate, as soon as this job has its final record. */
  retryRequested: z.boolean(),
  /** A person moves it to this printer, as soon as its own printer host has said that it will never print it. */
  moveTo: printerNameSchema.optional(),
  /** Why it waits for a person. */
  heldReason: z.string().max(limits.reasonChars).optional(),
  /** The final record of a job that is held because nobody knows whether it is on paper. */
  outcome: outcomeRecordSchema.optional(),
  /** What happened to it, oldest first; written with the next change of the row. */
  events: z.array(jobEventSchema).max(limits.eventsPerJob),
});
export type ServerJobRow = z.infer<typeof serverJobRowSchema>;

/** A person, or the printer's error policy, has stopped its queue until a person resumes it. */
export const printerPauseSchema = z.object({ reason: z.string().max(limits.reasonChars), sinceMs: z.int() });
export type PrinterPause = z.infer<typeof printerPauseSchema>;

export const serverPrinterRowSchema = z.object({
  attributes: printerAttributesSchema,
  paused: printerPauseSchema.optional(),
  /** How far the history follows this ledger. */
  cursor: z.object({ hostIncarnation: incarnationSchema, sequence: z.int().min(-1) }),
});
export type ServerPrinterRow = z.infer<typeof serverPrinterRowSchema>;

/** The image of a completed job that is kept for a set time. */
export const keptImageRowSchema = z.object({ jobId: z.string(), eraseAtMs: z.int() });
export type KeptImageRow = z.infer<typeof keptImageRowSchema>;

export interface ServerConfig {
  readonly timers: Timers;
  readonly maxOpenJobsPerClient: number;
  /** Completed jobs keep their image this long; 0 erases at once. */
  readonly keepEndedMs: number;
  readonly indeterminatePolicy: (printer: string) => IndeterminatePolicy;
  /** Reads the committed history; rows of commits under way are known to the machine itself. */
  readonly findHistory: (jobId: string) => HistoryRow | undefined;
  /** The host of that address stands on the server's own machine: its images cross no network. */
  readonly isBeside: (hostUrl: string) => boolean;
  readonly admission: Admission;
}

/** What this spool takes: handed in, because it knows the disk, the quota and the rules of the configuration. */
export interface Admission {
  readonly largestJobBytes: number;
  /** Why one more image has no room beside those that have been promised theirs; undefined when it has. */
  roomRefusal(image: {
    readonly sizeBytes: number;
    readonly clientUsedBytes: number;
    readonly promisedBytes: number;
  }): string | undefined;
  /** The rule that wants no copy here where the client keeps one. */
  ruleNarrowing(ticket: JobTicket): string | undefined;
}

export interface ServerSnapshot {
  readonly meta: ServerMeta;
  readonly jobs: readonly ServerJobRow[];
  readonly printers: readonly ServerPrinterRow[];
  readonly kept: readonly KeptImageRow[];
}

/** How full the server's spool is (design §4). Told again at the same level when images have gone. */
export type SpoolLevel = "ok" | "near-full" | "full";

export type ServerInput =
  | LinkInput
  /** The upload of step 305 is durable and was checked against the ticket. */
  | { readonly kind: "imageStored"; readonly jobId: string }
  | {
      readonly kind: "imageTransferEnded";
      readonly jobId: string;
      readonly to: Peer;
      readonly ok: boolean;
      readonly reason?: string;
      /** What the printer host answered; absent when it answered nothing. */
      readonly code?: ErrorCode;
    }
  /** The image in the spool is gone or damaged. */
  | { readonly kind: "imageLost"; readonly jobId: string; readonly reason: string }
  | { readonly kind: "cancelRequested"; readonly jobId: string }
  | { readonly kind: "retryRequested"; readonly jobId: string }
  /** A person wants an ended job whose image is kept printed again. */
  | { readonly kind: "reprintRequested"; readonly jobId: string; readonly unmarked: boolean }
  /** A person wants a job printed elsewhere; refused moves do nothing (`moveRefusal`). */
  | { readonly kind: "moveRequested"; readonly jobId: string; readonly printer: string }
  /** A copy of the image is durable under the new id. */
  | { readonly kind: "reprintComposed"; readonly jobId: string; readonly ticket: JobTicket }
  | { readonly kind: "reprintFailed"; readonly jobId: string; readonly reason: string }
  /** A person changes the settings of a job that waits; refused changes do nothing (`changeRefusal`). */
  | { readonly kind: "changeRequested"; readonly jobId: string; readonly change: JobChange }
  /** A person stops the queue of a printer, and lets it go on. */
  | { readonly kind: "printerPauseRequested"; readonly printer: string; readonly reason: string }
  | { readonly kind: "printerResumeRequested"; readonly printer: string }
  | { readonly kind: "spoolLevelChanged"; readonly level: SpoolLevel; readonly reason: string }
  | { readonly kind: "networkLevelChanged"; readonly loaded: boolean; readonly reason: string };

export type ServerEffect =
  | PersistEffect
  | SendMessageEffect
  | NoteEffect
  /** Send this spool's copy to the printer host that wants it. */
  | { readonly kind: "sendImage"; readonly jobId: string; readonly to: Peer; readonly uploadId: string }
  | { readonly kind: "eraseImage"; readonly jobId: string }
  /**
   * Makes a copy of the image under the new id. The ticket is complete but for what has to be measured: size, digest,
   * width and heights.
   */
  | {
      readonly kind: "composeReprint";
      readonly jobId: string;
      readonly newJobId: string;
      readonly marked: boolean;
      readonly ticket: JobTicket;
    }
  /** What viewers of the queue should read anew. */
  | { readonly kind: "jobChanged"; readonly jobId: string };

/** Where a job is on its way to the printer. */
export type Phase =
  | { readonly kind: "waiting"; readonly reason: WaitingReason; readonly notBeforeMs: number }
  /** Step 307 sent, 308 awaited. */
  | { readonly kind: "starting"; readonly deadlineMs: number; retry: Retry }
  /** The client said that it sends; the host has not said that it prints. */
  | { readonly kind: "client-sending"; deadlineMs: number }
  /** This server offers its own copy. */
  | {
      readonly kind: "offering";
      retry: Retry;
      sending: boolean;
      /** Why the last transfer failed: counted as an attempt when the printer host is still there after the pause. */
      failure?: string | undefined;
    }
  /** The printer host has the whole image and waits for the printer. */
  | { readonly kind: "at-host"; retry: Retry; readonly sentBy: "client" | "server" }
  | { readonly kind: "outputting"; retry: Retry; readonly sentBy: "client" | "server" };

export type WaitingReason =
  | "waits-for-turn"
  | "waits-for-image"
  | "waits-for-client"
  | "waits-for-printer-host"
  | "waits-for-sender"
  | "held-by-person"
  | "held-until";

export interface ServerJob {
  row: ServerJobRow;
  /** Whose job it is, and who prints it. */
  readonly client: Peer;
  readonly host: Peer;
  phase: Phase;
  /** Pause after the last failed attempt. */
  attempt: Retry | undefined;
  cancelRetry: Retry | undefined;
  composing: boolean;
  /** The duplicate could not be made: not tried again until a person asks. */
  composeFailed: boolean;
  /** The host has answered the cancel: it has no record of this job, and will never have one. */
  refusedForEver: boolean;
  /** When the client is told again that its image is wanted. */
  askAtMs: number | undefined;
  /** Why the last attempt failed, as a sentence, while it waits for the next one. */
  lastFailure: string | undefined;
  /** A job whose image is on its way keeps its turn until this moment (monotonic). */
  placeUntilMs: number;
  /** `retry-current-job`: no other job of this printer goes before its next attempt. */
  blocking: boolean;
  rowsDone: number;
  /** As the client said it last; only a hint, so it is not kept. */
  clientWay: ClientWay | undefined;
}

export interface ServerPrinter {
  row: ServerPrinterRow;
  state: PrinterState;
  linked: boolean;
  /** The host's ledger has been read up to its end since the link opened: only then is anything scheduled. */
  reconciled: boolean;
  ledgerRetry: Retry | undefined;
}
