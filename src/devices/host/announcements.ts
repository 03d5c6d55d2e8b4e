import type { JobId } from "../../protocol/ids.ts";
import type { OutcomeRecord } from "../../protocol/job.ts";
import type { Timers } from "../../protocol/limits.ts";
import type { Peer } from "../../protocol/messages.ts";
import { earliest, firstRetry, nextRetry, type Retry } from "../../runtime/retry.ts";

interface Announcement {
  readonly to: Peer;
  readonly record: OutcomeRecord;
}

/** Final records that were told (step 311) and not acknowledged yet (312): told again with growing pauses. */
export class Announcements {
  readonly #timers: Timers;
  readonly #open = new Map<string, { readonly announcement: Announcement; retry: Retry }>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  add(announcement: Announcement, nowMs: number): void {
    const { to, record } = announcement;
    this.#open.set(keyOf(to, record.jobId), { announcement, retry: firstRetry(nowMs, this.#timers) });
  }

  acknowledge(from: Peer, jobId: JobId): void {
    this.#open.delete(keyOf(from, jobId));
  }

  /** A peer that comes back asks for the outcomes of its open jobs: nothing has to be remembered for it. */
  forget(peer: Peer): void {
    for (const [key, { announcement }] of this.#open) if (announcement.to === peer) this.#open.delete(key);
  }

  /** What has to be told again now. */
  takeDue(nowMs: number): Announcement[] {
    const due: Announcement[] = [];
    for (const entry of this.#open.values()) {
      if (entry.retry.atMs > nowMs) continue;
      entry.retry = nextRetry(entry.retry, nowMs, this.#timers);
      due.push(entry.announcement);
    }
    return due;
  }

  nextWakeMs(): number | undefined {
    return earliest([...this.#open.values()].map(({ retry }) => retry.atMs));
  }
}

function keyOf(peer: Peer, jobId: JobId): string {
  return `${peer} ${jobId}`;
}
