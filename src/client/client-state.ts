import * as z from "zod";
import type { ErrorCode } from "../protocol/errors.ts";
import type { JobOrigin } from "../protocol/ids.ts";
import {
  type JobChange,
  jobSettingsSchema,
  jobTicketSchema,
  outcomeRecordSchema,
  printerAttributesSchema,
} from "../protocol/job.ts";
import { limits, type Timers } from "../protocol/limits.ts";
import type { Peer } from "../protocol/messages.ts";
import type { LinkInput, NoteEffect, PersistEffect, SendMessageEffect } from "../runtime/machine.ts";
import type { Retry } from "../runtime/retry.ts";

/** Tables of the client's job store. */
export const clientTables = { meta: "client_meta", jobs: "client_jobs", printers: "client_printers" } as const;

export const clientMetaSchema = z.object({
  /** Sequence numbers below this may have been used; durable before the first use of any of them. */
  reservedBelow: z.int().min(1),
});
export type ClientMeta = z.infer<typeof clientMetaSchema>;

export const clientJobRowSchema = z.object({
  ticket: jobTicketSchema,
  /** Absent while they are as the ticket says. */
  settings: jobSettingsSchema.optional(),
  /** This spool was added by a change: the image is to be fetched from the server. */
  fetchWanted: z.boolean().optional(),
  /** Why the server is asked to keep no copy, such as a loaded network. */
  withoutServerCopy: z.string().max(limits.reasonChars).optional(),
  /** Why this spool keeps no image although the settings ask for it, such as that it is near full. */
  withoutOwnCopy: z.string().max(limits.reasonChars).optional(),
  /** `stored`: in this client's spool. `none`: no-spool, the server has the only durable copy (S104-S107). */
  image: z.enum(["stored", "none"]),
  /** The server said that its copy is durable. */
  serverHasImage: z.boolean(),
  /**
   * The user was told that the job will be printed: from now on it must not be lost (I4). Not kept up to date on
   * disk: after a restart every job with a durable image counts as accepted.
   */
  accepted: z.boolean(),
  cancelRequested: z.boolean(),
  /** What the ledger is to say; present when nobody asked for the cancel, such as of an expired job. */
  cancelReason: z.string().max(limits.reasonChars).optional(),
  /** The final word of the host's ledger; present from then on. */
  outcome: outcomeRecordSchema.optional(),
  /** Why the job waits for a person. */
  heldReason: z.string().max(limits.reasonChars).optional(),
});
export type ClientJobRow = z.infer<typeof clientJobRowSchema>;

export const clientPrinterRowSchema = printerAttributesSchema;

export interface ClientConfig {
  readonly clientId: string;
  readonly nonce: string;
  readonly name: string;
  readonly timers: Timers;
  /** The host of that address stands on this client's machine: its images cross no network. */
  readonly isBeside: (hostUrl: string) => boolean;
  /** False without a disk: every life is a new one, and no image outlives it. */
  readonly keepsImages: boolean;
}

export interface ClientSnapshot {
  readonly meta: ClientMeta | undefined;
  readonly jobs: readonly ClientJobRow[];
  readonly printers: readonly z.infer<typeof printerAttributesSchema>[];
}

export type ClientInput =
  | LinkInput
  /** Someone wants to make a job and needs its id first. */
  | { readonly kind: "jobIdRequested"; readonly requestId: string }
  /** The id will not be used after all. */
  | { readonly kind: "jobIdReturned"; readonly jobId: string }
  /** The print image exists: durable in the spool, or (`imageKept` false) only in this process's hands. */
  | {
      readonly kind: "jobSubmitted";
      readonly ticket: z.infer<typeof jobTicketSchema>;
      readonly imageKept: boolean;
      readonly withoutServerCopy?: string;
      readonly withoutOwnCopy?: string;
    }
  /** A person at this client changes a job that waits; what comes too late does nothing (`changeRefusal`). */
  | { readonly kind: "changeRequested"; readonly jobId: string; readonly change: JobChange }
  /** The image was fetched from the server and is durable here. */
  | { readonly kind: "imageStored"; readonly jobId: string }
  | { readonly kind: "imageFetchFailed"; readonly jobId: string; readonly reason: string }
  | { readonly kind: "networkLevelChanged"; readonly loaded: boolean }
  /** Told again at the same level when images have gone. */
  | { readonly kind: "spoolLevelChanged"; readonly level: "ok" | "near-full" | "full" }
  | { readonly kind: "cancelRequested"; readonly jobId: string }
  | {
      readonly kind: "imageTransferEnded";
      readonly jobId: string;
      readonly to: Peer;
      readonly ok: boolean;
      readonly reason?: string;
    }
  /** The image in the spool is gone or damaged. */
  | { readonly kind: "imageLost"; readonly jobId: string; readonly reason: string };

/** What the person at the client sees of a job. */
export type ClientJobEvent =
  | "accepted"
  | "refused"
  | "waiting"
  | "started"
  | "progressed"
  | "ended"
  | "held"
  | "closed"
  | "canceling";

export type ClientEffect =
  | PersistEffect
  | SendMessageEffect
  | NoteEffect
  | { readonly kind: "grantJobId"; readonly requestId: string; readonly jobId: string }
  /** Upload to the server (step 305). */
  | { readonly kind: "uploadImage"; readonly jobId: string }
  /** Download from the server into this spool. */
  | { readonly kind: "fetchImage"; readonly jobId: string }
  /** Send to a printer host that wants it (step 309). */
  | { readonly kind: "sendImage"; readonly jobId: string; readonly to: Peer; readonly uploadId: string }
  | { readonly kind: "eraseImage"; readonly jobId: string }
  | { readonly kind: "openLink"; readonly peer: Peer; readonly url: string }
  | { readonly kind: "closeLink"; readonly peer: Peer }
  | {
      readonly kind: "reportJob";
      readonly jobId: string;
      readonly event: ClientJobEvent;
      readonly code?: ErrorCode;
      readonly detail?: string;
      readonly rowsDone?: number;
    };

/** A job as it is in memory: the durable row and what only this life knows. */
export interface ClientJob {
  row: ClientJobRow;
  readonly id: JobOrigin & { readonly sequence: number };
  /** Who prints it. */
  readonly host: Peer;
  /** True while the image is in the spool, or in this process's hands. */
  imageAtHand: boolean;
  uploading: boolean;
  fetching: boolean;
  /** Epoch of the last order to print, 0 when the client prints unasked. */
  epoch: number;
  /** Repeats `jobRequested` until answered, then `jobEnded` until closed. */
  serverRetry: Retry | undefined;
  /** Repeats `imageOffered` while this client is the sender. */
  offerRetry: Retry | undefined;
  offering: boolean;
  sending: boolean;
  cancelRetry: Retry | undefined;
  /** The server holds the job and has its outcome in the history. */
  recorded: boolean;
  reported: ClientJobEvent | undefined;
  rowsDone: number;
}
