import * as z from "zod";
import { TwinspoolError } from "../protocol/errors.ts";
import { sha256Schema } from "../protocol/ids.ts";
import type { Hello } from "../protocol/messages.ts";
import { type ClientProof, digestOfSecret, isSecretOf } from "../runtime/client-proof.ts";
import type { JobStore } from "../spool/job-store.ts";
import { serverTables } from "./server-state.ts";

const pinSchema = z.object({ secretSha256: sha256Schema });

/** Which secret belongs to which client id: the first one that is shown, from then on only that one. */
export class ClientPins {
  readonly #store: JobStore;

  constructor(store: JobStore) {
    this.#store = store;
  }

  /** Throws `client-wrong` when another client has this id. */
  check({ clientId, secret }: ClientProof): void {
    const pin = this.#pinOf(clientId);
    if (pin === undefined) {
      const value = { secretSha256: digestOfSecret(secret) };
      this.#store.commit([{ op: "put", table: serverTables.clients, key: clientId, value }]);
    } else if (!isSecretOf(pin, secret)) throw new TwinspoolError("client-wrong", clientId);
  }

  /** The same for a control link. One without a secret is let in only as long as the id has none. */
  checkHello(hello: Hello): void {
    if (hello.role !== "client") return;
    const { clientId, secret } = hello;
    if (secret !== undefined) return this.check({ clientId, secret });
    if (this.#pinOf(clientId) !== undefined) throw new TwinspoolError("client-wrong", clientId);
  }

  #pinOf(clientId: string): string | undefined {
    return pinSchema.safeParse(this.#store.get(serverTables.clients, clientId)).data?.secretSha256;
  }
}
