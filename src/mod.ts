/** The public module "twinspool": printing from Node programs. */
export {
  type Connection,
  type ConnectOptions,
  connect,
  type HistoryWish,
  type LeftJob,
  type Preview,
  type PrintOptions,
  submit,
} from "./library/connection.ts";
export type { PrintDocument } from "./library/document-file.ts";
export type { JobEnd, PrintJob } from "./library/submitted-job.ts";
export type { JobAnswer, JobView, PrintEvent, PrinterView } from "./protocol/api.ts";
export { type ErrorCode, TwinspoolError } from "./protocol/errors.ts";
export type { HistoryAnswer } from "./protocol/history.ts";
export type { HistoryRow, JobChange, SourceChoice, Spools } from "./protocol/job.ts";
