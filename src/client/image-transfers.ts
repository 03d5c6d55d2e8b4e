import { TwinspoolError } from "../protocol/errors.ts";
import type { Peer } from "../protocol/messages.ts";
import { proofHeaders } from "../runtime/client-proof.ts";
import type { Config } from "../runtime/config-schema.ts";
import { getImage, putImage } from "../runtime/image-transfer.ts";
import type { ImageStore } from "../spool/image-store.ts";
import type { JobStore } from "../spool/job-store.ts";
import type { SpoolWatch } from "../spool/level-watch.ts";
import type { ClientMachine } from "./client-machine.ts";
import type { ClientInput } from "./client-state.ts";
import type { ClientIdentity } from "./client-store.ts";

/** What a client has opened before its machine starts. */
export interface OpenedFolder {
  readonly folder: string;
  readonly diskless: string | undefined;
  readonly store: JobStore;
  readonly identity: ClientIdentity;
  readonly images: ImageStore;
  readonly handover: ImageStore;
}

interface TransferParts {
  readonly config: Config;
  readonly identity: ClientIdentity;
  readonly machine: ClientMachine;
  readonly images: ImageStore;
  /** Images of jobs that do not use this spool. */
  readonly handover: ImageStore;
  readonly spool: SpoolWatch;
  /** The machine has ordered the image of this job to be erased, and it has not been carried out. */
  readonly isErasing: (jobId: string) => boolean;
  readonly dispatch: (input: ClientInput) => void;
}

/** Images on their way between this client, the server and the printer hosts; the machine hears how each one ended. */
export class ImageTransfers {
  readonly #parts: TransferParts;

  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  get #keyHeaders(): Readonly<Record<string, string>> {
    const { key } = this.#parts.config;
    return key === undefined ? {} : { authorization: `Bearer ${key}` };
  }

  /** The secret is for the server alone. */
  get serverHeaders(): Readonly<Record<string, string>> {
    return { ...this.#keyHeaders, ...proofHeaders(this.#parts.identity) };
  }

  /** Step 305. */
  upload(jobId: string): Promise<void> {
    return this.#send(jobId, "server", `${this.#parts.config.server}/images/${jobId}`);
  }

  /** Step 309. */
  sendToHost(jobId: string, to: Peer, uploadId: string): Promise<void> {
    const printer = this.#parts.machine.printers.find((candidate) => `host:${candidate.name}` === to);
    return this.#send(jobId, to, `${printer?.hostUrl ?? ""}/images/${uploadId}`);
  }

  /** The server's copy, streamed into this spool and checked on the way. */
  async fetch(jobId: string): Promise<void> {
    const { config, machine, images, spool, isErasing, dispatch } = this.#parts;
    const ticket = machine.job(jobId)?.row.ticket;
    try {
      if (ticket === undefined) throw new TwinspoolError("job-unknown", jobId);
      const { sizeBytes } = ticket;
      const crowded = spool.refusal({ sizeBytes, clientUsedBytes: 0, promisedBytes: 0 });
      if (crowded !== undefined) throw new TwinspoolError("spool-full", `this client: ${crowded}`);
      const chunks = getImage(`${config.server}/api/jobs/${jobId}/image`, this.serverHeaders);
      if (!images.has(jobId)) await images.receive(jobId, chunks, ticket);
      if (isErasing(jobId))
        throw new TwinspoolError("image-missing", `${jobId} is just being erased: fetched again later`);
      dispatch({ kind: "imageStored", jobId });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      dispatch({ kind: "imageFetchFailed", jobId, reason });
    }
  }

  async #send(jobId: string, to: Peer, url: string): Promise<void> {
    const { machine, images, handover, dispatch } = this.#parts;
    const ended = (ok: boolean, reason: string): void =>
      dispatch({ kind: "imageTransferEnded", jobId, to, ok, reason });
    const ticket = machine.job(jobId)?.row.ticket;
    if (ticket === undefined) return ended(false, "the job is gone");
    const store = images.has(jobId) ? images : handover;
    if (!store.has(jobId)) return dispatch({ kind: "imageLost", jobId, reason: "no file" });
    try {
      const { status, body } = await putImage(url, this.#keyHeaders, store.read(jobId), ticket.sizeBytes);
      if (status === 200) return ended(true, "");
      ended(false, `HTTP ${status} ${JSON.stringify(body)}`);
      if ((body as { code?: string } | undefined)?.code !== "image-wrong-digest") return;
      if ((await store.verify(jobId, ticket.sha256)) === "intact") return;
      if (store.has(jobId)) await store.quarantine(jobId);
      const reason = "the file is damaged; it was moved into quarantine";
      dispatch({ kind: "imageLost", jobId, reason });
    } catch (error) {
      ended(false, error instanceof Error ? error.message : String(error));
    }
  }
}
