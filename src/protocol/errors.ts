/**
 * The one table of errors: what a program reads (code), what a person reads (sentence and next step), what HTTP says,
 * whether trying again can help, and whose fault it is. `docs/errors.md` is checked against it by a test.
 */
export interface ErrorRow {
  /** What happened, without a full stop. */
  readonly sentence: string;
  /** What to do next. */
  readonly next: string;
  readonly httpStatus: number;
  readonly retryable: boolean;
  readonly fault: "user" | "peer" | "here" | "printer" | "nobody";
}

export const errorTable = {
  "document-unknown": {
    sentence: "the document is of no known type",
    next: "print PNG, JPEG, UTF-8 text or PWG Raster",
    httpStatus: 415,
    retryable: false,
    fault: "user",
  },
  "document-truncated": {
    sentence: "the document ends too early",
    next: "copy or export the document again",
    httpStatus: 422,
    retryable: false,
    fault: "user",
  },
  "document-invalid": {
    sentence: "the document cannot be read",
    next: "export the document again, or in another format",
    httpStatus: 422,
    retryable: false,
    fault: "user",
  },
  "document-too-large": {
    sentence: "the document is larger than the limit",
    next: "split or shrink it; documentBytes in the configuration of the client is the limit of its bytes",
    httpStatus: 413,
    retryable: false,
    fault: "user",
  },
  "document-missing": {
    sentence: "the document cannot be opened",
    next: "check the path and the permission to read it",
    httpStatus: 404,
    retryable: false,
    fault: "user",
  },
  "decoder-missing": {
    sentence: "the decoder for this type is not installed",
    next: "install the optional package sharp (npm install sharp), or convert the document to PNG",
    httpStatus: 415,
    retryable: false,
    fault: "here",
  },
  "image-too-large": {
    sentence: "the print image is larger than the limit",
    next: "split the document into several jobs",
    httpStatus: 413,
    retryable: false,
    fault: "user",
  },
  "image-wrong-digest": {
    sentence: "the print image arrived damaged",
    next: "nothing: it is sent again by itself",
    httpStatus: 422,
    retryable: true,
    fault: "peer",
  },
  "image-wrong-size": {
    sentence: "the print image arrived with another length than announced",
    next: "nothing: it is sent again by itself",
    httpStatus: 422,
    retryable: true,
    fault: "peer",
  },
  "image-wrong-width": {
    sentence: "the print image is not as wide as the printer",
    next: "print the document again, so that it is made for this printer",
    httpStatus: 422,
    retryable: false,
    fault: "peer",
  },
  "image-invalid": {
    sentence: "the print image is not PWG Raster with 1 bit a dot",
    next: "print the document again",
    httpStatus: 422,
    retryable: false,
    fault: "peer",
  },
  "image-missing": {
    sentence: "this spool has no image of the job",
    next: "look in the other spool",
    httpStatus: 404,
    retryable: false,
    fault: "nobody",
  },
  "printer-unknown": {
    sentence: "there is no printer of this name",
    next: "see the names with: twinspool printers",
    httpStatus: 404,
    retryable: false,
    fault: "user",
  },
  "job-unknown": {
    sentence: "there is no job of this id",
    next: "see the ids with: twinspool jobs, or twinspool history",
    httpStatus: 404,
    retryable: false,
    fault: "user",
  },
  "job-conflict": {
    sentence: "this job id is known with another image",
    next: "print the document again; the client's data folder was copied or rolled back",
    httpStatus: 409,
    retryable: false,
    fault: "peer",
  },
  "job-pruned": {
    sentence: "this job id is older than the host remembers",
    next: "look into the history, then print again if need be",
    httpStatus: 410,
    retryable: false,
    fault: "peer",
  },
  "job-not-held": {
    sentence: "the job is not held",
    next: "only held jobs can be printed again; see: twinspool show JOB",
    httpStatus: 409,
    retryable: false,
    fault: "user",
  },
  "job-processing": {
    sentence: "the job is on its way to the printer or has ended",
    next: "cancel it, or change jobs while they wait",
    httpStatus: 409,
    retryable: false,
    fault: "user",
  },
  "job-not-movable": {
    sentence: "the job cannot be moved to another printer any more",
    next: "see how it stands with: twinspool show JOB; once it has ended, twinspool retry JOB prints a kept image again",
    httpStatus: 409,
    retryable: false,
    fault: "user",
  },
  "ledger-other": {
    sentence: "the job was made for an older ledger of this printer host",
    next: "check the paper; then print again with: twinspool retry JOB, or drop it with: twinspool cancel JOB",
    httpStatus: 409,
    retryable: false,
    fault: "printer",
  },
  "ledger-full": {
    sentence: "the host's ledger has no free record",
    next: "let clients finish their open jobs, or set ledgerRecords higher",
    httpStatus: 507,
    retryable: true,
    fault: "here",
  },
  "epoch-stale": {
    sentence: "a newer order for this job exists",
    next: "nothing: the newer order goes on",
    httpStatus: 409,
    retryable: false,
    fault: "nobody",
  },
  "spool-full": {
    sentence: "the spool is full (NG)",
    next: "wait until jobs have ended, free disk space, or raise spoolQuotaBytes and capacity.* there",
    httpStatus: 507,
    retryable: true,
    fault: "here",
  },
  "spool-missing": {
    sentence: "this client has no spool of its own: its data folder cannot be written",
    next: "use the server's: --spool both or --spool server; or name a folder that can be written with --data",
    httpStatus: 409,
    retryable: false,
    fault: "user",
  },
  "spools-contradict": {
    sentence: "the source is not a spool in use",
    next: "choose a source that is also in --spool",
    httpStatus: 400,
    retryable: false,
    fault: "user",
  },
  "too-many-jobs": {
    sentence: "this client has too many open jobs",
    next: "wait until some have ended, or cancel some",
    httpStatus: 429,
    retryable: true,
    fault: "user",
  },
  "server-unreachable": {
    sentence: "the server cannot be reached",
    next: "start it with: twinspool box, or set its address with --server URL",
    httpStatus: 502,
    retryable: true,
    fault: "nobody",
  },
  "port-in-use": {
    sentence: "the port is in use",
    next: "choose another with --port, or end the program that uses it",
    httpStatus: 500,
    retryable: false,
    fault: "here",
  },
  "address-needs-key": {
    sentence: "listening beyond this machine needs a shared key",
    next: "set key (at least 16 characters) here and at every peer, or listen on 127.0.0.1",
    httpStatus: 500,
    retryable: false,
    fault: "user",
  },
  "key-wrong": {
    sentence: "the shared key is missing or wrong",
    next: "set the same key as at the server",
    httpStatus: 401,
    retryable: false,
    fault: "peer",
  },
  "client-wrong": {
    sentence: "the request is not from the client it names",
    next: "use the data folder that this client id was made in; each client has one of its own",
    httpStatus: 403,
    retryable: false,
    fault: "peer",
  },
  "not-shown": {
    sentence: "this server shows each client only its own jobs",
    next: "ask at the server's machine, or set visibility to all there",
    httpStatus: 403,
    retryable: false,
    fault: "peer",
  },
  "version-unsupported": {
    sentence: "the peer speaks another version of the protocol",
    next: "install the same version of twinspool on both machines",
    httpStatus: 426,
    retryable: false,
    fault: "peer",
  },
  "message-invalid": {
    sentence: "a message could not be understood",
    next: "install the same version of twinspool on both machines",
    httpStatus: 400,
    retryable: false,
    fault: "peer",
  },
  "folder-in-use": {
    sentence: "another twinspool process uses this data folder",
    next: "end that process, or choose another folder with --data",
    httpStatus: 500,
    retryable: false,
    fault: "user",
  },
  "database-corrupt": {
    sentence: "the job database is damaged",
    next: "keep the folder, restore database and images from a backup, or move the folder away to begin anew",
    httpStatus: 500,
    retryable: false,
    fault: "here",
  },
  "ledger-corrupt": {
    sentence: "the host's ledger is damaged",
    next: "it was moved into quarantine and a new ledger begun; check the paper of open jobs",
    httpStatus: 500,
    retryable: false,
    fault: "here",
  },
  "disk-full": {
    sentence: "the disk is full",
    next: "free disk space; accepted jobs are kept",
    httpStatus: 507,
    retryable: true,
    fault: "here",
  },
  "disk-failed": {
    sentence: "the disk could not keep a write",
    next: "check the disk or SD card, then start again",
    httpStatus: 500,
    retryable: false,
    fault: "here",
  },
  "config-invalid": {
    sentence: "the configuration is not valid",
    next: "correct the key named above",
    httpStatus: 500,
    retryable: false,
    fault: "user",
  },
  "device-unavailable": {
    sentence: "the printer cannot be reached",
    next: "check power, cable and address; the job waits",
    httpStatus: 503,
    retryable: true,
    fault: "printer",
  },
  "request-invalid": {
    sentence: "the request is not valid",
    next: "correct the field named above",
    httpStatus: 400,
    retryable: false,
    fault: "user",
  },
  internal: {
    sentence: "something went wrong inside twinspool",
    next: "look into the log, and report it",
    httpStatus: 500,
    retryable: false,
    fault: "here",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;
export const errorCodes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

/** An error of the table, with what was seen this time. Its message is a whole sentence for a person. */
export class TwinspoolError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail = "", options?: ErrorOptions) {
    super(describeError(code, detail), options);
    this.name = "TwinspoolError";
    this.code = code;
    this.detail = detail;
  }
}

/** The sentence a user reads: what happened, what was seen, what to do next. */
export function describeError(code: ErrorCode, detail = ""): string {
  const row: ErrorRow = errorTable[code];
  return `${row.sentence}${detail === "" ? "" : `: ${detail}`}. What to do: ${row.next}.`;
}
