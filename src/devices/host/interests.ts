import type { JobId } from "../../protocol/ids.ts";
import type { Peer } from "../../protocol/messages.ts";

/** Who offered, canceled or asked about a job and wants to hear how it goes on. The server hears everything. */
export class Interests {
  readonly #peers = new Map<JobId, Set<Peer>>();

  add(peer: Peer, jobId: JobId): void {
    const peers = this.#peers.get(jobId) ?? new Set<Peer>();
    this.#peers.set(jobId, peers.add(peer));
  }

  of(jobId: JobId): ReadonlySet<Peer> {
    return new Set(this.#peers.get(jobId)).add("server");
  }

  /** The job has ended: for the last time. */
  take(jobId: JobId): ReadonlySet<Peer> {
    const peers = this.of(jobId);
    this.#peers.delete(jobId);
    return peers;
  }
}
