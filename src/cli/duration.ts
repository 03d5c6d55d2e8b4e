import { durationMsOf } from "../runtime/duration.ts";
import { UsageError } from "./failure.ts";

/** A duration such as 90s, 15m, 2h or 3d, in ms. Throws UsageError. */
export function parseDuration(flag: string, text: string): number {
  const durationMs = durationMsOf(text);
  if (durationMs !== undefined) return durationMs;
  throw new UsageError(`${flag} ${text}: expected a duration of at most a year, such as 90s, 15m, 2h or 3d`);
}

/** A duration, or a time of day such as 18:00: the next one from `nowMs` on. In ms from now. Throws UsageError. */
export function parseMoment(flag: string, text: string, nowMs: number): number {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined) {
    if (/^\d+[smhd]$/.test(text)) return parseDuration(flag, text);
    throw new UsageError(`${flag} ${text}: expected a duration such as 15m, or a time of day such as 18:00`);
  }
  const moment = new Date(nowMs);
  moment.setHours(Number(hours), Number(minutes), 0, 0);
  if (moment.getTime() <= nowMs) moment.setDate(moment.getDate() + 1);
  return moment.getTime() - nowMs;
}

/** IPP job-priority. Throws UsageError. */
export function parsePriority(text: string): number {
  const priority = Number(text);
  if (/^\d+$/.test(text) && priority >= 1 && priority <= 100) return priority;
  throw new UsageError(`--priority ${text}: expected a whole number from 1 to 100, 100 goes first`);
}
