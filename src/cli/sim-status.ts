import type { PrinterState } from "../../firmware-sim/mod.ts";
import type { Io, Output } from "./io.ts";
import { ProgressLine } from "./progress.ts";

const REDRAW_MS = 100;

/** What stands in the way, for people; the order is that in which one would look. */
const CAUSES: readonly (readonly [keyof PrinterState["conditions"], string])[] = [
  ["coverOpen", "cover open"],
  ["paperEnd", "paper end"],
  ["nearEndStop", "stopped at paper near end"],
  ["mechanicalError", "paper jam"],
  ["cutterError", "cutter error"],
  ["unrecoverableError", "unrecoverable error"],
  ["headHot", "head too hot"],
  ["feeding", "feeding"],
  ["waitingForButton", "waits for its button"],
];

/** `online, paper ok, buffer 0 %, head 25 °C`, or why not. */
export function describeState(state: PrinterState, bufferBytes: number): string {
  const { conditions } = state;
  const causes = CAUSES.filter(([name]) => conditions[name]).map(([, text]) => text);
  const paper = conditions.paperEnd ? "out" : conditions.paperNearEnd ? "near end" : "ok";
  const fill = Math.min(100, Math.ceil((100 * state.bufferedBytes) / bufferBytes));
  const line = state.power ? (state.online ? "online" : `offline (${causes.join(", ")})`) : "power off";
  return [
    state.link ? line : `${line}, link cut`,
    `paper ${paper}`,
    `buffer ${fill} %`,
    `head ${Math.round(state.headTemperatureC)} °C`,
    ...(state.idle ? [] : ["printing"]),
  ].join(" | ");
}

/** A line below everything else that is drawn anew as long as it is open. */
export interface StatusLine {
  /** What is written to it goes above the line. */
  readonly io: Io;
  /** The person has ended a line of their own, so the cursor stands elsewhere. */
  typed(): void;
  close(): void;
}

/** Shows the state of the printer on a terminal that can draw over a line; elsewhere, and unless wanted, nothing. */
export function openStatusLine(io: Io, isWanted: boolean, state: () => string): StatusLine {
  const { TERM: term } = io.env;
  if (!isWanted || !io.stdout.isTerminal || term === "dumb") return { io, typed: () => {}, close: () => {} };
  const line = new ProgressLine(io.stdout, Date.now);
  const above = (out: Output): Output => ({
    write: (text) => {
      line.clear();
      out.write(text);
    },
    get isTerminal() {
      return out.isTerminal;
    },
    get columns() {
      return out.columns;
    },
  });
  const timer = setInterval(() => line.update(`${state()} > `), REDRAW_MS);
  timer.unref();
  return {
    io: { ...io, stdout: above(io.stdout), stderr: above(io.stderr) },
    typed: () => line.clear(),
    close: () => {
      clearInterval(timer);
      line.clear();
    },
  };
}
