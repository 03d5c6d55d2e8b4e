import type { Page } from "./paper.ts";
import type { Simulator } from "./simulator.ts";

interface Lamp {
  readonly name: string;
  readonly says: string;
  readonly level: "well" | "warning" | "bad";
}

/** What the live page shows above the paper. */
export interface WebState {
  readonly lamps: readonly Lamp[];
  readonly work: string;
  readonly headRow: number;
  /** Something hangs out of the printer. */
  readonly uncut: boolean;
}

/** Conditions that have a lamp of their own, or need none; every other one is an error. */
const NO_ERRORS: ReadonlySet<string> = new Set(["coverOpen", "paperEnd", "paperNearEnd", "drawerPinHigh", "feeding"]);

function errorsOf(conditions: Readonly<Record<string, unknown>>): string {
  const present = Object.entries(conditions).filter(([name, value]) => value === true && !NO_ERRORS.has(name));
  return present.map(([name]) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)).join(", ");
}

export function webStateOf(simulator: Simulator): WebState {
  const { state, pulses } = simulator;
  const { conditions } = state;
  const errors = errorsOf({ ...conditions });
  const paper: Lamp["level"] = conditions.paperEnd ? "bad" : conditions.paperNearEnd ? "warning" : "well";
  const away = state.power ? (state.link ? "" : "link cut") : "power off";
  return {
    lamps: [
      { name: "online", says: away || (state.online ? "yes" : "no"), level: state.online && !away ? "well" : "bad" },
      { name: "paper", says: { well: "there", warning: "near end", bad: "end" }[paper], level: paper },
      {
        name: "cover",
        says: conditions.coverOpen ? "open" : "closed",
        level: conditions.coverOpen ? "bad" : "well",
      },
      { name: "error", says: errors || "none", level: errors ? "bad" : "well" },
      {
        name: "drawer",
        says: pulses.length === 0 ? "not opened" : `opened ${pulses.length} ${pulses.length === 1 ? "time" : "times"}`,
        level: pulses.length === 0 ? "well" : "warning",
      },
    ],
    work: state.idle
      ? "Nothing to do."
      : `${state.bufferedBytes} bytes in the buffer, ${state.queuedRows} rows to print.`,
    headRow: state.headRow,
    uncut: simulator.uncut !== undefined,
  };
}

/** What the page says of a ticket. */
export function ticketView(number: number, page: Page): Readonly<Record<string, string | number>> {
  const { widthDots, heightDots, dpi, text } = page;
  return { number, widthDots, heightDots, millimetres: Math.round((heightDots / dpi) * 25.4), text };
}
