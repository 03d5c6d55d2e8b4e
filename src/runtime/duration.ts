import { limits } from "../protocol/limits.ts";

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as 90s, 15m, 2h or 3d, in ms; undefined for anything else, and for more than a year. */
export function durationMsOf(text: string): number | undefined {
  const [, amount, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const durationMs = Number(amount) * (unitMs[unit] ?? Number.NaN);
  return durationMs <= limits.jobDelayMs ? durationMs : undefined;
}
