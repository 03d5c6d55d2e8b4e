import { CLONE_COMMANDS } from "./commands/clone.ts";
import { ALL_COMMANDS, CARRIED_OUT } from "./commands/table.ts";
import type { CommandRow, ParameterShape } from "./parser.ts";
import { PROFILES } from "./profiles.ts";
import { REAL_TIME_ROWS, type RealTimeRow } from "./realtime-scanner.ts";

/** What the simulator does with one command. */
export interface CommandCoverage {
  /** As in the manual. */
  readonly name: string;
  /** The bytes it begins with, in hexadecimal; of a real-time command all of them. */
  readonly bytes: string;
  /** What follows these bytes. */
  readonly parameters: string;
  /**
   * `carried-out`; `accepted`: obeyed, and nothing on paper or wire could show it; `consumed`: skipped whole, with a
   * diagnostic.
   */
  readonly treatment: "carried-out" | "accepted" | "consumed";
  /** Carried out on reception, ahead of the receive buffer. */
  readonly realTime: boolean;
  /** The profiles that have it, where not all do. */
  readonly onlyIn?: readonly string[];
}

/** Every command the simulator knows, by its bytes, as its tables have them. */
export function listCommands(): readonly CommandCoverage[] {
  const carriedOut = new Set<unknown>(CARRIED_OUT);
  const buffered = ALL_COMMANDS.map((row) => coverageOf(row, carriedOut.has(row)));
  return [...buffered, ...REAL_TIME_ROWS.map(realTimeCoverage)].toSorted((a, b) => (a.bytes < b.bytes ? -1 : 1));
}

function coverageOf<Target>(row: CommandRow<Target>, isCarriedOut: boolean): CommandCoverage {
  const special = CLONE_COMMANDS.find((command) => command.row.name === row.name);
  const hasEffect = row.execute !== undefined || row.open !== undefined;
  return {
    name: row.name,
    bytes: row.prefix.map(hex).join(" "),
    parameters: parametersOf(row.shape, row.prefix),
    treatment: isCarriedOut ? (hasEffect ? "carried-out" : "accepted") : "consumed",
    realTime: false,
    ...(special === undefined ? {} : { onlyIn: PROFILES.filter(special.isIn).map(({ name }) => name) }),
  };
}

function realTimeCoverage({ name, pattern, read }: RealTimeRow): CommandCoverage {
  const bytes = pattern.map((part) => (typeof part === "number" ? hex(part) : part.map(hex).join("-")));
  // A command with functions is carried out when the first or the last of them is.
  const isObeyed = ([0, 1] as const).some(
    (end) => read(pattern.map((part) => (typeof part === "number" ? part : part[end]))).kind !== "no-operation",
  );
  return {
    name,
    bytes: bytes.join(" "),
    parameters: "",
    treatment: isObeyed ? "carried-out" : "consumed",
    realTime: true,
  };
}

function parametersOf(shape: ParameterShape, prefix: readonly number[]): string {
  const count = shape.more([]);
  if (prefix[1] === 0x28) return "pL pH and as many bytes as they say";
  const isFixed = [0, 1, 65, 255].every((byte) => shape.more(new Array<number>(count).fill(byte)) <= 0);
  if (shape.data === undefined && isFixed) {
    return count === 0 ? "" : `${count} ${count === 1 ? "byte" : "bytes"}`;
  }
  return "as many bytes as its parameters say";
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0").toUpperCase();
}
