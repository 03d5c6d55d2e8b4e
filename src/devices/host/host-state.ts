import type { ErrorCode } from "../../protocol/errors.ts";
import { type JobId, originKey, parseJobId } from "../../protocol/ids.ts";
import type {
  ErrorPolicy,
  Evidence,
  IndeterminatePolicy,
  JobTicket,
  OutcomeRecord,
  PrinterAttributes,
  PrinterState,
  Source,
} from "../../protocol/job.ts";
import { limits, type Timers } from "../../protocol/limits.ts";
import type { Message, Peer } from "../../protocol/messages.ts";
import type { LinkInput, NoteEffect, SendMessageEffect } from "../../runtime/machine.ts";
import type { OutputResult } from "../device.ts";
import type { HostLedger } from "./host-ledger.ts";
import type { JobRecord, LedgerRecord } from "./ledger-record.ts";

export interface HostConfig {
  readonly printer: string;
  readonly model: string;
  readonly widthDots: number;
  readonly resolutionDpi: number;
  readonly hostUrl: string;
  readonly hostIncarnation: string;
  /** Records the ledger can hold; the machine never asks for more. */
  readonly ledgerRecords: number;
  /** New at each start of the process, so that an upload of a former life is never taken for one of this. */
  readonly bootId: string;
  readonly timers: Timers;
  /** What the printer's configuration says; the server follows it too. */
  readonly errorPolicy?: ErrorPolicy;
  readonly indeterminate?: IndeterminatePolicy;
  /** What jobs use that say nothing of source and spools. */
  readonly defaults?: PrinterAttributes["defaults"];
}

export type HostInput =
  | LinkInput
  /** Bytes of the wanted image are still coming. */
  | { readonly kind: "imageProgressed"; readonly uploadId: string }
  /** A whole image is in memory; length, digest and geometry are what was measured, not what was announced. */
  | {
      readonly kind: "imageReceived";
      readonly jobId: string;
      readonly uploadId: string;
      readonly sha256: string;
      readonly sizeBytes: number;
      /** Absent when the bytes are no print image. */
      readonly widthDots?: number;
    }
  | { readonly kind: "imageFailed"; readonly jobId: string; readonly uploadId: string; readonly reason: string }
  | { readonly kind: "deviceStateChanged"; readonly ready: boolean; readonly state: PrinterState }
  | { readonly kind: "outputProgressed"; readonly jobId: string; readonly rowsDone: number }
  | { readonly kind: "outputFinished"; readonly jobId: string; readonly result: OutputResult }
  | { readonly kind: "evidenceSettled"; readonly jobId: string; readonly evidence: Evidence | undefined };

export type HostEffect =
  | SendMessageEffect
  | NoteEffect
  | { readonly kind: "persist"; readonly records: readonly LedgerRecord[] }
  /** Let this upload in, and no other. */
  | { readonly kind: "expectImage"; readonly ticket: JobTicket; readonly uploadId: string }
  /** Forget the image, in memory or still coming. */
  | { readonly kind: "dropImage"; readonly jobId: string }
  | { readonly kind: "startOutput"; readonly jobId: string; readonly processIds: readonly [string, string] }
  | { readonly kind: "cancelOutput"; readonly jobId: string }
  | { readonly kind: "seekEvidence"; readonly jobId: string; readonly processIds: readonly [string, string] };

/** Someone who wants a job printed and has not been asked for the image yet. */
export interface Offer {
  readonly ticket: JobTicket;
  readonly from: Peer;
  readonly sentBy: Source;
  readonly epoch: number;
  /** Monotonic; a job that has not begun by then is canceled. */
  readonly expiresAtMs?: number;
}

/** The one image that is coming in. */
export interface Reception extends Offer {
  readonly uploadId: string;
  deadlineMs: number;
}

/** A whole, verified image in memory: waiting for the printer, or going out. */
export interface LoadedImage extends Offer {
  /** Present once INTENT is durable. */
  intent: JobRecord | undefined;
}

const processIdAlphabetSize = 95;

/** Place of a record: which ledger, and where in it. */
export interface LedgerPlace {
  readonly hostIncarnation: string;
  readonly sequence: number;
}

/**
 * GS ( H process IDs are 4 characters 20h-7Eh (Epson GS ( H fn 48). Derived from the record's sequence number, so that
 * two jobs of one ledger share none within 40 million records, from a start that is each ledger's own: a late answer to
 * a job of a ledger that was lost must not prove the output of a job of the next one.
 */
function processIdsOf({ hostIncarnation, sequence }: LedgerPlace): [string, string] {
  let start = 0;
  // A prime that spreads ledgers whose names differ in one character.
  for (const letter of hostIncarnation) start = ((start + letter.charCodeAt(0)) * 48_271) % processIdAlphabetSize ** 4;
  const encode = (value: number): string => {
    let text = "";
    let rest = (start + value) % processIdAlphabetSize ** 4;
    for (let digit = 0; digit < 4; digit++) {
      text = String.fromCharCode(0x20 + (rest % processIdAlphabetSize)) + text;
      rest = Math.floor(rest / processIdAlphabetSize);
    }
    return text;
  };
  return [encode(sequence * 2), encode(sequence * 2 + 1)];
}

/** What a record says beyond its ticket. */
export type RecordStart = Pick<JobRecord, "state" | "epoch" | "sentBy" | "reason" | "endedAtMs">;

/** A new record of the ledger; `wallMs` is when the job began for this host. */
export function makeRecord(
  ticket: JobTicket,
  place: LedgerPlace,
  wallMs: number,
  { state, epoch, ...more }: RecordStart,
): JobRecord {
  return {
    kind: "job",
    sequence: place.sequence,
    jobId: ticket.jobId,
    sha256: ticket.sha256,
    state,
    epoch,
    startedAtMs: wallMs,
    title: ticket.title,
    clientName: ticket.clientName,
    pages: ticket.pages,
    heightDots: ticket.heightDots,
    processIds: processIdsOf(place),
    ...more,
  };
}

/** The ledger's word on a job as others hear it. Undefined while there is only the INTENT. */
export function outcomeOf(record: JobRecord, hostIncarnation: string): OutcomeRecord | undefined {
  if (record.state === "intent") return undefined;
  return {
    jobId: record.jobId,
    sha256: record.sha256,
    outcome: record.state,
    evidence: record.evidence ?? "none",
    ...(record.sentBy === undefined ? {} : { sentBy: record.sentBy }),
    ...(record.reason === undefined ? {} : { reason: record.reason }),
    sequence: record.sequence,
    hostIncarnation,
    ...(record.startedAtMs === undefined ? {} : { startedAtMs: record.startedAtMs }),
    endedAtMs: record.endedAtMs ?? 0,
    epoch: record.epoch,
    title: record.title,
    clientName: record.clientName,
    pages: record.pages,
    heightDots: record.heightDots,
  };
}

/** What was measured against what was announced (bad input: wrong length, digest, width). */
export function imageRefusal(
  ticket: JobTicket,
  seen: { readonly sha256: string; readonly sizeBytes: number; readonly widthDots?: number },
): ErrorCode | undefined {
  if (seen.sizeBytes !== ticket.sizeBytes) return "image-wrong-size";
  if (seen.sha256 !== ticket.sha256) return "image-wrong-digest";
  if (seen.widthDots === undefined) return "image-invalid";
  return seen.widthDots === ticket.widthDots ? undefined : "image-wrong-width";
}

/** What can be said against a job before its image is here. */
export function ticketRefusal(ticket: JobTicket, config: HostConfig): ErrorCode | undefined {
  if (ticket.printer !== config.printer) return "printer-unknown";
  if (ticket.hostIncarnation !== config.hostIncarnation) return "ledger-other";
  if (ticket.widthDots !== config.widthDots) return "image-wrong-width";
  return ticket.sizeBytes > limits.imageBytes ? "image-too-large" : undefined;
}

export function imageReceivedMessage({ ticket, epoch, sentBy }: LoadedImage): Message {
  return { type: "imageReceived", jobId: ticket.jobId, epoch, sentBy };
}

export function originOf(jobId: JobId): string {
  return originKey(parseJobId(jobId));
}

/** The printer as servers and clients know it. */
export function attributesOf(config: HostConfig): PrinterAttributes {
  const { printer, model, widthDots, resolutionDpi, hostUrl, hostIncarnation } = config;
  const { errorPolicy, indeterminate, defaults } = config;
  return {
    name: printer,
    model,
    widthDots,
    resolutionDpi,
    hostUrl,
    hostIncarnation,
    ...(errorPolicy === undefined ? {} : { errorPolicy }),
    ...(indeterminate === undefined ? {} : { indeterminate }),
    ...(defaults === undefined ? {} : { defaults }),
  };
}

/** The outcomes after a sequence number, as many as one message holds. */
export function ledgerPage(ledger: HostLedger, afterSequence: number, hostIncarnation: string): Message {
  const all = ledger.after(afterSequence);
  const page = all.slice(0, limits.ledgerRecordsPerMessage);
  const complete = page.length === all.length;
  const records = page.flatMap((record) => outcomeOf(record, hostIncarnation) ?? []);
  const upTo = complete ? ledger.lastSequence : (page.at(-1)?.sequence ?? afterSequence);
  return { type: "ledgerListed", hostIncarnation, records, upTo, complete };
}
