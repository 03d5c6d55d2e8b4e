import type { Peer } from "../protocol/messages.ts";
import type { ClientCore } from "./client-core.ts";

/** Which printer hosts this client has to reach: those of its open jobs. */
export function wantLinks(core: ClientCore): void {
  const needed = new Map<Peer, string>();
  for (const job of core.jobs.values()) {
    if (job.row.outcome !== undefined || needed.has(job.host)) continue;
    const url = core.printers.get(job.row.ticket.printer)?.hostUrl;
    if (url !== undefined) needed.set(job.host, url);
  }
  for (const [peer, url] of needed) {
    if (!core.wantedLinks.has(peer)) core.emit({ kind: "openLink", peer, url });
    core.wantedLinks.set(peer, undefined);
  }
  // The next job comes soon more often than not: a link stays a while after its last one.
  const nowMs = core.now.monotonicMs;
  for (const [peer, idleUntilMs] of core.wantedLinks) {
    if (needed.has(peer)) continue;
    if (idleUntilMs === undefined) core.wantedLinks.set(peer, nowMs + core.config.timers.statusIntervalMs);
    else if (idleUntilMs <= nowMs) {
      core.wantedLinks.delete(peer);
      core.emit({ kind: "closeLink", peer });
    }
  }
}
