import { type JobId, parseJobId } from "../protocol/ids.ts";
import type { ServerJob } from "./server-state.ts";

type Jobs = Map<JobId, ServerJob>;

/**
 * All jobs of the server, first in first out, and the same jobs by printer and by client: an input concerns one of
 * each, and must not pay for all the others.
 */
export class JobQueue {
  readonly #all: Jobs = new Map();
  readonly #byPrinter = new Map<string, Jobs>();
  readonly #byClient = new Map<string, Jobs>();

  get(jobId: JobId): ServerJob | undefined {
    return this.#all.get(jobId);
  }

  get size(): number {
    return this.#all.size;
  }

  /** In the order of the queue. A loop may remove jobs as it goes. */
  all(): Iterable<ServerJob> {
    return this.#all.values();
  }

  ofPrinter(printer: string): Iterable<ServerJob> {
    return this.#byPrinter.get(printer)?.values() ?? [];
  }

  ofClient(clientId: string): Iterable<ServerJob> {
    return this.#byClient.get(clientId)?.values() ?? [];
  }

  countOfClient(clientId: string): number {
    return this.#byClient.get(clientId)?.size ?? 0;
  }

  /** Puts a job at the end: the caller adds in the order of the queue numbers. */
  add(job: ServerJob): void {
    const { jobId, printer } = job.row.ticket;
    this.#all.set(jobId, job);
    group(this.#byPrinter, printer).set(jobId, job);
    group(this.#byClient, parseJobId(jobId).clientId).set(jobId, job);
  }

  remove(jobId: JobId): void {
    const job = this.#all.get(jobId);
    if (job === undefined) return;
    this.#all.delete(jobId);
    ungroup(this.#byPrinter, job.row.ticket.printer, jobId);
    ungroup(this.#byClient, parseJobId(jobId).clientId, jobId);
  }
}

function group(groups: Map<string, Jobs>, key: string): Jobs {
  const known = groups.get(key);
  if (known !== undefined) return known;
  const jobs: Jobs = new Map();
  groups.set(key, jobs);
  return jobs;
}

/** Empty groups go: client ids come and go for as long as the server lives. */
function ungroup(groups: Map<string, Jobs>, key: string, jobId: JobId): void {
  const jobs = groups.get(key);
  jobs?.delete(jobId);
  if (jobs?.size === 0) groups.delete(key);
}
