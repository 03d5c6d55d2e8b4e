import { FAULT_GUIDE, type FaultGuide } from "./fault-guide.ts";
import type { FaultKind } from "./faults.ts";
import type { Page } from "./paper.ts";
import type { Profile } from "./profiles.ts";
import type { Simulator } from "./simulator.ts";

interface Lamp {
  readonly name: string;
  readonly says: string;
  readonly level: "well" | "warning" | "bad" | "off";
}

interface Gauge {
  readonly name: string;
  readonly says: string;
  readonly value: number;
  readonly max: number;
}

/** What the live page shows beside the paper. */
export interface WebState {
  readonly lamps: readonly Lamp[];
  readonly work: string;
  readonly gauges: readonly Gauge[];
  readonly facts: readonly (readonly [name: string, says: string])[];
  /** What hangs out of the printer: the row of its upper edge since the start, and how many rows it has. */
  readonly uncut: { readonly top: number; readonly rows: number; readonly widthDots: number } | null;
}

/** The buttons of one matter, each with the fault it sends. */
interface FaultGroup {
  readonly name: FaultGuide["group"];
  readonly faults: readonly { readonly fault: FaultKind; readonly says: string; readonly remedy: boolean }[];
}

/** Conditions that have a lamp of their own, or need none; every other one is an error. */
const NO_ERRORS: ReadonlySet<string> = new Set(["coverOpen", "paperEnd", "paperNearEnd", "drawerPinHigh", "feeding"]);

function errorsOf(conditions: Readonly<Record<string, unknown>>): string {
  const present = Object.entries(conditions).filter(([name, value]) => value === true && !NO_ERRORS.has(name));
  return present.map(([name]) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)).join(", ");
}

function lampsOf({ state }: Simulator): readonly Lamp[] {
  const { conditions } = state;
  const errors = errorsOf({ ...conditions });
  const paper: Lamp["level"] = conditions.paperEnd ? "bad" : conditions.paperNearEnd ? "warning" : "well";
  const away = state.power ? (state.link ? "" : "link cut") : "power off";
  const lamps: readonly Lamp[] = [
    { name: "online", says: away || (state.online ? "yes" : "no"), level: state.online && !away ? "well" : "bad" },
    { name: "paper", says: { well: "there", warning: "near end", bad: "end" }[paper], level: paper },
    { name: "cover", says: conditions.coverOpen ? "open" : "closed", level: conditions.coverOpen ? "bad" : "well" },
    { name: "error", says: errors || "none", level: errors ? "bad" : "well" },
    {
      name: "drawer",
      says: conditions.drawerPinHigh ? "open" : "shut",
      level: conditions.drawerPinHigh ? "warning" : "well",
    },
  ];
  // Without power only the first one has something to say.
  return state.power ? lamps : lamps.map((lamp, index) => (index === 0 ? lamp : { ...lamp, level: "off" }));
}

const times = (count: number): string => (count === 1 ? "once" : `${count} times`);

function millimetresOf(dots: number, dpi: number): number {
  return Math.round((dots / dpi) * 25.4);
}

export function webStateOf(simulator: Simulator): WebState {
  const { state, profile, pulses, uncut } = simulator;
  const { bufferedBytes, queuedRows, headTemperatureC, headRow } = state;
  const degrees = Math.round(headTemperatureC);
  const room = profile.bufferBytes;
  return {
    lamps: lampsOf(simulator),
    work: !state.power ? "Switched off." : state.idle ? "Nothing to do." : state.online ? "Printing." : "Waiting.",
    gauges: [
      { name: "receive buffer", says: `${bufferedBytes} of ${room} bytes`, value: bufferedBytes, max: room },
      { name: "print queue", says: `${queuedRows} rows`, value: queuedRows, max: profile.printQueueRows },
      { name: "head", says: `${degrees} °C`, value: degrees, max: profile.drive.stopsAtC },
    ],
    facts: [
      ["connections", String(state.connections)],
      ["received", `${state.receivedBytes} bytes`],
      ["paper used", `${millimetresOf(headRow, profile.dpi)} mm`],
      ["drawer opened", pulses.length === 0 ? "never" : times(pulses.length)],
      ["lost", `${state.lostBytes} bytes`],
    ],
    uncut:
      uncut === undefined
        ? null
        : { top: headRow - uncut.heightDots, rows: uncut.heightDots, widthDots: uncut.widthDots },
  };
}

/** What the page says of a ticket. */
export function ticketView(number: number, page: Page): Readonly<Record<string, string | number>> {
  const { widthDots, heightDots, dpi, text, cut } = page;
  return { number, widthDots, heightDots, millimetres: millimetresOf(heightDots, dpi), text, cut };
}

/** Faults as the page groups them, each before its remedy. */
export function faultGroups(): readonly FaultGroup[] {
  const groups = new Map<FaultGuide["group"], FaultGroup["faults"]>();
  for (const fault of Object.keys(FAULT_GUIDE) as FaultKind[]) {
    const { group, says, remedy = false } = FAULT_GUIDE[fault];
    groups.set(group, [...(groups.get(group) ?? []), { fault, says: says.replaceAll("`", ""), remedy }]);
  }
  return [...groups].map(([name, faults]) => ({ name, faults }));
}

/** The printer in a line. */
export function profileLine({ widthDots, dpi, speedMmPerS }: Profile): string {
  return `${widthDots} dots at ${dpi} dpi, ${speedMmPerS} mm/s`;
}
