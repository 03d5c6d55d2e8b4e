import type { Page } from "./paper.ts";
import type { Conditions } from "./status.ts";

/** A drawer pulse that was asked for. */
export interface DrawerPulse {
  readonly atMs: number;
  readonly pin: number;
  readonly onMs: number;
  readonly offMs: number;
}

/** What the buzzer was told. */
export interface Sound {
  readonly atMs: number;
  /** The number of the pattern as the command has it; 0 is silence. */
  readonly pattern: number;
  /** How many times; 0 is until something else is sounded. */
  readonly times: number;
  /** Where the command says them, in milliseconds. */
  readonly onMs?: number;
  readonly offMs?: number;
}

export interface PrinterState {
  readonly power: boolean;
  readonly link: boolean;
  readonly online: boolean;
  readonly conditions: Conditions;
  /** Connections that are open. */
  readonly connections: number;
  /** On all connections, since the start. */
  readonly receivedBytes: number;
  readonly bufferedBytes: number;
  /** What a line without flow control sent beyond the receive buffer. */
  readonly lostBytes: number;
  /** Rows interpreted but not on paper. */
  readonly queuedRows: number;
  readonly headTemperatureC: number;
  /** Rows that have passed the head since the start. */
  readonly headRow: number;
  /** Nothing received is waiting, nothing is moving. */
  readonly idle: boolean;
}

export interface PrinterEvents {
  page(page: Page): void;
  /** Hosts can (not) reach the printer: power or link has changed. */
  reachable(reachable: boolean): void;
}
