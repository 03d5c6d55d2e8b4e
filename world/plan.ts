import type { ErrorPolicy, IndeterminatePolicy, JobChange, SourceChoice, Spools } from "../src/protocol/job.ts";

export type NodeName = "server" | `host-${number}` | `client-${number}`;

/** One fault, as data: printed when a seed fails, and enough to understand what happened. */
export type Fault =
  | { readonly kind: "crash"; readonly node: NodeName; readonly atMs: number; readonly downMs: number }
  /** Power goes right after the node's n-th effect: between any two steps of the protocol. */
  | { readonly kind: "crash-at-effect"; readonly node: NodeName; readonly effect: number; readonly downMs: number }
  | { readonly kind: "cut"; readonly a: NodeName; readonly b: NodeName; readonly atMs: number; readonly downMs: number }
  | { readonly kind: "printer-power"; readonly printer: number; readonly atMs: number; readonly downMs: number }
  | { readonly kind: "paper-out"; readonly printer: number; readonly atMs: number; readonly downMs: number }
  /** A person lets the queue of a printer stand still. */
  | { readonly kind: "paused"; readonly printer: number; readonly atMs: number; readonly downMs: number }
  | { readonly kind: "never-returns"; readonly node: NodeName; readonly atMs: number }
  /** Nothing more can be written: a commit ends the process, an image is refused. */
  | { readonly kind: "disk-full"; readonly node: NodeName; readonly atMs: number; readonly downMs: number }
  /** One image of that spool is not any more what was written. */
  | { readonly kind: "image-rot"; readonly node: NodeName; readonly atMs: number }
  /** One bit of the ledger changes; the next start of the host sees it. */
  | { readonly kind: "ledger-rot"; readonly printer: number; readonly atMs: number }
  /** The host's disk was changed: it starts with an empty ledger. */
  | { readonly kind: "ledger-lost"; readonly printer: number; readonly atMs: number; readonly downMs: number }
  /** The network of a side is loaded: it wants no second copy sent. */
  | { readonly kind: "network-load"; readonly node: NodeName; readonly atMs: number; readonly downMs: number }
  | {
      readonly kind: "spool-full";
      readonly level: "near-full" | "full";
      readonly atMs: number;
      readonly downMs: number;
    }
  /** A wall clock is set, forward or back. */
  | { readonly kind: "clock-jump"; readonly node: NodeName; readonly atMs: number; readonly byMs: number };
export type FaultKind = Fault["kind"];

/** A person changes a job that waits. */
export interface ChangePlan {
  readonly by: "client" | "server";
  readonly afterMs: number;
  readonly change: JobChange;
}

export interface JobPlan {
  readonly client: number;
  readonly printer: number;
  readonly atMs: number;
  readonly sizeBytes: number;
  readonly source: SourceChoice;
  readonly spools: Spools;
  /** The client has no disk, or it is near full: S104-S107. */
  readonly noSpool: boolean;
  /** Someone cancels it this long after the request. */
  readonly cancelAfterMs?: number;
  /** Someone wants it printed again, marked, when it is held by then. */
  readonly retryAfterMs?: number;
  /** Someone wants it printed by another printer. */
  readonly move?: { readonly afterMs: number; readonly printer: number };
  readonly priority?: number;
  readonly held: boolean;
  readonly holdMs?: number;
  readonly expiresMs?: number;
  readonly changes: readonly ChangePlan[];
}

/** A link that moves images slowly. */
export interface SlowLink {
  readonly a: NodeName;
  readonly b: NodeName;
  readonly bytesPerMs: number;
}

/** Everything that is drawn for a seed. */
export interface Plan {
  readonly seed: number;
  readonly clients: number;
  /** Clients without a disk: everything they know is gone with their power. */
  readonly diskless: readonly number[];
  /** Of each printer the number of the host process it stands in: printers of one process die together. */
  readonly printers: readonly number[];
  /** The printer hosts stand on the server's machine. */
  readonly beside: boolean;
  /** The ledgers are the production ring of blocks, byte for byte; else the same records without their bytes. */
  readonly ledgerBlocks: boolean;
  readonly jobs: readonly JobPlan[];
  readonly dropRate: number;
  readonly duplicateRate: number;
  /** Messages that arrive although their link has closed and another opened since. */
  readonly staleRate: number;
  readonly maxDelayMs: number;
  readonly corruptRate: number;
  readonly transferFailRate: number;
  readonly slowLinks: readonly SlowLink[];
  readonly writeLatencyMs: number;
  readonly printMs: number;
  readonly evidenceRate: number;
  readonly policy: IndeterminatePolicy;
  readonly errorPolicy: ErrorPolicy;
  readonly ledgerRecords: number;
  readonly validateMessages: boolean;
  readonly chaosMs: number;
  readonly faults: readonly Fault[];
}
