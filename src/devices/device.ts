import type { Evidence, PrinterState } from "../protocol/job.ts";

/** One verified print image on its way to paper. */
export interface OutputRequest {
  readonly jobId: string;
  /** The whole print image (PWG Raster), already checked against its SHA-256. */
  readonly image: Uint8Array;
  /** Two GS ( H process IDs (4 characters 20h-7Eh each): after the last printed line, after the cut. */
  readonly processIds: readonly [string, string];
}

export type OutputResult =
  | { readonly kind: "printed"; readonly evidence: Evidence }
  /** Bytes may have reached the paper and nothing proves that the output ended. */
  | { readonly kind: "uncertain"; readonly reason: string }
  /** It is certain that no byte of the job was sent. */
  | { readonly kind: "not-started"; readonly reason: string };

/** A printer that prints an image and tells when it has ended (design §6). */
export interface Device {
  readonly widthDots: number;
  readonly resolutionDpi: number;
  readonly model: string;
  /** Starts to reach for the printer and keeps reaching until `close`; never rejects because it is away. */
  open(): void;
  /** True when a job may be started now: reachable, paper, cover shut, no error. */
  readonly ready: boolean;
  readonly state: PrinterState;
  onStateChange(listener: () => void): void;
  /**
   * Prints one image. Resolves when the end of output is known, or known to be unknowable.
   * `onProgress` gets the rows handed to the printer so far. Aborting `signal` stops sending, leaves the printer in a
   * clean state, and resolves with `uncertain` (or `not-started`). One output at a time.
   */
  print(request: OutputRequest, onProgress: (rowsDone: number) => void, signal: AbortSignal): Promise<OutputResult>;
  /** After a restart: waits for a late answer to one of these process IDs. Undefined when none came in time. */
  seekEvidence(processIds: readonly [string, string], timeoutMs: number): Promise<Evidence | undefined>;
  close(): Promise<void>;
}
