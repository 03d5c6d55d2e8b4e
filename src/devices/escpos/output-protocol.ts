import type { MemoryPage } from "../../image/print-image.ts";
import type { Evidence, PrinterState } from "../../protocol/job.ts";
import type { OutputResult } from "../device.ts";

/** What the output machine is told. */
export type OutputInput =
  | { readonly kind: "opened" }
  | { readonly kind: "closed" }
  | { readonly kind: "linkOpened"; readonly link: number }
  /** The link ended, or could not be opened. */
  | { readonly kind: "linkClosed"; readonly link: number; readonly reason: string }
  | { readonly kind: "bytesReceived"; readonly link: number; readonly bytes: Uint8Array }
  /** The transport has accepted the bytes of the last `writeBytes`. */
  | { readonly kind: "bytesWritten"; readonly link: number }
  | {
      readonly kind: "outputRequested";
      readonly pages: readonly MemoryPage[];
      readonly processIds: readonly [string, string];
    }
  | { readonly kind: "outputCanceled" }
  | {
      readonly kind: "evidenceSought";
      readonly seekId: number;
      readonly processIds: readonly [string, string];
      readonly timeoutMs: number;
    }
  | { readonly kind: "woke" };

/** What the output machine wants done. */
export type OutputEffect =
  | { readonly kind: "connect"; readonly link: number }
  /** At most one is under way; `bytesWritten` or `linkClosed` follows. */
  | { readonly kind: "writeBytes"; readonly link: number; readonly bytes: Uint8Array }
  | { readonly kind: "closeLink"; readonly link: number }
  | { readonly kind: "reportState"; readonly ready: boolean; readonly state: PrinterState }
  | { readonly kind: "reportProgress"; readonly rowsDone: number }
  | { readonly kind: "reportResult"; readonly result: OutputResult }
  | { readonly kind: "reportEvidence"; readonly seekId: number; readonly evidence: Evidence | undefined };

export type OutputPhase =
  | "closed"
  | "connecting"
  | "resync"
  | "idle"
  | "ready"
  | "outputting"
  | "awaiting-end"
  | "recovering";

export interface OutputMachineOptions {
  /** False for a sink that cannot hold half a command of a former life, such as a new file. */
  readonly padAtFirst?: boolean;
}
