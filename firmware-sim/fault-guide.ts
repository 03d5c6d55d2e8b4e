import type { FaultKind } from "./faults.ts";

/** What a person has to know of a fault; the page and the guide are made from it. */
export interface FaultGuide {
  /** Faults and remedies that belong together. */
  readonly group: "Paper" | "Cover and cutter" | "Head and mechanism" | "Power and link" | "Line" | "Drawer and button";
  readonly says: string;
  /** What puts it right, for the guide. A remedy, and what only happens once, has none. */
  readonly undoneBy?: string;
  /** It puts something right. */
  readonly remedy?: true;
  /** With an amount: how it is written, for the guide. */
  readonly form?: string;
}

const RECOVERED = "then `DLE ENQ` 1 or 2 from the host";

/** Every fault, and every remedy. */
export const FAULT_GUIDE: Readonly<Record<FaultKind, FaultGuide>> = {
  "paper-end": {
    group: "Paper",
    says: "the roll ends now, or when the head has passed so many rows",
    undoneBy: "`paper-loaded`",
    form: "paper-end@1200",
  },
  "paper-near-end": {
    group: "Paper",
    says: "the near-end sensor sees the core; the printer prints on",
    undoneBy: "`paper-loaded`",
  },
  "paper-loaded": { group: "Paper", says: "a new roll", remedy: true },
  "cover-open": { group: "Cover and cutter", says: "printing stops, within a line too", undoneBy: "`cover-closed`" },
  "cover-closed": { group: "Cover and cutter", says: "the printer goes on where it stopped", remedy: true },
  "cutter-jam": {
    group: "Cover and cutter",
    says: "the next cut fails with a recoverable error",
    undoneBy: `\`cutter-freed\`, ${RECOVERED}`,
  },
  "cutter-freed": { group: "Cover and cutter", says: "the blade can move again", remedy: true },
  "hot-head": {
    group: "Head and mechanism",
    says: "the head is far too hot; printing waits",
    undoneBy: "time, or `head-cooled`",
  },
  "head-cooled": { group: "Head and mechanism", says: "the head is cool at once", remedy: true },
  "paper-jam": {
    group: "Head and mechanism",
    says: "nothing moves: a recoverable error",
    undoneBy: `\`jam-cleared\`, ${RECOVERED}`,
  },
  "jam-cleared": { group: "Head and mechanism", says: "the paper can move again", remedy: true },
  "unrecoverable-error": {
    group: "Head and mechanism",
    says: "nothing moves, and `DLE ENQ` does not help",
    undoneBy: "`power-cut`, `power-on`",
  },
  slow: {
    group: "Head and mechanism",
    says: "everything moves so many times slower (10)",
    undoneBy: "`full-speed`",
    form: "slow=4",
  },
  "full-speed": { group: "Head and mechanism", says: "as fast as the model", remedy: true },
  "power-cut": {
    group: "Power and link",
    says: "all that was received is lost; NV memory stays",
    undoneBy: "`power-on`",
  },
  "power-on": { group: "Power and link", says: "the printer starts", remedy: true },
  "link-cut": {
    group: "Power and link",
    says: "connections end; what is in the printer still prints",
    undoneBy: "`link-restored`",
  },
  "link-restored": { group: "Power and link", says: "hosts can connect again", remedy: true },
  "lost-bytes": {
    group: "Line",
    says: "this share of the received bytes is lost (0.01)",
    undoneBy: "`line-clean`",
    form: "lost-bytes=0.05",
  },
  "corrupted-bytes": {
    group: "Line",
    says: "this share of the received bytes is changed (0.01)",
    undoneBy: "`line-clean`",
    form: "corrupted-bytes=0.05",
  },
  "line-clean": { group: "Line", says: "bytes arrive as they were sent", remedy: true },
  mute: { group: "Line", says: "the printer prints, but says nothing", undoneBy: "`unmute`" },
  unmute: { group: "Line", says: "the printer answers again", remedy: true },
  "drawer-opened": {
    group: "Drawer and button",
    says: "the drawer stands open: its switch changes the status",
    undoneBy: "`drawer-closed`",
  },
  "drawer-closed": { group: "Drawer and button", says: "the drawer is shut", remedy: true },
  "feed-button": { group: "Drawer and button", says: "someone presses feed; a line, while nothing prints" },
};
