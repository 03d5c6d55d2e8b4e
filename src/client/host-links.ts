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
    const wanted = core.wantedLinks.get(peer);
    // The host stands at another address now: nobody would ever answer at the old one.
    if (wanted !== undefined && wanted.url !== url) core.emit({ kind: "closeLink", peer });
    if (wanted?.url !== url) core.emit({ kind: "openLink", peer, url });
    core.wantedLinks.set(peer, { url, idleUntilMs: undefined });
  }
  // The next job comes soon more often than not: a link stays a while after its last one.
  const nowMs = core.now.monotonicMs;
  for (const [peer, wanted] of core.wantedLinks) {
    if (needed.has(peer)) continue;
    if (wanted.idleUntilMs === undefined) wanted.idleUntilMs = nowMs + core.config.timers.statusIntervalMs;
    else if (wanted.idleUntilMs <= nowMs) {
      core.wantedLinks.delete(peer);
      core.emit({ kind: "closeLink", peer });
    }
  }
}
