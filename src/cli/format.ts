/** `2026-11-23 14:03:22` in the time zone of this machine. */
export function formatTime(wallMs: number): string {
  const date = new Date(wallMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `812 B`, `4.1 KB`, `12 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  for (const unit of ["KB", "MB", "GB"]) {
    value /= 1000;
    // What would be rounded up to four digits is told in the next unit.
    if (value < 999.5 || unit === "GB") return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  }
  return `${bytes} B`;
}

/** `1 page`, `2 pages`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Share of rows that the printer has taken, as a whole percentage; a job without rows has none. */
export function formatPercent(done: number, total: number): string {
  return total <= 0 ? "0 %" : `${Math.min(100, Math.floor((100 * done) / total))} %`;
}

/** `12 seconds ago`, `3 hours ago`. */
export function agoText(ms: number): string {
  const units = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
  ] as const;
  const [unitMs, noun] = units.find(([length]) => ms >= length) ?? ([1_000, "second"] as const);
  return `${formatCount(Math.floor(ms / unitMs), noun)} ago`;
}
