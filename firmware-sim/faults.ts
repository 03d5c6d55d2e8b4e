/** Everything that can go wrong on command, and the end of it. */
export type Fault =
  /** The roll ends now, or when the head has passed `atRow` rows since the simulator started. */
  | { readonly kind: "paper-end"; readonly atRow?: number }
  /** This share of all received bytes (default 0.01) is lost or changed, in the order that the seed gives. */
  | { readonly kind: "lost-bytes" | "corrupted-bytes"; readonly share?: number; readonly seed?: number }
  | { readonly kind: "line-clean" }
  /** Everything moves this many times slower, default 10. */
  | { readonly kind: "slow"; readonly times?: number }
  | { readonly kind: PlainFault };

type PlainFault =
  | "paper-loaded"
  | "paper-near-end"
  | "cover-open"
  | "cover-closed"
  /** The next cut fails with a recoverable error. */
  | "cutter-jam"
  /** The blade is free; the host then recovers with DLE ENQ 1 or 2. */
  | "cutter-freed"
  | "power-cut"
  | "power-on"
  | "link-cut"
  | "link-restored"
  /** The head is far too hot, and cools down by itself. */
  | "hot-head"
  | "head-cooled"
  /** Nothing moves until the jam is cleared and the host recovers with DLE ENQ 1 or 2. */
  | "paper-jam"
  | "jam-cleared"
  /** Ends with the power. */
  | "unrecoverable-error"
  /** Nothing is answered. */
  | "mute"
  | "unmute"
  | "full-speed"
  /** Feeds one line while nothing prints. */
  | "feed-button"
  | "drawer-opened"
  | "drawer-closed";

export type FaultKind = Fault["kind"];

/** `cover-open`, `paper-end@1200` (at that row), `lost-bytes=0.05`, `slow=4`; any of them with `@3s` or `@500ms` for later. */
export type FaultText = FaultKind | `${FaultKind}${"@" | "="}${string}`;

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
  "hot-head",
  "head-cooled",
  "paper-jam",
  "jam-cleared",
  "unrecoverable-error",
  "lost-bytes",
  "corrupted-bytes",
  "line-clean",
  "mute",
  "unmute",
  "slow",
  "full-speed",
  "feed-button",
  "drawer-opened",
  "drawer-closed",
];

/** Reads a fault without its time; throws with the list of known faults. */
export function parseFault(text: string): Fault {
  const [, name = "", mark, amount] = /^([a-z-]+)(?:([@=])(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  const kind = FAULT_KINDS.find((known) => known === name);
  const value = Number(amount);
  if (kind !== undefined && mark === undefined) return { kind } as Fault;
  if (kind === "paper-end" && mark === "@" && Number.isInteger(value)) return { kind, atRow: value };
  if ((kind === "lost-bytes" || kind === "corrupted-bytes") && mark === "=" && value <= 1)
    return { kind, share: value };
  if (kind === "slow" && mark === "=" && value > 0) return { kind, times: value };
  throw new Error(
    `no fault "${text}"; known: ${FAULT_KINDS.join(", ")}, and paper-end@ROW, lost-bytes=SHARE, corrupted-bytes=SHARE, slow=TIMES`,
  );
}

/** Reads a fault and how long after now it comes about: `cover-open@3s`. */
export function parseTimedFault(text: string): { readonly fault: Fault; readonly afterMs: number } {
  const [, name = text, amount = "0", unit] = /^(.+)@(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? [];
  return { fault: parseFault(name), afterMs: Number(amount) * (unit === "s" ? 1000 : 1) };
}
