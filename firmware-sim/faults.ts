/** Everything that can go wrong on command, and the end of it. */
export type Fault =
  /** The roll ends now, or when the head has passed `atRow` rows since the simulator started. */
  | { readonly kind: "paper-end"; readonly atRow?: number }
  | { readonly kind: "paper-loaded" }
  | { readonly kind: "paper-near-end" }
  | { readonly kind: "cover-open" }
  | { readonly kind: "cover-closed" }
  /** The next cut fails with a recoverable error. */
  | { readonly kind: "cutter-jam" }
  /** The blade is free; the host then recovers with DLE ENQ 1 or 2. */
  | { readonly kind: "cutter-freed" }
  | { readonly kind: "power-cut" }
  | { readonly kind: "power-on" }
  | { readonly kind: "link-cut" }
  | { readonly kind: "link-restored" };

export type FaultKind = Fault["kind"];

export const FAULT_KINDS: readonly FaultKind[] = [
  "paper-end",
  "paper-loaded",
  "paper-near-end",
  "cover-open",
  "cover-closed",
  "cutter-jam",
  "cutter-freed",
  "power-cut",
  "power-on",
  "link-cut",
  "link-restored",
];

/** Reads `paper-end`, `paper-end@1200` and the like; throws with the list of known faults. */
export function parseFault(text: string): Fault {
  const [name = "", row] = text.split("@", 2);
  const kind = FAULT_KINDS.find((known) => known === name);
  if (kind === undefined || (row !== undefined && (kind !== "paper-end" || !/^\d+$/.test(row)))) {
    throw new Error(`no fault "${text}"; known: ${FAULT_KINDS.join(", ")}, and paper-end@ROW`);
  }
  return kind === "paper-end" && row !== undefined ? { kind, atRow: Number(row) } : { kind };
}
