import { describeError, type ErrorCode, errorTable, TwinspoolError } from "../protocol/errors.ts";

/** How an error travels over HTTP: the code for programs, the whole sentence for people. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  /** What was seen this time; with the code it makes the same error again at the other side. */
  readonly detail?: string;
}

/** Body of an error response. An error not of the table says nothing about the inside; the log has it. */
export function errorBody(error: unknown): ErrorBody {
  if (!(error instanceof TwinspoolError)) return { code: "internal", message: describeError("internal") };
  const { code, message, detail } = error;
  return detail === "" ? { code, message } : { code, message, detail };
}

/** HTTP status of an error response. */
export function errorStatus(error: unknown): number {
  return errorTable[error instanceof TwinspoolError ? error.code : "internal"].httpStatus;
}

/** The error that a response carries: the peer's own, or one that says which status came without one. */
export function errorFromBody(status: number, body: unknown, url: string): TwinspoolError {
  if (typeof body === "object" && body !== null && "code" in body && isErrorCode(body.code)) {
    const detail = "detail" in body && typeof body.detail === "string" ? body.detail : "";
    return new TwinspoolError(body.code, detail);
  }
  if (status === 401) return new TwinspoolError("key-wrong", url);
  return new TwinspoolError("internal", `${url} answered with HTTP status ${status}`);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(errorTable, code);
}
